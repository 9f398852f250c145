"""A search for programs at a glance: who descends from whom, how well each explains people, and with how many parameters."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from toolkit.viz.agents import BLACK, BLUE, GREY, VERMILION
from toolkit.viz.discovery import program_style
from toolkit.viz.theme import GUIDE, Theme, finished

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from toolkit.discovery.search import FinishedSearch

FITTING = [[0.0, BLUE], [1.0, "#E4EEF5"]]
"""Colours of criteria from the best to the worst; the worst can still be told from paper."""
_LANE, _TOP, _GAP, _FRONTIER, _BOTTOM = 26, 60, 96, 190, 48
_TREE, _PLANE = {"row": 1, "col": 1}, {"row": 2, "col": 1}
_EDGES = "#B8B8B8"


def plot_programs(
    search: FinishedSearch, first: str, second: str, *, theme: Theme | None = None
) -> go.Figure:
    """The tree of programs by rounds and islands, and what more parameters buy.

    Parameters
    ----------
    search
        Of :func:`toolkit.discovery.search.read_search`.
    first, second
        Names of two candidates that are marked; the line that the first comes from is drawn strongly.
    """
    from plotly.subplots import make_subplots

    table = _placed(search.table)
    lanes = int(table["y"].max()) + 1
    height = _LANE * lanes + _GAP + _FRONTIER
    figure = make_subplots(
        2,
        1,
        row_heights=[_LANE * lanes, _FRONTIER],
        vertical_spacing=_GAP / height,
        subplot_titles=["Who descends from whom", "What more parameters buy"],
    )
    _add_edges(figure, search, table, first)
    _add_candidates(figure, table)
    _add_marks(figure, table, first, second, "y", _TREE)
    _lay_out_tree(figure, table)
    _add_frontier(figure, search, table)
    _add_marks(figure, table, first, second, "log_likelihood", _PLANE)
    figure.update_annotations(font_size=12)
    figure = finished(figure, _caption(search), _TOP + height + _BOTTOM, theme)
    return figure.update_layout(margin={"t": _TOP, "b": _BOTTOM, "l": 76})


def _placed(table: pd.DataFrame) -> pd.DataFrame:
    """With ``y``, the lane of every candidate: islands above one another, places within a round in order."""
    place = table.groupby(["round", "island"]).cumcount()
    widest = int(place.max()) + 2
    order = table["island"].rank(method="dense").astype(int) - 1
    return table.assign(y=order * widest + place)


def _add_edges(figure: go.Figure, search: FinishedSearch, table: pd.DataFrame, first: str) -> None:
    place = table.set_index("name")[["round", "y"]]
    line = set(search.ancestors(first))
    ends: dict[bool, list[tuple[float, float] | tuple[None, None]]] = {False: [], True: []}
    for row in table.itertuples(index=False):
        for parent in filter(place.index.__contains__, row.parents.split(", ")):
            strong = row.name in line and parent in line
            ends[strong] += [tuple(place.loc[parent]), (row.round, row.y), (None, None)]
    for strong, points in ends.items():
        x, y = zip(*points, strict=True) if points else ((), ())
        figure.add_scatter(
            x=[None if one is None else one + 1 for one in x],
            y=y,
            mode="lines",
            line={"color": VERMILION if strong else _EDGES, "width": 2.5 if strong else 1},
            hoverinfo="skip",
            showlegend=False,
            **_TREE,
        )


def _add_candidates(figure: go.Figure, table: pd.DataFrame) -> None:
    scored, rejected = table[table["mean"].notna()], table[table["mean"].isna()]
    low, high = _ends(scored["mean"])
    figure.add_scatter(
        x=scored["round"] + 1,
        y=scored["y"],
        mode="markers",
        name="tried",
        marker={
            "size": 15,
            "color": scored["mean"],
            "cmin": low,
            "cmax": high,
            "colorscale": FITTING,
            "line": {"color": BLUE, "width": 1},
            "colorbar": {"title": {"text": "Mean BIC", "side": "right"}, "thickness": 12, "outlinewidth": 0}
            | {"lenmode": "pixels", "len": 150, "y": 1, "yanchor": "top"},
        },
        customdata=_words(scored),
        hovertemplate="%{customdata[0]}<br>%{customdata[1]}<br>BIC %{marker.color:.1f}, %{customdata[2]} parameters, "
        "%{customdata[3]}<extra></extra>",
        **_TREE,
    )
    figure.add_scatter(
        x=rejected["round"] + 1,
        y=rejected["y"],
        mode="markers",
        name="rejected",
        marker={"symbol": "x-thin", "size": 11, "line": {"color": GREY, "width": 2}},
        customdata=_words(rejected),
        hovertemplate="%{customdata[0]}<br>%{customdata[1]}<br>rejected: %{customdata[4]}<extra></extra>",
        **_TREE,
    )


def _ends(mean: pd.Series) -> tuple[float, float]:
    if mean.empty:
        return 0.0, 1.0
    low, high = float(mean.min()), float(mean.quantile(0.9))
    return low, high if high > low else low + 1.0


def _words(table: pd.DataFrame) -> list[list[str]]:
    """What is said of candidates; programs are written by strangers, and figures read tags."""
    columns = table[["name", "program", "n_parameters", "operator", "reason"]]
    return [[escape(str(one)) for one in row] for row in columns.itertuples(index=False)]


def _add_marks(
    figure: go.Figure, table: pd.DataFrame, first: str, second: str, upwards: str, panel: dict[str, int]
) -> None:
    """Letters and rings at the two programs that are looked at."""
    across = "round" if upwards == "y" else "n_parameters"
    rows = table.set_index("name")
    for letter, name, colour, side in (("A", first, VERMILION, "right"), ("B", second, BLACK, "left")):
        row = rows.loc[name]
        known = upwards == "y" or pd.notna(row["mean"])
        height = -row[upwards] if upwards != "y" else row[upwards]
        figure.add_scatter(
            x=[row[across] + (across == "round")] if known else [None],
            y=[height] if known else [None],
            mode="markers+text",
            marker={"symbol": "circle-open", "size": 21, "color": colour, "line": {"width": 2.5}},
            text=[f"<b>{letter}</b>"],
            textposition=f"middle {side}",
            textfont={"color": colour, "size": 14},
            cliponaxis=False,
            hoverinfo="skip",
            showlegend=False,
            **panel,
        )


def _lay_out_tree(figure: go.Figure, table: pd.DataFrame) -> None:
    middle = table.groupby("island")["y"].agg(lambda lanes: (lanes.min() + lanes.max()) / 2)
    rounds = table["round"] + 1
    figure.update_xaxes(
        title_text="Round", dtick=1, range=[0.5, int(rounds.max()) + 0.5], showline=False, **_TREE
    )
    figure.update_yaxes(
        tickvals=middle.to_list(),
        ticktext=[f"island {island}" for island in middle.index] if len(middle) > 1 else [""],
        range=[int(table["y"].max()) + 0.8, -0.8],
        showline=False,
        ticks="",
        **_TREE,
    )


def _add_frontier(figure: go.Figure, search: FinishedSearch, table: pd.DataFrame) -> None:
    scored = table[table["mean"].notna()]
    best = scored[scored["frontier"]].sort_values("n_parameters")
    figure.add_scatter(
        x=scored["n_parameters"],
        y=-scored["log_likelihood"],
        mode="markers",
        marker={"size": 9, "color": BLUE, "opacity": 0.45},
        customdata=_words(scored),
        hovertemplate="%{customdata[0]}<br>%{customdata[1]}<br>%{y:.1f} nats, %{x} parameters<extra></extra>",
        showlegend=False,
        **_PLANE,
    )
    figure.add_scatter(
        x=best["n_parameters"],
        y=-best["log_likelihood"],
        mode="lines+markers",
        name="best with so many",
        line={"color": program_style("winner").colour, "width": 2, "shape": "hv"},
        marker={"size": 9, "symbol": "hexagon"},
        hoverinfo="skip",
        **_PLANE,
    )
    for name, nats in _nats_of_baselines(search).items():
        figure.add_hline(
            y=nats, line=GUIDE, annotation_text=program_style(name).label, annotation_font_size=11, **_PLANE
        )
    figure.update_xaxes(title_text="Parameters a person", dtick=1, **_PLANE)
    figure.update_yaxes(title_text="Nats unexplained a person", **_PLANE)


def _nats_of_baselines(search: FinishedSearch) -> dict[str, Any]:
    """-Log-likelihood a person of those models of the literature that are in sight of the candidates."""
    seen = search.table["log_likelihood"].dropna()
    if seen.empty:
        return {}
    worst = -float(seen.min())
    each = {name: one.log_likelihood for name, one in search.journal.baselines.items() if one.log_likelihood}
    nats = {name: -float(np.mean(values)) for name, values in each.items()}
    return {name: value for name, value in nats.items() if value <= 1.15 * worst}


def _caption(search: FinishedSearch) -> str:
    rejected = int(search.table["mean"].isna().sum())
    return (
        f"Above: {len(search.table)} programs, each below the round in which it was tried; lines lead from parents to "
        f"children, strong ones to program A. Colour: mean BIC of evaluation participants, dark is better; crosses: {rejected} "
        "rejected. Below: what each leaves unexplained a person by its number of parameters; line: the best with so many."
    )
