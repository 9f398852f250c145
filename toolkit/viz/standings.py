"""People beside models: who is described by which, how many are, and one person's learning beside the models'."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from toolkit.errors import UsageError
from toolkit.viz.agents import BLACK, GREY, agent_style
from toolkit.viz.comparison import DARKENING
from toolkit.viz.theme import GUIDE, INK, Theme, finished, translucent

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from toolkit.fitting.standings import Measure, Order, Standings

FAR_BEHIND = 20.0
"""BIC beyond a person's best model that is drawn as far as can be."""
_ROW, _GAP, _CURVE, _TOP, _ENTRY = 24, 96, 190, 34, 20
_ENTRIES_A_ROW = 2
_LABELS = 178
_HEADINGS = {
    "bic": f"BIC beyond a person's best (dark 0, white ≥ {FAR_BEHIND:.0f})",
    "nats": "−Log-likelihood a choice (dark best, white worst)",
}
_CURVE_PANEL = {"row": 2, "col": 1}


def plot_standings(
    standings: Standings,
    person: object,
    *,
    by: Measure = "bic",
    order: Order = "winner",
    theme: Theme | None = None,
) -> go.Figure:
    """Every person (column) under every model (row), model frequencies, and one person's learning curve.

    Parameters
    ----------
    standings
        Of :func:`toolkit.fitting.gather`, restricted to the people and the condition that are to be shown.
    person
        Whose column is marked and whose curve is drawn.
    by
        What cells show, see :meth:`toolkit.fitting.Standings.wide`.
    order
        Of people, see :meth:`toolkit.fitting.Standings.in_order`.
    """
    from plotly.subplots import make_subplots

    if person not in standings.participants:
        raise UsageError(f"there is no person {person!r} among these.", fix="Choose one of its participants.")
    people = standings.in_order(order)
    height = _ROW * len(standings.models) + _GAP + _CURVE
    figure = make_subplots(
        2,
        2,
        specs=[[{}, {}], [{"colspan": 2}, None]],
        column_widths=[0.72, 0.28],
        row_heights=[_ROW * len(standings.models), _CURVE],
        horizontal_spacing=0.03,
        vertical_spacing=_GAP / height,
        subplot_titles=[_HEADINGS[by], "Frequency", _curve_heading(standings, person)],
    )
    _add_people(figure, standings, people, by)
    _add_failed(figure, standings, people)
    _mark(figure, people.index(person), len(standings.models))
    _add_frequencies(figure, standings)
    _add_curves(figure, standings, person)
    figure.update_annotations(font_size=12)
    n_entries = 1 + len(standings.models) if len(standings.curves) else 0
    bottom = 48 + _ENTRY * -(-n_entries // _ENTRIES_A_ROW)
    figure = finished(figure, _caption(standings, by), _TOP + height + bottom, theme)
    below = {"orientation": "h", "x": 0, "yref": "container", "y": 0, "yanchor": "bottom"}
    below |= {"entrywidth": 152, "font": {"size": 11}}
    return figure.update_layout(margin={"t": _TOP, "l": _LABELS, "b": bottom}, legend2=below)


def _labels(standings: Standings) -> list[str]:
    return [agent_style(model).label for model in standings.models]


def _add_people(figure: go.Figure, standings: Standings, people: list, by: Measure) -> None:
    cells = standings.wide(by).loc[people].T
    about = standings.labels.loc[people].map(escape).to_numpy()
    known = cells.to_numpy(dtype=float)
    low, high = (0.0, FAR_BEHIND) if by == "bic" else _ends(known)
    figure.add_heatmap(
        z=known,
        x=np.arange(len(people)),
        y=_labels(standings),
        customdata=np.tile(about, (len(cells), 1)),
        zmin=low,
        zmax=high,
        colorscale=DARKENING,
        reversescale=True,
        showscale=False,
        ygap=1,
        xgap=1 if len(people) <= 60 else 0,
        hoverongaps=False,
        hovertemplate="%{customdata}<br>%{y}: %{z:.3f}<extra></extra>",
        row=1,
        col=1,
    )
    figure.update_yaxes(
        autorange="reversed", showline=False, ticks="", ticklabelstandoff=6, type="category", row=1
    )
    figure.update_yaxes(showticklabels=False, matches="y", row=1, col=2)
    figure.update_xaxes(
        title_text=f"{len(people)} {'person' if len(people) == 1 else 'people'}",
        showticklabels=False,
        ticks="",
        showline=False,
        range=[-0.5, len(people) - 0.5],
        row=1,
        col=1,
    )


def _ends(known: np.ndarray) -> tuple[float, float]:
    if np.isnan(known).all():
        return 0.0, 1.0
    # A few people who are easy to foresee would make all others look alike.
    low, high = np.nanquantile(known, [0.1, 0.9]).tolist()
    return low, high if high > low else low + 1.0


def _add_failed(figure: go.Figure, standings: Standings, people: list) -> None:
    """A cross where a fit failed, so that it is not taken for a bad one."""
    failed = standings.failed()
    place = {person: number for number, person in enumerate(people)}
    figure.add_scatter(
        x=failed["participant"].map(place),
        y=[agent_style(model).label for model in failed["model"]],
        mode="markers",
        marker={"symbol": "x-thin", "size": 9, "line": {"color": GREY, "width": 2}},
        customdata=[[escape(str(one.participant)), escape(one.reason)] for one in failed.itertuples()],
        hovertemplate="person %{customdata[0]}, %{y}: no estimate (%{customdata[1]})<extra></extra>",
        showlegend=False,
        row=1,
        col=1,
    )


def _mark(figure: go.Figure, place: int, n_models: int) -> None:
    figure.add_shape(
        type="rect",
        x0=place - 0.5,
        x1=place + 0.5,
        y0=-0.5,
        y1=n_models - 0.5,
        line={"color": BLACK, "width": 2.5},
        row=1,
        col=1,
    )


def _add_frequencies(figure: go.Figure, standings: Standings) -> None:
    comparison = standings.comparison
    share = pd.Series(0.0, standings.models)
    if comparison is not None:
        share = comparison.table.set_index("model")["frequency"].reindex(standings.models)
    styles = [agent_style(model) for model in standings.models]
    figure.add_bar(
        x=share.to_numpy(),
        y=[style.label for style in styles],
        orientation="h",
        width=0.6,
        marker={
            "color": [translucent(style.colour, 0.55) for style in styles],
            "line": {"color": [style.colour for style in styles], "width": 1},
        },
        text=[f"{one:.2f}" if comparison is not None else "" for one in share],
        textposition="outside",
        cliponaxis=False,
        hovertemplate="%{y}: %{x:.3f}<extra></extra>",
        showlegend=False,
        row=1,
        col=2,
    )
    figure.update_xaxes(title_text="Share of people", range=[0, 1], tickvals=[0, 0.5, 1], row=1, col=2)


def _add_curves(figure: go.Figure, standings: Standings, person: object) -> None:
    curves = person_curves(standings, person)
    for agent in ("people", *standings.models):
        own = curves[curves["agent"] == agent]
        if own.empty:
            continue
        style = agent_style(agent)
        label = "The person" if agent == "people" else style.label
        figure.add_scatter(
            x=own["trial"],
            y=own["correct"],
            mode="lines+markers",
            name=label,
            line=style.line(3 if agent == "people" else 1.8),
            marker=style.marker(8 if agent == "people" else 6),
            legend="legend2",
            hovertemplate="trial %{x}: %{y:.2f}<extra>" + label + "</extra>",
            **_CURVE_PANEL,
        )
    last = float(curves["trial"].max()) if len(curves) else 1.0
    figure.update_xaxes(title_text="Trial", range=[0, last * 1.02], **_CURVE_PANEL)
    figure.update_yaxes(
        title_text="Proportion right", range=[-0.03, 1.03], tickvals=[0, 0.5, 1], **_CURVE_PANEL
    )
    guessing = {"type": "line", "x0": 0, "x1": last * 1.02, "y0": 0.5, "y1": 0.5, "line": GUIDE}
    if len(curves):
        figure.add_shape(**guessing, **_CURVE_PANEL)
    else:
        said = "No learning curve is kept with this table."
        where = {"x": last / 2, "y": 0.5, "showarrow": False, "font": {"color": INK}}
        figure.add_annotation(text=said, **where, **_CURVE_PANEL)


def person_curves(standings: Standings, person: object) -> pd.DataFrame:
    """One person's proportions right and those that models expect: ``agent, trial, correct``, over all conditions shown."""
    curves = standings.curves
    if curves.empty:
        return pd.DataFrame(columns=["agent", "trial", "correct"])
    own = curves[curves["participant"] == person]
    weighted = own.assign(right=own["correct"] * own["trials"])
    sums = weighted.groupby(["agent", "trial"], as_index=False)[["right", "trials"]].sum()
    return sums.assign(correct=sums["right"] / sums["trials"])[["agent", "trial", "correct"]]


def _curve_heading(standings: Standings, person: Any) -> str:
    label = escape(standings.labels[person])
    where = f"condition {standings.condition}" if standings.condition else "all conditions"
    said = f": learning in {where}" if len(standings.curves) else ""
    return f"{label[0].upper()}{label[1:]}{said}"


def _caption(standings: Standings, by: Measure) -> str:
    cells = (
        "BIC beyond the person's best model, over all choices"
        if by == "bic"
        else "what a model leaves unexplained, nats a choice"
    )
    return (
        f"Above: each column is one of {len(standings.participants)} people, each row a model; {cells}. Crosses: no estimate. "
        "Frequency: the share of people that each model is estimated to describe (random effects, by BIC). Framed: the "
        "person whose proportion of right answers is drawn below, beside what each model expects on the same trials."
    )
