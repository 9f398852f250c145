"""Gradients by differences: on one side where a likelihood is steep, on both where it is flat."""

from __future__ import annotations

import numpy as np

from toolkit.discovery.worker.evaluation import ByDifferences, Failures

CURVATURE = 100.0


class Parabola(ByDifferences):
    """Highest at 1 and 2, nothing below 0 or above 4; counts rows."""

    def __init__(self) -> None:
        super().__init__([0.0, 0.0], [4.0, 4.0])
        self.n_rows = 0

    def log_likelihood(self, theta, sequence, data, failures):
        self.n_rows += len(theta)
        value = -CURVATURE / 2 * ((theta - [1.0, 2.0]) ** 2).sum(-1)
        return np.where(((theta >= self.lower) & (theta <= self.upper)).all(-1), value, np.nan)


def slopes_at(*theta: tuple[float, float]) -> tuple[np.ndarray, int]:
    curve, rows = Parabola(), np.array(theta)
    _, gradient = curve.log_likelihood_and_gradient(rows, np.zeros(len(rows), int), None, Failures())
    return gradient + CURVATURE * (rows - [1.0, 2.0]), curve.n_rows


def test_steep_places_cost_one_side_and_bounds_are_kept() -> None:
    error, n_rows = slopes_at((3.0, 0.5), (4.0, 4.0), (0.0, 0.0))
    assert n_rows == 3 * (1 + 2)
    assert 0 < np.abs(error).max() < 1e-4


def test_flat_places_cost_both_sides_and_are_exact() -> None:
    error, n_rows = slopes_at((1.0001, 2.0), (3.0, 3.0))
    assert n_rows == 2 * (1 + 2) + 2 * 2
    assert np.abs(error[0]).max() < 1e-9


def test_a_row_that_cannot_be_computed_costs_nothing_more() -> None:
    error, n_rows = slopes_at((5.0, 1.0), (3.0, 3.0))
    assert n_rows == 2 + 2 and np.isfinite(error[1]).all()
