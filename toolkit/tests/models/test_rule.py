"""Fixed rules: what they answer, and that the best lapse is the one in closed form."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize_scalar

from toolkit.errors import UsageError
from toolkit.models import get_model, get_model_for
from toolkit.models.rule import Rule
from toolkit.trials import Trials

CUBE = np.array(list(itertools.product([0.0, 1.0], repeat=3)))


def trials_with(stimulus: np.ndarray, choice: np.ndarray, n_options: int = 0) -> Trials:
    table = pd.DataFrame(stimulus, columns=[f"stimulus_{i}" for i in range(stimulus.shape[1])])
    table = table.assign(participant=0, category=0, choice=choice)
    return Trials.from_table(table, "category_learning", n_options=n_options)


def answer_of(model: Rule, rule: str, stimulus: np.ndarray) -> np.ndarray:
    """The model's own answers by one of its rules, without lapses."""
    trials = trials_with(stimulus, np.zeros(len(stimulus), dtype=int), 2)
    return model.predict(model.theta(rule=model.rules.index(rule), lapse=0), trials)[0].argmax(-1)


def test_rules_are_what_they_are_called() -> None:
    model = get_model("rule", pairs=True)
    assert len(model.rules) == len(set(model.rules)) == 12 == len(model.parameters[0].values)
    assert len(get_model("rule").rules) == 6
    a, b, c = CUBE.T.astype(int)
    np.testing.assert_array_equal(answer_of(model, "with feature 2", CUBE), b)
    np.testing.assert_array_equal(answer_of(model, "without feature 3", CUBE), 1 - c)
    np.testing.assert_array_equal(answer_of(model, "features 1 and 3 differ", CUBE), a ^ c)
    np.testing.assert_array_equal(answer_of(model, "features 1 and 2 are alike", CUBE), 1 - (a ^ b))


@pytest.mark.parametrize(("name", "options"), [("rule", {"pairs": True}), ("rule_with_exceptions", {})])
def test_the_best_lapse_is_twice_the_share_of_mismatches(name: str, options: dict) -> None:
    rng = np.random.default_rng(0)
    for share_followed in (0.95, 0.8, 0.5, 0.2):
        stimulus = CUBE[rng.integers(0, 8, 200)]
        followed = rng.random(200) < share_followed
        choice = np.where(followed, stimulus[:, 1], 1 - stimulus[:, 1]).astype(int)
        trials = trials_with(stimulus, choice)
        model = get_model_for(name, trials, **options)
        for number in range(len(model.rules)):

            def loss(
                lapse: float, model: Rule = model, number: int = number, trials: Trials = trials
            ) -> float:
                return -model.log_likelihood_and_gradient(model.theta(rule=number, lapse=lapse), trials)[0][0]

            best = model.predict(model.theta(rule=number, lapse=0), trials)[0].argmax(-1)
            expected = min(1, 2 * (best != choice).mean())
            found = minimize_scalar(loss, bounds=(0, 1), method="bounded", options={"xatol": 1e-7})
            assert found.x == pytest.approx(expected, abs=1e-4)
            p = np.array([1 - expected / 2, expected / 2])[(best != choice).astype(int)]
            assert found.fun == pytest.approx(-np.log(p).sum(), abs=1e-4)


def test_the_fitter_finds_the_best_rule_and_its_lapse() -> None:
    from toolkit.fitting import fit

    rng = np.random.default_rng(1)
    stimulus = CUBE[rng.integers(0, 8, 300)]
    right = (stimulus[:, 0] != stimulus[:, 2]).astype(int)
    wrong = rng.random(300) < 0.15
    model = get_model("rule", pairs=True)
    found = fit(model, trials_with(stimulus, np.where(wrong, 1 - right, right)), progress=False).table.iloc[0]
    assert model.rules[int(found["rule"])] == "features 1 and 3 differ"
    assert found["lapse"] == pytest.approx(2 * wrong.mean(), abs=1e-4)
    expected = wrong.sum() * np.log(wrong.mean()) + (~wrong).sum() * np.log(1 - wrong.mean())
    assert found["log_likelihood"] == pytest.approx(expected, abs=1e-6)


def test_exceptions_are_the_other_way_round() -> None:
    plain, excepted = get_model("rule"), get_model("rule_with_exceptions", exceptions=[CUBE[3], CUBE[6]])
    for rule in plain.rules:
        changed = answer_of(plain, rule, CUBE) != answer_of(excepted, rule, CUBE)
        assert np.flatnonzero(changed).tolist() == [3, 6]
    none = get_model("rule_with_exceptions", exceptions=[])
    assert (answer_of(none, "with feature 1", CUBE) == CUBE[:, 0]).all()


def test_published_exceptions_are_the_default() -> None:
    six = get_model("rule_with_exceptions", n_features=6).exceptions
    assert {"".join(str(int(value)) for value in exception) for exception in six} == {"111101", "000100"}
    assert get_model("rule_with_exceptions").exceptions == ((0, 0, 0), (1, 1, 1))


def test_numbers_between_two_rules_mean_the_nearest_and_have_no_slope() -> None:
    trials = trials_with(CUBE, np.array([0, 1, 0, 1, 1, 0, 1, 0]))
    model = get_model("rule")
    theta = np.array([[2.3, 0.4]])
    np.testing.assert_array_equal(
        model.predict(theta, trials), model.predict(model.theta(rule=2, lapse=0.4), trials)
    )
    _, gradient = model.log_likelihood_and_gradient(theta, trials)
    assert gradient[0, 0] == 0 and gradient[0, 1] != 0


def test_what_cannot_be_says_so() -> None:
    three = trials_with(CUBE, np.arange(8) % 3)
    with pytest.raises(UsageError, match="rules are for two categories, not 3"):
        get_model("rule").predict(np.zeros((1, 2)), three)
    with pytest.raises(UsageError, match="the model has 2 features, the stimuli have 3"):
        get_model("rule", n_features=2).predict(
            np.zeros((1, 2)), trials_with(CUBE, np.zeros(8, dtype=int), 2)
        )
    with pytest.raises(UsageError, match="every exception needs 3 features"):
        get_model("rule_with_exceptions", exceptions=[[0, 1]])
