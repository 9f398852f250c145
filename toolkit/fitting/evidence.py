"""Laplace's approximation of a model's evidence: how much of the parameters' range explains the choices."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

NO_MAXIMUM = "no Laplace evidence: the posterior rises away from the estimate"

_LONGEST_STEP = 1e-4
_SHARE_OF_ROOM = 0.05
"""Steps of differences are at most this share of the way to the next bound."""

_RISING = 1.0
"""Curvature, in nats per squared width of the bounds, from which a posterior counts as rising."""

_TINY = np.finfo(float).tiny

Slope = Callable[[np.ndarray, np.ndarray], np.ndarray]


def laplace_evidence(
    slope: Slope,
    theta: np.ndarray,
    log_posterior: np.ndarray,
    lower: np.ndarray,
    upper: np.ndarray,
    *,
    free: np.ndarray,
    at_bound: np.ndarray,
) -> np.ndarray:
    """Log evidence of every unit, from the shape of its posterior around the estimate.

    Along free parameters the posterior is taken to be normal, with the curvature it has at the estimate:
    they add P/2 log 2π - ½ log |H|. In a direction in which that would be wider than the bounds, where the
    choices say nothing, it is taken to be flat across them. Along a parameter at a bound it is taken to
    fall off exponentially with the slope there. A parameter of a few values counts at its estimate.

    Parameters
    ----------
    slope
        ``slope(theta (rows, parameters), unit (rows,))`` -> gradient of the log posterior (rows, parameters).
    theta, log_posterior
        (units, parameters) and (units,): estimates, and the log density there.
    lower, upper
        (parameters,).
    free, at_bound
        (units, parameters) masks; parameters of a few values are neither.

    Returns
    -------
    (units,), NaN where the estimate is no maximum or the slope beside it no number.
    """
    width = upper - lower
    bent = curvature(slope, theta, lower, upper, free)
    known = np.isfinite(bent).all((1, 2))
    along = np.full(theta.shape, np.nan)
    along[known] = np.linalg.eigvalsh(bent[known])
    # Lengths are counted in widths of the bounds: what is flat across them adds log 1.
    added = 0.5 * np.log(2 * np.pi / np.maximum(along, 2 * np.pi)).sum(-1)
    steep = np.abs(slope(theta, np.arange(len(theta)))) * width
    added += np.where(at_bound, _log_mean_of_decay(steep), 0).sum(-1)
    scale = np.where(free | at_bound, np.log(width), 0).sum(-1)
    return np.where(along[:, 0] > -_RISING, log_posterior + scale + added, np.nan)


def _log_mean_of_decay(rate: np.ndarray) -> np.ndarray:
    """Logarithm of the mean of exp(-rate x) over x from 0 to 1."""
    rate = np.maximum(rate, _TINY)
    return np.log(-np.expm1(-rate) / rate)


def curvature(
    slope: Slope, theta: np.ndarray, lower: np.ndarray, upper: np.ndarray, free: np.ndarray
) -> np.ndarray:
    """Second derivatives of -log posterior, per squared width of the bounds: (units, parameters, parameters).

    Parameters that are not free are taken out, and given a curvature that adds nothing to the evidence.
    """
    n_parameters, width = theta.shape[1], upper - lower
    unit, parameter = np.nonzero(free)
    x = (theta - lower) / width
    room = np.minimum(x, 1 - x)[unit, parameter]
    step = np.minimum(_LONGEST_STEP, _SHARE_OF_ROOM * room) * width[parameter]
    moved = np.eye(n_parameters)[parameter] * step[:, None]
    rows = np.concatenate([theta[unit] + moved, theta[unit] - moved])
    above, below = np.split(slope(rows, np.tile(unit, 2)), 2)
    hessian = np.zeros((len(theta), n_parameters, n_parameters))
    hessian[unit, parameter] = (below - above) / (2 * step[:, None]) * width[parameter, None] * width
    hessian = (hessian + hessian.transpose(0, 2, 1)) / 2
    both = free[:, :, None] & free[:, None, :]
    return np.where(both, hessian, 2 * np.pi * np.eye(n_parameters))
