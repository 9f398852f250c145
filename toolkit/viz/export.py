"""Figures for papers: SVG, PDF and PNG, drawn by one browser for all."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import os
import shutil
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from toolkit import io
from toolkit.errors import ToolkitError, UsageError, did_you_mean
from toolkit.progress import track
from toolkit.viz.theme import PIXELS_PER_MM

if TYPE_CHECKING:
    import plotly.graph_objects as go

FORMATS = ("svg", "pdf", "png")
SECONDS_FOR_ONE = 90
BROWSER_VARIABLE = "BROWSER_PATH"

_DEFAULT_SIZE = (700, 450)


def find_browser() -> Path | None:
    """The Chrome or Chromium that draws figures, or None; ``BROWSER_PATH`` names another."""
    named = os.environ.get(BROWSER_VARIABLE)
    if named:
        found = shutil.which(named)
        return Path(found) if found else None
    try:
        from choreographer.browsers.chromium import Chromium
    except ImportError:
        usual = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
        return next((Path(found) for name in usual if (found := shutil.which(name))), None)
    found = Chromium.find_browser(skip_local=False)
    return Path(found) if found else None


def export_figures(
    figures: Sequence[tuple[go.Figure, Path]],
    formats: Sequence[str] = ("svg",),
    *,
    width_mm: float | None = None,
    dpi: float = 300,
) -> list[Path]:
    """Draw figures as files for papers.

    Parameters
    ----------
    figures
        Each figure with the path it goes to; the suffix is that of the format.
    formats
        Any of "svg", "pdf" and "png".
    width_mm
        Width on paper, for instance 85 or 174 (journal columns); without it the figure's own. A figure
        of one panel is laid out anew in it, one of several panels is scaled as a whole.
    dpi
        Dots an inch of a PNG.

    Returns
    -------
    The files, in the order of ``figures`` and, for each, of ``formats``.
    """
    for name in formats:
        if name not in FORMATS:
            raise UsageError(f"figures cannot be exported as '{name}'.", fix=did_you_mean(name, FORMATS))
    browser = _require_browser()
    jobs = [
        (*_job(figure, name, width_mm, dpi), path.with_suffix(f".{name}"))
        for figure, path in figures
        for name in dict.fromkeys(formats)
    ]
    if jobs:
        # A notebook's thread runs an event loop already, so the browser's gets a thread of its own.
        with ThreadPoolExecutor(1) as executor:
            executor.submit(asyncio.run, _draw(jobs, browser)).result()
    return [path for _, _, path in jobs]


async def _draw(jobs: list[tuple[dict, dict, Path]], browser: Path) -> None:
    import kaleido

    try:
        async with kaleido.Kaleido(n=1, timeout=SECONDS_FOR_ONE, mathjax=False, path=browser) as drawer:
            for figure, options, path in track(jobs, "drawing figures"):
                io.write_bytes(path, await drawer.calc_fig(figure, opts=options))
    except ToolkitError:
        raise
    except Exception as error:
        raise _no_drawing(f"the browser {browser} did not draw the figure ({_brief(error)}).") from error


def _brief(error: Exception) -> str:
    said = error.args[0] if error.args else type(error).__name__
    lines = said if isinstance(said, tuple) else str(said).splitlines()
    return str(lines[0] if lines else type(error).__name__).rstrip(".")


def _require_browser() -> Path:
    if importlib.util.find_spec("kaleido") is None:
        raise UsageError(
            "SVG, PDF and PNG need the package kaleido, which is not installed.",
            fix="Install it: pip install 'kaleido>=1'. The figures' .html and .json are there without it.",
        )
    browser = find_browser()
    if browser is None:
        named = os.environ.get(BROWSER_VARIABLE)
        what = f"{BROWSER_VARIABLE} names {named}, which is no program." if named else "there is no browser."
        raise _no_drawing(f"SVG, PDF and PNG are drawn by Chrome or Chromium, but {what}")
    return browser


def _no_drawing(what: str) -> UsageError:
    return UsageError(
        what,
        fix="Get one with `apt-get install chromium` (Debian, Ubuntu) or `plotly_get_chrome` (anywhere), or set "
        f"{BROWSER_VARIABLE} to the program. The figures' .html and .json are there without it.",
    )


def _job(figure: go.Figure, name: str, width_mm: float | None, dpi: float) -> tuple[dict, dict[str, Any]]:
    """The figure as plotly.js takes it, and how it is to be drawn.

    A figure of one panel is laid out anew in the width asked for, its letters as large as before. One of
    several panels is shrunk or enlarged as a whole, since its titles would run into one another.
    """
    content = json.loads(figure.to_json())
    layout = content.setdefault("layout", {})
    own = layout.get("width") or _DEFAULT_SIZE[0]
    wanted = width_mm * PIXELS_PER_MM if width_mm else own
    several = sum(key.startswith("xaxis") for key in layout) > 1
    layout |= {
        "width": own if several else round(wanted),
        "height": layout.get("height") or _DEFAULT_SIZE[1],
        "autosize": False,
    }
    scale = (wanted / own if several else 1) * (dpi / 96 if name == "png" else 1)
    size = {side: layout[side] for side in ("width", "height")}
    return content, {"format": name, "scale": scale, **size}
