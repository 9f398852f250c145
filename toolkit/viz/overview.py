"""The project in one picture: a problem, a learning curve, and the sections that follow."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from toolkit.viz.agents import GREEN, GREY
from toolkit.viz.learning import add_curves, curve_caption
from toolkit.viz.problems import add_feature, by_separation
from toolkit.viz.theme import INK, Theme, finished, translucent, wrapped

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from toolkit.data.bank import BankProblem

BOXES_IN_A_ROW = 4
BOX_HEIGHT, BOX_GAP = 0.09, 0.015
"""In shares of the figure's height and width."""

TOP_OF_PANELS = 0.86


def plot_overview(
    problem: BankProblem,
    curve: pd.DataFrame,
    sections: pd.DataFrame,
    *,
    participant: object | None = None,
    theme: Theme | None = None,
) -> go.Figure:
    """A problem's most telling feature, the learning curve, and the map of the sections.

    Parameters
    ----------
    problem
        A problem of ``toolkit.data.load_bank()``.
    curve
        Table of :func:`toolkit.viz.learning_curve`.
    sections
        Table of ``toolkit.sections.list_sections()``, with ``section``, ``title`` and ``here``.
    participant
        Person whose own curve is drawn beside the mean.
    """
    from plotly.subplots import make_subplots

    feature = by_separation(problem)[0]
    titles = [wrapped(problem.features[feature].name.capitalize(), 34), "Learning by trial and error"]
    figure = make_subplots(1, 2, column_widths=[0.38, 0.62], horizontal_spacing=0.1, subplot_titles=titles)
    add_feature(figure, problem, feature, row=1, col=1)
    add_curves(figure, curve, participant=participant, row=1, col=2)
    left, right = figure.layout.xaxis.domain, figure.layout.xaxis2.domain
    for number, title in enumerate(figure.layout.annotations[:2]):
        title.update(x=(left, right)[number][0], xanchor="left", y=1, yanchor="top", font={"size": 14})
    figure.update_traces(legend="legend2", col=2)
    figure.update_yaxes(domain=[_height_of_map(sections) + 0.16, TOP_OF_PANELS])
    _add_map(figure, sections)
    figure = finished(figure, _caption(curve, participant), height=440, theme=theme)
    low = figure.layout.yaxis2.domain[0] + 0.01
    inside = {"orientation": "v", "yref": "paper", "y": low, "yanchor": "bottom", "x": 1, "xanchor": "right"}
    inside["bgcolor"] = "rgba(255,255,255,0)"
    above = {"yref": "paper", "y": TOP_OF_PANELS + 0.01, "yanchor": "bottom"}
    return figure.update_layout(margin={"t": 8, "b": 8, "l": 30, "r": 10}, legend=above, legend2=inside)


def _height_of_map(sections: pd.DataFrame) -> float:
    return -(-len(sections) // BOXES_IN_A_ROW) * (BOX_HEIGHT + BOX_GAP)


def _add_map(figure: go.Figure, sections: pd.DataFrame) -> None:
    """A box a section, filled where its notebook is here."""
    width = (1 + BOX_GAP) / BOXES_IN_A_ROW - BOX_GAP
    rows = -(-len(sections) // BOXES_IN_A_ROW)
    for number, section in enumerate(sections.itertuples()):
        row, column = divmod(number, BOXES_IN_A_ROW)
        left = column * (width + BOX_GAP)
        low = (rows - 1 - row) * (BOX_HEIGHT + BOX_GAP)
        figure.add_shape(
            type="rect",
            xref="paper",
            yref="paper",
            x0=left,
            x1=left + width,
            y0=low,
            y1=low + BOX_HEIGHT,
            line={"color": GREEN if section.here else GREY, "dash": "solid" if section.here else "dot"},
            fillcolor=translucent(GREEN, 0.2) if section.here else "white",
            label={
                "text": wrapped(f"{section.section[:2]} {section.title}", 20),
                "font": {"size": 12, "color": INK if section.here else GREY},
            },
        )


def _caption(curve: pd.DataFrame, participant: object | None) -> str:
    return (
        "Left: a problem's most telling feature in each category, with how common the category is. "
        f"Right: {curve_caption(curve, participant)} Below: the sections; filled boxes have a notebook already."
    )
