"""The prototype model: what it shares with the exemplar model, and prototypes of every origin."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from toolkit.errors import UsageError
from toolkit.models import get_model, get_model_for
from toolkit.models.prototype import Prototype
from toolkit.tests.strategies import random_trials
from toolkit.trials import Trials

every_option = [
    {"prototypes": prototypes, "shared_lapse": shared, "distance_power": power}
    for prototypes in ("averaged", "learned", ((0.1, 0.4), (0.9, 0.7)))
    for shared in (False, True)
    for power in (1, 2)
]


def draw_theta(model: Prototype, shape: tuple[int, ...], seed: int = 0) -> np.ndarray:
    bounds = np.array([(parameter.lower, parameter.upper) for parameter in model.parameters])
    bounds[: model.n_features, 1] = 5
    return np.random.default_rng(seed).uniform(*bounds.T, (*shape, len(bounds)))


def by_hand(model: Prototype, theta: np.ndarray, stimulus: np.ndarray, category: np.ndarray) -> np.ndarray:
    """(trials, 2) probabilities, trial by trial."""
    values = dict(zip([parameter.name for parameter in model.parameters], theta, strict=True))
    background = values.get("background", values["lapse"])
    p = []
    for t in range(len(stimulus)):
        strength = []
        for option in range(2):
            seen = stimulus[:t][category[:t] == option]
            if not len(seen):
                strength.append(background)
                continue
            if model.prototypes == "averaged":
                prototype = seen.mean(0)
            elif model.prototypes == "learned":
                prototype = [values[f"prototype_{option + 1}_{feature + 1}"] for feature in range(2)]
            else:
                prototype = model.prototypes[option]
            apart = theta[:2] * np.abs(stimulus[t] - prototype)
            strength.append(np.exp(-((apart**model.distance_power).sum() ** (1 / model.distance_power))))
        p.append((1 - values["lapse"]) * np.array(strength) / sum(strength) + values["lapse"] / 2)
    return np.array(p)


@pytest.mark.parametrize("options", every_option, ids=lambda options: "-".join(map(str, options.values())))
def test_probabilities_and_gradients_are_those_of_a_loop(options: dict) -> None:
    trials = random_trials("category_learning", (20, 14, 17, 9), n_problems=2, seed=1)
    model = get_model_for("prototype", trials, **options)
    theta = draw_theta(model, (2, 2))
    p = model.predict(theta, trials)
    for start in range(2):
        for row in range(4):
            n, own = trials.mask[row].sum(), theta[start, trials.participant_index[row]]
            expected = by_hand(model, own, trials.stimulus[row, :n], trials.category[row, :n])
            np.testing.assert_allclose(p[start, row, :n], expected, atol=1e-12)
    _, gradient = model.log_likelihood_and_gradient(theta, trials)
    for number in range(theta.shape[-1]):
        step = 1e-6 * np.eye(theta.shape[-1])[number]
        higher, lower = (model.log_likelihood_and_gradient(theta + way * step, trials)[0] for way in (1, -1))
        np.testing.assert_allclose(gradient[..., number], (higher - lower) / 2e-6, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("power", [1, 2])
def test_with_one_exemplar_a_category_it_is_the_exemplar_model(power: int) -> None:
    """Two stimuli that are told once each, then many that are not told."""
    rng = np.random.default_rng(2)
    stimulus = rng.random((30, 3))
    table = pd.DataFrame(stimulus, columns=[f"stimulus_{i}" for i in range(3)]).assign(
        participant=0, category=[0, 1, *[-1] * 28], choice=rng.integers(0, 2, 30)
    )
    trials = Trials.from_table(table, "category_learning")
    values = {"attention_1": 4, "attention_2": 1, "attention_3": 0.2, "lapse": 0.1, "background": 0.4}
    exemplars = get_model("gcm", distance_power=power)
    expected = exemplars.predict(exemplars.theta(**values), trials)
    given = {"prototypes": stimulus[:2], "distance_power": power}
    for model in (get_model("prototype", distance_power=power), get_model("prototype", **given)):
        np.testing.assert_allclose(model.predict(model.theta(**values), trials), expected, atol=1e-12)
    learned = get_model("prototype", prototypes="learned", distance_power=power)
    places = {f"prototype_{c + 1}_{f + 1}": stimulus[c, f] for c in range(2) for f in range(3)}
    p = learned.predict(learned.theta(**values, **places), trials)
    np.testing.assert_allclose(p, expected, atol=1e-12)


def test_parameters_are_as_many_as_published() -> None:
    """Earlier work counted 11 a condition with learned prototypes of three features, 8 with given ones of six."""
    assert len(get_model("prototype", prototypes="learned").parameters) == 11
    assert len(get_model("prototype", n_features=6, prototypes=np.eye(6)[:2]).parameters) == 8
    shared = get_model("prototype", prototypes="learned", shared_lapse=True).parameters
    assert len(shared) == 10 and "background" not in [parameter.name for parameter in shared]


def test_three_categories_have_three_prototypes() -> None:
    table = random_trials("category_learning", (30,), seed=3).to_table()
    table["category"] = np.arange(30) % 3
    trials = Trials.from_table(table, "category_learning")
    model = get_model_for("prototype", trials, prototypes="learned")
    assert len(model.parameters) == 2 + 3 * 2 + 2
    places = {f"prototype_{c}_{f}": c / 4 for c in (1, 2, 3) for f in (1, 2)}
    theta = model.theta(attention_1=1, attention_2=2, lapse=0.2, background=0.1, **places)
    p = model.predict(theta, trials)[0, -1]
    apart = np.abs(trials.stimulus[0, -1] - np.array([[0.25], [0.5], [0.75]])) @ [1, 2]
    np.testing.assert_allclose(p, 0.8 * np.exp(-apart) / np.exp(-apart).sum() + 0.2 / 3)


def test_golden_values(checkout: Path) -> None:
    golden = json.loads((checkout / "toolkit/tests/golden/similarity_models.json").read_text())["prototype"]
    trials = random_trials("category_learning", (50, 40, 30), seed=20261125)
    for options in (every_option[0], every_option[5]):
        model = get_model_for("prototype", trials, **options)
        log_p, _ = model.log_likelihood_and_gradient(draw_theta(model, (3,), 9), trials)
        np.testing.assert_allclose(log_p, golden[str(len(model.parameters))], rtol=1e-10)


def test_what_cannot_be_says_so() -> None:
    with pytest.raises(UsageError, match="there are no 'mean' prototypes"):
        get_model("prototype", prototypes="mean")
    with pytest.raises(UsageError, match="2 rows of 3 features"):
        get_model("prototype", prototypes=[[0, 1], [1, 0]])
    trials = Trials.from_table(
        random_trials("category_learning", (5,)).to_table(), "category_learning", n_options=3
    )
    with pytest.raises(UsageError, match="the model has 2 categories, the trials have 3"):
        get_model("prototype", n_features=2).predict(np.full((1, 4), 0.5), trials)
