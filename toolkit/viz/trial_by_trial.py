"""What agents expect of a person trial by trial, and on average."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from toolkit.errors import UsageError
from toolkit.trials import Trials
from toolkit.viz.agents import AgentStyle, agent_style
from toolkit.viz.learning import BAND
from toolkit.viz.theme import GUIDE, Theme, finished

if TYPE_CHECKING:
    import plotly.graph_objects as go

ABOVE = 0.06
"""How far beyond 0 and 1 a person's dots are drawn, so that lines do not hide them."""
UPPER, LOWER = {"xaxis": "x", "yaxis": "y"}, {"xaxis": "x2", "yaxis": "y2"}
HEIGHT = 500


def right_answers(p: np.ndarray, trials: Trials) -> np.ndarray:
    """Probability of the right answer, (sequences, trials), from those of all options; NaN where nothing is right."""
    right = trials.right
    chosen = np.take_along_axis(p, np.maximum(right, 0)[..., None], -1)[..., 0]
    return np.where(trials.mask & (right >= 0), chosen, np.nan)


def plot_trials(
    trials: Trials,
    p: Mapping[str, np.ndarray],
    *,
    until: int | None = None,
    block: int = 8,
    person: str = "People",
    theme: Theme | None = None,
) -> go.Figure:
    """One sequence trial by trial, and the mean over all of them.

    Quick enough to follow a slider.

    Parameters
    ----------
    trials
        Sequences of category learning with choices; the first one is drawn trial by trial.
    p
        (sequences, trials, options) probabilities by agent, as :meth:`toolkit.models.Model.predict` gives them.
    until
        Trials of the first sequence that are drawn; all by default.
    block
        Trials that a point of the mean stands for.
    person
        Whose choices they are, in the legend.
    """
    import plotly.graph_objects as go

    until = trials.n_trials if until is None else until
    if not 1 <= until <= trials.n_trials:
        raise UsageError(f"trial {until} is not among {trials.n_trials}.", fix="Count from 1.")
    people = agent_style("people")
    upper = [_person(trials.correct[0, :until], people, person)]
    lower = _means(trials.correct, block, people, band=True)
    for name, values in p.items():
        style, right = agent_style(name), right_answers(values, trials)
        upper.append(_line(np.arange(1, until + 1), right[0, :until], style, 1.5) | {"name": style.label})
        lower += _means(right, block, style)
    traces = [trace | UPPER for trace in upper] + [trace | LOWER | {"showlegend": False} for trace in lower]
    titles = ["One sequence, trial by trial", f"Mean over {len(trials)} sequences, blocks of {block}"]
    figure = go.Figure(traces, _layout(trials.n_trials, until, titles))
    caption = (
        "Above: the probability that each agent gives the right answer, before it is told, on the trials of one person "
        "up to the dotted line; circles: whether the person was right (top) or wrong (bottom). Below: the same, averaged "
        f"over {len(trials)} sequences in blocks of {block} trials; band: 95 % interval of the person's mean."
    )
    return finished(figure, caption, height=HEIGHT, theme=theme)


def _person(correct: np.ndarray, style: AgentStyle, name: str) -> dict[str, Any]:
    return {
        "type": "scatter",
        "x": np.arange(1, len(correct) + 1),
        "y": correct * (1 + 2 * ABOVE) - ABOVE,
        "mode": "markers",
        "name": name,
        "marker": style.marker(6),
        "customdata": np.where(correct == 1, "right", "wrong"),
        "hovertemplate": "trial %{x}: %{customdata}<extra>" + name + "</extra>",
    }


def _line(trial: np.ndarray, values: np.ndarray, style: AgentStyle, width: float) -> dict[str, Any]:
    return {
        "type": "scatter",
        "x": trial,
        "y": values,
        "mode": "lines+markers",
        "line": style.line(width),
        "marker": style.marker(6),
        "hovertemplate": "trial %{x}: %{y:.2f}<extra>" + style.label + "</extra>",
    }


def _means(values: np.ndarray, block: int, style: AgentStyle, *, band: bool = False) -> list[dict[str, Any]]:
    """Means over sequences and blocks of trials; a point lies at its block's last trial."""
    n_blocks = -(-values.shape[1] // block)
    padded = np.pad(values, ((0, 0), (0, n_blocks * block - values.shape[1])), constant_values=np.nan)
    blocks = np.nanmean(padded.reshape(len(values), n_blocks, block), axis=2)
    mean = blocks.mean(0)
    trial = np.minimum(np.arange(1, n_blocks + 1) * block, values.shape[1])
    line = _line(trial, mean, style, 2.5)
    if not band or len(values) < 2:
        return [line]
    half = BAND * blocks.std(0, ddof=1) / np.sqrt(len(blocks))
    area = {
        "type": "scatter",
        "x": np.concatenate([trial, trial[::-1]]),
        "y": np.clip(np.concatenate([mean + half, (mean - half)[::-1]]), 0, 1),
        "mode": "lines",
        "fill": "toself",
        "fillcolor": "rgba(0,0,0,0.12)",
        "line": {"width": 0},
        "hoverinfo": "skip",
    }
    return [area, line]


def _layout(n_trials: int, until: int, titles: list[str]) -> dict[str, Any]:
    """Two panels, one above the other."""
    heights, along = ([0.62, 1.0], [0.0, 0.42]), {"range": [0, n_trials + 1], "title": {"text": "Trial"}}
    heading = {"xref": "paper", "yref": "paper", "x": 0.5, "xanchor": "center", "yanchor": "bottom"}
    guide = {"type": "line", "line": GUIDE}
    return {
        "xaxis": {**along, "anchor": "y"},
        "xaxis2": {**along, "anchor": "y2"},
        "yaxis": {
            "domain": heights[0],
            "range": [-0.12, 1.12],
            "tickvals": [0, 0.5, 1],
            "title": {"text": "P(right answer)"},
        },
        "yaxis2": {
            "domain": heights[1],
            "range": [0, 1.03],
            "tickvals": [0, 0.5, 1],
            "title": {"text": "Proportion right"},
            "anchor": "x2",
        },
        "shapes": [
            {**guide, "x0": until + 0.5, "x1": until + 0.5, "y0": -0.12, "y1": 1.12},
            {**guide, "x0": 0, "x1": n_trials + 1, "y0": 0.5, "y1": 0.5, "xref": "x2", "yref": "y2"},
        ],
        "annotations": [
            {**heading, "text": title, "y": top, "showarrow": False, "font": {"size": 12}}
            for title, (_, top) in zip(titles, heights, strict=True)
        ],
        "margin": {"t": 76},
    }
