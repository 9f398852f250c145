"""How fast learners are for what they explain, and how far beyond people's tasks they reach."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from toolkit.viz.agents import BLUE, GREEN, GREY, PURPLE, agent_style
from toolkit.viz.learning import list_once
from toolkit.viz.theme import GUIDE, Theme, finished

if TYPE_CHECKING:
    import plotly.graph_objects as go

_LIMITS = {
    "information cost": (GREEN, "dash", "diamond", "top right"),
    "attention window": (BLUE, "solid", "square", "top right"),
    "memory noise": (PURPLE, "dot", "triangle-up", "bottom right"),
}
_SOURCES = {"bank": "bank", "mlp": "networks"}


def plot_speed(table: pd.DataFrame, people_error: float | None, *, theme: Theme | None = None) -> go.Figure:
    """Early errors of limited learners against how well they predict people, a line a limit.

    Parameters
    ----------
    table
        ``learner, limit, strength, early_error, nats_per_trial, worse, low, high``, weaker limits first; "no
        limit" is where every line begins, and any other limit stands by itself.
    people_error
        People's own early error.
    """
    import plotly.graph_objects as go

    figure = go.Figure()
    start = table[table["limit"] == "no limit"]
    for limit, (colour, dash, symbol, beside) in _LIMITS.items():
        own = table[table["limit"] == limit]
        if own.empty:
            continue
        rows = pd.concat([start, own])
        figure.add_scatter(
            x=rows["early_error"],
            y=rows["nats_per_trial"],
            mode="lines+markers+text",
            name=limit,
            text=["", *[f"{size:g}" for size in own["strength"]]],
            textposition=beside,
            line={"color": colour, "dash": dash, "width": 2},
            marker={"color": colour, "symbol": symbol, "size": 9},
            error_y=_of_difference(rows, colour),
            hovertemplate=f"{limit} %{{text}}: error %{{x:.3f}}, %{{y:.4f}} nats<extra></extra>",
        )
    _add_point(figure, start, "no limit", GREY, "circle")
    others = table[~table["limit"].isin([*_LIMITS, "no limit"])]
    for limit, rows in others.groupby("limit", sort=False):
        _add_point(figure, rows, str(limit), agent_style("ermi").colour, "star")
    if people_error is not None:
        figure.add_vline(
            x=people_error, line=GUIDE, annotation_text="people", annotation_position="top right"
        )
    figure.update_xaxes(
        title_text="Error over the first four blocks (slower learners to the right)", tickformat=".2f"
    )
    figure.update_yaxes(title_text="−Log-likelihood of new people<br>(nats a choice)", tickformat=".3f")
    caption = (
        "Limited learners: mean error on six types over the first four blocks, and what they leave unexplained "
        "of the choices of people who took no part in the fit. Bars: 95 % intervals of the difference from no limit, over people."
    )
    return finished(figure, caption, 400, theme).update_layout(margin={"t": 44, "l": 76})


def plot_scope(table: pd.DataFrame, *, theme: Theme | None = None) -> go.Figure:
    """Accuracy over ranges of trials on problems of several sizes, a panel a size.

    Parameters
    ----------
    table
        Of ``toolkit.training.measure_scope``.
    """
    from plotly.subplots import make_subplots

    sizes = table[["source", "n_features", "n_classes"]].drop_duplicates()
    titles = [
        f"{row.n_features} features, {row.n_classes} categories<br>({_SOURCES.get(row.source, row.source)})"
        for row in sizes.itertuples()
    ]
    n_rows = -(-len(titles) // 3)
    figure = make_subplots(
        n_rows,
        min(3, len(titles)),
        subplot_titles=titles,
        horizontal_spacing=0.06,
        vertical_spacing=0.34 / n_rows,
    )
    for number, size in enumerate(sizes.itertuples(index=False)):
        place = {"row": number // 3 + 1, "col": number % 3 + 1}
        own = table[(table[list(size._fields)] == list(size)).all(axis=1)]
        for learner, rows in own.groupby("learner", sort=False):
            _add_reach(figure, str(learner), rows, place)
        figure.add_hline(y=1 / size.n_classes, line=GUIDE, **place)
    list_once(figure)
    figure.update_xaxes(type="log", tickvals=[16, 64, 256, 1024])
    figure.update_xaxes(title_text="Trial", row=n_rows)
    figure.update_yaxes(tickformat=".1f", nticks=5)
    figure.update_yaxes(title_text="Proportion correct", col=1)
    figure.update_annotations(font_size=12)
    caption = (
        "Accuracy on fresh problems of the bank or of random networks over ranges of trials, drawn at the range's last "
        "trial. Dotted: guessing."
    )
    return finished(figure, caption, 110 + 200 * n_rows, theme).update_layout(margin={"t": 100})


def _add_reach(figure: go.Figure, learner: str, rows: pd.DataFrame, place: dict[str, int]) -> None:
    style = agent_style(learner)
    figure.add_scatter(
        x=rows["last"],
        y=rows["accuracy"],
        mode="lines+markers",
        name=style.label,
        legendgroup=style.label,
        line=style.line(1.8),
        marker=style.marker(5),
        hovertemplate="to trial %{x}: %{y:.3f}<extra>" + style.label + "</extra>",
        **place,
    )


def _add_point(figure: go.Figure, rows: pd.DataFrame, name: str, colour: str, symbol: str) -> None:
    figure.add_scatter(
        x=rows["early_error"],
        y=rows["nats_per_trial"],
        mode="markers",
        name=name,
        marker={"color": colour, "symbol": symbol, "size": 11},
        hovertemplate=f"{name}: error %{{x:.3f}}, %{{y:.4f}} nats<extra></extra>",
    )


def _of_difference(rows: pd.DataFrame, colour: str) -> dict:
    return {
        "type": "data",
        "symmetric": False,
        "array": rows["high"] - rows["worse"],
        "arrayminus": rows["worse"] - rows["low"],
        "color": colour,
        "thickness": 1,
        "width": 0,
    }
