"""Correlations of normal deviates that give the values made of them the correlations one wants."""

from __future__ import annotations

import numpy as np

from toolkit.tasks.marginals import GRID, normal_weights

N_TERMS = 12
_STRONGEST = 0.98
_HALVINGS = 30


def hermite_series(values: np.ndarray) -> np.ndarray:
    """Standardised values as a series of Hermite polynomials of the deviate.

    Parameters
    ----------
    values
        (…, points): value at every point of an even grid over the deviates.

    Returns
    -------
    (…, terms): the correlation of two features whose deviates correlate ρ is Σ a_k b_k ρ^k.
    """
    n_points = values.shape[-1]
    deviates, weights = np.linspace(GRID[0], GRID[-1], n_points), normal_weights(n_points)
    mean = values @ weights
    centred = values - mean[..., None]
    spread = np.sqrt(centred**2 @ weights)
    basis = _hermite(deviates)
    return (centred * weights) @ basis.T / np.where(spread > 0, spread, 1)[..., None]


def latent_correlations(first: np.ndarray, second: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Correlation of the deviates for a wanted correlation of the values, or the nearest that there is.

    Parameters
    ----------
    first, second
        (pairs, terms): series of the two features.
    wanted
        (pairs,): correlation of the values.
    """
    products = first * second
    powers = np.arange(1, N_TERMS + 1)
    low, high = np.full(len(wanted), -_STRONGEST), np.full(len(wanted), _STRONGEST)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        below = (products * middle[:, None] ** powers).sum(1) < wanted
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return (low + high) / 2


def nearest_correlation(matrices: np.ndarray, least: float = 1e-3) -> np.ndarray:
    """Matrices (…, n, n) with negative eigenvalues lifted and ones on the diagonal again."""
    values, vectors = np.linalg.eigh(matrices)
    lifted = (vectors * np.maximum(values, least)[..., None, :]) @ np.swapaxes(vectors, -1, -2)
    scale = 1 / np.sqrt(np.diagonal(lifted, axis1=-2, axis2=-1))
    mended = lifted * scale[..., None] * scale[..., None, :]
    return np.where((values.min(-1) < least)[..., None, None], mended, matrices)


def _hermite(deviates: np.ndarray) -> np.ndarray:
    """Normalised Hermite polynomials 1 … terms at the deviates: (terms, points)."""
    polynomials = [np.ones_like(deviates), deviates]
    for k in range(1, N_TERMS):
        following = (deviates * polynomials[k] - np.sqrt(k) * polynomials[k - 1]) / np.sqrt(k + 1)
        polynomials.append(following)
    return np.stack(polynomials[1:])
