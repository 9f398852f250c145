"""Ridges: parameters that do nothing where others are, and on whose place the way uphill depends all the same.

A weight of 1 on planning leaves everything idle that the other way of choosing needs: how fast it learns, how far
surprises reach back. Searches end on such a ridge wherever these happen to be, and all agree on its height; but from
some places on it the likelihood rises when the weight falls, and from others it does not.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

N_PLACES = 32
"""Places on a ridge that are looked at …"""

N_LEAVING = 4
"""… and the most of them from which it is left."""

IDLE = 0.5
"""Nats that a parameter may change, wherever it is between its bounds, and count as doing nothing."""

LEAST_RISE = 0.01
"""Nats that the slope must promise on the way to a bound for a place to be worth a search."""

Evaluate = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]
"""Values (places, units) of some parameters of every unit (places, units, parameters), and gradients."""


def leave_ridges(
    evaluate: Evaluate,
    best: np.ndarray,
    places: np.ndarray,
    lower: np.ndarray,
    upper: np.ndarray,
) -> np.ndarray:
    """Starts on the ridges that units ended on, at very different places from which something rises.

    Parameters
    ----------
    evaluate
        Values to be maximised, in nats.
    best
        (units, parameters) where units ended, NaN for none.
    places
        (places, parameters) spread over the bounds.

    Returns
    -------
    (``N_LEAVING``, units, parameters), NaN where a unit has no use for a start.
    """
    height = evaluate(best[None])[0][0]
    idle = _idle(evaluate, best, height, lower, upper)
    some = idle.any(-1)
    rows = np.where(idle, places[:, None], best)
    rows[:, ~some] = np.nan
    value, slope = evaluate(rows)
    room = np.where(slope > 0, upper - rows, rows - lower)
    rises = (np.abs(slope) * room).max(-1, initial=0) > LEAST_RISE
    useful = some & rises & (value >= height - IDLE)
    chosen = _far_apart((rows - lower) / (upper - lower), (best - lower) / (upper - lower), useful)
    starts = rows[chosen, np.arange(len(best))]
    starts[chosen < 0] = np.nan
    return starts


def _idle(
    evaluate: Evaluate,
    best: np.ndarray,
    height: np.ndarray,
    lower: np.ndarray,
    upper: np.ndarray,
) -> np.ndarray:
    """(units, parameters) whether a parameter may be at either bound and in the middle, and nothing changes."""
    n_units, n_parameters = best.shape
    moved = np.tile(best, (n_parameters, 3, 1, 1))
    each = np.arange(n_parameters)
    moved[each, :, :, each] = np.linspace(lower, upper, 3).T[:, :, None]
    value = evaluate(moved.reshape(3 * n_parameters, n_units, n_parameters))[0]
    value = value.reshape(n_parameters, 3, n_units)
    return (np.abs(value - height) <= IDLE).all(1).T


def _far_apart(places: np.ndarray, best: np.ndarray, useful: np.ndarray) -> np.ndarray:
    """(``N_LEAVING``, units) useful places, each as far as can be from ``best`` and those before; -1 for none."""
    distance = np.where(useful, np.abs(places - best).max(-1), -1.0)
    chosen = np.full((N_LEAVING, places.shape[1]), -1)
    unit = np.arange(places.shape[1])
    for number in range(N_LEAVING):
        farthest = distance.argmax(0)
        chosen[number] = np.where(distance[farthest, unit] > 0, farthest, -1)
        apart = np.abs(places - places[farthest, unit]).max(-1)
        distance = np.where(useful, np.minimum(distance, apart), -1.0)
    return chosen
