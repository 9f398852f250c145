"""Where the searches of every unit ended, and the best of them."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Self

import numpy as np

from toolkit.fitting.optimiser import Minima

AGREEMENT = 0.1
"""Nats within which two starts count as having found the same optimum."""

_SAME_OPTIMUM = 0.01
SAME_VALUE = 1e-6


@dataclass(frozen=True)
class Optima:
    """The best that was found for every unit.

    Attributes
    ----------
    theta
        (units, parameters), NaN where no start could be used.
    n_starts
        (units,) starts.
    starts_agreed
        (units,) how many of them ended within ``AGREEMENT`` of the best.
    converged, reason
        (units,) of the search that ended best.
    """

    theta: np.ndarray
    n_starts: np.ndarray
    starts_agreed: np.ndarray
    converged: np.ndarray
    reason: np.ndarray


@dataclass(frozen=True)
class Ends:
    """Ends of searches, (starts, units) and for ``theta`` (starts, units, parameters)."""

    theta: np.ndarray
    value: np.ndarray
    converged: np.ndarray
    reason: np.ndarray

    @classmethod
    def nowhere(cls, shape: tuple[int, ...]) -> Self:
        """No search yet."""
        n_starts, n_units, _ = shape
        return cls(
            np.full(shape, np.nan),
            np.full((n_starts, n_units), np.inf),
            np.zeros((n_starts, n_units), dtype=bool),
            np.full((n_starts, n_units), "", dtype=object),
        )

    def enter(self, start: np.ndarray, unit: np.ndarray, minima: Minima) -> None:
        """Enter searches by their number and unit."""
        self.theta[start, unit] = minima.theta
        self.value[start, unit] = np.where(np.isnan(minima.value), np.inf, minima.value)
        self.converged[start, unit], self.reason[start, unit] = minima.converged, minima.reason

    def at(self, number: np.ndarray) -> np.ndarray:
        """(…, units, parameters) where searches with these numbers (…, units) ended, NaN for -1."""
        theta = self.theta[number, np.arange(number.shape[-1])]
        return np.where((number >= 0)[..., None], theta, np.nan)

    def joined(self, others: Self) -> Self:
        return type(self)(
            *(
                np.concatenate([getattr(ends, field.name) for ends in (self, others)])
                for field in fields(self)
            )
        )

    def replaced(self, number: np.ndarray, others: Self) -> Self:
        """With other ends instead of those that have this ``number`` (others, units), -1 for none."""
        which, unit = np.nonzero(number >= 0)
        for field in fields(self):
            getattr(self, field.name)[number[which, unit], unit] = getattr(others, field.name)[which, unit]
        return self

    def best(self) -> tuple[np.ndarray, np.ndarray]:
        """Parameters (units, parameters) and number (units,) of the search that ended best.

        Of those that ended equally well it is one that converged, if there is one.
        """
        lowest = self.value <= self.value.min(0) + SAME_VALUE
        number = np.where(lowest, np.where(self.converged, 0, 1), 2).argmin(0)
        return self.theta[number, np.arange(len(number))], number

    def leading(self, n_best: int) -> np.ndarray:
        """(n_best, units) numbers of the best ends of every unit that are not the same; -1 for none."""
        order = np.argsort(self.value, 0, kind="stable")
        value = np.take_along_axis(self.value, order, 0).clip(max=np.finfo(float).max)
        differs = np.diff(value, axis=0, prepend=-np.inf) > _SAME_OPTIMUM
        rank = differs.cumsum(0) - 1
        chosen = differs & (rank < n_best) & (value < np.finfo(float).max)
        number = np.full((n_best, self.value.shape[1]), -1)
        place, unit = np.nonzero(chosen)
        number[rank[place, unit], unit] = order[place, unit]
        return number

    def optima(self) -> Optima:
        theta, number = self.best()
        unit = np.arange(len(number))
        n_starts = (np.isfinite(self.value) | (self.reason != "")).sum(0)
        return Optima(theta, n_starts, self.agreed(), self.converged[number, unit], self.reason[number, unit])

    def agreed(self) -> np.ndarray:
        """(units,) how many searches ended within ``AGREEMENT`` of the best."""
        return ((self.value <= self.value.min(0) + AGREEMENT) & np.isfinite(self.value)).sum(0)
