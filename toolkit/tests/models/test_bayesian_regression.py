"""Online Bayesian regression: trials by hand, matrices, the fit to all trials at once, and what it can learn."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest

from toolkit.models import get_model
from toolkit.tests.models.learners import (
    CUBE,
    check_batched,
    check_gradients,
    draw_theta,
    learned,
    random_problems,
    right_by_problem,
    shepard_trials,
)
from toolkit.trials import Trials

NAME = "bayesian_logistic_regression"


def sigmoid(log_odds: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-log_odds))


class Regression:
    """One category against the rest, in matrices; precisions add up, which is another form of the update."""

    def __init__(self, deviation: float, n_features: int, drift: float = 0.0) -> None:
        self.mean = np.zeros(n_features + 1)
        self.covariance = deviation**2 * np.eye(n_features + 1)
        self.drift = drift

    def respond(self, shown: np.ndarray) -> float:
        x = np.array([1, *(shown - 0.5)])
        return sigmoid(self.mean @ x / np.sqrt(1 + np.pi * x @ self.covariance @ x / 8))

    def learn(self, shown: np.ndarray, happened: float | None) -> None:
        x = np.array([1, *(shown - 0.5)])
        if happened is not None:
            q = sigmoid(self.mean @ x)
            precision = np.linalg.inv(self.covariance) + q * (1 - q) * np.outer(x, x)
            self.covariance = np.linalg.inv(precision)
            self.mean = self.mean + self.covariance @ x * (happened - q)
        self.covariance = self.covariance + self.drift**2 * np.eye(len(x))


def predicted(theta, stimulus, category, n_options: int = 2) -> tuple[np.ndarray, list[Regression]]:
    deviation, scaling, lapse, drift = 10 ** theta[0], *theta[1:], *[0.0] * (4 - len(theta))
    regressions = [Regression(deviation, stimulus.shape[1], drift) for _ in range(n_options)]
    p = []
    for shown, told in zip(stimulus, category, strict=True):
        scaled = np.array([one.respond(shown) for one in regressions]) ** scaling
        p.append((1 - lapse) * scaled / scaled.sum() + lapse / n_options)
        for k, one in enumerate(regressions):
            one.learn(shown, float(k == told) if told >= 0 else None)
    return np.array(p), regressions


def test_two_trials_by_hand() -> None:
    """One feature: of the first category without it, and the same stimulus again."""
    p = learned(get_model(NAME), (np.log10(2.0), 1.5, 0.1), np.array([[0.0], [0.0]]), [0, -1])
    np.testing.assert_allclose(p[0], 0.5)
    # x is (1, -1/2) and the variance of both weights 4, so v is 5; the curvature at 0 is 1/4.
    log_odds = 5 * 0.5 / (1 + 5 / 4)
    left = 5 - 5 * 5 / 4 / (1 + 5 / 4)
    chance = sigmoid(1.5 * log_odds / np.sqrt(1 + np.pi * left / 8))
    np.testing.assert_allclose(p[1, 0], 0.9 * chance + 0.05)


@pytest.mark.parametrize("n_options", [2, 3])
@pytest.mark.parametrize("drifting", [False, True])
def test_it_equals_a_regression_in_matrices(n_options: int, drifting: bool) -> None:
    """For two categories one regression is enough, as the second one mirrors the first."""
    model = get_model(NAME, drifting=drifting)
    trials = random_problems(20, 60, 1, n_categories=n_options, continuous=True)
    theta = draw_theta(model, (20,), 2)
    theta[:, 0] = theta[:, 0].clip(max=1)  # Inverses of matrices lose digits with wider priors.
    for row in range(20):
        shown, told = trials.stimulus[row], trials.category[row]
        expected, _ = predicted(theta[row], shown, told, n_options)
        found = learned(model, theta[row], shown, told, None, n_options)
        np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-9)


def linear_trials(seed: int, n_trials: int, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    shown = rng.random((n_trials, len(weights) - 1))
    first = rng.random(n_trials) < sigmoid(weights[0] + (shown - 0.5) @ weights[1:])
    return shown, 1 - first.astype(int)


def laplace(shown: np.ndarray, told: np.ndarray, deviation: float) -> tuple[np.ndarray, np.ndarray]:
    """Most probable weights given all trials at once, and their standard deviations."""
    x = np.column_stack([np.ones(len(shown)), shown - 0.5])
    weights = np.zeros(x.shape[1])
    for _ in range(50):
        q = sigmoid(x @ weights)
        precision = (x.T * (q * (1 - q))) @ x + np.eye(len(weights)) / deviation**2
        weights = weights + np.linalg.solve(precision, x.T @ (1 - told - q) - weights / deviation**2)
    return weights, np.sqrt(np.diag(np.linalg.inv(precision)))


def test_200_linear_trials_lead_to_the_weights_of_a_fit_to_all_of_them() -> None:
    """Online and all at once: weights within a standard deviation, predictions within .03."""
    apart, differences = [], []
    for seed in range(10):
        weights = np.random.default_rng(seed).normal(0, 1.5, 4)
        shown, told = linear_trials(seed, 200, weights)
        batch, deviation = laplace(shown, told, 2.0)
        _, (online, _) = predicted((np.log10(2.0), 1.0, 0.0), shown, told)
        apart.append(np.abs(online.mean - batch) / deviation)
        new = np.vstack([shown, CUBE])
        p = learned(get_model(NAME), (np.log10(2.0), 1.0, 0.0), new, [*told, *[-1] * 8])[200:, 0]
        differences.append(np.abs(p - sigmoid(batch[0] + (CUBE - 0.5) @ batch[1:])))
    assert np.mean(apart) < 0.2 and np.max(apart) < 1
    assert np.max(differences) < 0.03


def test_mackays_correction_is_near_the_mean_over_all_weights() -> None:
    """The predicted probability against a mean over many weights drawn from what is believed."""
    shown, told = linear_trials(3, 12, np.array([0.5, 2, -1, 1]))
    _, (belief, _) = predicted((0.3, 1.0, 0.0), shown, told)
    weights = np.random.default_rng(4).multivariate_normal(belief.mean, belief.covariance, 200_000)
    found = learned(get_model(NAME), (0.3, 1.0, 0.0), np.vstack([shown, CUBE]), [*told, *[-1] * 8])[12:, 0]
    mean = sigmoid(weights @ np.column_stack([np.ones(8), CUBE - 0.5]).T).mean(0)
    np.testing.assert_allclose(found, mean, atol=0.015)


def test_a_narrow_prior_learns_slowly_and_exclusive_or_is_not_learned() -> None:
    trials = shepard_trials(10, 8, 5)
    wide, narrow = (
        right_by_problem(get_model(NAME), trials, log10_prior_deviation=d, response_scaling=1, lapse=0)
        for d in (0.5, -1.0)
    )
    assert wide["I"] > wide["IV"] > wide["III"] > wide["VI"]
    assert wide["I"] > 0.8 and narrow["I"] < 0.6
    assert wide["II"] < 0.55 and wide["VI"] < 0.55


def test_drift_follows_a_reversal() -> None:
    order = np.random.default_rng(6).integers(0, 8, 120)
    told = np.where(np.arange(120) < 60, CUBE[order, 0], 1 - CUBE[order, 0]).astype(int)
    stable = learned(get_model(NAME), (0.5, 1, 0), CUBE[order], told)
    drifting = learned(get_model(NAME, drifting=True), (0.5, 1, 0, 0.5), CUBE[order], told)
    still = learned(get_model(NAME, drifting=True), (0.5, 1, 0, 0), CUBE[order], told)
    right = [p[np.arange(80, 120), told[80:]].mean() for p in (stable, drifting)]
    assert right[1] > right[0] + 0.2
    np.testing.assert_array_equal(still, stable)
    assert [one.name for one in get_model(NAME, drifting=True).parameters][-1] == "drift"
    assert "drift" not in [one.name for one in get_model(NAME).parameters]


@pytest.mark.parametrize(("n_categories", "drifting"), [(2, True), (3, False)])
def test_batched_equals_one_by_one(n_categories: int, drifting: bool) -> None:
    trials = random_problems(6, 60, 7, n_categories=n_categories)
    check_batched(get_model(NAME, drifting=drifting), trials, 8)


def test_gradients_equal_differences() -> None:
    model = get_model(NAME)
    theta = draw_theta(model, (3, 6), 10)
    check_gradients(model, random_problems(6, 60, 9), theta)
    check_gradients(model, random_problems(6, 60, 9, n_categories=3), theta)


def ten_features(n_participants: int, n_trials: int, seed: int) -> Trials:
    rng = np.random.default_rng(seed)
    shown = rng.integers(0, 2, (n_participants * n_trials, 10))
    columns = {f"stimulus_{i}": shown[:, i] for i in range(10)}
    codes = rng.integers(0, 2, (2, len(shown)))
    table = pd.DataFrame({"participant": np.repeat(np.arange(n_participants), n_trials), **columns})
    return Trials.from_table(table.assign(category=codes[0], choice=codes[1]), "category_learning")


def test_long_sequences_stay_finite_on_the_bounds() -> None:
    """Contradictory labels of ten features keep pushing weights about that were very uncertain."""
    model = get_model(NAME, drifting=True)
    bounds = [(parameter.lower, parameter.upper) for parameter in model.parameters]
    theta = np.array(list(itertools.product(*bounds)))
    for trials in (random_problems(16, 700, 11), ten_features(16, 300, 12)):
        total, gradient = model.log_likelihood_and_gradient(theta, trials)
        assert np.isfinite(total).all() and np.isfinite(gradient).all()
        np.testing.assert_allclose(model.predict(theta, trials).sum(-1), 1)


def test_simulated_choices_follow_the_probabilities() -> None:
    trials = shepard_trials(30, 6, 13)
    model = get_model(NAME)
    theta = draw_theta(model, (30,), 14)
    chosen = model.simulate(theta, trials, np.random.default_rng(15)).choice == 1
    p = model.predict(theta, trials)[..., 1]
    assert chosen.mean() == pytest.approx(p.mean(), abs=4 * np.sqrt((p * (1 - p)).sum()) / p.size)
    assert not model.reads_choices
