"""Who wins under which criterion, and in which group of people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from toolkit.viz.agents import BLACK, agent_style
from toolkit.viz.comparison import DARKENING
from toolkit.viz.theme import GUIDE, INK, Theme, finished

if TYPE_CHECKING:
    import plotly.graph_objects as go

CELL_HEIGHT = 24
_SYMBOLS = ("circle", "circle-open", "square", "square-open", "diamond", "diamond-open")
FAR_BEHIND = 0.1
"""Nats a choice behind the best that are drawn as far as can be."""


def plot_criteria(places: Mapping[str, pd.DataFrame], *, theme: Theme | None = None) -> go.Figure:
    """Place of every model (row) under every criterion (column), a panel a study.

    Parameters
    ----------
    places
        By the name of the study: ``toolkit.fitting.rank_by_criterion(…)``.
    """
    from plotly.subplots import make_subplots

    everything = pd.concat(places.values())
    models = everything.groupby("model")["place"].mean().sort_values(kind="stable").index.tolist()
    widths = [table["criterion"].nunique() for table in places.values()]
    figure = make_subplots(
        1,
        len(places),
        shared_yaxes=True,
        column_widths=widths,
        subplot_titles=list(places),
        horizontal_spacing=0.03,
    )
    for column, table in enumerate(places.values(), start=1):
        _add_places(figure, table, models, column)
    figure.update_yaxes(autorange="reversed", showline=False, ticks="", ticklabelstandoff=6)
    figure.update_annotations(selector={"yanchor": "bottom"}, font_size=12)
    caption = (
        "Place of each model under each criterion; 1 explains choices best. Shading: nats a choice behind the "
        f"best, white from {FAR_BEHIND}. Blank: not part of that comparison."
    )
    height = 170 + CELL_HEIGHT * len(models)
    return finished(figure, caption, height, theme).update_layout(margin={"t": 34, "l": 150, "b": 110})


def _add_places(figure: go.Figure, table: pd.DataFrame, models: list[str], column: int) -> None:
    criteria = table["criterion"].unique().tolist()
    behind = table.pivot_table(index="model", columns="criterion", values="behind").reindex(models)[criteria]
    labels = [agent_style(model).label for model in models]
    figure.add_heatmap(
        z=np.minimum(behind, FAR_BEHIND),
        x=criteria,
        y=labels,
        zmin=0,
        zmax=FAR_BEHIND,
        xgap=1,
        ygap=1,
        colorscale=DARKENING,
        reversescale=True,
        showscale=False,
        customdata=behind,
        hovertemplate="%{y}, %{x}: %{customdata:.4f} nats a choice behind<extra></extra>",
        row=1,
        col=column,
    )
    for row in table.itertuples():
        dark = row.behind < FAR_BEHIND / 2
        figure.add_annotation(
            x=row.criterion,
            y=agent_style(row.model).label,
            text=f"<b>{row.place}</b>" if row.place == 1 else str(row.place),
            font={"color": "white" if dark else INK, "size": 11},
            showarrow=False,
            yanchor="middle",
            row=1,
            col=column,
        )
    figure.update_xaxes(tickangle=-35, showline=False, ticks="", row=1, col=column)


def plot_groups(groups: pd.DataFrame, *, theme: Theme | None = None) -> go.Figure:
    """How well every model explains the choices of each group of people.

    Parameters
    ----------
    groups
        Of ``toolkit.fitting.compare_groups``, up to six groups.
    """
    import plotly.graph_objects as go

    names = groups["group"].unique().tolist()
    order = groups.groupby("model")["nats_per_trial"].mean().sort_values().index.tolist()
    figure = go.Figure()
    for number, name in enumerate(names):
        rows = groups[groups["group"] == name].set_index("model").loc[order]
        offset = (number - (len(names) - 1) / 2) * 0.6 / len(names)
        symbol = _SYMBOLS[number % len(_SYMBOLS)]
        _add_group(figure, rows, offset, symbol)
        title = f"{name} ({rows['n_participants'].iloc[0]} people)"
        look = {"symbol": symbol, "size": 9, "color": BLACK, "line": {"width": 2}}
        figure.add_scatter(x=[None], y=[None], mode="markers", name=title, marker=look)
    figure.add_vline(x=np.log(2), line=GUIDE)
    figure.update_xaxes(title_text="−Log evidence per choice (nats); less is better, dotted: guessing")
    figure.update_yaxes(
        tickvals=np.arange(len(order)),
        ticktext=[agent_style(model).label for model in order],
        autorange="reversed",
        showline=False,
        ticks="",
        ticklabelstandoff=6,
    )
    caption = (
        "What each model leaves unexplained in each group of people: −log evidence a choice, meaned over people, "
        "with 95 % intervals over them. Dotted: guessing between two options."
    )
    return finished(figure, caption, 110 + 34 * len(order), theme).update_layout(margin={"t": 40, "l": 170})


def _add_group(figure: go.Figure, rows: pd.DataFrame, offset: float, symbol: str) -> None:
    styles = [agent_style(model) for model in rows.index]
    middle = rows["nats_per_trial"]
    figure.add_scatter(
        x=middle,
        y=np.arange(len(rows)) + offset,
        mode="markers",
        showlegend=False,
        marker={
            "symbol": symbol,
            "size": 9,
            "color": [style.colour for style in styles],
            "line": {"width": 2},
        },
        error_x={
            "type": "data",
            "symmetric": False,
            "array": rows["high"] - middle,
            "arrayminus": middle - rows["low"],
            "color": INK,
            "thickness": 1,
            "width": 0,
        },
        customdata=[[style.label, group] for style, group in zip(styles, rows["group"], strict=True)],
        hovertemplate="%{customdata[1]}, %{customdata[0]}: %{x:.3f} nats a choice<extra></extra>",
    )
