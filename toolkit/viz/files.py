"""Figures as files: JSON to work with, HTML to look at, both whole or not at all."""

from __future__ import annotations

import html
from pathlib import Path
from typing import TYPE_CHECKING

from toolkit import io
from toolkit.errors import DataError
from toolkit.viz.theme import caption_of

if TYPE_CHECKING:
    import plotly.graph_objects as go

PLOTLY_FILE = "plotly.min.js"
"""The one copy of plotly.js that all figures of a folder share."""

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>body {{ font-family: Helvetica, Arial, sans-serif; margin: 2rem; color: #333 }}
p {{ max-width: 44rem; line-height: 1.4 }}</style>
<script src="{plotly}"></script>
</head>
<body>
{figure}
<p>{caption}</p>
</body>
</html>
"""


def write_figure(figure: go.Figure, folder: str | Path, name: str) -> Path:
    """Write ``<folder>/<name>.json`` whole and give back its path."""
    path = Path(folder) / f"{name}.json"
    io.write_text(path, figure.to_json(pretty=False) + "\n")
    return path


def read_figure(path: str | Path) -> go.Figure:
    """The figure in a file written by :func:`write_figure`."""
    import plotly.graph_objects as go

    content = io.read_json(path)
    try:
        return go.Figure(content)
    except (ValueError, TypeError) as error:
        first = str(error).strip().splitlines()[0]
        raise DataError(
            f"not a plotly figure ({first}).",
            where=str(path),
            fix="Run the section that made it again, or delete the file.",
        ) from error


def publish_figures(source: str | Path, target: str | Path) -> list[Path]:
    """Copy the figures of one folder to another, each with a page that opens without network.

    Files that are right already stay untouched; whoever publishes last wins, file by file.

    Parameters
    ----------
    source
        Folder with ``*.json`` figures; one that does not exist has none.
    target
        Folder that gets ``<name>.json``, ``<name>.html`` and one ``plotly.min.js`` for all.

    Returns
    -------
    The JSON files in ``target``, in order of their names.
    """
    target = Path(target)
    originals = sorted(Path(source).glob("[!.]*.json"))
    if not originals:
        return []
    _write_if_changed(target / PLOTLY_FILE, _plotly_js())
    for original in originals:
        _write_if_changed(target / f"{original.stem}.html", figure_page(read_figure(original), original.stem))
        _write_if_changed(target / original.name, original.read_text(encoding="utf-8"))
    return [target / original.name for original in originals]


def figure_page(figure: go.Figure, name: str) -> str:
    """A page that shows one figure and its caption with the ``plotly.min.js`` beside it."""
    return _PAGE.format(
        title=html.escape(name),
        plotly=PLOTLY_FILE,
        figure=figure_div(figure, f"figure-{name}"),
        caption=html.escape(caption_of(figure)),
    )


def figure_div(figure: go.Figure | dict, identifier: str) -> str:
    """HTML of a figure for a page that has plotly.js already."""
    import plotly.io as pio

    return pio.to_html(
        figure,
        include_plotlyjs=False,
        include_mathjax=False,
        full_html=False,
        div_id=identifier,
        default_height="450px",
        config={"displaylogo": False, "responsive": True},
    )


def plotly_script() -> str:
    """plotly.js as a script element, for a page that must stand alone."""
    return f"<script>{_plotly_js()}</script>"


def _plotly_js() -> str:
    from plotly.offline import get_plotlyjs

    return get_plotlyjs()


def _write_if_changed(path: Path, content: str) -> None:
    encoded = content.encode()
    if not (path.is_file() and path.stat().st_size == len(encoded) and path.read_bytes() == encoded):
        io.write_bytes(path, encoded)
