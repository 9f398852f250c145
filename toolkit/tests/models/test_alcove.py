"""ALCOVE: trials worked out by hand, the formulas of the article, and what it is known for."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest

from toolkit.models import get_model
from toolkit.models.alcove import Alcove
from toolkit.trials import Trials

CUBE = np.array(list(itertools.product([0.0, 1.0], repeat=3)))
SHEPARD = {
    "I": CUBE[:, 0],
    "II": CUBE[:, 0] != CUBE[:, 1],
    "IV": CUBE.sum(1) > 1.5,
    "VI": CUBE.sum(1) % 2,
}


def learned(theta, stimulus: np.ndarray, category: np.ndarray, n_options: int = 2) -> np.ndarray:
    """(trials, options) from the plain function."""
    p = np.zeros((len(stimulus), n_options))
    Alcove.learn(*theta, stimulus, np.asarray(category, dtype=int), p)
    return p


def design(n_participants: int, n_blocks: int, seed: int, n_categories: int = 2) -> Trials:
    """Blocks of the eight stimuli in random order, categories assigned at random, some feedback missing."""
    rng = np.random.default_rng(seed)
    tables = []
    for participant in range(n_participants):
        order = np.concatenate([rng.permutation(8) for _ in range(n_blocks)])
        category = rng.integers(0, n_categories, 8)[order]
        columns = {f"stimulus_{i}": CUBE[order, i] for i in range(3)}
        told = rng.random(len(order)) < 0.9
        choice = rng.integers(0, n_categories, len(order))
        columns |= {"category": np.where(told, category, -1), "choice": choice}
        tables.append(pd.DataFrame({"participant": participant, **columns}))
    return Trials.from_table(pd.concat(tables), "category_learning", n_options=n_categories)


def test_three_trials_by_hand() -> None:
    """A first stimulus, then one that differs in one of two features, then the first again."""
    c, rate, attention_rate, phi = 2.0, 0.3, 0.4, 3.0
    p = learned((c, rate, attention_rate, phi), np.array([[0.0, 0], [1, 0], [0, 0]]), [0, 1, 0])
    np.testing.assert_allclose(p[0], [0.5, 0.5])
    # Weights of the first exemplar are now rate × (1, -1); the second is half the attention away.
    similar = np.exp(-c * 0.5)
    output = rate * similar
    np.testing.assert_allclose(p[1, 0], 1 / (1 + np.exp(-phi * 2 * output)))
    # Both outputs are wrong by 1 + output, so attention to the feature that differs grows.
    error = 1 + output
    attention = 0.5 + attention_rate * c * 2 * error * rate * similar
    weight = np.array([rate - rate * error * similar, -rate * error])
    outputs = weight[0] + weight[1] * np.exp(-c * attention)
    np.testing.assert_allclose(p[2, 0], 1 / (1 + np.exp(-phi * 2 * outputs)))


def formulas(theta, stimulus: np.ndarray, category: np.ndarray, n_options: int) -> np.ndarray:
    """Kruschke's equations in matrices, with nodes for the stimuli met so far."""
    c, rate, attention_rate, phi = theta
    nodes, attention = np.empty((0, stimulus.shape[1])), np.full(stimulus.shape[1], 1 / stimulus.shape[1])
    weight, p = np.empty((0, n_options)), []
    for shown, told in zip(stimulus, category, strict=True):
        if not (nodes == shown).all(1).any():
            nodes, weight = np.vstack([nodes, shown]), np.vstack([weight, np.zeros(n_options)])
        difference = np.abs(nodes - shown)
        activation = np.exp(-c * difference @ attention)
        output = activation @ weight
        p.append(np.exp(phi * output) / np.exp(phi * output).sum())
        if told >= 0:
            right = np.arange(n_options) == told
            error = np.where(right, np.maximum(1, output), np.minimum(-1, output)) - output
            slope = ((weight @ error) * activation) @ (c * difference)
            weight = weight + rate * np.outer(activation, error)
            attention = np.maximum(0, attention - attention_rate * slope)
    return np.array(p)


@pytest.mark.parametrize("n_options", [2, 3])
def test_it_follows_the_formulas(n_options: int) -> None:
    rng = np.random.default_rng(2)
    for _ in range(20):
        theta = rng.uniform([0.5, 0.02, 0.0, 0.5], [8.0, 0.3, 0.3, 5.0])
        order = rng.integers(0, 8, 60)
        category = np.where(rng.random(60) < 0.9, rng.integers(0, n_options, 8)[order], -1)
        expected = formulas(theta, CUBE[order], category, n_options)
        np.testing.assert_allclose(
            learned(theta, CUBE[order], category, n_options), expected, rtol=1e-9, atol=1e-12
        )


def mean_correct(trials: Trials, attention_rate: float) -> pd.Series:
    """Mean probability of the right category in every problem."""
    model = get_model("alcove")
    settings = {"sensitivity": 6.5, "association_rate": 0.03, "determinism": 2.0}
    theta = model.theta(len(trials.participants), attention_rate=attention_rate, **settings)
    p = np.take_along_axis(model.predict(theta, trials), trials.category[..., None], -1)[..., 0]
    return pd.Series(p.mean(1)).groupby(trials.sequences["problem"]).mean()


def test_attention_learning_orders_shepards_problems_as_people_do() -> None:
    """One feature before exclusive-or before the rest; without attention exclusive-or is not easy."""
    rng = np.random.default_rng(3)
    tables = []
    for participant, (problem, labels) in itertools.product(range(20), SHEPARD.items()):
        order = np.concatenate([rng.permutation(8) for _ in range(32)])
        columns = {f"stimulus_{i}": CUBE[order, i] for i in range(3)}
        columns |= {"category": labels[order].astype(int), "choice": -1, "problem": problem}
        tables.append(pd.DataFrame({"participant": participant, **columns}))
    trials = Trials.from_table(pd.concat(tables), "category_learning")
    with_attention, without = (mean_correct(trials, rate) for rate in (0.0033, 0.0))
    assert with_attention["I"] > with_attention["II"] + 0.03
    assert with_attention["II"] > with_attention["IV"] > with_attention["VI"]
    assert without["II"] < without["IV"]


def test_chance_before_and_without_learning() -> None:
    trials = design(2, 2, seed=4, n_categories=3)
    model = get_model("alcove")
    theta = model.theta(2, sensitivity=3, association_rate=0.2, attention_rate=0.1, determinism=4)
    np.testing.assert_allclose(model.predict(theta, trials)[:, 0], 1 / 3)
    theta = model.theta(2, sensitivity=3, association_rate=0, attention_rate=1, determinism=4)
    np.testing.assert_allclose(model.predict(theta, trials), 1 / 3)


def test_batched_equals_one_by_one() -> None:
    trials = design(4, 5, seed=5)
    model = get_model("alcove")
    theta = np.random.default_rng(6).uniform([0, 0, 0, 0], [10, 0.3, 0.3, 5], (3, 4, 4))
    p = model.predict(theta, trials)
    for start, participant in np.ndindex(3, 4):
        alone = learned(theta[start, participant], trials.stimulus[participant], trials.category[participant])
        np.testing.assert_allclose(p[start, participant], alone, rtol=1e-10, atol=1e-12)


def test_gradients_equal_differences() -> None:
    trials = design(5, 6, seed=7)
    model = get_model("alcove")
    theta = np.random.default_rng(8).uniform([0.5, 0.02, 0.0, 0.5], [8.0, 0.2, 0.2, 4.0], (2, 5, 4))
    _, gradient = model.log_likelihood_and_gradient(theta, trials)
    for number in range(4):
        step = np.eye(4)[number] * 1e-6
        higher, lower = (
            model.log_likelihood(moved, trials).sum(-1) for moved in (theta + step, theta - step)
        )
        np.testing.assert_allclose(gradient[..., number], (higher - lower) / 2e-6, rtol=1e-6, atol=1e-5)


def test_rates_that_make_learning_diverge_stay_numbers() -> None:
    trials = design(16, 80, seed=9)
    model = get_model("alcove")
    bounds = [(parameter.lower, parameter.upper) for parameter in model.parameters]
    theta = np.array(list(itertools.product(*bounds)))
    total, gradient = model.log_likelihood_and_gradient(theta, trials)
    assert np.isfinite(total).all() and np.isfinite(gradient).all()
    assert np.isfinite(model.predict(theta, trials)).all()


def test_simulation_takes_one_pass(monkeypatch) -> None:
    calls = []
    predict = Alcove.probabilities
    monkeypatch.setattr(Alcove, "probabilities", lambda *given: calls.append(1) or predict(*given))
    design_shown = design(200, 8, seed=10)
    model = get_model("alcove")
    theta = model.theta(200, sensitivity=6.5, association_rate=0.1, attention_rate=0.05, determinism=2)
    trials = model.simulate(theta, design_shown, np.random.default_rng(11))
    assert len(calls) == 1
    second = model.predict(theta, trials)[..., 1]
    assert (trials.choice == 1).mean() == pytest.approx(second.mean(), abs=0.02)
