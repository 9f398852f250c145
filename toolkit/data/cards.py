"""Words about data sets: the card of one, and the table of all in ``data/README.md``."""

from __future__ import annotations

import textwrap

from toolkit.data.registry import Dataset, registry

BEGIN = "<!-- data sets: made from registry.toml, `toolkit data --markdown` -->"
END = "<!-- end of data sets -->"
_WIDTH = 100


def card(dataset: Dataset) -> str:
    """What a person should know before using a data set, as text."""
    lines = [f"{dataset.name} ({dataset.kind}): {dataset.title}", ""]
    lines += _wrapped("Cite: ", dataset.citation)
    lines += _wrapped("Licence: ", dataset.licence)
    if dataset.loads:
        function = "load_curve" if dataset.kind == "curves" else "load_data"
        lines += _wrapped("Load: ", ", ".join(f'{function}("{name}")' for name in dataset.loads))
    tables = [file.table for file in dataset.file if file.table]
    if tables:
        lines += _wrapped("Load: ", ", ".join(f'load_table("{name}")' for name in tables))
    lines += ["", "Columns of the files:"]
    for name, meaning in dataset.columns.items():
        lines += _wrapped(f"  {name}: ", meaning)
    lines += ["", "Know before use:"]
    for caveat in dataset.caveats:
        lines += _wrapped("  - ", caveat)
    lines += ["", f"Files ({len(dataset.files)}, {megabytes(dataset.bytes)}):"]
    for file in dataset.file:
        lines += [f"  {file.path}", f"    {file.url}", f"    sha256 {file.sha256}"]
        if file.about:
            lines += _wrapped("    ", file.about)
    for family in dataset.family:
        lines += [f"  {family.folder}…", f"    {family.url}…", f"    sha256 in data/{family.checksums}"]
    if dataset.index:
        lines += [f"  addresses, sizes and sha256 in data/{dataset.index}"]
    return "\n".join(lines)


def markdown_table() -> str:
    """All data sets with licence, size and citation, as a table in Markdown."""
    rows = ["| name | kind | what it is | files | size | licence |", "| --- | --- | --- | --- | --- | --- |"]
    for entry in registry().values():
        cells = (
            f"`{entry.name}`",
            entry.kind,
            entry.title,
            str(len(entry.files)),
            megabytes(entry.bytes),
            entry.licence,
        )
        rows.append("| " + " | ".join(cell.replace("|", "/") for cell in cells) + " |")
    return "\n".join([BEGIN, *rows, END])


def megabytes(size: int) -> str:
    """Size in words: "0.4 MB", or "2 kB" below a tenth of a megabyte."""
    return f"{size / 1e6:.1f} MB" if size >= 1e5 else f"{max(1, round(size / 1e3))} kB"


def _wrapped(label: str, text: str) -> list[str]:
    indent = " " * (len(label) - len(label.lstrip()) + 2)
    return textwrap.wrap(
        label + text, _WIDTH, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )
