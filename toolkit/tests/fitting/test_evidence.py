"""Laplace's approximation where the integral is known."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import integrate

from toolkit.fitting.evidence import laplace_evidence

LOWER, UPPER = np.array([-1.0, 0.0]), np.array([3.0, 10.0])


def evidence(slope, theta, log_posterior, free=True, at_bound=False) -> float:
    theta = np.array([theta], dtype=float)
    return laplace_evidence(
        slope,
        theta,
        np.array([log_posterior]),
        LOWER,
        UPPER,
        free=np.broadcast_to(free, theta.shape),
        at_bound=np.broadcast_to(at_bound, theta.shape),
    )[0]


def test_a_normal_posterior_is_integrated_exactly() -> None:
    precision = np.array([[120.0, -30.0], [-30.0, 20.0]])
    centre, height = np.array([1.2, 4.0]), -7.5
    found = evidence(lambda rows, unit: -(rows - centre) @ precision, centre, height)
    volume, _ = integrate.dblquad(
        lambda b, a: np.exp(-0.5 * np.array([a, b]) @ precision @ np.array([a, b])), -1.5, 1.5, -3.5, 3.5
    )
    assert found == pytest.approx(height + np.log(volume), abs=1e-6)
    assert found == pytest.approx(height + np.log(2 * np.pi) - 0.5 * np.linalg.slogdet(precision)[1])


def test_units_have_a_shape_each() -> None:
    precision = np.array([[50.0, 80.0], [900.0, 20.0], [70.0, 70.0]])
    theta = np.array([[0.0, 5.0], [1.0, 6.0], [2.0, 1.0]])
    found = laplace_evidence(
        lambda rows, unit: -(rows - theta[unit]) * precision[unit],
        theta,
        np.zeros(3),
        LOWER,
        UPPER,
        free=np.ones((3, 2), dtype=bool),
        at_bound=np.zeros((3, 2), dtype=bool),
    )
    np.testing.assert_allclose(found, np.log(2 * np.pi) - 0.5 * np.log(precision).sum(1))


def test_a_parameter_at_a_bound_falls_off_exponentially() -> None:
    slope, precision = 4.0, 30.0
    found = evidence(
        lambda rows, unit: np.stack([-slope * np.ones(len(rows)), -precision * (rows[:, 1] - 5)], -1),
        [-1.0, 5.0],
        -3.0,
        free=[False, True],
        at_bound=[True, False],
    )
    along, _ = integrate.quad(lambda a: np.exp(-slope * (a + 1)), -1, 3)
    assert found == pytest.approx(-3 + np.log(along) + 0.5 * np.log(2 * np.pi / precision))


def test_what_the_choices_say_nothing_about_costs_nothing() -> None:
    """With a uniform prior, 1 / width, a flat parameter leaves the evidence of the others as it is."""
    precision = 40.0
    found = evidence(
        lambda rows, unit: np.stack([-precision * (rows[:, 0] - 1), 1e-9 * rows[:, 1]], -1),
        [1.0, 3.0],
        np.log(1 / 4) + np.log(1 / 10),
    )
    assert found == pytest.approx(np.log(1 / 4) + 0.5 * np.log(2 * np.pi / precision))


def test_a_parameter_of_few_values_counts_at_its_estimate() -> None:
    found = evidence(
        lambda rows, unit: np.stack([0 * rows[:, 0], -30.0 * (rows[:, 1] - 5)], -1),
        [2.0, 5.0],
        -1.0,
        free=[False, True],
    )
    assert found == pytest.approx(-1 + 0.5 * np.log(2 * np.pi / 30))


def test_a_point_that_is_no_maximum_has_none() -> None:
    found = evidence(lambda rows, unit: np.stack([5 * (rows[:, 0] - 1), 5 - rows[:, 1]], -1), [1.0, 5.0], 0.0)
    assert np.isnan(found)


def test_a_slope_that_is_no_number_leaves_one_unit_without_evidence() -> None:
    def slope(rows: np.ndarray, unit: np.ndarray) -> np.ndarray:
        return np.where(unit[:, None] == 1, np.nan, -(rows - [1.0, 5.0]))

    theta, free = np.array([[1.0, 5.0], [1.0, 5.0]]), np.ones((2, 2), dtype=bool)
    found = laplace_evidence(slope, theta, np.zeros(2), LOWER, UPPER, free=free, at_bound=~free)
    assert np.isfinite(found).tolist() == [True, False]
