"""What an agent would answer to new things after it was told about some."""

from __future__ import annotations

import numpy as np
import pandas as pd

from toolkit.errors import UsageError
from toolkit.trials import MISSING, Trials, get_schema


def probes_after(shown: np.ndarray, told: np.ndarray, probes: np.ndarray, n_categories: int) -> Trials:
    """Trials in which every probe is what comes after the same things: each is a sequence of its own.

    One person does all of them, and never chooses; :meth:`Model.marginal` is what an agent answers whatever it chose.

    Parameters
    ----------
    shown
        (trials, features) things shown first; there may be none.
    told
        (trials,) their categories.
    probes
        (probes, features) things asked about afterwards, on a sequence's last trial.

    Returns
    -------
    One sequence a probe, of ``len(shown) + 1`` trials.
    """
    _check(shown, told, probes)
    before = np.broadcast_to(shown, (len(probes), *shown.shape))
    return _unanswered(np.concatenate([before, probes[:, None]], axis=1), told, n_categories)


def in_a_row(shown: np.ndarray, told: np.ndarray, probes: np.ndarray, n_categories: int) -> Trials:
    """Trials of one sequence in which the probes come one after the other, and nothing is told about them.

    Takes what :func:`probes_after` takes.
    """
    _check(shown, told, probes)
    return _unanswered(np.concatenate([shown, probes])[None], told, n_categories)


def _check(shown: np.ndarray, told: np.ndarray, probes: np.ndarray) -> None:
    if shown.shape[1:] != probes.shape[1:] or len(told) != len(shown):
        raise UsageError(
            f"{shown.shape} things, {len(told)} categories and {probes.shape} probes do not go together."
        )


def _unanswered(stimulus: np.ndarray, told: np.ndarray, n_categories: int) -> Trials:
    """Trials of one person without choices; ``told`` are the categories of the first ones of each sequence."""
    category = np.full(stimulus.shape[:2], MISSING)
    category[:, : len(told)] = told
    sequences = pd.DataFrame({"participant": 0, "problem": np.arange(len(stimulus)), "condition": "all"})
    arrays = {"stimulus": stimulus, "category": category, "choice": np.full_like(category, MISSING)}
    mask = np.ones(category.shape, dtype=bool)
    return Trials(get_schema("category_learning"), arrays, mask, sequences, n_options=n_categories)
