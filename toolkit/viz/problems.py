"""A problem of the ecological bank: what its features look like in every category."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from toolkit.viz.agents import BLUE, GREEN, PURPLE, VERMILION
from toolkit.viz.theme import Theme, finished, translucent, wrapped

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from toolkit.data.bank import BankFeature, BankProblem

CATEGORY_LOOKS = ((BLUE, "solid"), (VERMILION, "dash"), (GREEN, "dot"), (PURPLE, "dashdot"))
DISCRETE = ("count", "ordinal", "binary")
POINTS = 160
TAIL = 3.5
"""Standard deviations beyond the outermost means that are drawn."""
COLUMNS = 3
"""Panels beside one another."""


def feature_densities(problem: BankProblem) -> pd.DataFrame:
    """How every feature is distributed within every category.

    Continuous features and proportions are normal and skewed ones log-normal within their range; a
    count or a scale has the normal curve at its whole numbers. Correlations are not shown.

    Parameters
    ----------
    problem
        A problem of ``toolkit.data.load_bank()``.

    Returns
    -------
    One row a point: ``feature`` (its position), ``category``, ``value`` and ``density``
    (a probability where the feature is discrete).
    """
    parts = []
    for position, feature in enumerate(problem.features):
        grid = _grid(feature)
        for number, category in enumerate(problem.categories):
            density = _density(feature, number, grid)
            parts.append(
                pd.DataFrame({"feature": position, "category": category, "value": grid, "density": density})
            )
    return pd.concat(parts, ignore_index=True)


def separation(feature: BankFeature) -> float:
    """d': distance between the outermost category means in units of the mean spread within categories."""
    means = np.asarray(feature.means, dtype=float)
    variances = np.asarray(feature.sds, dtype=float) ** 2
    if feature.kind == "binary":
        variances = means * (1 - means)
    return float(np.ptp(means) / np.sqrt(max(variances.mean(), 1e-9)))


def plot_problem(problem: BankProblem, *, theme: Theme | None = None) -> go.Figure:
    """Distribution of each feature in each category, the most telling feature first."""
    from plotly.subplots import make_subplots

    order = by_separation(problem)
    rows = -(-len(order) // COLUMNS)
    titles = [wrapped(problem.features[position].name, 26) for position in order]
    figure = make_subplots(
        rows, COLUMNS, subplot_titles=titles, vertical_spacing=0.36 / rows + 0.08, horizontal_spacing=0.06
    )
    for panel, position in enumerate(order):
        row, column = panel // COLUMNS + 1, panel % COLUMNS + 1
        add_feature(figure, problem, position, row=row, col=column, showlegend=panel == 0)
    figure.update_annotations(font_size=12)
    figure = finished(figure, _caption(problem), height=120 + 170 * rows, theme=theme)
    return figure.update_layout(margin={"t": 76, "l": 32})


def feature_table(problem: BankProblem) -> pd.DataFrame:
    """Features of a problem, the most telling first: ``feature, unit, kind, separation`` (d')."""
    rows = [
        (f.name, f.unit, f.kind, separation(f))
        for f in map(problem.features.__getitem__, by_separation(problem))
    ]
    return pd.DataFrame(rows, columns=["feature", "unit", "kind", "separation"])


def by_separation(problem: BankProblem) -> list[int]:
    """Positions of a problem's features, the most telling first."""
    return sorted(
        range(len(problem.features)),
        key=lambda position: separation(problem.features[position]),
        reverse=True,
    )


def add_feature(
    figure: go.Figure, problem: BankProblem, position: int, *, row: int, col: int, showlegend: bool = True
) -> None:
    """Draw one feature's distribution in every category into a panel of a figure."""
    feature = problem.features[position]
    discrete = feature.kind in DISCRETE
    densities = feature_densities(problem)
    densities = densities[densities["feature"] == position]
    for number, category in enumerate(problem.categories):
        rows = densities[densities["category"] == category]
        draw = figure.add_bar if discrete else figure.add_scatter
        draw(
            x=rows["value"],
            y=rows["density"],
            name=f"{category} ({problem.base_rates[number]:.0%})",
            legendgroup=category,
            showlegend=showlegend,
            row=row,
            col=col,
            **_category_look(number, discrete=discrete),
        )
    figure.update_xaxes(title_text=feature.unit, row=row, col=col)
    if feature.kind == "binary":
        figure.update_xaxes(tickvals=[0, 1], ticktext=["no", "yes"], title_text="", row=row, col=col)
    figure.update_yaxes(
        title_text=("probability" if discrete else "density") if col == 1 else "",
        showticklabels=False,
        ticks="",
        showline=False,
        rangemode="tozero",
        row=row,
        col=col,
    )


def _category_look(number: int, *, discrete: bool) -> dict[str, Any]:
    colour, dash = CATEGORY_LOOKS[number % len(CATEGORY_LOOKS)]
    if discrete:
        return {"marker": {"color": translucent(colour, 0.8)}}
    return {
        "mode": "lines",
        "line": {"color": colour, "dash": dash, "width": 2, "simplify": False},
        "fill": "tozeroy",
        "fillcolor": translucent(colour, 0.15),
    }


def _grid(feature: BankFeature) -> np.ndarray:
    if feature.kind == "binary":
        return np.array([0.0, 1.0])
    means, sds = np.asarray(feature.means, float), np.asarray(feature.sds, float)
    low = max(feature.range[0], (means - TAIL * sds).min())
    high = min(feature.range[1], (means + TAIL * sds).max())
    if feature.kind in DISCRETE:
        return np.arange(np.floor(low), np.ceil(high) + 1)
    return np.linspace(low, high, POINTS)


def _density(feature: BankFeature, category: int, grid: np.ndarray) -> np.ndarray:
    from scipy import stats

    mean, sd = float(feature.means[category]), float(feature.sds[category])
    if feature.kind == "binary":
        return np.array([1 - mean, mean])
    if feature.kind == "skewed" and mean > 0:
        variance = np.log1p((sd / mean) ** 2)
        density = stats.lognorm.pdf(grid, np.sqrt(variance), scale=mean * np.exp(-variance / 2))
    else:
        density = stats.norm.pdf(grid, mean, max(sd, 1e-9))
    total = density.sum() if feature.kind in DISCRETE else np.trapezoid(density, grid)
    return density / total if total > 0 else density


def _caption(problem: BankProblem) -> str:
    return (
        f"{problem.question} How each feature is distributed in each category, the most telling feature first; "
        "in brackets, how common the category is. Curves are densities, bars probabilities, each category on "
        "its own adding up to one. The numbers are a language model's estimates, not measurements."
    )
