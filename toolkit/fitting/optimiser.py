"""Many small bounded minimisations at once: every row with its own step, and a curvature it learned or was told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from toolkit.errors import UsageError
from toolkit.fitting.steps import NO_GAIN, Rows, believe, move, shorten

Objective = Callable[[np.ndarray, np.ndarray], tuple[np.ndarray | None, ...]]
"""``objective(theta (rows, parameters), row (rows,))`` -> value (rows,), gradient (rows, parameters) and, from some, a guess
of the curvature (rows, parameters, parameters), positive semidefinite, or None."""

MAX_EVALUATIONS = 400

_ORDERS = 12.0
"""Natural orders of magnitude below a width that count as much as the width itself, where they count at all."""

_SUFFICIENT_DECREASE = 1e-4
"""Share of what the slope promised that a step must gain to be accepted."""


@dataclass(frozen=True)
class Minima:
    """Where every row ended.

    Attributes
    ----------
    theta
        (rows, parameters), NaN where the start was refused.
    value
        (rows,), NaN there as well.
    gradient_norm
        (rows,) largest slope that the bounds leave free, as change of the value per width of the bounds (where
        the search went by order of magnitude, per whole scale).
    iterations
        (rows,) accepted steps.
    converged
        (rows,).
    reason
        (rows,) why a row did not converge, in words; empty where it did.
    """

    theta: np.ndarray
    value: np.ndarray
    gradient_norm: np.ndarray
    iterations: np.ndarray
    converged: np.ndarray
    reason: np.ndarray


def minimise(
    objective: Objective,
    start: np.ndarray,
    lower: np.ndarray,
    upper: np.ndarray,
    *,
    no_gain: float = NO_GAIN,
    least_promise: float = 0.0,
    least_gain: float = 0.0,
    by_order: bool = False,
    max_evaluations: int = MAX_EVALUATIONS,
    finished: Callable[[int], None] = lambda n_rows: None,
) -> Minima:
    """Minimise one function a row within common bounds, all rows at once.

    Every call of ``objective`` gets exactly the rows that are not finished, each at the point that it wants
    to try next, so that rows wait for each other only inside a call. A value or slope that is not finite
    counts as very bad: the step is shortened.

    Parameters
    ----------
    objective
        Values and gradients of some rows; its second argument says which.
    start
        (rows, parameters) within the bounds.
    lower, upper
        (parameters,).
    no_gain
        Relative improvement that counts as none; a row is finished after three such steps in a row.
    least_promise
        Relative improvement by the slope up to which a step that was refused is not shortened further.
    least_gain
        Improvement that a step must promise where the objective tells its curvature, which is then believed at every
        step. With 0 it is what searches begin with, and they learn the rest.
    by_order
        Whether steps change orders of magnitude rather than values of parameters whose lower bound is 0. Valleys
        between a value and the exponential of another are straight then.
    max_evaluations
        Values of a row after which it is given up.
    finished
        Told how many rows have just finished.
    """
    start, lower, upper = (np.asarray(array, dtype=float) for array in (start, lower, upper))
    _check(start, lower, upper)
    scale = _Scale(lower, upper, by_order)
    limits = _Limits(no_gain, least_promise, least_gain, max_evaluations)
    return _Search(objective, start, scale, limits, finished).run()


def _check(start: np.ndarray, lower: np.ndarray, upper: np.ndarray) -> None:
    if start.ndim != 2 or lower.shape != start.shape[1:] or upper.shape != start.shape[1:]:
        raise UsageError(
            f"starts must be (rows, parameters) and bounds (parameters,), not {start.shape}, {lower.shape} "
            f"and {upper.shape}."
        )
    if not (np.isfinite(lower).all() and np.isfinite(upper).all() and (lower < upper).all()):
        raise UsageError("every lower bound must be finite and below its upper bound.")
    outside = ~((start >= lower) & (start <= upper)).all(-1)
    if outside.any():
        raise UsageError(f"start {int(outside.argmax())} is outside the bounds.")


class _Scale:
    """What the search counts in: 0 at the lower bound, 1 at the upper."""

    def __init__(self, lower: np.ndarray, upper: np.ndarray, by_order: bool) -> None:
        self.lower, self.upper, self.width = lower, upper, upper - lower
        self.by_order = by_order & (lower == 0)

    def inside(self, theta: np.ndarray) -> np.ndarray:
        share = (theta - self.lower) / self.width
        return np.where(self.by_order, np.log1p(share * np.expm1(_ORDERS)) / _ORDERS, share)

    def theta(self, x: np.ndarray) -> np.ndarray:
        share = np.where(self.by_order, np.expm1(_ORDERS * x) / np.expm1(_ORDERS), x)
        return (self.lower + share * self.width).clip(self.lower, self.upper)

    def slope(self, x: np.ndarray) -> np.ndarray:
        """Change of the parameters with ``x``."""
        bent = _ORDERS * np.exp(_ORDERS * x) / np.expm1(_ORDERS)
        return self.width * np.where(self.by_order, bent, 1.0)


@dataclass(frozen=True)
class _Limits:
    """When a row is finished, see :func:`minimise`."""

    no_gain: float
    least_promise: float
    least_gain: float
    max_evaluations: int


class _Search:
    """One call of :func:`minimise`."""

    def __init__(
        self,
        objective: Objective,
        start: np.ndarray,
        scale: _Scale,
        limits: _Limits,
        finished: Callable[[int], None],
    ) -> None:
        self.objective, self.scale = objective, scale
        self.limits, self.finished = limits, finished
        n_rows, n_parameters = start.shape
        self.start = scale.inside(start)
        self.found = Minima(
            theta=np.full((n_rows, n_parameters), np.nan),
            value=np.full(n_rows, np.nan),
            gradient_norm=np.full(n_rows, np.nan),
            iterations=np.zeros(n_rows, dtype=int),
            converged=np.zeros(n_rows, dtype=bool),
            reason=np.full(
                n_rows, "the value or its slope is not a finite number at the start", dtype=object
            ),
        )

    def run(self) -> Minima:
        number, limits = np.arange(len(self.start)), self.limits
        value, gradient, curvature = self._evaluate(self.start, number)
        usable = np.isfinite(value)
        self.finished(int((~usable).sum()))
        rows = Rows.begin(number[usable], self.start[usable], value[usable], gradient[usable])
        if curvature is None:
            limits = self.limits = replace(limits, least_gain=0.0)
        else:
            believe(rows, curvature[usable])
        n_evaluations, ended = 1, self._finish(rows, stuck=np.zeros(len(rows.number), dtype=bool))
        while not ended.all() and n_evaluations < limits.max_evaluations:
            rows = rows.at(~ended) if ended.any() else rows
            point = rows.trial()
            value, gradient, curvature = self._evaluate(point, rows.number)
            expected = (rows.gradient * (point - rows.x)).sum(-1)
            accepted = value <= rows.value + _SUFFICIENT_DECREASE * expected
            new = {"x": point[accepted], "value": value[accepted], "gradient": gradient[accepted]}
            told = curvature[accepted] if limits.least_gain else None
            rows.change(accepted, partial(move, no_gain=limits.no_gain, told=told, **new))
            stuck = shorten(rows, ~accepted, point, value, expected, limits.least_promise)
            n_evaluations, ended = n_evaluations + 1, self._finish(rows, stuck)
        self._record(rows, ~ended, f"still improving after {n_evaluations} evaluations")
        return self.found

    def _evaluate(
        self, x: np.ndarray, number: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
        """Values, infinity where they or their slopes are not finite, gradients and curvature on the scale."""
        value, gradient, *more = self.objective(self.scale.theta(x), number)
        good = np.isfinite(value) & np.isfinite(gradient).all(-1)
        slope, curvature = self.scale.slope(x), more[0] if more else None
        if curvature is not None:
            slope = np.broadcast_to(slope, x.shape)
            curvature = curvature * slope[:, :, None] * slope[:, None, :]
        return np.where(good, value, np.inf), np.where(good[:, None], gradient * slope, 0.0), curvature

    def _finish(self, rows: Rows, stuck: np.ndarray) -> np.ndarray:
        """Record the rows that are finished and say which they are."""
        flat = rows.is_flat(self.limits.least_gain)
        self._record(rows, flat, "")
        self._record(rows, stuck & ~flat, "no step lowers the value, though it is not flat")
        return flat | stuck

    def _record(self, rows: Rows, which: np.ndarray, reason: str) -> None:
        number = rows.number[which]
        self.found.theta[number] = self.scale.theta(rows.x[which])
        self.found.value[number] = rows.value[which]
        self.found.gradient_norm[number] = rows.slope()[which]
        self.found.iterations[number] = rows.iterations[which]
        self.found.converged[number] = not reason
        self.found.reason[number] = reason
        self.finished(len(number))
