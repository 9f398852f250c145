"""How a model's parameters are spread among people, and what is believed of that."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

_COUNT, _SHAPE, _RATE = 1.0, 0.5, 0.01
"""What is believed before any data, after Piray et al. (2019): as much as one person would tell."""


@dataclass(frozen=True)
class Group:
    """People's parameters, without bounds, are normal and independent; their means and precisions are uncertain.

    A precision τ has a gamma distribution with ``shape`` and ``rate``; given it, the mean is normal around
    ``location`` with the precision ``count`` × τ.

    Attributes
    ----------
    location, rate
        (parameters,).
    count, shape
        The same for all parameters.
    """

    location: np.ndarray
    count: float
    shape: float
    rate: np.ndarray

    @classmethod
    def before(cls, centre: np.ndarray) -> Self:
        """Before any data, around ``centre`` (parameters,)."""
        return cls(centre, _COUNT, _SHAPE, np.full(len(centre), _RATE))

    @property
    def precision(self) -> np.ndarray:
        """(parameters,) expected precision of people around the mean."""
        return self.shape / self.rate

    @property
    def location_sd(self) -> np.ndarray:
        """(parameters,) scale of the mean's t distribution, which has 2 × ``shape`` degrees of freedom."""
        return np.sqrt(self.rate / (self.shape * self.count))

    def updated(self, x: np.ndarray, variance: np.ndarray, weight: np.ndarray) -> Self:
        """What these people add to it.

        Parameters
        ----------
        x, variance
            (people, parameters) what is expected of everyone, and how uncertain it is.
        weight
            (people,) probability that they belong to this group.
        """
        n = weight.sum()
        mean = weight @ x / max(n, np.finfo(float).tiny)
        squares = weight @ ((x - mean) ** 2 + variance)
        apart = self.count * n / (self.count + n) * (mean - self.location) ** 2
        return type(self)(
            (self.count * self.location + n * mean) / (self.count + n),
            self.count + n,
            self.shape + n / 2,
            self.rate + (squares + apart) / 2,
        )

    def expected_loss(self) -> float:
        """By how much the expected log density of a person is below that with the expected mean and precision."""
        from scipy.special import digamma

        n_parameters = len(self.location)
        return n_parameters / 2 * (np.log(self.shape) - digamma(self.shape) + 1 / self.count)

    def divergence(self, prior: Self) -> float:
        """Kullback–Leibler divergence from what was believed before."""
        from scipy.special import digamma, gammaln

        ratio = prior.count / self.count
        moved = prior.count * self.precision * (self.location - prior.location) ** 2
        of_means = (ratio - 1 - np.log(ratio) + moved) / 2
        of_precisions = (
            (self.shape - prior.shape) * digamma(self.shape)
            - gammaln(self.shape)
            + gammaln(prior.shape)
            + prior.shape * np.log(self.rate / prior.rate)
            + self.shape * (prior.rate / self.rate - 1)
        )
        return float((of_means + of_precisions).sum())

    def distance(self, other: Self) -> float:
        """How far apart two are: means in standard deviations, deviations by their logarithm, and people."""
        moved = np.abs(self.location - other.location) * np.sqrt(self.precision)
        widened = np.abs(np.log(self.precision / other.precision)) / 2
        return float(max(moved.max(), widened.max(), abs(self.count - other.count)))
