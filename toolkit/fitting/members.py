"""Everyone's parameters under one model, by their choices and by the group that they belong to."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from toolkit.fitting.ends import AGREEMENT
from toolkit.fitting.evidence import curvature
from toolkit.fitting.likelihood import Likelihood
from toolkit.fitting.optimiser import minimise
from toolkit.fitting.unbounded import LIMIT, Unbounded
from toolkit.models import Model
from toolkit.trials import Trials

_FLATTEST = 1e-3
"""Curvature below which a posterior, which ends somewhere, is not taken to be flatter."""


@dataclass(frozen=True)
class Members:
    """Posteriors of people, normal around the best parameters without bounds.

    Attributes
    ----------
    x, covariance
        (people, parameters) and (people, parameters, parameters).
    log_likelihood
        (people,) of the choices by the best parameters.
    log_prior
        (people,) log density of the best parameters in the group.
    n_starts, starts_agreed, converged, reason
        Of the last search; all but the first are (people,).
    """

    x: np.ndarray
    covariance: np.ndarray
    log_likelihood: np.ndarray
    log_prior: np.ndarray
    n_starts: int
    starts_agreed: np.ndarray
    converged: np.ndarray
    reason: np.ndarray

    @property
    def variance(self) -> np.ndarray:
        """(people, parameters)."""
        return np.diagonal(self.covariance, axis1=-2, axis2=-1)

    @property
    def log_evidence(self) -> np.ndarray:
        """(people,) by Laplace's approximation."""
        spread = np.linalg.slogdet(2 * np.pi * self.covariance)[1] / 2
        return self.log_likelihood + self.log_prior + spread

    def draw(self, n_draws: int, rng: np.random.Generator) -> np.ndarray:
        """(draws, people, parameters) from the posteriors."""
        root = np.linalg.cholesky(self.covariance)
        return self.x + np.einsum("pij,dpj->dpi", root, rng.standard_normal((n_draws, *self.x.shape)))


class Searches:
    """Searches for the best parameters of everyone in a group.

    Parameters
    ----------
    trials
        Its participants are the people.
    """

    def __init__(self, model: Model, trials: Trials) -> None:
        self.space, self.n_people = Unbounded(model.parameters), len(trials.participants)
        self._likelihood = Likelihood(model, trials)

    def run(self, location: np.ndarray, precision: np.ndarray, starts: np.ndarray) -> Members:
        """The best of searches from ``starts`` (starts, people, parameters).

        Parameters
        ----------
        location, precision
            (parameters,) of the group.
        """
        n_starts, n_people, n_parameters = starts.shape
        unit = np.tile(np.arange(n_people), n_starts)
        limit = np.full(n_parameters, LIMIT)

        def objective(x: np.ndarray, row: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            log_likelihood, slope = self._slope(x, unit[row])
            away = x - location
            return (
                (precision * away**2).sum(-1) / 2 - log_likelihood,
                precision * away - slope,
            )

        inside = starts.reshape(-1, n_parameters).clip(-limit, limit)
        minima = minimise(objective, inside, -limit, limit)
        value = np.where(np.isnan(minima.value), np.inf, minima.value).reshape(n_starts, n_people)
        row = value.argmin(0) * n_people + np.arange(n_people)
        agreed = (value <= value.min(0) + AGREEMENT).sum(0)
        return self._described(
            minima.theta[row],
            location,
            precision,
            n_starts=n_starts,
            starts_agreed=agreed,
            converged=minima.converged[row],
            reason=minima.reason[row],
        )

    def _slope(self, x: np.ndarray, unit: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Log-likelihoods (rows,) and their derivatives by ``x`` (rows, parameters)."""
        log_likelihood, slope = self._likelihood.evaluate(self.space.theta(x), unit)
        return log_likelihood, slope * self.space.slope(x)

    def _described(
        self, x: np.ndarray, location: np.ndarray, precision: np.ndarray, **about: np.ndarray | int
    ) -> Members:
        far = np.full(x.shape[1], 2 * LIMIT)
        bend = curvature(
            lambda rows, unit: self._slope(rows, unit)[1], x, -far, far, np.ones(x.shape, dtype=bool)
        ) / (2 * far[0]) ** 2 + np.diag(precision)
        along, direction = np.linalg.eigh(bend)
        covariance = (direction / np.maximum(along, _FLATTEST)[:, None]) @ direction.transpose(0, 2, 1)
        standard = np.log(precision / (2 * np.pi)).sum() - (precision * (x - location) ** 2).sum(-1)
        log_likelihood, _ = self._slope(x, np.arange(len(x)))
        return Members(x, covariance, log_likelihood, standard / 2, **about)
