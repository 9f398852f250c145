"""The best parameters of every unit: searches from many starts, and from where other units ended."""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from concurrent.futures import CancelledError, ThreadPoolExecutor

import numpy as np

from toolkit.fitting.ends import SAME_VALUE, Ends, Optima
from toolkit.fitting.likelihood import NUMBERS_AT_ONCE, Likelihood
from toolkit.fitting.optimiser import minimise
from toolkit.fitting.priors import Prior
from toolkit.fitting.ridges import N_PLACES, leave_ridges
from toolkit.fitting.starts import MARGIN_OF_OTHERS, bounds_of, clip_inside, draw_starts, most_different
from toolkit.fitting.steps import NO_GAIN
from toolkit.models import Model
from toolkit.models.by_rows import ModelByRows
from toolkit.models.sequential import SequentialModel
from toolkit.trials import Trials

ENOUGH_AGREED = 3
"""Starts that found a unit's best optimum, from which on no more are needed."""

N_EXCHANGED = 4
"""Starts that a unit takes over from others in a round of exchange, and as many again if it needs them …"""

_N_OFFERED = 8
"""… out of so many that it tries, beside the median of all."""

_POINTS_AT_ONCE = 64
"""Starts of which the best are chosen are looked at so many at once, to bound memory."""

N_FINISHED = 3
"""Different optima of a unit that are searched for to the end, however far from the best: some gain many nats."""

ROUGH = 1e-6
"""Relative improvement that counts as none in the searches before, and which a slope must promise."""

LEAST_GAIN = 1e-3
"""Nats that a step must promise in these searches where the model tells the information that choices have."""

_SAME_PLACE = 0.05
"""Share of the bounds' width within which another's optimum is no new start."""

_SHARE_OF_BLOCK = 0.4
"""Numbers of a block of units, as a share of those that a model works on at once: what a model knows of the trials
takes some hundred times the memory …"""

_SHARE_OF_LEARNERS = 4.0
"""The same of learners, which know next to nothing of the trials and pay for every block with small arrays …"""

_SHARE_SHARED, _SHARE_OF_LEARNERS_SHARED = 0.1, 0.02
"""… and from how many on units are shared out at all, sooner for learners whose trials cost more than their search …"""

_SHARE_KEPT = 2.0
"""… and up to how many, in all blocks, what a model knows is kept from one search to the next."""


class Posterior:
    """Log-likelihood and log prior of rows of parameters of some units."""

    def __init__(self, model: Model, trials: Trials, prior: Prior) -> None:
        self._likelihood, self._prior = Likelihood(model, trials), prior

    def evaluate(self, theta: np.ndarray, unit: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Log posterior densities (rows,), their gradients (rows, parameters), and log-likelihoods (rows,)."""
        log_likelihood, slope = self._likelihood.evaluate(theta, unit)
        log_prior, prior_slope = self._prior.evaluate(theta)
        return log_likelihood + log_prior, slope + prior_slope, log_likelihood

    def loss(self, theta: np.ndarray, unit: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
        """Negative log posterior densities, their gradients, and a guess of their curvature if the model has one.

        Returns
        -------
        (rows,), (rows, parameters), and (rows, parameters, parameters) positive definite or None: the information that the
        choices have of the parameters, and the curvature of the prior.
        """
        log_likelihood, slope, information = self._likelihood.expand(theta, unit)
        log_prior, prior_slope = self._prior.evaluate(theta)
        if information is not None:
            own = np.arange(theta.shape[1])
            information[:, own, own] += self._prior.curvature(theta)
        return -(log_likelihood + log_prior), -(slope + prior_slope), information


class MultiStart:
    """Searches for the best parameters of every unit.

    Units are taken in blocks, so that what a model knows about their trials fits into memory and all cores
    have something to do. The blocks are the same on every machine.

    Parameters
    ----------
    trials
        Its participants are the units.
    starts
        (starts, parameters), the same for every unit.
    n_used
        How many of these searches start from, for every unit the best; all without it.
    finished
        Told how many searches have just finished.
    company
        (units,) numbers of groups whose units exchange optima with each other; without it all do.
    """

    def __init__(
        self,
        model: Model,
        trials: Trials,
        prior: Prior,
        starts: np.ndarray,
        finished: Callable[[int], None],
        company: np.ndarray | None = None,
        *,
        n_used: int | None = None,
    ) -> None:
        self.model, self.trials, self.prior = model, trials, prior
        self.starts, self.finished = starts, finished
        self.n_used = len(starts) if n_used is None else n_used
        self.lower, self.upper = bounds_of(model.parameters)
        self._least_promise = ROUGH if isinstance(model, ModelByRows) and model.jumps else 0.0
        share = self.n_used * trials.mask.size * trials.n_options / NUMBERS_AT_ONCE
        n_units = len(trials.participants)
        self.company = np.zeros(n_units, dtype=int) if company is None else company
        # An even number of blocks keeps two cores busy to the end.
        learner = isinstance(model, SequentialModel)
        shared = _SHARE_OF_LEARNERS_SHARED if learner else _SHARE_SHARED
        size = _SHARE_OF_LEARNERS if learner else _SHARE_OF_BLOCK
        n_blocks = 2 * math.ceil(share / size / 2) if share > shared else 1
        self.blocks = np.array_split(np.arange(n_units), min(n_units, n_blocks))
        self._keeps = share <= _SHARE_KEPT
        self._kept: dict[int, Posterior] = {}
        self._interrupted = False

    def on_blocks(self, work: Callable[[np.ndarray, Posterior], None]) -> None:
        """Call ``work`` with the numbers of each block's units and their posterior, on all cores at once."""

        def on_block(number: int) -> None:
            work(self.blocks[number], self._posterior(number))

        pool = ThreadPoolExecutor(min(len(self.blocks), os.cpu_count() or 1))
        try:
            list(pool.map(on_block, range(len(self.blocks))))
        except BaseException:
            self._interrupted = True
            raise
        finally:
            pool.shutdown(cancel_futures=True)

    def _posterior(self, number: int) -> Posterior:
        if number in self._kept:
            return self._kept[number]
        some = self.trials.take(np.isin(self.trials.participant_index, self.blocks[number]))
        posterior = Posterior(self.model, some, self.prior)
        if self._keeps:
            self._kept[number] = posterior
        return posterior

    def run(self, n_rounds: int) -> Optima:
        """Search from all starts and in ``n_rounds`` of exchange, and keep the best of every unit."""
        # Models may be compiled when they are first used, which two threads should not do at once.
        one = self.trials.take(self.trials.participant_index == 0)
        Posterior(self.model, one, self.prior).evaluate(self.starts[:1], np.zeros(1, dtype=int))
        found = self._search(self._best_starts(), ROUGH)
        for _ in range(n_rounds):
            offered = self._exchange(found.best()[0])
            found = found.joined(self._search(offered[:N_EXCHANGED], ROUGH))
            unsure = (found.agreed() < ENOUGH_AGREED)[:, None]
            more = np.where(unsure, offered[N_EXCHANGED : 2 * N_EXCHANGED], np.nan)
            found = found.joined(self._search(more, ROUGH))
        found = found.joined(self._search(self._off_ridges(found.best()[0]), ROUGH))
        number = found.leading(N_FINISHED)
        found = found.replaced(number, self._search(found.at(number), NO_GAIN))
        # Once more on another scale and with a fresh idea of the curvature: both can be wrong in a flat valley.
        number = found.leading(1)
        again = self._search(found.at(number), NO_GAIN, by_order=True)
        better = again.value < found.value.min(0) - SAME_VALUE
        return found.replaced(np.where(better, number, -1), again).optima()

    def _search(self, starts: np.ndarray, no_gain: float, *, by_order: bool = False) -> Ends:
        """Where searches from ``starts`` (starts, units, parameters) end; there is none where they are NaN."""
        ends = Ends.nowhere(starts.shape)

        def search(block: np.ndarray, posterior: Posterior) -> None:
            start, unit = np.nonzero(np.isfinite(starts[:, block]).all(-1))

            def objective(
                rows: np.ndarray, row: np.ndarray
            ) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
                if self._interrupted:
                    raise CancelledError
                return posterior.loss(rows, unit[row])

            minima = minimise(
                objective,
                starts[start, block[unit]],
                self.lower,
                self.upper,
                no_gain=no_gain,
                least_promise=self._least_promise if no_gain > NO_GAIN else 0.0,
                least_gain=LEAST_GAIN if no_gain > NO_GAIN else 0.0,
                by_order=by_order,
                finished=self.finished,
            )
            ends.enter(start, block[unit], minima)

        self.on_blocks(search)
        return ends

    def _everywhere(self, points: np.ndarray) -> np.ndarray:
        """(points, units, parameters) the same for every unit."""
        return np.repeat(points[:, None], len(self.trials.participants), axis=1)

    def _best_starts(self) -> np.ndarray:
        """(starts, units, parameters), for every unit the best if there are more than are used."""
        if len(self.starts) <= self.n_used:
            return self._everywhere(self.starts)
        best = self._everywhere(self.starts[:0])
        height = np.zeros(best.shape[:2])
        for first in range(0, len(self.starts), _POINTS_AT_ONCE):
            some = self._everywhere(self.starts[first : first + _POINTS_AT_ONCE])
            value = self._evaluate(some)[0]
            best, height = np.concatenate([best, some]), np.concatenate([height, value])
            order = np.argsort(-height, 0, kind="stable")[: self.n_used]  # NaN comes last.
            height = np.take_along_axis(height, order, 0)
            best = np.take_along_axis(best, order[..., None], 0)
        return best

    def _exchange(self, best: np.ndarray) -> np.ndarray:
        """Some very different optima of its company (units, parameters), for every unit the best for it first.

        (offers, units, parameters), NaN where there are no others.
        """
        width, offered = self.upper - self.lower, np.full((_N_OFFERED + 1, *best.shape), np.nan)
        for number in np.unique(self.company):
            members = self.company == number
            known = best[members & np.isfinite(best).all(-1)]
            if len(known) > 1:
                chosen = most_different((known - self.lower) / width, _N_OFFERED)
                offered[: len(chosen), members] = (self.lower + width * chosen)[:, None]
        offered = offered[np.isfinite(offered).all(-1).any(1)]
        offered = clip_inside(offered, self.lower, self.upper, MARGIN_OF_OTHERS)
        own = (np.abs(offered - best) / width).max(-1) < _SAME_PLACE
        value = self._evaluate(np.where(own[..., None], np.nan, offered))[0]
        value[np.isnan(value)] = -np.inf
        return np.take_along_axis(offered, np.argsort(-value, 0, kind="stable")[..., None], 0)

    def _off_ridges(self, best: np.ndarray) -> np.ndarray:
        """(starts, units, parameters) from which searches leave the ridge that a unit ended on, if it did."""
        places = draw_starts(self.model.parameters, N_PLACES)[:N_PLACES]
        return leave_ridges(self._evaluate, best, places, self.lower, self.upper)

    def _evaluate(self, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Log posteriors (rows, units) and gradients of rows (rows, units, parameters), NaN where those are."""
        value, gradient = np.full(theta.shape[:2], np.nan), np.full(theta.shape, np.nan)

        def evaluate(block: np.ndarray, posterior: Posterior) -> None:
            row, unit = np.nonzero(np.isfinite(theta[:, block]).all(-1))
            place = (row, block[unit])
            if len(row):
                value[place], gradient[place], _ = posterior.evaluate(theta[place], unit)

        self.on_blocks(evaluate)
        return value, gradient
