"""How fast a learner is, and how well it predicts people it has not met."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from toolkit.fitting.cross_validation import cross_validate
from toolkit.fitting.difficulty import expected_errors, fit_to_types, judge_types
from toolkit.fitting.typical import TypicalAgent
from toolkit.models import get_model
from toolkit.trials import Trials

N_FOLDS = 4
EARLY_BLOCKS = 4
"""Blocks over which errors are averaged as a measure of how slowly is learned."""


def measure_speed(
    checkpoints: Mapping[str, str | Path],
    design: Trials,
    curve: pd.DataFrame | None,
    people: Trials,
    *,
    rng: np.random.Generator,
    n_bootstrap: int = 2000,
    seed: int = 0,
) -> pd.DataFrame:
    """Speed of networks on Shepard's types, their distance from people's curve, and held-out likelihood.

    Parameters
    ----------
    checkpoints
        Files by the name of the learner; the first is the one that others are compared with.
    design
        Of "shepard", all types.
    curve
        People's mean errors there: ``condition, block, error``; None leaves ``judged`` empty.
    people
        Trials of participants who are predicted with the inverse temperature and lapse that suit all others
        best.

    Returns
    -------
    One row a learner: ``learner``; ``early_error``, mean error over all types and the first four blocks, with the
    network's own probabilities; ``judged``, root mean squared distance from people's curve on the types that the
    number of choice was not fitted to; ``nats_per_trial``, -log-likelihood a choice of held-out participants, meaned over
    them; and ``worse``, how much more that is than the first learner's, with ``low`` and ``high`` (95 %, participants drawn
    with replacement).
    """
    rows, nats = [], {}
    for name, path in checkpoints.items():
        agent = TypicalAgent("ermi", {"inverse_temperature": 1.0}, {"checkpoint": path})
        answers = agent.answers(design)
        errors = expected_errors(answers, answers.neutral)
        row = {"learner": name, "early_error": early_error(errors), "judged": np.nan}
        if curve is not None:
            learned = expected_errors(answers, fit_to_types(answers, curve)).assign(agent=name)
            row["judged"] = judge_types(learned, curve, rng=rng)["judged"].iloc[0]
        model = get_model("ermi", checkpoint=path)
        held_out = cross_validate(
            model, people, scheme="participants", n_folds=N_FOLDS, n_starts=1, seed=seed, progress=False
        ).table
        nats[name] = held_out["nats_per_trial"].to_numpy()
        rows.append(row)
    first = next(iter(nats.values()))
    drawn = rng.integers(len(first), size=(n_bootstrap, len(first)))
    for row in rows:
        worse = nats[row["learner"]] - first
        low, high = np.quantile(worse[drawn].mean(1), [0.025, 0.975])
        row |= {
            "nats_per_trial": nats[row["learner"]].mean(),
            "worse": worse.mean(),
            "low": low,
            "high": high,
        }
    return pd.DataFrame(rows)


def closest_limits(speeds: pd.DataFrame, pace: float | None) -> pd.DataFrame:
    """Of every kind of limit the learner that is closest to people's pace, the closest kind first.

    Parameters
    ----------
    speeds
        Of :func:`measure_speed`, with the column ``limit``; rows without a ``strength`` have no limit.
    pace
        People's early error; without it learners are taken that predict new people best.
    """
    limits = speeds[speeds["strength"] > 0]
    off = limits["nats_per_trial"] if pace is None else (limits["early_error"] - pace).abs()
    return limits.loc[off.sort_values().index].groupby("limit", sort=False).head(1).reset_index(drop=True)


def say_closest(speeds: pd.DataFrame, pace: float | None) -> str:
    """Which limit brings a learner closest to people's pace, and what that costs, without a full stop at the end.

    Parameters
    ----------
    speeds, pace
        As for :func:`closest_limits`.
    """
    start, best = speeds.iloc[0], closest_limits(speeds, pace).iloc[0]
    aim = (
        "new people are predicted best by" if pace is None else f"people's is {pace:.3f}; closest to it comes"
    )
    word, ends = (
        ("worse", (best["low"], best["high"]))
        if best["worse"] > 0
        else ("better", (-best["high"], -best["low"]))
    )
    return (
        f"Early error without a limit is {start['early_error']:.3f}, {aim} {best['limit']} {best['strength']:g} with "
        f"{best['early_error']:.3f}, which predicts new people {abs(best['worse']):.4f} nats a choice {word} than no limit "
        f"(95 %: {ends[0]:.4f} to {ends[1]:.4f})"
    )


def early_error(errors: pd.DataFrame, n_blocks: int = EARLY_BLOCKS) -> float:
    """Mean error over conditions and the first blocks: ``condition, block, error``."""
    mean = errors[errors["block"] <= n_blocks].groupby(["condition", "block"])["error"].mean()
    return float(mean.mean())
