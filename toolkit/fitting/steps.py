"""Steps of many bounded minimisations at once: where each goes next, and what it learns from having gone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Self

import numpy as np

FLAT = 1e-6
"""Change of the value across the bounds' width, by the slope, up to which a row counts as flat."""

NO_GAIN = 1e-9
"""Relative improvement that counts as none …"""

_TIMES_NO_GAIN = 3
"""… and how often in a row there must be none until a row counts as flat."""

_FIRST_MOVE = 0.1
"""Share of the bounds' width by which a row moves before anything is known of the curvature."""

_LEFT_TO_BOUND = 0.1
"""Share of the way to a bound that is left where a step onto the bound was refused."""

_TIMES_INSIDE = 3
"""Steps after which the bound is tried again."""

_GROWTH = 4.0
"""Factor of the next step along one on which the slope did not flatten."""

_DOUBT = 1e-3
"""How much more curved everything is taken to be than was told, so that no step is endless."""

_LARGEST_CURVATURE = 1e100
_SMALLEST_MOVE = 1e-10
_SMALLEST_SPREAD = 1e-25
_LARGEST_SPREAD = 1e6
_SMALLEST_CURVATURE = 1e-10
_TINY = np.finfo(float).tiny


@dataclass
class Rows:
    """What is known of the rows still searched; ``x`` is 0 at the lower bound and 1 at the upper."""

    number: np.ndarray
    x: np.ndarray
    value: np.ndarray
    gradient: np.ndarray
    spread: np.ndarray
    """(rows, parameters, parameters) inverse of the Hessian."""
    fresh: np.ndarray
    """(rows,) whether ``spread`` is only a guess."""
    direction: np.ndarray
    step: np.ndarray
    inside: np.ndarray
    """(rows,) whether steps end short of the bounds, because a step onto one was refused."""
    times_no_gain: np.ndarray
    iterations: np.ndarray

    @classmethod
    def begin(cls, number: np.ndarray, x: np.ndarray, value: np.ndarray, gradient: np.ndarray) -> Self:
        n_rows, n_parameters = x.shape
        rows = cls(
            number,
            x,
            value,
            gradient,
            spread=np.zeros((n_rows, n_parameters, n_parameters)),
            fresh=np.ones(n_rows, dtype=bool),
            direction=np.zeros_like(x),
            step=np.ones(n_rows),
            inside=np.zeros(n_rows, dtype=int),
            times_no_gain=np.zeros(n_rows, dtype=int),
            iterations=np.zeros(n_rows, dtype=int),
        )
        _start_anew(rows)
        return rows

    def at(self, which: np.ndarray) -> Self:
        return type(self)(*(getattr(self, field.name)[which] for field in fields(self)))

    def change(self, which: np.ndarray, change: Callable[[Self], None]) -> None:
        """Let ``change`` work on some of the rows."""
        if not which.any():
            return
        some = self.at(which)
        change(some)
        for field in fields(self):
            getattr(self, field.name)[which] = getattr(some, field.name)

    def trial(self) -> np.ndarray:
        """(rows, parameters) the points to try next."""
        return (self.x + self.step[:, None] * self.direction).clip(0, 1)

    def pinned(self) -> np.ndarray:
        """(rows, parameters) at a bound that the gradient pushes against."""
        return ((self.x <= 0) & (self.gradient > 0)) | ((self.x >= 1) & (self.gradient < 0))

    def free_gradient(self) -> np.ndarray:
        return np.where(self.pinned(), 0, self.gradient)

    def is_flat(self, least_gain: float = 0.0) -> np.ndarray:
        """(rows,) whether there is nothing more to gain, or no more than that where the curvature is believed."""
        flat = (self.slope() <= FLAT) | (self.times_no_gain >= _TIMES_NO_GAIN)
        if not least_gain:
            return flat
        promised = -(self.direction * self.gradient).sum(-1) / 2
        return flat | (~self.fresh & (self.step == 1) & (promised <= least_gain))

    def slope(self) -> np.ndarray:
        """(rows,) most that the value would change on a straight way to a bound."""
        room = np.where(self.gradient > 0, self.x, 1 - self.x)
        return np.abs(self.gradient * room).max(-1, initial=0)


def believe(rows: Rows, curvature: np.ndarray) -> None:
    """Take a curvature (rows, parameters, parameters) for the true one, and choose the next step by it."""
    known = np.nan_to_num(curvature, nan=0.0, posinf=_LARGEST_CURVATURE)
    own = np.arange(known.shape[1])
    known[:, own, own] += _DOUBT * (known[:, own, own] + 1)
    rows.spread, rows.fresh = np.linalg.inv(known), np.zeros(len(known), dtype=bool)
    _aim(rows)


def move(
    rows: Rows,
    x: np.ndarray,
    value: np.ndarray,
    gradient: np.ndarray,
    no_gain: float,
    told: np.ndarray | None = None,
) -> None:
    """Take a step, learn from it or be told the curvature, and choose the next; a relative gain up to ``no_gain`` is none."""
    gained = rows.value - value > no_gain * np.maximum(1, np.abs(value))
    rows.times_no_gain = np.where(gained, 0, rows.times_no_gain + 1)
    if told is None:
        _learn_curvature(rows, x - rows.x, gradient - rows.gradient)
    rows.x, rows.value, rows.gradient = x, value, gradient
    rows.iterations += 1
    rows.inside = np.maximum(rows.inside - 1, 0)
    if told is None:
        _aim(rows)
    else:
        believe(rows, told)


def shorten(
    rows: Rows,
    refused: np.ndarray,
    point: np.ndarray,
    value: np.ndarray,
    expected: np.ndarray,
    least_promise: float,
) -> np.ndarray:
    """Choose another step where one was refused; says for which rows there is none.

    There is none where it would be tiny, or where the slope promises a relative gain up to ``least_promise``.
    """
    onto_bound = (_at_bound(point) & ~_at_bound(rows.x)).any(-1)
    retreat = refused & onto_bound & (rows.inside == 0)
    rows.inside[retreat] = _TIMES_INSIDE
    rows.change(retreat, _aim)
    shrink = refused & ~retreat
    # The minimum of the parabola through the value, its slope and the value refused.
    above = np.maximum(value - rows.value - expected, np.maximum(-expected, _TINY))
    rows.step[shrink] *= (-expected / (2 * above)).clip(0.1, 0.5)[shrink]
    way, unit = rows.trial() - rows.x, np.maximum(1, np.abs(rows.value))
    tiny = np.abs(way).max(-1, initial=0) <= _SMALLEST_MOVE
    short = shrink & (tiny | (-(way * rows.gradient).sum(-1) <= least_promise * unit))
    stuck, known = short & rows.fresh, short & ~rows.fresh
    promised = -(rows.direction * rows.gradient).sum(-1)
    precise = known & (promised <= max(NO_GAIN, least_promise) * unit)
    rows.times_no_gain[precise] = _TIMES_NO_GAIN
    rows.change(known & ~precise, _start_anew)
    return stuck


def _at_bound(x: np.ndarray) -> np.ndarray:
    return (x <= 0) | (x >= 1)


def _start_anew(rows: Rows) -> None:
    """Forget the curvature: steepest descent, with a first move of a known length."""
    rows.spread = _first_scale(rows)[:, None, None] * np.eye(rows.x.shape[1])
    rows.fresh[:] = True
    rows.inside[:] = 0
    _aim(rows)


def _first_scale(rows: Rows) -> np.ndarray:
    return _FIRST_MOVE / np.abs(rows.free_gradient()).max(-1, initial=_TINY)


def _aim(rows: Rows) -> None:
    """The step to the minimum of the known parabola within the bounds.

    A parameter that the step would carry over a bound is put on it, first come first, and the others go
    to their minimum given that, as the mean of normal variables moves when one of them is known.
    """
    spread, pinned = rows.spread.copy(), rows.pinned()
    for parameter in np.flatnonzero(pinned.any(0)):
        row = np.flatnonzero(pinned[:, parameter])
        _hold(spread, row, np.full(len(row), parameter))
    direction = -np.einsum("rij,rj->ri", spread, rows.free_gradient())
    way = np.where(rows.inside > 0, 1 - _LEFT_TO_BOUND, 1)[:, None]
    low, high = -rows.x * way, (1 - rows.x) * way
    held = pinned.copy()
    for _ in range(direction.shape[1]):
        room = np.where(direction < 0, low, high)
        over = (np.abs(direction) > np.abs(room)) & ~held
        row = np.flatnonzero(over.any(-1))
        if not len(row):
            break
        share = np.where(over[row], room[row] / np.where(over[row], direction[row], 1), np.inf)
        first = share.argmin(-1)
        follow = _hold(spread, row, first)
        direction[row] += follow * (room[row, first] - direction[row, first])[:, None]
        direction[row, first], held[row, first] = room[row, first], True
    downhill = (direction * rows.gradient).sum(-1) < 0
    steepest = -_first_scale(rows)[:, None] * rows.free_gradient()
    rows.direction = np.where(downhill[:, None], direction, steepest).clip(low, high)
    rows.step = np.ones(len(direction))


def _hold(spread: np.ndarray, row: np.ndarray, parameter: np.ndarray) -> np.ndarray:
    """Take one parameter of each row out of the inverse Hessian; returns how the others follow it."""
    column = spread[row, :, parameter]
    own = column[np.arange(len(row)), parameter, None]
    follow = np.where(own > _SMALLEST_SPREAD, column / np.maximum(own, _SMALLEST_SPREAD), 0)
    spread[row] -= follow[:, :, None] * column[:, None, :]
    spread[row, :, parameter] = spread[row, parameter, :] = 0
    return follow


def _learn_curvature(rows: Rows, change: np.ndarray, bend: np.ndarray) -> None:
    """Update the inverse Hessian (BFGS) from a step and the change of the gradient along it."""
    bend = np.where(change == 0, 0, bend)
    along, size = (change * bend).sum(-1), (bend * bend).sum(-1)
    convex = along > _SMALLEST_CURVATURE * np.sqrt((change * change).sum(-1) * size)
    scaled = convex & rows.fresh
    rows.spread[scaled] = (along[scaled] / size[scaled])[:, None, None] * np.eye(change.shape[1])
    rows.fresh &= ~convex
    _lengthen(rows, ~convex, change)
    s, y, along = change[convex], bend[convex], along[convex, None, None]
    spread = rows.spread[convex]
    turned = np.einsum("rij,rj->ri", spread, y)
    weight = 1 + (y * turned).sum(-1)[:, None, None] / along
    cross = turned[:, :, None] * s[:, None, :]
    outer = weight * s[:, :, None] * s[:, None, :]
    rows.spread[convex] = spread + (outer - cross - cross.transpose(0, 2, 1)) / along


def _lengthen(rows: Rows, which: np.ndarray, change: np.ndarray) -> None:
    """Make the next step along the last one longer."""
    s = change[which]
    # What the known curvature expected of the slope's change along the step.
    expected = -rows.step[which] * (rows.gradient[which] * s).sum(-1)
    longest = _LARGEST_SPREAD / np.maximum((s * s).sum(-1), _SMALLEST_MOVE**2)
    factor = np.minimum((_GROWTH - 1) / np.maximum(expected, 1 / _LARGEST_SPREAD), longest)
    rows.spread[which] += factor[:, None, None] * s[:, :, None] * s[:, None, :]
