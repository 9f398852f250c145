"""Learning curves: how often the answer was right, from the first trials to the last."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from toolkit.errors import UsageError
from toolkit.trials import Trials
from toolkit.viz.agents import agent_style
from toolkit.viz.theme import GUIDE, Theme, finished, translucent

if TYPE_CHECKING:
    import plotly.graph_objects as go

BAND = 1.96
"""Standard errors on either side of a mean that make its 95 % interval."""


def learning_curve(
    trials: Trials, *, block: int = 16, agent: str = "people", correct: np.ndarray | None = None
) -> pd.DataFrame:
    """Proportion correct of every participant in every block of trials.

    Parameters
    ----------
    trials
        One agent's or people's trials.
    block
        Trials a point stands for.
    agent
        Whose trials they are.
    correct
        (sequences, trials) what counts as right instead of ``trials.correct``, for instance
        ``toolkit.data.correct_to_criterion(trials)``.

    Returns
    -------
    One row a participant and block: ``agent, participant, block, trial`` (the block's last),
    ``trials`` (how many count) and ``correct`` (their proportion).
    """
    if block < 1:
        raise UsageError(f"a block of {block} trials cannot be.", fix="Use 8 or 16, for instance.")
    correct = trials.correct if correct is None else np.asarray(correct, dtype=float)
    if correct.ndim != 2 or len(correct) != len(trials):
        raise UsageError(f"'correct' has the shape {correct.shape}, for {len(trials)} sequences.")
    sequence, position = np.nonzero(~np.isnan(correct))
    scored = pd.DataFrame(
        {
            "participant": trials.sequences["participant"].to_numpy()[sequence],
            "block": position // block,
            "correct": correct[sequence, position],
        }
    )
    curve = scored.groupby(["participant", "block"], sort=True, as_index=False).agg(
        trials=("correct", "size"), correct=("correct", "mean")
    )
    curve.insert(0, "agent", agent)
    curve.insert(3, "trial", np.minimum((curve["block"] + 1) * block, correct.shape[1]))
    return curve


def plot_learning_curve(
    curve: pd.DataFrame,
    *,
    participant: object | None = None,
    chance: float | None = 0.5,
    theme: Theme | None = None,
) -> go.Figure:
    """Mean learning curve of every agent, and of one person if asked for.

    Parameters
    ----------
    curve
        Table of :func:`learning_curve`, of one agent or of several below one another.
    participant
        Person whose own curve is drawn beside the mean.
    chance
        Proportion that guessing gets right; None draws no line.
    """
    import plotly.graph_objects as go

    figure = go.Figure()
    add_curves(figure, curve, participant=participant, chance=chance)
    return finished(figure, curve_caption(curve, participant), height=340, theme=theme)


def add_curves(
    figure: go.Figure,
    curve: pd.DataFrame,
    *,
    participant: object | None = None,
    chance: float | None = 0.5,
    **panel: int,
) -> None:
    """Draw learning curves into a figure, or into the panel ``row=, col=`` of one."""
    for agent, rows in curve.groupby("agent", sort=False):
        _add_mean(figure, str(agent), rows, panel)
    if participant is not None:
        _add_person(figure, curve, participant, panel)
    last = int(curve["trial"].max())
    if chance is not None:
        ends = {"x": [0, last * 1.02], "y": [chance, chance], "mode": "lines", "line": GUIDE}
        figure.add_scatter(**ends, hoverinfo="skip", showlegend=False, **panel)
        label = {
            "xanchor": "right",
            "yanchor": "bottom",
            "showarrow": False,
            "font": {"color": GUIDE["color"], "size": 10},
        }
        figure.add_annotation(x=last * 1.02, y=chance, text="guessing", **label, **panel)
    ticks = sorted(curve["trial"].unique())
    figure.update_xaxes(title_text="Trial", range=[0, last * 1.02], tickvals=ticks, **panel)
    figure.update_yaxes(
        title_text="Proportion correct", range=[0, 1.03], tickformat=".1f", dtick=0.2, **panel
    )


def _add_mean(figure: go.Figure, agent: str, rows: pd.DataFrame, panel: dict[str, int]) -> None:
    style = agent_style(agent)
    by_trial = rows.groupby("trial")["correct"]
    mean, half = by_trial.mean(), (BAND * by_trial.sem()).fillna(0.0)
    trial = mean.index.to_numpy()
    add_band(figure, trial, mean - half, mean + half, style.colour, legendgroup=agent, **panel)
    figure.add_scatter(
        x=trial,
        y=mean,
        mode="lines+markers",
        name=style.label,
        line=style.line(2.5),
        marker=style.marker(),
        legendgroup=agent,
        hovertemplate="trial %{x}: %{y:.2f}<extra>" + style.label + "</extra>",
        **panel,
    )


def add_band(
    figure: go.Figure,
    trial: np.ndarray,
    low: np.ndarray,
    high: np.ndarray,
    colour: str,
    *,
    most: float = 1.0,
    opacity: float = 0.18,
    **look: Any,
) -> None:
    """Draw the interval around a curve of values between 0 and ``most``."""
    figure.add_scatter(
        x=np.concatenate([trial, trial[::-1]]),
        y=np.clip(np.concatenate([high, low[::-1]]), 0, most),
        mode="lines",
        fill="toself",
        fillcolor=translucent(colour, opacity),
        line={"width": 0},
        hoverinfo="skip",
        showlegend=False,
        **look,
    )


def _add_person(figure: go.Figure, curve: pd.DataFrame, participant: object, panel: dict[str, int]) -> None:
    own = curve[(curve["agent"] == "people") & (curve["participant"] == participant)]
    if own.empty:
        raise UsageError(f"the table has no person {participant!r}.", fix="Choose one of its participants.")
    style = agent_style("people")
    ring = {"color": style.colour, "width": 1.5}
    figure.add_scatter(
        x=own["trial"],
        y=own["correct"],
        mode="lines+markers",
        name="one person",
        line={"color": style.colour, "width": 1},
        marker={"color": "white", "symbol": style.symbol, "size": 7, "line": ring},
        hovertemplate="trial %{x}: %{y:.2f}<extra>one person</extra>",
        **panel,
    )


def curve_caption(curve: pd.DataFrame, participant: object | None) -> str:
    """What a figure of learning curves shows."""
    block = int(curve.loc[curve["block"] == 0, "trial"].max())
    people = curve.groupby("agent", sort=False)["participant"].nunique()
    counts = " and ".join(f"{number} ({agent_style(agent).label})" for agent, number in people.items())
    one = " Open circles: one person." if participant is not None else ""
    return (
        f"Proportion of correct choices in blocks of {block} trials, drawn at the block's last trial. "
        f"Filled symbols: means over {counts}; bands: 95 % intervals of the mean ({BAND} standard errors).{one}"
    )
