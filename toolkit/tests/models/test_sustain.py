"""SUSTAIN: trials worked out by hand, the equations of the article, and what it is known for."""

from __future__ import annotations

import itertools
from collections import Counter

import numpy as np
import pytest

from toolkit.models import get_model
from toolkit.tests.models.learners import (
    CUBE,
    SHEPARD,
    check_batched,
    check_gradients,
    draw_theta,
    learned,
    random_problems,
    right_by_problem,
    shepard_trials,
)
from toolkit.trials import Trials

PUBLISHED = {
    "attentional_focus": 9.01245,
    "competition": 1.252233,
    "learning_rate": 0.092327,
    "determinism": 16.924073,
}
"""Estimates of Love et al. (2004) for the learning curves of Nosofsky et al. (1994)."""


def equations(
    theta: np.ndarray, stimulus: np.ndarray, category: np.ndarray, n_options: int
) -> tuple[np.ndarray, int]:
    """Equations 4 to 14 with a unit for each of a feature's two values; and the number of clusters."""
    focus, competition, rate, determinism = theta
    clusters, weight, p = [], [], []
    tuning = np.ones(stimulus.shape[1])

    def respond(shown: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        distance = 0.5 * np.abs(np.array(clusters) - shown).sum(-1)
        attention = tuning**focus
        return distance, (attention * np.exp(-tuning * distance)).sum(-1) / attention.sum()

    def output_of(winner: int, activation: np.ndarray) -> float:
        return activation[winner] ** (1 + competition) / (activation**competition).sum()

    for shown, told in zip(np.stack([stimulus, 1 - stimulus], -1), category, strict=True):
        answer = np.zeros(n_options)
        if clusters:
            distance, activation = respond(shown)
            winner = int((activation >= activation.max() * (1 - 1e-12)).argmax())  # The first of equals.
            answer = output_of(winner, activation) * weight[winner]
        p.append(np.exp(determinism * answer) / np.exp(determinism * answer).sum())
        if told < 0:
            continue
        if answer[told] <= np.delete(answer, told).max():
            clusters.append(shown.copy())
            weight.append(np.zeros(n_options))
            distance, activation = respond(shown)
            winner = len(clusters) - 1
        output = output_of(winner, activation)
        answer = output * weight[winner]
        right = np.arange(n_options) == told
        teacher = np.where(right, np.maximum(answer, 1), np.minimum(answer, 0))
        weight[winner] = weight[winner] + rate * (teacher - answer) * output
        clusters[winner] = clusters[winner] + rate * (shown - clusters[winner])
        moved = tuning * distance[winner]
        tuning = tuning + rate * np.exp(-moved) * (1 - moved)
    return np.array(p), len(clusters)


def test_three_trials_by_hand() -> None:
    """A stimulus, then another of the other category that differs in one of two features, then the first."""
    focus, competition, rate, determinism = 2.0, 1.5, 0.2, 4.0
    theta = (focus, competition, rate, determinism)
    p = learned(get_model("sustain"), theta, np.array([[0.0, 0], [1, 0], [0, 0]]), [0, 1, 0])
    np.testing.assert_allclose(p[0], [0.5, 0.5])
    # The first cluster was alone, so its output was 1; nothing differed from it, so both tunings grew alike.
    weight, tuning = rate, 1 + rate
    half = (1 + np.exp(-tuning)) / 2
    np.testing.assert_allclose(p[1, 0], 1 / (1 + np.exp(-determinism * half * weight)))
    # A second cluster was recruited on the spot; the first one, half as active, took a part of its output.
    # On the third trial the first stands where the stimulus is, and the second is one feature away.
    tuning += rate
    half = (1 + np.exp(-tuning)) / 2
    output = 1 / (1 + half**competition)
    np.testing.assert_allclose(p[2, 0], 1 / (1 + np.exp(-determinism * output * weight)))


@pytest.mark.parametrize(("n_options", "continuous"), [(2, False), (3, False), (2, True)])
def test_it_follows_the_equations(n_options: int, continuous: bool) -> None:
    model = get_model("sustain")
    trials = random_problems(25, 80, 1, n_categories=n_options, continuous=continuous)
    for row, theta in enumerate(draw_theta(model, (25,), 2)):
        shown, told = trials.stimulus[row], trials.category[row]
        expected, _ = equations(theta, shown, told, n_options)
        p = learned(model, theta, shown, told, n_options=n_options)
        np.testing.assert_allclose(p, expected, rtol=1e-7, atol=1e-10)


def test_shepards_problems_are_ordered_as_for_people() -> None:
    """One feature before exclusive-or before the three with exceptions before parity, as the article shows."""
    right = right_by_problem(get_model("sustain"), shepard_trials(25, 16, 3), **PUBLISHED)
    easier_than_exceptions = right["II"] - right[["III", "IV", "V"]]
    assert right["I"] > right["II"] + 0.05
    assert (easier_than_exceptions > 0.02).all()
    assert right[["III", "IV", "V"]].min() > right["VI"] + 0.05


@pytest.mark.parametrize(("problem", "n_clusters"), [("I", 2), ("II", 4), ("VI", 8)])
def test_clusters_are_as_many_as_the_article_says(problem: str, n_clusters: int) -> None:
    rng = np.random.default_rng(4)
    found = []
    for _ in range(30):
        order = np.concatenate([rng.permutation(8) for _ in range(16)])
        category = SHEPARD[problem][order].astype(int)
        p, number = equations(np.array(list(PUBLISHED.values())), CUBE[order], category, 2)
        np.testing.assert_allclose(
            learned(get_model("sustain"), list(PUBLISHED.values()), CUBE[order], category), p, atol=1e-9
        )
        found.append(number)
    assert Counter(found).most_common(1)[0][0] == n_clusters


def test_without_feedback_nothing_is_learned() -> None:
    model = get_model("sustain")
    theta = list(PUBLISHED.values())
    shown, told = np.tile(CUBE, (3, 1)), np.tile(SHEPARD["II"].astype(int), 3)
    between = np.insert(told, 8, [-1] * 8)
    p = learned(model, theta, shown, told)
    others = learned(model, theta, np.insert(shown, 8, 1 - CUBE, 0), between)
    np.testing.assert_allclose(np.delete(others, np.s_[8:16], 0), p)
    np.testing.assert_array_equal(learned(model, theta, shown, [-1] * 24), 0.5)


@pytest.mark.parametrize("n_categories", [2, 3])
def test_batched_equals_one_by_one(n_categories: int) -> None:
    check_batched(get_model("sustain"), random_problems(6, 60, 5, n_categories=n_categories), 6)


def test_gradients_equal_differences() -> None:
    model = get_model("sustain")
    check_gradients(model, random_problems(8, 40, 7), draw_theta(model, (3, 8), 8), rtol=1e-4)


def test_long_sequences_stay_finite_on_the_bounds() -> None:
    trials = random_problems(16, 700, 9)
    model = get_model("sustain")
    bounds = [(parameter.lower, parameter.upper) for parameter in model.parameters]
    theta = np.array(list(itertools.product(*bounds)))
    total, gradient = model.log_likelihood_and_gradient(theta, trials)
    assert np.isfinite(total).all() and np.isfinite(gradient).all()
    np.testing.assert_allclose(model.predict(theta, trials).sum(-1), 1)


def test_simulated_choices_follow_the_probabilities() -> None:
    trials: Trials = shepard_trials(30, 6, 10)
    model = get_model("sustain")
    theta = model.theta(30, **PUBLISHED)
    chosen = model.simulate(theta, trials, np.random.default_rng(11)).choice == 1
    p = model.predict(theta, trials)[..., 1]
    assert chosen.mean() == pytest.approx(p.mean(), abs=4 * np.sqrt((p * (1 - p)).sum()) / p.size)
    assert not model.reads_choices
