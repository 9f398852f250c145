"""Is one learning rate larger than another, and how often does a fit say so of people for whom it is not?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from toolkit.errors import UsageError, did_you_mean
from toolkit.fitting.fitting import Fit, Method, fit
from toolkit.fitting.recovery import draw_design
from toolkit.models import get_model_for
from toolkit.seeds import Seeds

if TYPE_CHECKING:
    from toolkit.models import Model
    from toolkit.trials import Trials

RATES = ("learning_rate_positive", "learning_rate_negative")


def normalised_bias(found: Fit, rates: tuple[str, str] = RATES) -> np.ndarray:
    """(units,) difference of two learning rates over their sum: 1 learns from the first kind of outcome alone."""
    for name in rates:
        if name not in found.parameters:
            raise UsageError(
                f"model '{found.model}' has no parameter '{name}'.", fix=did_you_mean(name, found.parameters)
            )
    first, second = (found.table[name].to_numpy(dtype=float) for name in rates)
    return (first - second) / (first + second)


@dataclass(frozen=True)
class FalsePositives:
    """How often studies of simulated people without an asymmetry find one.

    Attributes
    ----------
    rate
        Share of studies in which the first rate is significantly larger.
    table
        One row a study: ``study, n_participants, difference`` of the two rates (mean), ``bias`` (mean normalised
        one), ``larger`` (share of people whose first rate is larger), ``t, p`` (paired, one-sided) and
        ``significant``.
    level
        Of significance.
    """

    rate: float
    table: pd.DataFrame
    level: float


def false_positive_rate(
    design: Trials,
    theta: np.ndarray | Mapping[str, float],
    *,
    simulated: str | Model = "rescorla_wagner_perseveration",
    fitted: str | Model = "rescorla_wagner_signed",
    rates: tuple[str, str] = RATES,
    n_studies: int = 20,
    n_participants: int | None = None,
    level: float = 0.05,
    method: Method = "map",
    n_starts: int = 6,
    seed: int = 0,
    progress: bool = True,
) -> FalsePositives:
    """Simulate studies of people whose rates are equal, and test in each whether a fit finds them unequal.

    Parameters
    ----------
    design
        With ``payoff``: what every option would have paid.
    theta
        Parameters that people have: (rows, parameters), of which every simulated person gets one at random, or
        one value a name for all.
    simulated
        A model with one learning rate for both kinds of outcomes.
    fitted
        A model with the two ``rates``, tested for the first being the larger one.
    n_participants
        In a study; all of the design by default.
    level, method, n_starts
        Of the test and of :func:`toolkit.fitting.fit`.
    """
    from scipy.stats import ttest_1samp

    seeds = Seeds(seed)
    size = len(design.participants) if n_participants is None else n_participants
    people = draw_design(design, n_studies * size, seeds.numpy("design"))
    agent = get_model_for(simulated, design) if isinstance(simulated, str) else simulated
    rows = agent.theta(1, **theta) if isinstance(theta, Mapping) else np.asarray(theta, dtype=float)
    own = rows[seeds.numpy("parameters").integers(len(rows), size=n_studies * size)]
    choices = agent.simulate(own, people, seeds.numpy("choices"))
    found = fit(fitted, choices, method=method, n_starts=n_starts, seed=seed, progress=progress)
    bias = normalised_bias(found, rates).reshape(n_studies, size)
    first, second = (found.table[name].to_numpy(dtype=float).reshape(n_studies, size) for name in rates)
    test = ttest_1samp(first - second, 0, axis=1, alternative="greater")
    table = pd.DataFrame(
        {
            "study": np.arange(n_studies),
            "n_participants": size,
            "difference": (first - second).mean(1),
            "bias": bias.mean(1),
            "larger": (first > second).mean(1),
            "t": test.statistic,
            "p": test.pvalue,
            "significant": test.pvalue < level,
        }
    )
    return FalsePositives(float(table["significant"].mean()), table, level)
