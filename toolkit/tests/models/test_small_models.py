"""Analytic cases, golden values and recovery of the two models without learning."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize

from toolkit.models import Model, get_model
from toolkit.trials import Trials


def bandit(n_participants: int, n_trials: int, rng: np.random.Generator, chances=(0.75, 0.25)) -> Trials:
    table = pd.DataFrame(
        {
            "participant": np.repeat(np.arange(n_participants), n_trials),
            "context": rng.integers(0, 2, n_participants * n_trials),
            "choice": -1,
        }
    )
    for option, chance in enumerate(chances):
        table[f"outcome_{option}"] = np.nan
        table[f"payoff_{option}"] = (rng.random(len(table)) < chance).astype(float)
    return Trials.from_table(table, "bandit")


def test_random_responder_is_the_binomial() -> None:
    trials = Trials.from_table(pd.DataFrame({"participant": 0, "choice": [0, 0, 1, None]}), "free")
    model = get_model("random")
    total = model.log_likelihood(model.theta(bias=0.3), trials).sum()
    assert total == pytest.approx(2 * np.log(0.3) + np.log(0.7))


def test_random_responder_spreads_the_rest_over_the_other_options() -> None:
    trials = Trials.from_table(pd.DataFrame({"participant": 0, "choice": [0, 1]}), "free", n_options=4)
    p = get_model("random").predict(np.array([[0.4]]), trials)
    np.testing.assert_allclose(p[0, 0], [0.4, 0.2, 0.2, 0.2])


def test_win_stay_lose_shift_by_hand() -> None:
    """Contexts are separate bandits, a missed trial is skipped, a forced one is learned from but not scored."""
    table = pd.DataFrame(
        {
            "participant": 0,
            "context": [0, 1, 0, 0, 0, 1],
            "choice": [0, 1, 0, -1, 1, 1],
            "outcome_0": [1.0, None, 0.0, None, None, None],
            "outcome_1": [None, -1.0, None, None, 1.0, -1.0],
            "forced": [1, 0, 0, 0, 0, 0],
        }
    )
    model = get_model("win_stay_lose_shift")
    log_p = model.log_likelihood(model.theta(stay=0.9, shift=0.7), Trials.from_table(table, "bandit"))
    np.testing.assert_allclose(np.exp(log_p[0]), [1, 0.5, 0.9, 1, 0.7, 0.3])


def test_win_stay_lose_shift_in_category_learning() -> None:
    table = pd.DataFrame(
        {"participant": 0, "stimulus_0": 0.0, "category": [0, 0, None, 1], "choice": [0, 1, 1, 1]}
    )
    model = get_model("win_stay_lose_shift")
    trials = Trials.from_table(table, "category_learning")
    log_p = model.log_likelihood(model.theta(stay=0.9, shift=0.7), trials)
    np.testing.assert_allclose(np.exp(log_p[0]), [0.5, 0.1, 0.3, 0.5])


def test_what_is_expected_of_win_stay_lose_shift_is_the_mean_of_many() -> None:
    """Summed exactly over its own choices, as simulated learners say; a trial that is not told ends what is known."""
    rng = np.random.default_rng(3)
    category = rng.integers(0, 2, 12)
    category[7] = -1
    table = pd.DataFrame({"stimulus_0": 0.0, "category": category, "choice": -1})
    tables = [table.assign(participant=number) for number in range(200)]
    design = Trials.from_table(pd.concat(tables), "category_learning")
    model = get_model("win_stay_lose_shift")
    theta = model.theta(200, stay=0.9, shift=0.6)
    p = model.marginal(theta, design, rng)
    np.testing.assert_allclose(p.sum(-1), 1)
    np.testing.assert_allclose(p[0, [0, 8]], 0.5)
    right, told = p[0, 0, category[0]], category[0]
    assert p[0, 1, told] == pytest.approx(0.9 * right + 0.6 * (1 - right))
    simulated = Model.marginal(model, theta, design, rng, n_learners=4)
    np.testing.assert_allclose(p[0], simulated.mean(0), atol=0.05)


def test_golden_values(checkout) -> None:
    golden = json.loads((checkout / "toolkit/tests/golden/small_models.json").read_text())
    rng = np.random.default_rng(20261125)
    design = bandit(3, 40, rng)
    model = get_model("win_stay_lose_shift")
    trials = model.simulate(model.theta(3, stay=[0.9, 0.7, 0.5], shift=[0.8, 0.6, 0.5]), design, rng)
    assert trials.choice[0].tolist() == golden["choices_of_first"]
    for name, values in {"win_stay_lose_shift": {"stay": 0.8, "shift": 0.6}, "random": {"bias": 0.4}}.items():
        log_p = get_model(name).log_likelihood(get_model(name).theta(3, **values), trials)
        np.testing.assert_allclose(log_p.sum(1), golden[name], rtol=1e-12)


def test_parameters_are_recovered() -> None:
    rng = np.random.default_rng(4)
    model = get_model("win_stay_lose_shift")
    true = rng.uniform(0.2, 0.95, (12, 2))
    trials = model.simulate(true, bandit(12, 600, rng), rng)

    def loss(flat: np.ndarray) -> float:
        return -model.log_likelihood(flat.reshape(12, 2), trials).sum()

    found = minimize(loss, np.full(24, 0.5), bounds=[(0.01, 0.99)] * 24, method="L-BFGS-B").x.reshape(12, 2)
    assert np.abs(found - true).max() < 0.1
    assert np.corrcoef(found.ravel(), true.ravel())[0, 1] > 0.97


def test_simulated_choices_follow_the_probabilities() -> None:
    rng = np.random.default_rng(5)
    model = get_model("random")
    trials = model.simulate(model.theta(50, bias=0.3), bandit(50, 200, rng), rng)
    assert (trials.choice == 0).mean() == pytest.approx(0.3, abs=0.02)


def test_simulation_reveals_only_what_was_chosen_and_keeps_forced_choices() -> None:
    rng = np.random.default_rng(6)
    design = bandit(4, 30, rng)
    forced = rng.random(design.mask.shape) < 0.5
    design = design.updated(forced=forced, choice=np.where(forced, 1, -1))
    trials = get_model("random").simulate(np.full((4, 1), 0.8), design, rng)
    assert (trials.choice[forced] == 1).all()
    assert not trials.missed.any()
    chosen = np.arange(2) == trials.choice[..., None]
    assert np.isnan(trials.outcome[~chosen]).all()
    np.testing.assert_array_equal(trials.outcome[chosen], trials.payoff[chosen])
    both = get_model("random").simulate(
        np.full((4, 1), 0.8), design.updated(full_feedback=np.ones_like(forced)), rng
    )
    np.testing.assert_array_equal(both.outcome, both.payoff)
