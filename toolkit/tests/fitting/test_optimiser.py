"""Searches end where independent ones do, at bounds too, and alone as in company."""

from __future__ import annotations

import itertools
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize

from toolkit.errors import UsageError
from toolkit.fitting.optimiser import Objective, minimise

LOW, HIGH = np.full(2, -2.0), np.full(2, 2.0)


def rosenbrock(centre: np.ndarray) -> Objective:
    """Curved valleys that end at ``centre`` (rows, parameters), possibly outside the bounds."""

    def objective(theta: np.ndarray, row: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        x = theta - centre[row] + 1
        bend = x[:, 1:] - x[:, :-1] ** 2
        gradient = np.zeros_like(x)
        gradient[:, 1:] += 200 * bend
        gradient[:, :-1] += -400 * bend * x[:, :-1] - 2 * (1 - x[:, :-1])
        return (100 * bend**2 + (1 - x[:, :-1]) ** 2).sum(-1), gradient

    return objective


def regressions(n_rows: int, n_parameters: int, seed: int) -> Objective:
    """Logistic regressions, many of whose best weights are far outside small bounds."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n_rows, 60, n_parameters)) * np.exp(rng.normal(size=n_parameters))
    drive = np.einsum("rtp,rp->rt", x, 1.5 * rng.normal(size=(n_rows, n_parameters)))
    sign = np.where(rng.random(drive.shape) < 1 / (1 + np.exp(-drive)), 1, -1)

    def objective(theta: np.ndarray, row: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        margin = sign[row] * np.einsum("rtp,rp->rt", x[row], theta)
        slope = -np.einsum("rt,rtp->rp", sign[row] / (1 + np.exp(margin)), x[row])
        return np.logaddexp(0, -margin).sum(-1), slope

    return objective


def by_scipy(objective: Objective, start: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Values at which L-BFGS-B ends, one row after the other."""

    def one(row: int) -> float:
        found = optimize.minimize(
            lambda theta: tuple(np.squeeze(part) for part in objective(theta[None], np.array([row]))),
            start[row],
            jac=True,
            method="L-BFGS-B",
            bounds=optimize.Bounds(low, high),
            options={"ftol": 1e-13, "gtol": 1e-8, "maxiter": 1000},
        )
        return float(found.fun)

    return np.array([one(row) for row in range(len(start))])


def test_curved_valleys_are_followed_to_their_end() -> None:
    rng = np.random.default_rng(0)
    objective = rosenbrock(rng.uniform(-1, 2.5, (60, 2)))
    start = rng.uniform(LOW, HIGH, (60, 2))
    found = minimise(objective, start, LOW, HIGH)
    assert found.converged.all() and (found.reason == "").all()
    np.testing.assert_array_less(found.value, by_scipy(objective, start, LOW, HIGH) + 1e-6)
    assert (found.theta == 2).any(1).sum() > 5  # Some end at a bound.


def exponential_valley(theta: np.ndarray, row: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A first parameter follows exp(-second), and it pays a little that the second is large."""
    first, second = theta.T
    off = np.log(first + 1e-9) + second
    gradient = np.stack([2 * off / (first + 1e-9), 2 * off - 0.01], 1)
    return off**2 - 0.01 * second, gradient


def test_valleys_over_orders_of_magnitude_are_followed_on_their_scale() -> None:
    low, high, start = np.zeros(2), np.array([1.0, 20.0]), np.array([[0.05, 3.0]])
    evenly = minimise(exponential_valley, start, low, high)
    by_order = minimise(exponential_valley, start, low, high, by_order=True)
    assert by_order.converged.all() and not evenly.converged.any()
    assert by_order.value < evenly.value - 1e-5
    np.testing.assert_allclose(by_order.theta[0, 1], 20, rtol=1e-3)


def test_parameters_that_are_not_bounded_by_0_have_no_orders_of_magnitude() -> None:
    objective, start = rosenbrock(np.array([[0.3, 0.7]])), np.array([[-1.0, 1.0]])
    one, other = (minimise(objective, start, LOW, HIGH, by_order=flag).theta for flag in (True, False))
    np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("n_parameters", [1, 4, 10])
def test_convex_problems_with_active_bounds_agree_with_scipy(n_parameters: int) -> None:
    low, high = np.full(n_parameters, -1.0), np.full(n_parameters, 3.0)
    objective = regressions(80, n_parameters, seed=n_parameters)
    start = np.random.default_rng(1).uniform(low, high, (80, n_parameters))
    found = minimise(objective, start, low, high)
    assert found.converged.all()
    np.testing.assert_allclose(found.value, by_scipy(objective, start, low, high), atol=1e-6)
    value, _ = objective(found.theta, np.arange(80))
    np.testing.assert_allclose(found.value, value, atol=1e-12)


@given(st.integers(0, 10_000), st.integers(1, 6))
@settings(deadline=None, max_examples=40)
def test_a_parabola_is_left_only_where_the_bounds_hold_it(seed: int, n_parameters: int) -> None:
    """At the end every slope is 0, or pushes against the bound at which its parameter is."""
    rng = np.random.default_rng(seed)
    root = rng.normal(size=(5, n_parameters, n_parameters))
    hessian = root @ root.transpose(0, 2, 1) + 0.05 * np.eye(n_parameters)
    centre, scale = rng.normal(size=(5, n_parameters)), np.exp(rng.normal(size=n_parameters))

    def objective(theta: np.ndarray, row: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        slope = np.einsum("rij,rj->ri", hessian[row], theta / scale - centre[row])
        return 0.5 * (slope * (theta / scale - centre[row])).sum(-1), slope / scale

    start = rng.uniform(-scale, scale, (5, n_parameters))
    found = minimise(objective, start, -scale, scale)
    _, gradient = objective(found.theta, np.arange(5))
    held = np.where(gradient > 0, found.theta <= -scale, found.theta >= scale)
    assert found.converged.all()
    np.testing.assert_allclose(np.where(held, 0, gradient * scale), 0, atol=1e-2)


def test_a_row_ends_alone_where_it_ends_in_company() -> None:
    objective = regressions(30, 4, seed=3)
    low, high = np.full(4, -1.0), np.full(4, 3.0)
    start = np.random.default_rng(2).uniform(low, high, (30, 4))
    together = minimise(objective, start, low, high)
    for row in (0, 7, 29):
        alone = minimise(
            lambda theta, number, row=row: objective(theta, number + row), start[[row]], low, high
        )
        np.testing.assert_allclose(alone.theta[0], together.theta[row], atol=1e-9)
        assert alone.iterations[0] == together.iterations[row]


def test_a_barrier_close_to_a_bound_is_approached_not_jumped() -> None:
    """The minimum of -n log x + x / small lies at n × small, and the bound 0 is infinitely bad."""
    small = np.array([1e-3, 1e-5, 1e-7])

    def objective(theta: np.ndarray, row: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        with np.errstate(divide="ignore"):
            value = -5 * np.log(theta[:, 0]) + theta[:, 0] / small[row]
            return value, -5 / theta + 1 / small[row, None]

    found = minimise(objective, np.full((3, 1), 0.8), np.zeros(1), np.ones(1))
    assert found.converged.all()
    np.testing.assert_allclose(found.theta[:, 0], 5 * small, rtol=1e-3)


def test_regions_without_a_value_are_avoided_and_starts_there_are_refused() -> None:
    def objective(theta: np.ndarray, row: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        distance = theta - 0.5
        value = np.where(theta[:, 0] > 1.2, np.nan, (distance**2).sum(-1))
        return value, np.where(theta[:, :1] > 1.0, np.inf, 2 * distance)

    start = np.array([[-2.0, 1.9], [0.9, -2.0], [1.5, 0.0], [1.1, 0.0]])
    found = minimise(objective, start, LOW, HIGH)
    assert found.converged.tolist() == [True, True, False, False]
    np.testing.assert_allclose(found.theta[:2], 0.5, atol=1e-5)
    assert np.isnan(found.theta[2:]).all() and np.isnan(found.value[2:]).all()
    assert all("not a finite number at the start" in reason for reason in found.reason[2:])


def test_finished_rows_cost_nothing_more() -> None:
    objective, calls, done = regressions(40, 3, seed=4), [], []

    def watched(theta: np.ndarray, row: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        calls.append(set(row.tolist()))
        assert len(calls[-1]) == len(row)
        return objective(theta, row)

    start = np.random.default_rng(5).uniform(-1, 1, (40, 3))
    found = minimise(watched, start, np.full(3, -1.0), np.ones(3), finished=done.append)
    assert all(later <= earlier for earlier, later in itertools.pairwise(calls))
    needed = np.array([sum(row in call for call in calls) for row in range(40)])
    assert (needed > found.iterations).all()
    assert sum(map(len, calls)) < 0.7 * 40 * len(calls)
    assert sum(done) == 40


def test_a_row_that_starts_at_its_minimum_is_done_at_once() -> None:
    calls = []

    def objective(theta: np.ndarray, row: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        calls.append(len(row))
        return (theta + 3).sum(-1), np.ones_like(theta)

    found = minimise(objective, np.array([[-2.0, -2.0]]), LOW, HIGH)
    assert found.converged.all() and found.value[0] == 2 and calls == [1]


def test_who_takes_too_long_or_is_stuck_says_so() -> None:
    slow = minimise(rosenbrock(np.ones((1, 2))), np.array([[-1.2, 1.0]]), LOW, HIGH, max_evaluations=5)
    assert not slow.converged[0] and slow.reason[0] == "still improving after 5 evaluations"

    def wrong(theta: np.ndarray, row: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return (theta**2).sum(-1), -2 * theta

    lost = minimise(wrong, np.array([[0.5, 0.5]]), LOW, HIGH)
    assert not lost.converged[0] and "no step lowers the value" in lost.reason[0]
    np.testing.assert_array_equal(lost.theta, [[0.5, 0.5]])


def test_wrong_calls_say_what_is_wrong() -> None:
    objective = rosenbrock(np.ones((1, 2)))
    with pytest.raises(UsageError, match="start 0 is outside the bounds"):
        minimise(objective, np.array([[5.0, 0.0]]), LOW, HIGH)
    with pytest.raises(UsageError, match="must be finite and below"):
        minimise(objective, np.zeros((1, 2)), LOW, LOW)
    with pytest.raises(UsageError, match=r"must be \(rows, parameters\)"):
        minimise(objective, np.zeros((1, 3)), LOW, HIGH)


@pytest.mark.parametrize("least_gain", [0.0, 1e-3])
def test_a_curvature_that_is_told_saves_steps_and_ends_where_searches_end(least_gain) -> None:
    """Rows of logistic regressions, whose curvature is known; few steps are enough where it is believed."""
    rng = np.random.default_rng(3)
    x, n_rows = rng.normal(size=(20, 60, 3)) * [1.0, 5.0, 0.2], 20
    sign = np.where(rng.random((n_rows, 60)) < 0.6, 1, -1)
    evaluated = {False: 0, True: 0}

    def objective(theta: np.ndarray, row: np.ndarray, *, tells: bool) -> tuple[np.ndarray | None, ...]:
        evaluated[tells] += len(row)
        margin = sign[row] * np.einsum("rtp,rp->rt", x[row], theta)
        wrong = 1 / (1 + np.exp(margin))
        bend = np.einsum("rt,rti,rtj->rij", wrong * (1 - wrong), x[row], x[row])
        slope = -np.einsum("rt,rtp->rp", sign[row] * wrong, x[row])
        return np.logaddexp(0, -margin).sum(-1), slope, bend if tells else None

    start, low, high = np.full((n_rows, 3), 0.9), np.full(3, -1.0), np.full(3, 1.0)
    told, learned = (
        minimise(partial(objective, tells=tells), start, low, high, least_gain=least_gain)
        for tells in (True, False)
    )
    np.testing.assert_allclose(told.value, learned.value, atol=1e-6 if not least_gain else 2e-3)
    assert told.converged.all()
    assert evaluated[True] < evaluated[False] / (2 if least_gain else 1)
