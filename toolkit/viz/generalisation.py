"""What is hard, how strategies shift and what transfers: agents beside people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from toolkit.viz.agents import GREEN, GREY, ORANGE, AgentStyle, agent_style
from toolkit.viz.comparison import DARKENING
from toolkit.viz.learning import BAND, add_band, list_once
from toolkit.viz.theme import GUIDE, INK, Theme, finished

if TYPE_CHECKING:
    import plotly.graph_objects as go

ROW_HEIGHT = 24
PUBLISHED = "published "
LARGEST_ERROR, FARTHEST = 0.6, 0.8
"""Error, and distance from people, that are drawn as large as can be."""

TURNS_WHITE = 0.55
"""Darkness from which text on it is white."""


def plot_type_errors(curves: pd.DataFrame, *, theme: Theme | None = None) -> go.Figure:
    """Mean errors over blocks, a panel a type, a line an agent.

    Parameters
    ----------
    curves
        ``agent, condition, block, error``; rows of an agent, type and block are averaged.
    """
    from plotly.subplots import make_subplots

    types = curves["condition"].unique().tolist()
    n_rows = -(-len(types) // 3)
    figure = make_subplots(
        n_rows,
        3,
        subplot_titles=[f"Type {name}" for name in types],
        shared_yaxes=True,
        shared_xaxes=True,
        horizontal_spacing=0.04,
        vertical_spacing=0.2 / n_rows,
    )
    mean = curves.groupby(["condition", "agent", "block"], sort=False)["error"].mean().reset_index()
    for number, name in enumerate(types):
        place = {"row": number // 3 + 1, "col": number % 3 + 1}
        for agent, rows in mean[mean["condition"] == name].groupby("agent", sort=False):
            _add_line(figure, rows["block"], rows["error"], style_of(str(agent)), place)
    list_once(figure)
    figure.update_yaxes(range=[0, 0.56], tickformat=".1f", dtick=0.2)
    figure.update_yaxes(title_text="Proportion wrong", col=1)
    figure.update_xaxes(dtick=5, tick0=1)
    figure.update_xaxes(title_text="Block", row=n_rows)
    figure.update_annotations(font_size=12)
    caption = "Mean proportion of errors in blocks of trials. Agents: what is expected of them, over the sequences drawn."
    return finished(figure, caption, 110 + 200 * n_rows, theme).update_layout(margin={"t": 80})


def plot_type_order(means: pd.DataFrame, *, theme: Theme | None = None) -> go.Figure:
    """Mean error on every type (column), a row an agent or group of people, with intervals where there are any.

    Parameters
    ----------
    means
        ``agent, condition, mean, low, high``; the first agents stand at the top.
    """
    import plotly.graph_objects as go

    figure, agents = go.Figure(), means["agent"].unique().tolist()
    wide = means.pivot_table("mean", "agent", "condition", sort=False).loc[agents]
    texts = means.assign(text=[_with_interval(row) for row in means.itertuples()])
    texts = texts.pivot_table("text", "agent", "condition", aggfunc="first", sort=False).loc[
        agents, wide.columns
    ]
    _add_cells(figure, wide, LARGEST_ERROR, texts=texts.to_numpy())
    figure.update_xaxes(title_text="Type", side="top")
    _name_rows(figure, [style_of(agent).label for agent in agents])
    caption = (
        "Mean proportion of errors on each type, dark is hard, with 95 % bootstrap intervals over people or sequences; published "
        "means have none. Blank: not learned."
    )
    height = 100 + ROW_HEIGHT * len(agents)
    return finished(figure, caption, height, theme).update_layout(margin={"t": 60, "l": 175, "b": 20})


def plot_segments(
    table: pd.DataFrame,
    recovered: pd.DataFrame,
    published: pd.DataFrame | None = None,
    *,
    person: str = "people",
    theme: Theme | None = None,
) -> go.Figure:
    """Exemplars against prototypes over segments of learning: misfits, who is better, and whether it can be told.

    Parameters
    ----------
    table, recovered
        Of ``toolkit.fitting.fit_segments(…)``: its table and ``recovered()``.
    published
        ``model, segment, misfit`` of Smith and Minda's people.
    person
        Learner whose misfits are drawn.
    """
    from plotly.subplots import make_subplots

    titles = ["Misfit of people", "Exemplars ahead by", "Recognised one by one"]
    figure = make_subplots(1, 3, subplot_titles=titles, horizontal_spacing=0.11)
    looks = {"exemplar": ("Exemplars", GREEN), "prototype": ("Prototypes", ORANGE)}
    own = table[table["learner"] == person].groupby("segment")
    for kind, (label, colour) in looks.items():
        mean, half = own[f"misfit_{kind}"].mean(), BAND * own[f"misfit_{kind}"].sem().fillna(0.0)
        style, place = AgentStyle(label, colour, "solid", "circle"), {"row": 1, "col": 1}
        add_band(figure, mean.index, mean - half, mean + half, colour, most=10, **place)
        _add_line(figure, mean.index, mean, style, place)
        if published is not None:
            rows = published[published["model"] == kind]
            dotted = AgentStyle(f"{label}, Smith & Minda", colour, "dot", "circle-open")
            _add_line(figure, rows["segment"], rows["misfit"], dotted, place)
    for learner, rows in table.groupby("learner", sort=False):
        ahead = rows.groupby("segment")["advantage"].mean()
        _add_line(figure, ahead.index, ahead, style_of(str(learner)), {"row": 1, "col": 2})
    for learner, rows in recovered.groupby("learner", sort=False):
        _add_line(figure, rows["segment"], rows["right"], style_of(str(learner)), {"row": 1, "col": 3})
    list_once(figure)
    for col, middle in ((2, 0.0), (3, 0.5)):
        figure.add_hline(y=middle, line=GUIDE, row=1, col=col)
    figure.update_yaxes(title_text="Squared error", rangemode="tozero", nticks=5, row=1, col=1)
    figure.update_yaxes(title_text="Nats a choice", nticks=6, row=1, col=2)
    figure.update_yaxes(title_text="Share of learners", range=[-0.03, 1.03], dtick=0.5, row=1, col=3)
    figure.update_xaxes(title_text="Segment", dtick=5, tick0=1)
    figure.update_annotations(font_size=12)
    caption = (
        "Exemplars and prototypes fitted to every segment of every learner. Left: squared distance between answers and "
        "fit, summed over stimuli, with 95 % intervals; dotted: published. Middle: how much better "
        "exemplars describe answers, mean over learners. Right: share of learners simulated by each that are recognised; dotted: chance."
    )
    return finished(figure, caption, 400, theme).update_layout(margin={"t": 116})


def plot_item_shares(
    shares: pd.DataFrame,
    distances: pd.DataFrame,
    patterns: pd.DataFrame | None = None,
    *,
    theme: Theme | None = None,
) -> go.Figure:
    """Shares of answers A to items after the last block, distance from people after each, and patterns of answers.

    Parameters
    ----------
    shares
        ``agent, stimulus, share``, rows and columns in the order they are drawn.
    distances
        ``agent, block, distance``; no rows where there are no people to be distant from.
    patterns
        ``agent, kind, block, share`` of learners all of whose answers follow a rule, or exemplars.
    """
    from plotly.subplots import make_subplots

    items, agents = shares["stimulus"].unique().tolist(), shares["agent"].unique().tolist()
    wide = shares.pivot_table("share", "agent", "stimulus").loc[agents, items]
    panels = [("Answers A<br>after the last block", wide, 1.0, False, "share of answers A to each new item")]
    if len(distances):
        far = distances.pivot_table("distance", "agent", "block").reindex(agents)
        told = "Euclidean distance of these shares from people's in the end, dark is close"
        panels.append(("Distance from people<br>after … blocks", far, FARTHEST, True, told))
    if patterns is not None:
        column = patterns["kind"].str[0].str.upper() + patterns["block"].map("<br>{}".format)
        wide = patterns.assign(column=column).pivot_table("share", "agent", "column", sort=False)
        told = "share of learners all of whose answers follow a rule (R), or exemplars (E), after … blocks"
        panels.append(("Rule (R) or<br>exemplars (E)", wide.reindex(agents), 1.0, False, told))
    figure = make_subplots(
        1,
        len(panels),
        shared_yaxes=True,
        subplot_titles=[panel[0] for panel in panels],
        column_widths=[panel[1].shape[1] for panel in panels],
        horizontal_spacing=0.03,
    )
    for col, (_, cells, most, reverse, _) in enumerate(panels, start=1):
        _add_cells(figure, cells, most, reverse=reverse, row=1, col=col)
    _name_rows(figure, [style_of(agent).label for agent in agents])
    figure.update_annotations(selector={"yanchor": "bottom"}, font_size=12)
    figure.update_xaxes(tickangle=0)
    caption = f"From left to right: {'; '.join(panel[-1] for panel in panels)}. Blank: not known."
    return finished(figure, caption, 90 + ROW_HEIGHT * len(agents), theme).update_layout(
        margin={"t": 44, "l": 175}
    )


def in_words(values: Mapping[str, float], form: str = "{:.2f}") -> str:
    """Agents and their numbers as a list in a sentence; "none" without any.

    >>> in_words({"ermi": 0.301, "gcm": 0.25})
    'ERMI 0.30, Exemplars (GCM) 0.25'
    """
    said = [f"{style_of(str(name)).label} {form.format(value)}" for name, value in values.items()]
    return ", ".join(said) or "none"


def style_of(name: str) -> AgentStyle:
    """Look of an agent, of the published version of one, or of people of some kind.

    >>> style_of("published ermi").label, style_of("older people").colour
    ('ERMI, published', '#000000')
    """
    if name.startswith(PUBLISHED):
        style = agent_style(name.removeprefix(PUBLISHED))
        return AgentStyle(f"{style.label}, published", GREY, "dot", f"{style.symbol}-open")
    if name.endswith(" people"):
        style = agent_style("people")
        return AgentStyle(name[0].upper() + name[1:], style.colour, "dash", "circle-open")
    return agent_style(name)


def _add_line(
    figure: go.Figure, x: Sequence[float], y: Sequence[float], style: AgentStyle, place: dict[str, int]
) -> None:
    # A long dash is longer than the way from one of these points to the next.
    dash = "dash" if style.dash == "longdash" else style.dash
    figure.add_scatter(
        x=x,
        y=y,
        mode="lines+markers",
        name=style.label,
        legendgroup=style.label,
        line={"color": style.colour, "dash": dash, "width": 1.8},
        marker=style.marker(4.5),
        hovertemplate="%{x}: %{y:.3f}<extra>" + style.label + "</extra>",
        **place,
    )


def _with_interval(row: Any) -> str:
    if np.isclose(row.low, row.high):
        return f"<b>{_short(row.mean)}</b>"
    return f"<b>{_short(row.mean)}</b>  <span style='font-size:9px'>{_short(row.low)} to {_short(row.high)}</span>"


def _short(value: float) -> str:
    """Two decimals without the zero before the point."""
    return f"{value:.2f}".removeprefix("0")


def _add_cells(
    figure: go.Figure,
    cells: pd.DataFrame,
    most: float,
    *,
    reverse: bool = False,
    texts: np.ndarray | None = None,
    **panel: int,
) -> None:
    """Cells with their values, dark where these are large, or small if ``reverse``."""
    values = cells.to_numpy(dtype=float)
    dark = np.minimum(values, most) / most
    dark = 1 - dark if reverse else dark
    places = np.arange(cells.shape[1])
    figure.add_heatmap(
        z=dark,
        x=places,
        y=np.arange(len(cells)),
        zmin=0,
        zmax=1,
        xgap=1,
        ygap=1,
        colorscale=DARKENING,
        showscale=False,
        customdata=values,
        hovertemplate="%{customdata:.3f}<extra></extra>",
        **panel,
    )
    for row, column in np.argwhere(np.isfinite(values)):
        figure.add_annotation(
            x=column,
            y=row,
            text=_short(values[row, column]) if texts is None else texts[row, column],
            font={"color": "white" if dark[row, column] > TURNS_WHITE else INK, "size": 10},
            showarrow=False,
            yanchor="middle",
            **panel,
        )
    names = [str(name) for name in cells.columns]
    figure.update_xaxes(tickvals=places, ticktext=names, showline=False, ticks="", **panel)


def _name_rows(figure: go.Figure, labels: Sequence[str]) -> None:
    """Names of rows 0, 1, … from the top."""
    figure.update_yaxes(
        tickvals=np.arange(len(labels)),
        ticktext=list(labels),
        range=[len(labels) - 0.5, -0.7],
        showline=False,
        ticks="",
        ticklabelstandoff=6,
    )
