"""Distributions of the bank's features as tables from standard normal deviates to values."""

from __future__ import annotations

import numpy as np

GRID = np.linspace(-4.0, 4.0, 257)
"""Deviates at which a table holds values; between them values are interpolated."""

WHOLE = ("count", "ordinal", "binary")
"""Kinds whose values are whole numbers."""

_ROUNDS, _CLOSE, _FARTHEST = 12, 0.005, 3.0
_FINER = 8


def matched_quantiles(
    kind: str, mean: np.ndarray, sd: np.ndarray, low: np.ndarray, high: np.ndarray
) -> np.ndarray:
    """Tables whose values have the wanted mean and spread also after they were kept to their range.

    Cutting a distribution off at the ends of its range, or rounding it, moves its mean and shrinks its
    spread. So the distribution underneath is moved and widened until what comes out is as elicited, or as
    near as the range allows.

    Parameters
    ----------
    kind
        Of all features.
    mean, sd, low, high
        (features,): wanted mean and standard deviation, smallest and largest value.

    Returns
    -------
    (features, grid).
    """
    if kind in ("binary", "proportion"):
        return quantiles(kind, mean, sd, low, high)
    spread = np.maximum(sd, 1e-9)
    under_mean, under_sd = mean.astype(float), spread.astype(float)
    best, least = np.zeros((len(mean), len(GRID))), np.full(len(mean), np.inf)
    rows = np.arange(len(mean))
    for _ in range(_ROUNDS):
        limits = low[rows], high[rows]
        table = quantiles(kind, under_mean[rows], under_sd[rows], *limits)
        got_mean, got_sd = moments(values_of(kind, table, *limits))
        off, ratio = (mean[rows] - got_mean) / spread[rows], np.maximum(got_sd, 1e-9) / spread[rows]
        error = np.abs(off) + np.abs(np.log(ratio))
        better = error < least[rows]
        best[rows[better]], least[rows[better]] = table[better], error[better]
        far = error > _CLOSE
        rows, off, ratio = rows[far], off[far], ratio[far]
        lowest = mean[rows] - _FARTHEST * spread[rows]
        if kind in ("skewed", "count"):
            lowest = np.where(mean[rows] > 0, np.maximum(lowest, mean[rows] / 20), lowest)
        highest = mean[rows] + _FARTHEST * spread[rows]
        under_mean[rows] = np.clip(under_mean[rows] + off * spread[rows], lowest, highest)
        widened = under_sd[rows] / np.clip(ratio, 0.5, 2.0)
        under_sd[rows] = np.clip(widened, spread[rows] / 4, spread[rows] * 4)
    return best


def quantiles(kind: str, mean: np.ndarray, sd: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Value at every point of the grid, before values are kept to their range: (features, grid).

    A binary feature is a ramp whose half lies where the 1s begin.
    """
    from scipy import special

    mean, sd, low, high = (np.asarray(values, float)[:, None] for values in (mean, sd, low, high))
    share_below = special.ndtr(GRID)
    if kind == "binary":
        return 0.5 + GRID + special.ndtri(np.clip(mean, 1e-9, 1 - 1e-9))
    if kind == "proportion":
        share, variance = (mean - low) / (high - low), (sd / (high - low)) ** 2
        concentration = np.maximum(share * (1 - share) / np.maximum(variance, 1e-12) - 1, 1e-3)
        inside = np.clip(share, 1e-6, 1 - 1e-6) * concentration
        return low + (high - low) * special.betaincinv(inside, concentration - inside, share_below)
    normal, positive = mean + sd * GRID, np.where(mean > 0, mean, 1.0)
    if kind == "skewed":
        sigma = np.sqrt(np.log1p((sd / positive) ** 2))
        return np.where(mean > 0, np.exp(np.log(positive) - sigma**2 / 2 + sigma * GRID), normal)
    if kind == "count":
        wide = (sd**2 > mean * 1.02) & (mean > 0)
        size = np.where(wide, mean, 1) ** 2 / np.where(wide, sd**2 - mean, 1)
        success = np.where(wide, mean / np.where(wide, sd**2, 1), 0.5)
        counts = np.ceil(special.nbdtrik(share_below, size, success))
        return np.where(wide, np.nan_to_num(counts), normal)
    return normal


def values_of(kind: str, table: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Tables as values come out, on a finer grid if they are rounded: kept to their range, whole if of a whole kind."""
    if kind in WHOLE:
        position = np.linspace(0, len(GRID) - 1, (len(GRID) - 1) * _FINER + 1)
        left = np.minimum(position.astype(int), len(GRID) - 2)
        share = position - left
        table = table[:, left] * (1 - share) + table[:, left + 1] * share
    kept = np.clip(table, np.asarray(low, float)[:, None], np.asarray(high, float)[:, None])
    return np.round(kept) if kind in WHOLE else kept


def moments(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of values on an even grid of standard normal deviates."""
    weights = normal_weights(values.shape[-1])
    mean = values @ weights
    return mean, np.sqrt(np.maximum(values**2 @ weights - mean**2, 0))


def normal_weights(n_points: int) -> np.ndarray:
    """Chance of each point of an even grid over the same deviates."""
    density = np.exp(-(np.linspace(GRID[0], GRID[-1], n_points) ** 2) / 2)
    return density / density.sum()
