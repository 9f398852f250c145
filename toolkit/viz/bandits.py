"""One person's choices among options that pay by chance, beside what a learner expects of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from toolkit.errors import UsageError
from toolkit.trials import Trials
from toolkit.viz.agents import agent_style
from toolkit.viz.theme import GUIDE, Theme, finished

if TYPE_CHECKING:
    import plotly.graph_objects as go

MOST_SETS = 4
"""Sets of options that are drawn, two beside one another."""
ROW, GAP = 170, 60
"""Pixels of a row of panels and between two."""


def plot_visits(
    trials: Trials, p: np.ndarray, *, agent: str, person: str = "Person", theme: Theme | None = None
) -> go.Figure:
    """A person's choices between two options, a panel a set of options, and what a learner expects.

    Quick enough to follow a slider.

    Parameters
    ----------
    trials
        A bandit with two options and one participant; the first four sets of options are drawn.
    p
        (sequences, trials, 2) the learner's probabilities, given what the person chose and saw before.
    agent
        Name of the learner.
    person
        Whose choices they are, in the legend.
    """
    import plotly.graph_objects as go

    if trials.n_options != 2 or len(trials.participants) != 1:
        raise UsageError("choices are drawn for one participant and two options.", fix="Use Trials.where().")
    sets = _sets(trials)[:MOST_SETS]
    n_rows = -(-len(sets) // 2)
    drawn = n_rows * ROW + (n_rows - 1) * GAP
    traces, layout = [], {"annotations": [], "margin": {"t": 76}}
    for number, (sequence, place) in enumerate(sets):
        at = np.flatnonzero(trials.mask[sequence] & (trials.context[sequence] == place))
        row, column = divmod(number, 2)
        top = 1 - row * (ROW + GAP) / drawn
        panel = _Panel(number + 1, (column * 0.53, column * 0.53 + 0.47), (top - ROW / drawn, top))
        layout |= panel.axes(len(at), last=row == n_rows - 1, first=column == 0)
        layout["annotations"].append(panel.heading(_title(trials, sequence, place)))
        for trace in _traces(trials, p, sequence, at, agent, person):
            traces.append(trace | panel.place | {"showlegend": number == 0 and "name" in trace})
    caption = (
        "Choices of one person, a panel a set of two options: above the second option, below the first; filled where "
        f"the larger amount was paid. Line: probability of the second option that {agent_style(agent).label} expects, "
        "given what the person chose and saw before."
    )
    return finished(go.Figure(traces, layout), caption, height=drawn + 124, theme=theme)


class _Panel:
    """One panel of a figure: the names of its axes and where it lies."""

    def __init__(self, number: int, across: tuple[float, float], upwards: tuple[float, float]) -> None:
        self._suffix = "" if number == 1 else str(number)
        self._across, self._upwards = across, upwards
        self.place = {"xaxis": f"x{self._suffix}", "yaxis": f"y{self._suffix}"}

    def axes(self, n_visits: int, *, last: bool, first: bool) -> dict[str, Any]:
        return {
            f"xaxis{self._suffix}": {
                "domain": self._across,
                "anchor": self.place["yaxis"],
                "range": [0, n_visits + 1],
                "title": {"text": "Visit" if last else None},
            },
            f"yaxis{self._suffix}": {
                "domain": self._upwards,
                "anchor": self.place["xaxis"],
                "range": [-0.12, 1.12],
                "tickvals": [0, 0.5, 1],
                "showticklabels": first,
                "title": {"text": "P(second option)" if first else None},
            },
        }

    def heading(self, text: str) -> dict[str, Any]:
        return {
            "text": text,
            "xref": "paper",
            "yref": "paper",
            "x": sum(self._across) / 2,
            "y": self._upwards[1],
            "xanchor": "center",
            "yanchor": "bottom",
            "showarrow": False,
            "font": {"size": 12},
        }


def _sets(trials: Trials) -> list[tuple[int, int]]:
    """Every sequence and context in it that was visited."""
    return [
        (sequence, int(place))
        for sequence in range(len(trials))
        for place in np.unique(trials.context[sequence, trials.mask[sequence]])
    ]


def _title(trials: Trials, sequence: int, place: int) -> str:
    name = f"Set {sequence + 1}" if len(trials) > 1 else f"Set {place + 1}"
    if "chance_0" not in trials.arrays:
        return name
    first = np.flatnonzero(trials.mask[sequence] & (trials.context[sequence] == place))[0]
    chances = [trials.arrays[f"chance_{option}"][sequence, first] for option in (0, 1)]
    return f"{name}: pays with {chances[0]:.0%} or {chances[1]:.0%}"


def _traces(
    trials: Trials, p: np.ndarray, sequence: int, at: np.ndarray, agent: str, person: str
) -> list[dict[str, Any]]:
    """A guide, the learner's line and the person's dots on the trials ``at``."""
    visit, style, people = np.arange(1, len(at) + 1), agent_style(agent), agent_style("people")
    made = trials.choice[sequence, at]
    received = np.take_along_axis(trials.outcome[sequence, at], np.maximum(made, 0)[:, None], 1)[:, 0]
    paid = received > (np.nanmin(trials.outcome) + np.nanmax(trials.outcome)) / 2
    line = {"type": "scatter", "mode": "lines", "x": visit}
    return [
        line | {"x": visit[[0, -1]], "y": [0.5, 0.5], "line": GUIDE, "hoverinfo": "skip"},
        line
        | {
            "y": p[sequence, at, 1],
            "name": style.label,
            "line": style.line(2.5),
            "hovertemplate": "visit %{x}: %{y:.2f}<extra>" + style.label + "</extra>",
        },
        line
        | {
            "y": np.where(made >= 0, made, np.nan),
            "mode": "markers",
            "name": person,
            "marker": {
                "color": np.where(paid, people.colour, "white"),
                "size": 8,
                "line": {"color": people.colour, "width": 1.5},
            },
            "customdata": np.where(paid, "paid more", "paid less"),
            "hovertemplate": "visit %{x}: option %{y}, %{customdata}<extra>" + person + "</extra>",
        },
    ]
