"""What is said of estimates: likelihood, criteria, evidence, and what was wrong."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from toolkit.fitting.ends import Optima
from toolkit.fitting.evidence import NO_MAXIMUM, laplace_evidence
from toolkit.fitting.multistart import MultiStart, Posterior
from toolkit.fitting.starts import bounds_of
from toolkit.models import Parameter

AT_BOUND = 1e-6
"""Share of the bounds' width within which an estimate is at a bound."""

NO_CHOICE = "no choice to explain"

RESULTS = (
    "log_likelihood", "n_trials", "n_parameters", "aic", "bic", "log_posterior", "laplace",
    "n_starts", "starts_agreed", "converged", "at_bound", "reason",
)  # fmt: skip
"""Columns after the parameters."""


def criteria(
    log_likelihood: np.ndarray, n_parameters: np.ndarray, n_trials: np.ndarray
) -> dict[str, np.ndarray]:
    """AIC and BIC."""
    return {
        "aic": 2 * n_parameters - 2 * log_likelihood,
        "bic": n_parameters * np.log(np.maximum(n_trials, 1)) - 2 * log_likelihood,
    }


class Estimates:
    """Columns of a fit's table, one row a unit; what is not known is NaN, and has a reason.

    Parameters
    ----------
    n_trials
        (units,) scored choices.
    """

    def __init__(self, parameters: Sequence[Parameter], n_trials: np.ndarray) -> None:
        n_units, n_parameters = len(n_trials), len(parameters)
        self.parameters, self.n_trials = parameters, n_trials
        self.theta = np.full((n_units, n_parameters), np.nan)
        self.at_bound = np.zeros((n_units, n_parameters), dtype=bool)
        self.log_likelihood, self.log_posterior, self.laplace = np.full((3, n_units), np.nan)
        self.n_starts, self.starts_agreed = np.zeros((2, n_units), dtype=int)
        self.converged = np.zeros(n_units, dtype=bool)
        self.reason = np.full(n_units, NO_CHOICE, dtype=object)

    def add(self, unit: np.ndarray, optima: Optima, search: MultiStart) -> None:
        """Enter the optima that ``search`` found for some units (of the search, in order)."""
        self.theta[unit] = _nearest_values(optima.theta, self.parameters)
        self.n_starts[unit], self.starts_agreed[unit] = optima.n_starts, optima.starts_agreed
        self.converged[unit], self.reason[unit] = optima.converged, optima.reason

        def describe(block: np.ndarray, posterior: Posterior) -> None:
            known = np.flatnonzero(np.isfinite(optima.theta[block]).all(-1))
            if len(known):
                self._describe(unit[block[known]], known, posterior)

        search.on_blocks(describe)

    def _describe(self, unit: np.ndarray, number: np.ndarray, posterior: Posterior) -> None:
        """Likelihood and evidence of some units, which have these numbers in ``posterior``."""
        theta, (lower, upper) = self.theta[unit], bounds_of(self.parameters)
        margin = AT_BOUND * (upper - lower)
        continuous = np.array([parameter.values is None for parameter in self.parameters], dtype=bool)
        at_bound = continuous & ((theta <= lower + margin) | (theta >= upper - margin))
        log_posterior, _, self.log_likelihood[unit] = posterior.evaluate(theta, number)
        self.log_posterior[unit], self.at_bound[unit] = log_posterior, at_bound
        self.laplace[unit] = laplace_evidence(
            lambda rows, row: posterior.evaluate(rows, number[row])[1],
            theta,
            log_posterior,
            lower,
            upper,
            free=continuous & ~at_bound,
            at_bound=at_bound,
        )
        unknown = unit[np.isnan(self.laplace[unit]) & (self.reason[unit] == "")]
        self.reason[unknown] = NO_MAXIMUM

    def table(self) -> pd.DataFrame:
        """The columns, parameters first."""
        names = [parameter.name for parameter in self.parameters]
        columns = {
            **{name: getattr(self, name, None) for name in RESULTS},
            **criteria(self.log_likelihood, len(names), self.n_trials),
            "n_parameters": np.full(len(self.theta), len(names)),
            "at_bound": [", ".join(np.array(names)[row]) for row in self.at_bound],
        }
        return pd.concat([pd.DataFrame(self.theta, columns=names), pd.DataFrame(columns)], axis=1)


def _nearest_values(theta: np.ndarray, parameters: Sequence[Parameter]) -> np.ndarray:
    """``theta`` (units, parameters) with the value that a model takes where there are only a few."""
    theta = theta.copy()
    for number, parameter in enumerate(parameters):
        if parameter.values is not None:
            values = np.array(parameter.values, dtype=float)
            nearest = np.abs(theta[:, number, None] - values).argmin(-1)
            theta[:, number] = np.where(np.isnan(theta[:, number]), np.nan, values[nearest])
    return theta
