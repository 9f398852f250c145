"""What fits find out of simulated people: their parameters, and the model that made their choices."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from toolkit.fitting.confusion import SEPARABLE
from toolkit.fitting.recovery import summarise_recovery
from toolkit.viz.agents import BLACK, agent_style
from toolkit.viz.comparison import DARKENING
from toolkit.viz.theme import GUIDE, INK, Theme, finished, translucent, wrapped

if TYPE_CHECKING:
    import plotly.graph_objects as go

CELL = 46
COLUMNS = 3


def plot_confusion(wins: pd.DataFrame, *, theme: Theme | None = None) -> go.Figure:
    """How often each model (column) wins where another (row) made the choices.

    Parameters
    ----------
    wins
        ``toolkit.fitting.confuse(…).wins``: (simulated, fitted) shares of simulated participants.
    """
    return plot_confusions({"": wins}, theme=theme)


def plot_confusions(wins: Mapping[str, pd.DataFrame], *, theme: Theme | None = None) -> go.Figure:
    """How often the right model wins, a panel a task; the tasks have the same models.

    Parameters
    ----------
    wins
        What :func:`plot_confusion` draws, by the panel's title.
    """
    from plotly.subplots import make_subplots

    figure = make_subplots(1, len(wins), shared_yaxes=True, horizontal_spacing=0.03)
    for column, (title, shares) in enumerate(wins.items(), start=1):
        _add_wins(figure, shares, {"row": 1, "col": column})
        figure.update_xaxes(title_text=f"Model that wins{title and f', {title}'}", col=column)
    figure.update_xaxes(side="top", showline=False, ticks="", tickangle=-40)
    figure.update_yaxes(autorange="reversed", showline=False, ticks="", ticklabelstandoff=6)
    figure.update_yaxes(title_text="Model that chose", col=1)
    caption = (
        "Share of simulated participants (rows: who made the choices) whose choices each fitted model (columns) "
        f"explains best. Frames: the right model wins, in {SEPARABLE:.0%} or more (solid) or in fewer (dotted). "
        "Shares below .005 are left blank."
    )
    models = [agent_style(name).label for shares in wins.values() for name in shares.columns]
    top = 50 + round(4.5 * max(len(label) for label in models))
    height = 20 + top + CELL * max(len(shares) for shares in wins.values())
    return finished(figure, caption, height, theme).update_layout(margin={"t": top, "l": 130, "b": 16})


def _add_wins(figure: go.Figure, wins: pd.DataFrame, place: dict[str, int]) -> None:
    simulated, fitted = ([agent_style(name).label for name in names] for names in (wins.index, wins.columns))
    shares = wins.to_numpy(dtype=float)
    figure.add_heatmap(
        z=shares,
        x=fitted,
        y=simulated,
        zmin=0,
        zmax=1,
        xgap=1,
        ygap=1,
        colorscale=DARKENING,
        showscale=False,
        hovertemplate="simulated: %{y}<br>wins: %{x}, %{z:.0%}<extra></extra>",
        **place,
    )
    for row, column in np.argwhere(shares >= 0.005):
        share = shares[row, column]
        font = {"color": "white" if share > 0.55 else INK, "size": 11}
        written = {"text": f"{share:.2f}", "showarrow": False, "font": font}
        figure.add_annotation(x=fitted[column], y=simulated[row], **written, **place)
    for name in set(simulated) & set(fitted):
        row, column = simulated.index(name), fitted.index(name)
        ends = {"x0": column - 0.5, "x1": column + 0.5, "y0": row - 0.5, "y1": row + 0.5}
        enough = shares[row, column] >= SEPARABLE
        line = {"color": BLACK, "width": 2, "dash": "solid" if enough else "dot"}
        figure.add_shape(line=line, **ends, **place)


def plot_recovery(values: pd.DataFrame, *, theme: Theme | None = None) -> go.Figure:
    """Estimates beside the values that made the choices, a panel a parameter.

    Parameters
    ----------
    values
        ``toolkit.fitting.recover(…).values``, with the columns ``model, parameter, true, estimated``.
    """
    from plotly.subplots import make_subplots

    summary = summarise_recovery(values)
    titles = [_recovery_title(row) for row in summary.itertuples()]
    n_columns = min(COLUMNS, len(summary))
    n_rows = -(-len(summary) // n_columns)
    gap = 0.3 / n_rows
    figure = make_subplots(
        n_rows, n_columns, subplot_titles=titles, vertical_spacing=gap, horizontal_spacing=0.09
    )
    for number, row in enumerate(summary.itertuples()):
        place = {"row": number // n_columns + 1, "col": number % n_columns + 1}
        _add_recovered(figure, row.parameter, values[values["parameter"] == row.parameter], place)
        if number + n_columns >= len(summary):
            figure.update_xaxes(title_text="True", **place)
    figure.update_yaxes(title_text="Estimated", col=1)
    figure.update_annotations(font_size=12)
    caption = (
        f"Estimates against the values that {agent_style(summary['model'][0]).label} made choices with, one dot a "
        f"simulated participant ({int(summary['n_fitted'].max())} fitted). Dotted: no error. r: correlation; "
        "a parameter counts as identified from .8."
    )
    figure = finished(figure, caption, height=50 + 200 * n_rows, theme=theme)
    return figure.update_layout(showlegend=False, margin={"t": 28})


def _add_recovered(figure: go.Figure, name: str, rows: pd.DataFrame, place: dict[str, int]) -> None:
    style = agent_style(str(rows["model"].iloc[0]))
    both = rows[["true", "estimated"]].to_numpy(dtype=float)
    ends = [np.nanmin(both), np.nanmax(both)]
    figure.add_scatter(x=ends, y=ends, mode="lines", line=GUIDE, hoverinfo="skip", **place)
    figure.add_scatter(
        x=rows["true"],
        y=rows["estimated"],
        mode="markers",
        marker={"color": translucent(style.colour, 0.6), "size": 6},
        hovertemplate="true %{x:.3g}, estimated %{y:.3g}<extra>" + name + "</extra>",
        **place,
    )


def _recovery_title(row: Any) -> str:
    r = f"r = {row.correlation:.2f}" if np.isfinite(row.correlation) else "no variance"
    return wrapped(f"{row.parameter.replace('_', ' ').capitalize()} ({r})", 30)
