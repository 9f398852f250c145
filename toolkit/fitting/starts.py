"""Where searches start: spread evenly over the bounds or the priors, and where other people ended."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from toolkit.models import Parameter
from toolkit.seeds import Seeds

MARGIN = 1e-4
"""Share of the bounds' width that a start keeps from them."""

MARGIN_OF_OTHERS = 0.02
"""The same of a start that was somebody else's optimum, which may have been on a bound."""

_FEWEST_OF_THE_REST = 2
"""Starts of the other parameters with each combination of values of those that have only a few."""


def draw_starts(parameters: Sequence[Parameter], n_starts: int, *, seed: int = 0) -> np.ndarray:
    """Starts that cover the parameters evenly (Sobol points), the same for every unit: (starts, parameters).

    Where a parameter has a prior they are even over its quantiles, since that is where people are; it
    decides no more than where searches start. Otherwise they are even over the bounds, and of every two
    starts the second lies closer to 0, where lapses are rare and where sensitivities and temperatures, whose
    upper bounds are far away, make most of their difference.

    Where parameters have only a few values, there is a start with every combination of these, each with
    fewer starts of the other parameters, at least two, so that there can be more than ``n_starts`` in all.
    """
    discrete = [parameter.values for parameter in parameters if parameter.values is not None]
    rest = [parameter for parameter in parameters if parameter.values is None]
    combinations = list(itertools.product(*discrete))
    n_each = n_starts
    if discrete:
        n_each = max(_FEWEST_OF_THE_REST, -(-n_starts // len(combinations))) if rest else 1
    points = _points(rest, n_each * len(combinations), seed)
    starts = np.empty((len(points), len(parameters)))
    is_discrete = np.array([parameter.values is not None for parameter in parameters], dtype=bool)
    starts[:, ~is_discrete] = points
    starts[:, is_discrete] = np.repeat(np.array(combinations, dtype=float), n_each, 0)
    return starts


def _points(parameters: Sequence[Parameter], n_points: int, seed: int) -> np.ndarray:
    """(points, parameters) strictly inside the bounds; without priors every second one is close to 0."""
    points = np.empty((n_points, len(parameters)))
    for first, stream in enumerate(("even starts", "close starts")):
        share = _shares(len(points[first::2]), len(parameters), Seeds(seed).numpy(stream))
        for number, parameter in enumerate(parameters):
            points[first::2, number] = _values_at(parameter, share[:, number], close=first == 1)
    return clip_inside(points, *bounds_of(parameters), MARGIN)


def _shares(n_points: int, n_parameters: int, rng: np.random.Generator) -> np.ndarray:
    """Sobol points between 0 and 1: (points, parameters)."""
    from scipy.stats import qmc

    if not n_points or not n_parameters:
        return np.empty((n_points, n_parameters))
    return qmc.Sobol(n_parameters, rng=rng).random_base2((n_points - 1).bit_length())[:n_points]


def _values_at(parameter: Parameter, share: np.ndarray, *, close: bool) -> np.ndarray:
    """Values with these shares of the prior below them; without a prior, even over the bounds or close to 0."""
    if parameter.prior is not None:
        below, up_to = parameter.prior.cdf([parameter.lower, parameter.upper])
        return parameter.prior.ppf(below + share * (up_to - below))
    even = parameter.lower + share * (parameter.upper - parameter.lower)
    if not close:
        return even
    origin = np.clip(0, parameter.lower, parameter.upper)
    end = np.where(even < origin, parameter.lower, parameter.upper)
    # Cubed, a number between 0 and 1 is closer to 0.
    return origin + (end - origin) * ((even - origin) / np.where(end == origin, 1, end - origin)) ** 3


def bounds_of(parameters: Sequence[Parameter]) -> tuple[np.ndarray, np.ndarray]:
    """Lower and upper bounds, (parameters,) each."""
    return (
        np.array([parameter.lower for parameter in parameters], dtype=float),
        np.array([parameter.upper for parameter in parameters], dtype=float),
    )


def clip_inside(theta: np.ndarray, lower: np.ndarray, upper: np.ndarray, share: float) -> np.ndarray:
    """Parameters (…, parameters) kept a share of the bounds' width away from them."""
    margin = share * (upper - lower)
    return theta.clip(lower + margin, upper - margin)


def most_different(theta: np.ndarray, n_chosen: int) -> np.ndarray:
    """Estimates that differ most from the median and from each other, beginning with the median.

    Parameters
    ----------
    theta
        (units, parameters) in comparable units, for instance shares of the bounds' width.

    Returns
    -------
    (at most ``n_chosen`` + 1, parameters), none twice.
    """
    chosen = [np.median(theta, 0)]
    distance = np.abs(theta - chosen[0]).max(-1)
    while len(chosen) <= n_chosen and distance.max() > 0:
        chosen.append(theta[distance.argmax()])
        distance = np.minimum(distance, np.abs(theta - chosen[-1]).max(-1))
    return np.array(chosen)
