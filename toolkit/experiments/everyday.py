"""A problem of the ecological bank as a design for one person: named features in their own units."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from toolkit.data import load_bank
from toolkit.errors import UsageError
from toolkit.seeds import Seeds
from toolkit.tasks import get_source
from toolkit.trials import MISSING, Trials, get_schema


def draw_everyday(number: int, features: Sequence[int], n_trials: int, *, seed: int = 0) -> Trials:
    """Points of one problem, in the order in which a person sees them.

    Parameters
    ----------
    number
        Of the problem in :func:`toolkit.data.load_bank`.
    features
        Positions of the features that are seen.
    n_trials
        Points that are drawn, categories by their base rates.

    Returns
    -------
    One sequence without choices. Values have three digits, as people see them: in arrays called by the features'
    names and units, and as ``stimulus`` from 0 to 1 over the points drawn. ``condition`` is the problem's id.
    """
    bank = load_bank()
    if not 0 <= number < len(bank):
        raise UsageError(f"there is no problem {number} in the bank.", fix=f"Use 0 to {len(bank) - 1}.")
    problem = bank[number]
    if n_trials < 2:
        raise UsageError(f"n_trials is {n_trials}.", fix="Use 2 or more.")
    if not features:
        raise UsageError("no feature would be seen.", fix=f"Use positions 0 to {len(problem.features) - 1}.")
    generator = Seeds(seed).torch(f"everyday {number}")
    x, y = get_source("bank", problems=[problem]).draw_named([0], n_trials, generator=generator)
    own, category = _three_digits(x[..., list(features)].double().numpy()), y.numpy()
    low, high = own.min(1, keepdims=True), own.max(1, keepdims=True)
    seen = [problem.features[position] for position in features]
    named = {f"{one.name} ({one.unit})": own[..., column] for column, one in enumerate(seen)}
    return Trials(
        get_schema("category_learning"),
        {
            "stimulus": (own - low) / np.where(high > low, high - low, 1),
            "category": category,
            "choice": np.full_like(category, MISSING),
            **named,
        },
        np.ones(category.shape, dtype=bool),
        pd.DataFrame({"participant": [0], "problem": [number], "condition": [problem.id]}),
        n_options=len(problem.categories),
    )


def _three_digits(values: np.ndarray) -> np.ndarray:
    return np.vectorize(lambda value: float(f"{value:.3g}"))(values)
