"""Where an agent draws the line between categories, over two features of a problem."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from toolkit.errors import UsageError
from toolkit.viz.agents import agent_style
from toolkit.viz.problems import CATEGORY_LOOKS
from toolkit.viz.theme import INK, Theme, finished, translucent

if TYPE_CHECKING:
    import plotly.graph_objects as go

MARGIN = 0.04
"""Share of the places asked about by which axes reach further, so that points at the edge are whole."""
SYMBOLS = ("circle", "diamond", "square", "triangle-up")


def plot_boundaries(
    points: np.ndarray,
    category: np.ndarray,
    n_shown: int,
    grid: tuple[np.ndarray, np.ndarray],
    p: np.ndarray,
    *,
    agent: str,
    features: Sequence[str],
    categories: Sequence[str],
    theme: Theme | None = None,
) -> go.Figure:
    """Points of a problem over two features, and an agent's answers between them.

    Parameters
    ----------
    points
        (points, 2), in their own units; the first ``n_shown`` were shown to the agent.
    category
        (points,) their categories.
    grid
        Values of the first and of the second feature at which the agent was asked.
    p
        (second feature, first feature, categories) its probabilities there; NaN, which stays white, where it was
        not asked.
    agent
        Its name.
    features
        Names of the two features, with units.
    categories
        Names of at most four categories.
    """
    import plotly.graph_objects as go

    if len(categories) > len(CATEGORY_LOOKS):
        raise UsageError(f"{len(categories)} categories cannot be told apart.", fix="Draw at most four.")
    traces = [_answers(grid, p, categories)]
    for number, name in enumerate(categories):
        own = np.flatnonzero(category == number)
        traces += [
            _points(points[own[own < n_shown]], number, name, shown=True),
            _points(points[own[own >= n_shown]], number, name, shown=False),
        ]
    layout = {"margin": {"t": 56}}
    for axis, name, values in zip(("xaxis", "yaxis"), features, grid, strict=True):
        margin = MARGIN * float(values[-1] - values[0])
        ends = [float(values[0]) - margin, float(values[-1]) + margin]
        layout[axis] = {"title": {"text": name}, "range": ends}
    caption = (
        f"{n_shown} points (large, outlined) were shown to {agent_style(agent).label} with their categories; small ones were "
        "not. The shade has the colour of the category that the agent finds most likely at a place, the darker the surer."
    )
    return finished(go.Figure(traces, layout), caption, height=480, theme=theme)


def _answers(grid: tuple[np.ndarray, np.ndarray], p: np.ndarray, categories: Sequence[str]) -> dict[str, Any]:
    """Each category has a stretch of the scale to itself, from white to its colour."""
    n, asked = p.shape[-1], ~np.isnan(p[..., 0])
    p = np.where(asked[..., None], p, 1 / n)
    best, sureness = p.argmax(-1), (p.max(-1) - 1 / n) / (1 - 1 / n)
    scale = []
    for number in range(n):
        colour = translucent(CATEGORY_LOOKS[number][0], 0.6)
        scale += [[number / n, "rgba(255,255,255,0.6)"], [(number + 1) / n, colour]]
    said = np.where(asked, np.array(categories, dtype=object)[best], "not asked")
    return {
        "type": "heatmap",
        "x": grid[0],
        "y": grid[1],
        "z": best + 0.999 * sureness,
        "zmin": 0,
        "zmax": n,
        "colorscale": scale,
        "showscale": False,
        "text": said,
        "customdata": p.max(-1),
        "hovertemplate": "%{text}: %{customdata:.2f}<extra></extra>",
    }


def _points(points: np.ndarray, number: int, name: str, *, shown: bool) -> dict[str, Any]:
    colour = CATEGORY_LOOKS[number][0]
    look = {"size": 11, "line": {"color": INK, "width": 1.5}} if shown else {"size": 4, "opacity": 0.7}
    return {
        "type": "scatter",
        "x": points[:, 0],
        "y": points[:, 1],
        "mode": "markers",
        "name": name,
        "legendgroup": name,
        "showlegend": not shown,
        "marker": {"color": colour, "symbol": SYMBOLS[number], **look},
        "hovertemplate": name + (", shown" if shown else ", not shown") + "<extra></extra>",
    }
