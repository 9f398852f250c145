"""What people repeat after what: the same summary of observed, predicted and simulated choices."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from toolkit.trials import MISSING, Trials

REWARDED, OMITTED = "reward", "no reward"
COMMON, RARE = "common", "rare"


def repetitions(trials: Trials, predicted: np.ndarray | None = None) -> pd.DataFrame:
    """Every free choice that follows one in the same context, and whether it repeats it.

    Parameters
    ----------
    predicted
        (sequences, trials, options) probabilities of first choices, of a model.

    Returns
    -------
    One row a choice: ``participant``; ``trial``; ``repeats``, 1 or 0; ``expected``, the probability that
    the model gave to a repetition (NaN without one); and where there are such, what came of the choice before,
    ``outcome`` (reward or no reward) and ``transition`` (common or rare).
    """
    rows = []
    for number in range(len(trials)):
        rows += _of_sequence(trials, number, None if predicted is None else predicted[number])
    return pd.DataFrame(rows)


def _of_sequence(trials: Trials, number: int, predicted: np.ndarray | None) -> list[dict[str, object]]:
    choice = trials.choice[number]
    context = trials.arrays.get("context")
    participant = trials.sequences["participant"].iloc[number]
    before: dict[int, int] = {}
    rows = []
    for t in np.flatnonzero(trials.mask[number] & (choice != MISSING)):
        here = 0 if context is None else int(context[number, t])
        if here in before and trials.scored[number, t]:
            last = before[here]
            row = {"participant": participant, "trial": t, "repeats": float(choice[t] == choice[last])}
            row["expected"] = np.nan if predicted is None else float(predicted[t, choice[last]])
            rows.append(row | _what_followed(trials, number, last))
        before[here] = int(t)
    return rows


def _what_followed(trials: Trials, number: int, t: int) -> dict[str, object]:
    followed: dict[str, object] = {}
    outcome = trials.arrays.get("outcome")
    if outcome is not None:
        value = outcome[number, t]
        value = value[trials.choice[number, t]] if np.ndim(value) else value
        followed["outcome"] = None if np.isnan(value) else (REWARDED if value > 0 else OMITTED)
    state = trials.arrays.get("state")
    if state is not None:
        common = state[number, t] == trials.choice[number, t]
        followed["transition"] = None if state[number, t] == MISSING else (COMMON if common else RARE)
    return followed


def summarise(table: pd.DataFrame, by: Sequence[str] = ("outcome", "transition")) -> pd.DataFrame:
    """Mean repetition in every condition, over means of people.

    Returns
    -------
    One row a condition: columns of ``by`` that there are, ``repeats``, ``expected``, and ``error``, the
    standard error of ``repeats`` over people.
    """
    known = [name for name in by if name in table]
    values = ["repeats", "expected"]
    if not known:
        table, known = table.assign(choices="all"), ["choices"]
    people = table.groupby([*known, "participant"], sort=True)[values].mean().reset_index()
    groups = people.groupby(known, sort=True)
    means = groups[values].mean()
    means["error"] = groups["repeats"].std(ddof=1) / np.sqrt(groups["repeats"].count())
    return means.reset_index()
