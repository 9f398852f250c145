"""The best parameters of every unit: searches from many starts, and from where other units ended."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from typing import Self

import numpy as np

from toolkit.fitting.likelihood import NUMBERS_AT_ONCE, Likelihood
from toolkit.fitting.optimiser import Minima, minimise
from toolkit.fitting.priors import Prior
from toolkit.fitting.starts import MARGIN_OF_OTHERS, bounds_of, clip_inside, most_different
from toolkit.fitting.steps import NO_GAIN
from toolkit.models import Model
from toolkit.trials import Trials

AGREEMENT = 0.1
"""Nats within which two starts count as having found the same optimum."""

N_EXCHANGED = 4
"""Starts that a unit takes over from others in a round of exchange …"""

_N_OFFERED = 8
"""… out of so many that it tries, beside the median of all."""

N_FINISHED = 3
"""Different optima of a unit that are searched for to the end."""

ROUGH = 1e-6
"""Relative improvement that counts as none in the searches before."""

_SAME_OPTIMUM = 0.01
_SAME_VALUE = 1e-6
_SAME_PLACE = 0.05
"""Share of the bounds' width within which another's optimum is no new start."""

_PIECES_A_BLOCK = 16


@dataclass(frozen=True)
class Optima:
    """The best that was found for every unit.

    Attributes
    ----------
    theta
        (units, parameters), NaN where no start could be used.
    n_starts
        Starts of each unit.
    starts_agreed
        (units,) how many of them ended within ``AGREEMENT`` of the best.
    converged, reason
        (units,) of the search that ended best.
    """

    theta: np.ndarray
    n_starts: int
    starts_agreed: np.ndarray
    converged: np.ndarray
    reason: np.ndarray


class Posterior:
    """Log-likelihood and log prior of rows of parameters of some units."""

    def __init__(self, model: Model, trials: Trials, prior: Prior) -> None:
        self._likelihood, self._prior = Likelihood(model, trials), prior

    def evaluate(self, theta: np.ndarray, unit: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Log posterior densities (rows,), their gradients (rows, parameters), and log-likelihoods (rows,)."""
        log_likelihood, slope = self._likelihood.evaluate(theta, unit)
        log_prior, prior_slope = self._prior.evaluate(theta)
        return log_likelihood + log_prior, slope + prior_slope, log_likelihood


class MultiStart:
    """Searches for the best parameters of every unit.

    Units are taken in blocks, so that what a model knows about their trials fits into memory.

    Parameters
    ----------
    trials
        Its participants are the units.
    starts
        (starts, parameters), the same for every unit.
    finished
        Told how many searches have just finished.
    """

    def __init__(
        self,
        model: Model,
        trials: Trials,
        prior: Prior,
        starts: np.ndarray,
        finished: Callable[[int], None],
    ) -> None:
        self.model, self.trials, self.prior = model, trials, prior
        self.starts, self.finished = starts, finished
        self.lower, self.upper = bounds_of(model.parameters)
        numbers = len(starts) * trials.mask.size * trials.n_options
        n_units = len(trials.participants)
        n_blocks = min(n_units, -(-numbers // (_PIECES_A_BLOCK * NUMBERS_AT_ONCE)))
        self._blocks = np.array_split(np.arange(n_units), n_blocks)
        self._only: Posterior | None = None

    def blocks(self) -> Iterator[tuple[np.ndarray, Posterior]]:
        """Numbers of the units of each block, and their posterior."""
        for block in self._blocks:
            if self._only is not None:
                yield block, self._only
                continue
            some = self.trials.take(np.isin(self.trials.participant_index, block))
            posterior = Posterior(self.model, some, self.prior)
            if len(self._blocks) == 1:
                self._only = posterior
            yield block, posterior

    def run(self, n_rounds: int) -> Optima:
        """Search from all starts and in ``n_rounds`` of exchange, and keep the best of every unit."""
        n_units = len(self.trials.participants)
        starts = np.broadcast_to(self.starts[:, None], (len(self.starts), n_units, len(self.lower)))
        found = self._search(starts, ROUGH)
        for _ in range(n_rounds):
            best = found.best()[0]
            if np.isfinite(best).all(-1).sum() < 2:
                break
            found = found.joined(self._search(self._exchange(best), ROUGH))
        number = found.leading()
        unit = np.broadcast_to(np.arange(n_units), number.shape)
        starts = np.where((number >= 0)[..., None], found.theta[number, unit], np.nan)
        return found.replaced(number, self._search(starts, NO_GAIN)).optima()

    def _search(self, starts: np.ndarray, no_gain: float) -> _Ends:
        """Where searches from ``starts`` (starts, units, parameters) end; there is none where they are NaN."""
        ends = _Ends.nowhere(starts.shape)
        for block, posterior in self.blocks():
            start, unit = np.nonzero(np.isfinite(starts[:, block]).all(-1))

            def objective(
                rows: np.ndarray, row: np.ndarray, posterior: Posterior = posterior, unit: np.ndarray = unit
            ) -> tuple[np.ndarray, np.ndarray]:
                log_posterior, gradient, _ = posterior.evaluate(rows, unit[row])
                return -log_posterior, -gradient

            minima = minimise(
                objective,
                starts[start, block[unit]],
                self.lower,
                self.upper,
                no_gain=no_gain,
                finished=self.finished,
            )
            ends.enter(start, block[unit], minima)
        return ends

    def _exchange(self, best: np.ndarray) -> np.ndarray:
        """For every unit, the best for it among some very different optima of all units (units, parameters)."""
        width = self.upper - self.lower
        known = best[np.isfinite(best).all(-1)]
        offered = self.lower + width * most_different((known - self.lower) / width, _N_OFFERED)
        offered = clip_inside(offered, self.lower, self.upper, MARGIN_OF_OTHERS)
        own = (np.abs(offered[:, None] - best) / width).max(-1) < _SAME_PLACE
        value = np.empty((len(offered), len(best)))
        for block, posterior in self.blocks():
            unit = np.tile(np.arange(len(block)), len(offered))
            rows = np.repeat(offered, len(block), 0)
            value[:, block] = posterior.evaluate(rows, unit)[0].reshape(len(offered), -1)
        value[own | np.isnan(value)] = -np.inf
        order = np.argsort(-value, 0, kind="stable")
        return offered[order[:N_EXCHANGED]]


@dataclass(frozen=True)
class _Ends:
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
        lowest = self.value <= self.value.min(0) + _SAME_VALUE
        number = np.where(lowest, np.where(self.converged, 0, 1), 2).argmin(0)
        return self.theta[number, np.arange(len(number))], number

    def leading(self) -> np.ndarray:
        """(N_FINISHED, units) numbers of the best ends of every unit that are not the same; -1 for none."""
        order = np.argsort(self.value, 0, kind="stable")
        value = np.take_along_axis(self.value, order, 0).clip(max=np.finfo(float).max)
        differs = np.diff(value, axis=0, prepend=-np.inf) > _SAME_OPTIMUM
        rank = differs.cumsum(0) - 1
        chosen = differs & (rank < N_FINISHED) & (value < np.finfo(float).max)
        number = np.full((N_FINISHED, self.value.shape[1]), -1)
        place, unit = np.nonzero(chosen)
        number[rank[place, unit], unit] = order[place, unit]
        return number

    def optima(self) -> Optima:
        theta, number = self.best()
        unit = np.arange(len(number))
        agreed = (self.value <= self.value.min(0) + AGREEMENT) & np.isfinite(self.value)
        return Optima(
            theta, len(self.value), agreed.sum(0), self.converged[number, unit], self.reason[number, unit]
        )
