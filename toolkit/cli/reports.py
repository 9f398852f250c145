"""`toolkit report` and `toolkit figures`: what a run shows, for the screen and for print."""

from __future__ import annotations

from pathlib import Path

import click

from toolkit.errors import UsageError, did_you_mean


@click.command()
@click.argument("run", required=False)
@click.option("--open", "show", is_flag=True, help="Open the gallery in the browser.")
def report(run: str | None, show: bool) -> None:
    """Write one HTML a section and a gallery that open from disk, without network.

    RUN is the name or folder of a run; without it the newest one.

    Example: toolkit report --open
    """
    from toolkit.pipeline.gallery import report_run

    gallery = report_run(run)
    click.echo(f"Gallery: {gallery}")
    for page in sorted(gallery.parent.glob("*/report.html")):
        click.echo(f"Report:  {page}")
    if show:
        click.launch(gallery.as_uri())


@click.command()
@click.argument("names", nargs=-1)
@click.option(
    "--format",
    "formats",
    multiple=True,
    type=click.Choice(["svg", "pdf", "png"]),
    default=["svg"],
    show_default=True,
    help="Can be given several times.",
)
@click.option(
    "--width",
    type=click.FloatRange(min=30, max=600),
    help="Width in mm: 85 is one journal column, 174 two. Without it each figure's own. Figures of several panels are scaled as a whole.",
)
@click.option(
    "--dpi", type=click.FloatRange(min=50, max=1200), default=300, show_default=True, help="Of PNG."
)
@click.option(
    "--folder", type=click.Path(path_type=Path), help="Where they go; beside the figures without it."
)
def figures(
    names: tuple[str, ...], formats: tuple[str, ...], width: float | None, dpi: float, folder: Path | None
) -> None:
    """Draw the latest figures as SVG, PDF or PNG, through Chrome or Chromium.

    NAMES are figures, for instance 00_start_here_overview, or how they begin; without any, all.

    Example: toolkit figures 00 --format svg --format pdf --width 85
    """
    from toolkit.viz import export_figures, read_figure

    chosen = _chosen(names)
    target = folder or chosen[0].parent
    drawn = [(read_figure(path), target / path.name) for path in chosen]
    for path in export_figures(drawn, formats, width_mm=width, dpi=dpi):
        click.echo(path)


def _chosen(names: tuple[str, ...]) -> list[Path]:
    from toolkit.paths import figures_dir

    known = sorted(figures_dir().glob("[!.]*.json"))
    if not known:
        raise UsageError("there are no figures yet.", where=str(figures_dir()), fix="Make them: toolkit run")
    for name in names:
        if not any(path.stem.startswith(name) for path in known):
            raise UsageError(
                f"there is no figure '{name}'.", fix=did_you_mean(name, [path.stem for path in known])
            )
    return [path for path in known if not names or path.stem.startswith(names)]
