"""``toolkit fetch`` and ``toolkit data``: the only downloader, and what is here."""

from __future__ import annotations

import click

from toolkit.errors import UsageError


@click.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--all", "everything", is_flag=True, help="Every data set of the registry.")
def fetch(names: tuple[str, ...], everything: bool) -> None:
    """Bring data sets into data/raw, each file checked against its sha256.

    Files come from the folder named by TOOLKIT_MIRROR if it holds them, otherwise from their public
    address. A file that is here already is left alone, so an interrupted fetch continues; afterwards
    everything runs without network. Without a name it shows what would be fetched.

    Example: toolkit fetch badham2017 chambon2020
    """
    from toolkit.data import fetching
    from toolkit.data.registry import list_datasets

    if everything and names:
        raise UsageError("--all already means every data set.", fix="Leave out the names, or --all.")
    if not everything and not names:
        _show(list_datasets(), absent_only=True)
        click.echo("Nothing was fetched. Name data sets, or use `toolkit fetch --all`.")
        return
    done = fetching.fetch(list_datasets() if everything else names, progress=True)
    click.echo(
        f"{done.present} files were here, {done.copied} copied from the mirror, {done.downloaded} downloaded."
    )


@click.command()
@click.argument("name", required=False)
@click.option("--markdown", is_flag=True, help="Print the table of data/README.md.")
def data(name: str | None, markdown: bool) -> None:
    """List all data sets and whether they are here, or show the card of one.

    Example: toolkit data badham2017
    """
    from toolkit.data.cards import card, markdown_table
    from toolkit.data.registry import describe, list_datasets

    if markdown:
        click.echo(markdown_table())
    elif name:
        click.echo(card(describe(name)))
    else:
        _show(list_datasets())


def _show(names: list[str], *, absent_only: bool = False) -> None:
    """One line a data set: name, kind, files, size and whether it is here."""
    from toolkit.data.cards import megabytes
    from toolkit.data.fetching import holdings
    from toolkit.paths import mirror_dir, raw_dir

    held = [one for one in holdings(names) if not (absent_only and one.state == "here")]
    if not held:
        click.echo(f"Everything is here, in {raw_dir()}.")
        return
    width = max((len(one.dataset.name) for one in held), default=1)
    for one in held:
        files = f"{one.n_files} file" + ("s" if one.n_files > 1 else "")
        state = f"partly ({one.n_here} of {one.n_files})" if one.state == "partly" else one.state
        click.echo(
            f"{one.dataset.name:<{width}}  {one.dataset.kind:<9}  {files:>9}  "
            f"{megabytes(one.dataset.bytes):>8}  {state}"
        )
    size = megabytes(sum(one.dataset.bytes for one in held))
    click.echo(f"{len(held)} data sets, {size}, in {raw_dir()}")
    if (mirror := mirror_dir()) is not None:
        click.echo(f"What is not here is copied from the mirror {mirror} when it is loaded.")
