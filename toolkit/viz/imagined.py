"""Problems that learners make up, and what they expect after them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from toolkit.viz.agents import agent_style
from toolkit.viz.problems import CATEGORY_LOOKS
from toolkit.viz.theme import Theme, finished, translucent, wrapped

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from toolkit.tasks.problems import Problems

_SYMBOLS = ("circle", "diamond-open")
_OPACITY = 0.45
"""Of the plane, so that points stand out."""


def plot_imagined(
    imagined: Mapping[str, Problems], landscapes: Mapping[str, np.ndarray], *, theme: Theme | None = None
) -> go.Figure:
    """Problems that learners made up, and what they expect elsewhere after them; a row a learner.

    Parameters
    ----------
    imagined
        Of :func:`toolkit.training.probes.imagine`, with two features and two classes, as many for each.
    landscapes
        Of :func:`toolkit.training.probes.landscape` for the same problems.
    """
    from plotly.subplots import make_subplots

    n_problems = min(len(problems.y) for problems in imagined.values())
    figure = make_subplots(len(imagined), n_problems, horizontal_spacing=0.015, vertical_spacing=0.03)
    # A category that nothing in the first panel has would be missing from the legend.
    _add_labels(figure, np.full((2, 2), np.nan), np.arange(2), {"row": 1, "col": 1}, legend=True)
    for row, (learner, problems) in enumerate(imagined.items(), start=1):
        for number in range(n_problems):
            place = {"row": row, "col": number + 1}
            _add_landscape(figure, landscapes[learner][number], place)
            x, y = problems.x[number].numpy(), problems.y[number].numpy()
            _add_labels(figure, x, y, place)
        label = wrapped(agent_style(learner).label, 14)
        figure.update_yaxes(title={"text": label, "standoff": 6}, row=row, col=1)
    figure.update_xaxes(range=[0, 1], showticklabels=False, ticks="", mirror=True)
    figure.update_yaxes(range=[0, 1], showticklabels=False, ticks="", mirror=True)
    n_trials = next(iter(imagined.values())).y.shape[1]
    caption = (
        f"Each panel is a problem that a learner made up: {n_trials} things with two features, the same for all "
        "learners of a column, were labelled one after the other by the learner itself. Colour of the plane: what "
        "it would expect of one more thing there, from surely A (blue) to surely B (orange)."
    )
    height = 60 + 128 * len(imagined)
    return finished(figure, caption, height=height, theme=theme).update_layout(margin={"t": 36, "b": 12})


def _add_landscape(figure: go.Figure, landscape: np.ndarray, place: dict[str, int]) -> None:
    ticks = np.linspace(0, 1, len(landscape))
    (first, _), (second, _) = CATEGORY_LOOKS[:2]
    shades = [
        [0, translucent(first, _OPACITY)],
        [0.5, translucent("#FFFFFF", _OPACITY)],
        [1, translucent(second, _OPACITY)],
    ]
    figure.add_heatmap(
        z=landscape.round(3),
        x=ticks,
        y=ticks,
        zmin=0,
        zmax=1,
        colorscale=shades,
        zsmooth="best",
        showscale=False,
        hovertemplate="P(B) = %{z:.2f}<extra></extra>",
        **place,
    )


def _add_labels(
    figure: go.Figure, x: np.ndarray, y: np.ndarray, place: dict[str, int], *, legend: bool = False
) -> None:
    for category, ((colour, _), symbol) in enumerate(zip(CATEGORY_LOOKS, _SYMBOLS, strict=False)):
        here = y == category
        figure.add_scatter(
            x=x[here, 0],
            y=x[here, 1],
            mode="markers",
            name=f"labelled {'AB'[category]}",
            marker={"color": colour, "symbol": symbol, "size": 5, "line": {"width": 1, "color": colour}},
            legendgroup=str(category),
            showlegend=legend,
            hoverinfo="skip",
            **place,
        )
