"""How people and agents update beliefs: choices over visits, learning rates, what repetition leaves, surprise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from toolkit.viz.agents import agent_style
from toolkit.viz.learning import list_once
from toolkit.viz.theme import GUIDE, Theme, finished

if TYPE_CHECKING:
    import plotly.graph_objects as go

_ROW = 30
_TITLES = {
    "partial": "Partial: better or worse",
    "full": "Full: confirming or not",
    "agency": "Agency: free choices",
}


def plot_choices(table: pd.DataFrame, *, theme: Theme | None = None) -> go.Figure:
    """How often everyone takes the better option over visits, a panel a task.

    Parameters
    ----------
    table
        ``task, agent, visit, share`` with one row a point.
    """
    figure = _panels(table, ["Partial", "Full", "Agency"])
    for place, own in _by_task(table):
        for agent, rows in own.groupby("agent", sort=False):
            style = agent_style(str(agent))
            figure.add_scatter(
                x=rows["visit"],
                y=rows["share"],
                mode="lines+markers",
                name=style.label,
                legendgroup=style.label,
                line=style.line(),
                marker=style.marker(6),
                hovertemplate="visit %{x}: %{y:.2f}<extra>" + style.label + "</extra>",
                **place,
            )
        figure.add_hline(y=0.5, line=GUIDE, **place)
    list_once(figure)
    figure.update_xaxes(title_text="Visit to the same machines")
    figure.update_yaxes(range=[0.35, 1.02], tickformat=".1f")
    figure.update_yaxes(title_text="Share of the better one", col=1)
    figure.update_annotations(font_size=12)
    caption = "How often the option that pays more is taken freely, by visits to the same two options. Dotted: guessing."
    return finished(figure, caption, 300, theme).update_layout(margin={"t": 78})


def plot_rates(table: pd.DataFrame, *, theme: Theme | None = None) -> go.Figure:
    """Both learning rates of everyone with intervals over people, a panel a task.

    Parameters
    ----------
    table
        Rows of ``toolkit.fitting.updating.tabulate_rates`` without a choice trace.
    """
    figure = _panels(table, list(_TITLES.values()), rows=True)
    for place, own in _by_task(table, rows=True):
        for name, pair in own.groupby("name", sort=False):
            for row, filled in zip(pair.itertuples(), (True, False), strict=True):
                _add_interval(figure, row.mean, row.low, row.high, row, str(name), filled, place)
        figure.update_xaxes(range=[-0.02, 1.02], **place)
    _explain(figure, "better, or confirming", "worse, or disconfirming")
    figure.update_xaxes(title_text="Learning rate", row=3)
    caption = (
        "Learning rates without a choice trace: means over people or copies of an agent, with 95 % intervals. Filled: for "
        "outcomes better than expected, or confirming the choice; open: for the others."
    )
    return _finished_rows(figure, table["name"].nunique(), caption, theme)


def plot_bias(table: pd.DataFrame, *, theme: Theme | None = None) -> go.Figure:
    """The asymmetry of everyone before and after a choice trace is added, a panel a task.

    Parameters
    ----------
    table
        Of ``toolkit.fitting.updating.tabulate_bias``.
    """
    figure = _panels(table, list(_TITLES.values()), rows=True)
    for place, own in _by_task(table, rows=True):
        for row in own.itertuples():
            for kind, filled in (("alone", False), ("beside", True)):
                ends = [getattr(row, f"{kind}{end}") for end in ("", "_low", "_high")]
                _add_interval(figure, *ends, row, row.name, filled, place)
        figure.add_vline(x=0, line=GUIDE, **place)
        figure.update_xaxes(range=[-1.05, 1.05], **place)
    _explain(figure, "beside a choice trace", "learning rates alone")
    figure.update_xaxes(title_text="Asymmetry: difference of the rates over their sum", row=3)
    caption = (
        "Normalised difference of the two learning rates, with 95 % intervals over people. Open: learning rates are all there "
        "is; filled: choices may also be repeated whatever they paid."
    )
    return _finished_rows(figure, table["name"].nunique(), caption, theme)


def plot_after_change(table: pd.DataFrame, *, theme: Theme | None = None) -> go.Figure:
    """Squared error after the world has changed, a line a learner.

    Parameters
    ----------
    table
        ``learner, step, error``.
    """
    import plotly.graph_objects as go

    figure = go.Figure()
    for learner, rows in table.groupby("learner", sort=False):
        style = agent_style(str(learner))
        figure.add_scatter(
            x=rows["step"],
            y=rows["error"],
            mode="lines",
            name=style.label,
            line=style.line(),
            hovertemplate="step %{x}: %{y:.3f}<extra>" + style.label + "</extra>",
        )
    figure.update_xaxes(title_text="Observations since the change")
    ticks = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5]
    figure.update_yaxes(title_text="Squared error", type="log", tickvals=ticks, tickformat=".2f")
    caption = "Mean squared distance of estimate and truth, by observations since the world was drawn anew."
    return finished(figure, caption, 380, theme).update_layout(margin={"t": 100})


def _panels(table: pd.DataFrame, titles: list[str], *, rows: bool = False) -> go.Figure:
    from plotly.subplots import make_subplots

    if not rows:
        return make_subplots(1, 3, subplot_titles=titles, shared_yaxes=True, horizontal_spacing=0.04)
    heights = [float(n) for n in table.drop_duplicates(["task", "name"]).groupby("task", sort=False).size()]
    return make_subplots(3, 1, subplot_titles=titles, row_heights=heights, vertical_spacing=0.13)


def _by_task(table: pd.DataFrame, *, rows: bool = False) -> list[tuple[dict[str, int], pd.DataFrame]]:
    parts = enumerate((own for _, own in table.groupby("task", sort=False)), start=1)
    return [({"row": n, "col": 1} if rows else {"row": 1, "col": n}, own) for n, own in parts]


def _add_interval(
    figure: go.Figure,
    mean: float,
    low: float,
    high: float,
    row: Any,
    name: str,
    filled: bool,
    place: dict[str, int],
) -> None:
    """A point with its interval in the line of ``name``."""
    style = agent_style(row.agent)
    symbol = style.symbol if filled else f"{style.symbol}-open"
    figure.add_scatter(
        x=[mean],
        y=[name],
        mode="markers",
        marker={"color": style.colour, "symbol": symbol, "size": 9},
        error_x={"type": "data", "symmetric": False, "array": [high - mean], "arrayminus": [mean - low]}
        | {"color": style.colour, "thickness": 1.4 if filled else 0.8, "width": 0},
        showlegend=False,
        hovertemplate=f"{name}: {mean:.3f} ({low:.3f} to {high:.3f})<extra></extra>",
        **place,
    )


def _explain(figure: go.Figure, filled: str, opened: str) -> None:
    """What filled and open markers are, in the legend."""
    style = agent_style("people")
    for text, symbol in ((filled, "circle"), (opened, "circle-open")):
        marker = {"color": style.colour, "symbol": symbol, "size": 9}
        figure.add_scatter(x=[None], y=[None], mode="markers", marker=marker, name=text, row=1, col=1)


def _finished_rows(figure: go.Figure, n_names: int, caption: str, theme: Theme | None) -> go.Figure:
    figure.update_yaxes(autorange="reversed", showline=False, ticks="", ticklabelstandoff=6)
    figure.update_annotations(font_size=12)
    height = 200 + _ROW * (n_names + 2)
    return finished(figure, caption, height, theme).update_layout(margin={"t": 64, "l": 190})
