"""Pearce–Hall, Kalman and ideal learners: trials by hand, formulas, and what sets them apart."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.stats import beta

from toolkit.errors import UsageError
from toolkit.experiments.bandits import get_task
from toolkit.fitting import fit
from toolkit.models import get_model, get_model_for
from toolkit.models.ideal_bandit import probability_of_being_best
from toolkit.trials import Trials, get_schema


def single_option_history(outcomes: list[float], **arrays) -> Trials:
    """Option 0 is always chosen and pays ``outcomes``; nothing is seen of option 1."""
    import pandas as pd

    outcome = np.stack([outcomes, np.full(len(outcomes), np.nan)], -1)[None]
    zeros = np.zeros((1, len(outcomes)), int)
    given = {"context": zeros, "choice": zeros, "outcome": outcome, **arrays}
    people = pd.DataFrame({"participant": [0], "problem": 0, "condition": "c"})
    return Trials(get_schema("bandit"), given, zeros == 0, people, n_options=2)


def values_seen(name: str, outcomes: list[float], steepness: float = 2.0, **parameters) -> np.ndarray:
    """Value of option 0 before every trial, from the log odds, where option 1 stays at 0."""
    model = get_model(name)
    theta = model.theta(1, inverse_temperature=steepness, **parameters)
    p = model.predict(theta, single_option_history([*outcomes, 0.0]))[0]
    return np.log(p[:, 0] / p[:, 1]) / steepness


def test_pearce_hall_by_hand() -> None:
    found = values_seen("pearce_hall", [1.0, -1.0], learning_rate=0.4, associability_rate=0.5)
    associability = 1 + 0.5 * (1 / 2 - 1)
    second = 0.4
    third = second + 0.4 * associability * (-1 - second)
    np.testing.assert_allclose(found, [0, second, third], atol=1e-12)


def test_pearce_hall_without_associability_is_rescorla_wagner() -> None:
    trials = simulated(4)
    plain = get_model("rescorla_wagner")
    model = get_model("pearce_hall")
    same = {"inverse_temperature": 3.0, "learning_rate": 0.3}
    np.testing.assert_allclose(
        model.predict(model.theta(4, associability_rate=0, **same), trials),
        plain.predict(plain.theta(4, **same), trials),
        atol=1e-12,
    )


def test_kalman_is_the_regression_on_all_outcomes_where_nothing_drifts() -> None:
    """Posterior mean of a normal with prior variance 1 and noise 2."""
    outcomes = [1.0, 0.5, -1.0, 1.0]
    found = values_seen("kalman", outcomes, noise=2.0, drift=0.0)
    expected = [sum(outcomes[:n]) / (n + 2) for n in range(5)]
    np.testing.assert_allclose(found, expected, atol=1e-12)


def test_kalman_with_drift_learns_at_a_constant_rate_in_the_end() -> None:
    outcomes = [1.0, -1.0] * 60
    found = values_seen("kalman", outcomes, noise=2.0, drift=0.3)
    rate = (found[-1] - found[-2]) / (outcomes[-1] - found[-2])
    # The variance before an outcome solves v² = d v + d n.
    variance = (0.3 + np.sqrt(0.3**2 + 4 * 0.3 * 2)) / 2
    assert rate == pytest.approx(variance / (variance + 2), abs=1e-6)


def simulated(n_participants: int, seed: int = 0, name: str = "full") -> Trials:
    design = get_task(name).draw(n_participants, rng=np.random.default_rng(seed), n_sessions=1)
    model = get_model_for("rescorla_wagner", design)
    theta = model.theta(n_participants, inverse_temperature=4, learning_rate=0.3)
    return model.simulate(theta, design, np.random.default_rng(seed + 1))


def test_ideal_learner_counts_what_it_sees_in_every_casino() -> None:
    trials = simulated(3, name="partial")
    model = get_model_for("ideal_bandit", trials)
    assert model.payoffs == (0, 0.5)
    p = model.predict(model.theta(3, inverse_temperature=7), trials)
    for s, t in ((0, 0), (0, 40), (1, 95), (2, 60)):
        past = (trials.context[s] == trials.context[s, t]) & (np.arange(96) < t)
        wins = (trials.outcome[s, past] == 0.5).sum(0)
        losses = (trials.outcome[s, past] == 0).sum(0)
        drive = np.exp(7 * 0.5 * (wins + 1) / (wins + losses + 2))
        np.testing.assert_allclose(p[s, t], drive / drive.sum(), atol=1e-12)


@pytest.mark.parametrize("n_options", [2, 3])
def test_probability_of_being_best(n_options: int) -> None:
    rng = np.random.default_rng(0)
    first, second = rng.integers(1, 30, (2, 5, n_options)).astype(float)
    found = probability_of_being_best(torch.as_tensor(first), torch.as_tensor(second)).numpy()
    draws = beta.rvs(first, second, size=(200_000, 5, n_options), random_state=rng)
    expected = np.stack([(draws.argmax(-1) == k).mean(0) for k in range(n_options)], -1)
    np.testing.assert_allclose(found, expected, atol=0.005)


def test_thompson_of_two_arms_in_closed_form() -> None:
    """After one win of option 0: P(x > y) for x from Beta(2, 1) and y uniform is 2/3."""
    model = get_model("thompson_bandit")
    p = model.predict(model.theta(1, lapse=0.1), single_option_history([1.0, 0.0]))[0]
    np.testing.assert_allclose(p, [[0.5, 0.5], [0.9 * 2 / 3 + 0.05, 0.9 / 3 + 0.05]], atol=1e-9)


def test_the_ideal_learner_earns_more_than_the_others() -> None:
    task = get_task("full")
    design = task.draw(60, rng=np.random.default_rng(3), n_sessions=1, chances="uniform")
    settings = {
        "ideal_bandit": {"inverse_temperature": 20},
        "thompson_bandit": {"lapse": 0},
        "rescorla_wagner": {"inverse_temperature": 3, "learning_rate": 0.5},
    }
    lost = {}
    for name, values in settings.items():
        model = get_model_for(name, design)
        trials = model.simulate(model.theta(60, **values), design, np.random.default_rng(4))
        lost[name] = np.nanmean(task.regret(trials))
    assert lost["ideal_bandit"] < lost["thompson_bandit"] < lost["rescorla_wagner"]


@pytest.mark.parametrize("name", ["ideal_bandit", "thompson_bandit"])
def test_they_are_fitted_like_any_other(name: str) -> None:
    found = fit(name, simulated(3), method="map", n_starts=3, progress=False)
    assert found.table["converged"].all() and (found.table["log_likelihood"] > -110).all()


def test_an_unknown_way_to_choose_says_so() -> None:
    with pytest.raises(UsageError, match="cannot choose by 'thomson'. Did you mean 'thompson'"):
        get_model("ideal_bandit", choice="thomson")
