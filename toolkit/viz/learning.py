"""Learning curves: how often the answer was right, from the first trials to the last."""

from __future__ import annotations

from collections.abc import Mapping
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


def learning_curves(trials: Trials, expected: Mapping[str, np.ndarray], *, block: int = 16) -> pd.DataFrame:
    """Learning curves of people and of agents in every condition.

    Parameters
    ----------
    expected
        (sequences, trials) probability of a right answer, by agent, for instance of
        ``toolkit.fitting.predict_correct(fit, trials)``.
    block
        Trials a point stands for.

    Returns
    -------
    Rows as of :func:`learning_curve` with a column ``condition`` before them; agent "people" first.
    """
    parts = []
    for condition in trials.sequences["condition"].unique():
        rows = trials.sequences["condition"].eq(condition).to_numpy()
        own = trials.take(rows)
        for agent, correct in {"people": trials.correct, **expected}.items():
            curve = learning_curve(own, block=block, agent=agent, correct=correct[rows, : own.n_trials])
            curve.insert(0, "condition", condition)
            parts.append(curve)
    return pd.concat(parts, ignore_index=True)


def curve_misfit(curves: pd.DataFrame) -> pd.DataFrame:
    """How far agents' mean curves are from people's.

    Parameters
    ----------
    curves
        Of :func:`learning_curves`.

    Returns
    -------
    Root mean squared distance over blocks, (conditions, agents).
    """
    mean = curves.groupby(["condition", "agent", "block"], sort=False, as_index=False)["correct"].mean()
    wide = mean.pivot_table(index=["condition", "block"], columns="agent", values="correct", sort=False)
    squares = wide.drop(columns="people").sub(wide["people"], axis=0) ** 2
    return np.sqrt(squares.groupby("condition", sort=False).mean())


def plot_learning_panels(
    curves: pd.DataFrame, *, chance: float | None = 0.5, theme: Theme | None = None
) -> go.Figure:
    """Mean learning curves of several agents, a panel a condition.

    Parameters
    ----------
    curves
        Of :func:`learning_curves`; conditions are the panels' titles.
    chance
        Proportion that guessing gets right; None draws no line.
    """
    from plotly.subplots import make_subplots

    titles = curves["condition"].unique().tolist()
    n_columns = min(3, len(titles))
    n_rows = -(-len(titles) // n_columns)
    figure = make_subplots(
        n_rows,
        n_columns,
        subplot_titles=[str(title) for title in titles],
        shared_yaxes=True,
        horizontal_spacing=0.04,
        vertical_spacing=0.3 / n_rows,
    )
    for number, title in enumerate(titles):
        place = {"row": number // n_columns + 1, "col": number % n_columns + 1}
        own = curves[curves["condition"] == title]
        lowest = 0.0 if chance is None else chance - 0.1
        add_curves(figure, own, chance=chance, bands=False, lowest=lowest, **place)
        if number + n_columns < len(titles):
            figure.update_xaxes(title_text=None, **place)
        if place["col"] > 1:
            figure.update_yaxes(title_text=None, **place)
    list_once(figure)
    figure.update_xaxes(nticks=5, tickmode="auto")
    figure.update_annotations(selector={"yanchor": "bottom", "xref": "paper"}, font_size=12)
    caption = (
        f"Proportion of correct choices in blocks of trials, drawn at the block's last trial. People: "
        f"means with 95 % intervals ({BAND} standard errors). Models: what they expect on the trials that people made."
    )
    figure = finished(figure, caption, height=90 + 220 * n_rows, theme=theme)
    return figure.update_layout(margin={"t": 80})


def add_curves(
    figure: go.Figure,
    curve: pd.DataFrame,
    *,
    participant: object | None = None,
    chance: float | None = 0.5,
    bands: bool = True,
    lowest: float = 0.0,
    **panel: int,
) -> None:
    """Draw learning curves into a figure, or into the panel ``row=, col=`` of one.

    Without ``bands`` only people's mean has its interval; the axis of proportions begins at ``lowest``.
    """
    for agent, rows in curve.groupby("agent", sort=False):
        _add_mean(figure, str(agent), rows, panel, band=bands or agent == "people")
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
        title_text="Proportion correct", range=[lowest, 1.03], tickformat=".1f", dtick=0.2, **panel
    )


def list_once(figure: go.Figure) -> None:
    """Keep one entry of the legend for every name."""
    listed: set[str] = set()
    for trace in figure.data:
        trace.showlegend = trace.showlegend is not False and trace.name not in listed
        listed.add(trace.name)


def _add_mean(
    figure: go.Figure, agent: str, rows: pd.DataFrame, panel: dict[str, int], *, band: bool
) -> None:
    style = agent_style(agent)
    by_trial = rows.groupby("trial")["correct"]
    mean, half = by_trial.mean(), (BAND * by_trial.sem()).fillna(0.0)
    trial = mean.index.to_numpy()
    if band:
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
