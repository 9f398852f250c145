"""Figures of searches for programs: where the winner comes from, what it is better than, what it reproduces."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

import pandas as pd

from toolkit.viz.agents import BLACK, GREY, AgentStyle, agent_style
from toolkit.viz.theme import GUIDE, Theme, finished

if TYPE_CHECKING:
    import plotly.graph_objects as go

WINNER = "winner"
_STYLE_OF = {WINNER: "program", "daw_hybrid": "hybrid", "chance": "random"}
_CONDITIONS = (("reward", "common"), ("reward", "rare"), ("no reward", "common"), ("no reward", "rare"))

_ROOM_FOR_AGENTS = 0.4
"""Between two conditions, that agents are spread over, so that none hides another."""

_ROOM_FOR_SEARCHES = 0.6
"""Of a planted program's row, that its searches are spread over."""


def program_style(name: str) -> AgentStyle:
    """The look of a winner or a baseline."""
    return agent_style(_STYLE_OF.get(name, name))


def plot_lineage(
    candidates: pd.DataFrame, ancestors: list[str], baselines: dict[str, float], *, theme: Theme | None = None
) -> go.Figure:
    """Criterion of every candidate in the order of the search, and the line that led to the winner.

    Parameters
    ----------
    candidates
        As :func:`toolkit.discovery.search.table_of` gives them.
    ancestors
        Names of the winner and all it descends from.
    baselines
        Mean criterion of other models, by name.
    """
    import plotly.graph_objects as go

    figure = go.Figure()
    scored = candidates.dropna(subset=["mean"])
    place = {row.name: (row.number, row.mean) for row in scored.itertuples(index=False)}
    for row in scored[scored["name"].isin(ancestors)].itertuples(index=False):
        for parent in filter(place.__contains__, row.parents.split(", ")):
            figure.add_scatter(
                x=[place[parent][0], row.number],
                y=[place[parent][1], row.mean],
                mode="lines",
                line={"color": program_style(WINNER).colour, "width": 1.5},
                hoverinfo="skip",
                showlegend=False,
            )
    for label, rows, colour in (
        ("tried", scored[~scored["name"].isin(ancestors)], GREY),
        (
            "winner and what it descends from",
            scored[scored["name"].isin(ancestors)],
            program_style(WINNER).colour,
        ),
    ):
        figure.add_scatter(
            x=rows["number"],
            y=rows["mean"],
            mode="markers",
            name=label,
            marker={"color": colour, "size": 8, "symbol": "circle" if colour == GREY else "hexagon"},
            # Programs are written by strangers, and figures read tags.
            customdata=rows[["program", "n_parameters", "operator"]].map(lambda one: escape(str(one))),
            hovertemplate="%{customdata[0]}<br>%{y:.1f}, %{customdata[1]} parameters, %{customdata[2]}<extra></extra>",
        )
    for name, value in baselines.items():
        figure.add_hline(
            y=value, line=GUIDE, annotation_text=program_style(name).label, annotation_font_size=11
        )
    figure.update_xaxes(title_text="Program, in the order tried", rangemode="tozero")
    figure.update_yaxes(title_text="Mean criterion on evaluation participants")
    n_rejected = len(candidates) - len(scored)
    rejected = "1 program was" if n_rejected == 1 else f"{n_rejected} programs were"
    caption = (
        "Every program that was tried, lower is better. Lines lead from parents to children, up to the winner. "
        f"Dotted: models of the literature and chance. {rejected} rejected."
    )
    return _with_margin(finished(figure, caption, height=360, theme=theme))


def plot_differences(table: pd.DataFrame, *, theme: Theme | None = None) -> go.Figure:
    """How much worse every other model explains people who were held back, with paired intervals.

    Parameters
    ----------
    table
        Of :class:`toolkit.discovery.search.Report`.
    """
    import plotly.graph_objects as go

    figure = go.Figure()
    others = table[table["kind"] != WINNER].iloc[::-1]
    for row in others.itertuples():
        style = program_style(row.model)
        figure.add_scatter(
            x=[row.difference],
            y=[style.label],
            error_x={"array": [row.high - row.difference], "arrayminus": [row.difference - row.low]},
            mode="markers",
            marker=style.marker(9),
            showlegend=False,
            hovertemplate=f"{row.test:.1f}, {row.n_parameters} parameters<extra>{style.label}</extra>",
        )
    figure.add_vline(x=0, line=GUIDE)
    figure.update_xaxes(title_text="Criterion beyond the winner's, mean over test participants")
    caption = (
        "Differences between each model and the winner on the same test participants, with 95 % intervals by a "
        "paired t; to the right of 0 the winner is better."
    )
    return _with_margin(finished(figure, caption, height=140 + 44 * len(others), theme=theme))


def plot_repetitions(summaries: dict[str, pd.DataFrame], *, theme: Theme | None = None) -> go.Figure:
    """How often the last first choice is repeated, after each kind of trial.

    Parameters
    ----------
    summaries
        By "people" and names of models, what :func:`toolkit.discovery.signatures.summarise` makes of their
        choices: columns ``outcome``, ``transition``, ``repeats`` and ``error``.
    """
    import plotly.graph_objects as go

    figure = go.Figure()
    labels = [f"{outcome},<br>{transition}" for outcome, transition in _CONDITIONS]
    for number, (name, summary) in enumerate(summaries.items()):
        style = program_style(name)
        values = summary.set_index(["outcome", "transition"]).reindex(list(_CONDITIONS))
        aside = _ROOM_FOR_AGENTS * ((number + 0.5) / len(summaries) - 0.5)
        figure.add_scatter(
            x=[place + aside for place in range(len(labels))],
            y=values["repeats"],
            error_y={"array": values["error"], "color": style.colour},
            mode="markers+lines" if name == "people" else "markers",
            name="Winner" if name == WINNER else style.label,
            line={"color": BLACK, "width": 1} if name == "people" else None,
            marker=style.marker(9),
        )
    figure.update_yaxes(title_text="Proportion repeated", range=[0, 1])
    figure.update_xaxes(
        title_text="Reward and transition of the trial before",
        tickvals=list(range(len(labels))),
        ticktext=labels,
    )
    caption = (
        "Proportion of first choices that repeat the one before, by what followed it, with standard errors over "
        "people; models made choices of their own with the parameters fitted to the same people."
    )
    return _with_margin(finished(figure, caption, height=320, theme=theme))


def plot_found_again(table: pd.DataFrame, *, theme: Theme | None = None) -> go.Figure:
    """Which planted programs were found again.

    Parameters
    ----------
    table
        Of :func:`toolkit.discovery.planted.find_again`.
    """
    import plotly.graph_objects as go

    from toolkit.discovery.planted import ALIKE

    style = program_style(WINNER)
    figure = go.Figure()
    figure.add_vline(x=ALIKE, line=GUIDE)
    row, names = pd.factorize(table["planted"])
    # Searches that found the same do not hide one another.
    beside = _ROOM_FOR_SEARCHES * (table["search"] - (table["search"].max() + 1) / 2) / table["search"].max()
    figure.add_scatter(
        x=table["apart"],
        y=row + beside,
        mode="markers",
        marker={
            "size": 11,
            "color": [style.colour if alike else GREY for alike in table["alike"]],
            "symbol": ["circle" if same else "circle-open" for same in table["same"]],
            "line": {"width": 2},
        },
        customdata=table[["found", "difference", "shared"]],
        hovertemplate="%{customdata[0]}<br>%{customdata[1]:+.1f} to the planted program<br>"
        "%{customdata[2]:.0%} of mechanisms shared<extra></extra>",
        showlegend=False,
    )
    farthest = max(2 * ALIKE, 1.1 * float(table["apart"].max()))
    figure.update_xaxes(title_text="Mean difference of predicted probabilities", range=[-ALIKE / 4, farthest])
    figure.update_yaxes(
        tickvals=list(range(len(names))), ticktext=list(names), range=[len(names) - 0.4, -0.6]
    )
    caption = (
        "How far the predictions of found and planted programs lie apart, a point for each search. Coloured, left of the "
        "line: the found program predicts the same. Filled: it has exactly the planted mechanisms."
    )
    return _with_margin(finished(figure, caption, height=130 + 40 * len(names), theme=theme))


def _with_margin(figure: go.Figure) -> go.Figure:
    """Room for the legend above the axes."""
    return figure.update_layout(margin={"t": 40})
