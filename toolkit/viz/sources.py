"""Sources of problems side by side: their statistics, how learnable they are, how far from the world's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from toolkit.tasks.statistics import Statistics
from toolkit.viz.agents import BLACK, GREEN, ORANGE, AgentStyle, agent_style
from toolkit.viz.learning import BAND, add_band
from toolkit.viz.theme import GUIDE, Theme, finished, translucent

if TYPE_CHECKING:
    import plotly.graph_objects as go

COLUMNS = 3


class _Panel(NamedTuple):
    statistic: str
    title: str
    range: tuple[float, float]


PANELS = (
    _Panel("pearson", "Correlation of features", (-1, 1)),
    _Panel("gini", "Sparsity (Gini)", (0, 0.8)),
    _Panel("linear_against_quadratic", "Linear (posterior)", (0, 1)),
    _Panel("held_out_gain_quadratic", "Gain by squares (nats)", (-0.15, 0.35)),
    _Panel("logistic_accuracy", "Logistic regression (accuracy)", (0.4, 1)),
    _Panel("neighbour_accuracy", "Neighbours (accuracy)", (0.4, 1)),
    _Panel("minority_share", "Share of the rarer class", (0, 0.5)),
    _Panel("separability_linear", "Separability (AUC)", (0.4, 1)),
    _Panel("whole_values", "Share of whole numbers", (0, 1)),
)
"""The statistics that are drawn, in the order they are drawn."""

_LABELS = {
    "openml": AgentStyle("The world (CC18)", BLACK, "solid", "circle"),
    "sklearn": AgentStyle("The world (scikit-learn)", BLACK, "solid", "circle"),
    "claude": AgentStyle("Written by Claude", ORANGE, "longdash", "hexagon"),
    "gpt4": AgentStyle("Written by GPT-4", GREEN, "dot", "triangle-down"),
}

_TRAINS = {
    "bank": ("ermi", "Bank"),
    "linear": ("mi", "Linear"),
    "mlp": ("pfn", "Network (MLP)"),
    "rational": ("rmc", "Rational clusters"),
}


def source_style(name: str) -> AgentStyle:
    """Look of a source of problems: that of the agent which is trained on it.

    >>> source_style("linear").colour == agent_style("mi").colour
    True
    """
    if name in _LABELS:
        return _LABELS[name]
    if name not in _TRAINS:
        return agent_style(name)
    agent, label = _TRAINS[name]
    style = agent_style(agent)
    return AgentStyle(label, style.colour, style.dash, style.symbol)


def plot_statistics(
    statistics: Mapping[str, Statistics], reference: str, *, theme: Theme | None = None
) -> go.Figure:
    """Median, middle half and middle nine tenths of every statistic in every source.

    Parameters
    ----------
    statistics
        Of every source, by its name.
    reference
        Source whose median is drawn through all rows of a panel.
    """
    figure = _panels()
    for place, panel in _places():
        middle = np.median(statistics[reference].values(panel.statistic))
        figure.add_vline(x=middle, line=GUIDE, exclude_empty_subplots=False, **place)
        for source, found in statistics.items():
            _add_spread(figure, source, found.values(panel.statistic), place)
        low, high = panel.range
        margin = 0.04 * (high - low)
        figure.update_xaxes(range=[low - margin, high + margin], **place)
    return _with_rows(figure, _statistics_caption(statistics, reference), 560, theme)


def plot_learnability(statistics: Mapping[str, Statistics], *, theme: Theme | None = None) -> go.Figure:
    """How often logistic regression and nearest neighbours are right on every trial, by source."""
    from plotly.subplots import make_subplots

    titles = ["Logistic regression", "Nearest neighbours"]
    figure = make_subplots(1, 2, shared_yaxes=True, subplot_titles=titles, horizontal_spacing=0.04)
    for col, name in enumerate(("logistic_accuracy", "neighbour_accuracy"), start=1):
        for source, found in statistics.items():
            _add_running(figure, source, getattr(found, name), col)
        figure.update_xaxes(title_text="Trial", row=1, col=col)
    figure.update_yaxes(title_text="Proportion correct", tickformat=".1f", row=1, col=1)
    figure.update_annotations(font_size=12)
    caption = (
        "Accuracy of a prediction from all earlier trials, mean over problems; each point is the mean of five "
        f"trials. Bands: 95 % intervals of the mean ({BAND} standard errors)."
    )
    figure = finished(figure, caption, height=360, theme=theme)
    return figure.update_layout(margin={"t": 80})


def plot_distances(table: pd.DataFrame, *, theme: Theme | None = None) -> go.Figure:
    """Wasserstein distance of every source from the reference, a panel a statistic.

    Parameters
    ----------
    table
        Of :func:`toolkit.tasks.distances.compare_sources`. The row of the reference's own halves gives the
        grey band: what a distance of nothing looks like.
    """
    figure, halves = _panels(), table["source"].str.endswith("(split half)")
    for place, panel in _places():
        here = table["statistic"] == panel.statistic
        floor = table[here & halves].iloc[0]
        band = {"fillcolor": translucent(BLACK, 0.1), "line_width": 0, "exclude_empty_subplots": False}
        figure.add_vrect(x0=floor["wasserstein_low"], x1=floor["wasserstein_high"], **band, **place)
        for row in table[here & ~halves].itertuples():
            _add_interval(figure, row, place)
        figure.update_xaxes(rangemode="tozero", **place)
    figure.update_xaxes(
        title_text="Distance from the world", title_standoff=4, row=-(-len(PANELS) // COLUMNS)
    )
    caption = (
        "Wasserstein distance of each source's distribution from that of the world's problems: how far values "
        "must move on average, in the statistic's own unit. Lines: 95 % bootstrap intervals. Grey: distances "
        "between random halves of the world's problems, 95 % of them."
    )
    return _with_rows(figure, caption, 520, theme)


def _panels() -> go.Figure:
    """A panel for each statistic."""
    from plotly.subplots import make_subplots

    return make_subplots(
        -(-len(PANELS) // COLUMNS),
        COLUMNS,
        shared_yaxes=True,
        subplot_titles=[panel.title for panel in PANELS],
        vertical_spacing=0.09,
        horizontal_spacing=0.04,
    )


def _places() -> Iterator[tuple[dict[str, int], _Panel]]:
    """Row and column of every statistic's panel."""
    for number, panel in enumerate(PANELS):
        yield {"row": number // COLUMNS + 1, "col": number % COLUMNS + 1}, panel


def _with_rows(figure: go.Figure, caption: str, height: int, theme: Theme | None) -> go.Figure:
    """A figure of panels whose rows are sources, finished."""
    figure.update_yaxes(autorange="reversed", showline=False, ticks="")
    figure.update_annotations(font_size=12)
    return finished(figure, caption, height, theme).update_layout(
        showlegend=False, margin={"t": 30, "l": 120}
    )


def _add_spread(figure: go.Figure, source: str, values: np.ndarray, place: dict[str, int]) -> None:
    style = source_style(source)
    if not len(values):
        return
    lowest, lower, middle, upper, highest = np.percentile(values, [5, 25, 50, 75, 95])
    for low, high, width in ((lowest, highest, 1.5), (lower, upper, 5)):
        figure.add_scatter(
            x=[low, high],
            y=[style.label] * 2,
            mode="lines",
            line={"color": style.colour, "width": width},
            hoverinfo="skip",
            **place,
        )
    ring = {"color": "white", "width": 1}
    figure.add_scatter(
        x=[middle],
        y=[style.label],
        mode="markers",
        marker={**style.marker(9), "line": ring},
        hovertemplate="median %{x:.2f}<extra>" + style.label + "</extra>",
        **place,
    )


def _add_interval(figure: go.Figure, row: tuple, place: dict[str, int]) -> None:
    style = source_style(row.source)
    figure.add_scatter(
        x=[row.wasserstein],
        y=[style.label],
        mode="markers",
        marker=style.marker(8),
        error_x={
            "array": [row.wasserstein_high - row.wasserstein],
            "arrayminus": [row.wasserstein - row.wasserstein_low],
            "color": style.colour,
            "thickness": 1.5,
            "width": 0,
        },
        hovertemplate="%{x:.3f}<extra>" + style.label + "</extra>",
        **place,
    )


def _add_running(figure: go.Figure, source: str, credit: np.ndarray, col: int, width: int = 5) -> None:
    style = source_style(source)
    n_blocks = credit.shape[1] // width
    blocks = credit[:, : n_blocks * width].reshape(len(credit), n_blocks, width).mean(2)
    mean, half = blocks.mean(0), BAND * blocks.std(0, ddof=1) / np.sqrt(len(blocks))
    trial = (np.arange(n_blocks) + 1) * width
    add_band(figure, trial, mean - half, mean + half, style.colour, legendgroup=source, row=1, col=col)
    figure.add_scatter(
        x=trial,
        y=mean,
        mode="lines",
        name=style.label,
        line=style.line(2),
        legendgroup=source,
        showlegend=col == 1,
        hovertemplate="trial %{x}: %{y:.2f}<extra>" + style.label + "</extra>",
        row=1,
        col=col,
    )


def _statistics_caption(statistics: Mapping[str, Statistics], reference: str) -> str:
    counts = ", ".join(f"{source_style(source).label} {len(found)}" for source, found in statistics.items())
    return (
        "Each row is a source: dot, its median problem; thick line, the middle half of problems; thin line, the "
        f"middle nine tenths. Dotted: the median of {source_style(reference).label}. Problems: {counts}."
    )
