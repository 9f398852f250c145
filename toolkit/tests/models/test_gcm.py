"""The generalised context model against a loop over trials, analytic cases, and earlier fits to people."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from toolkit.errors import UsageError
from toolkit.models import Model, get_model, get_model_for
from toolkit.models.gcm import GeneralisedContextModel
from toolkit.tests.strategies import random_trials
from toolkit.trials import MISSING, Trials

every_option = [
    {"response_scaling": scaling, "bias": bias, "decay": decay, "distance_power": power}
    for scaling, bias, decay, power in itertools.product((False, True), (False, True), (False, True), (1, 2))
]


def by_hand(values: dict[str, float], power: int, stimulus: np.ndarray, category: np.ndarray) -> np.ndarray:
    """(trials, 2) probabilities, one comparison after the other."""
    attention = [values[f"attention_{feature + 1}"] for feature in range(stimulus.shape[1])]
    p = []
    for t in range(len(stimulus)):
        strength = []
        for option in range(2):
            summed, seen = 0.0, False
            for earlier in range(t):
                if category[earlier] != option:
                    continue
                apart = np.abs(stimulus[t] - stimulus[earlier])
                distance = sum((a * x) ** power for a, x in zip(attention, apart, strict=True)) ** (1 / power)
                summed += np.exp(-distance - values.get("decay", 0.0) * (t - earlier))
                seen = True
            strength.append(summed if seen else values["background"])
        strength = np.array(strength) ** values.get("response_scaling", 1.0)
        if "bias" in values:
            strength = strength * [values["bias"], 1 - values["bias"]]
        p.append((1 - values["lapse"]) * strength / strength.sum() + values["lapse"] / 2)
    return np.array(p)


def draw_theta(model: GeneralisedContextModel, shape: tuple[int, ...], seed: int = 0) -> np.ndarray:
    bounds = np.array([(parameter.lower, parameter.upper) for parameter in model.parameters])
    bounds[: model.n_features, 1] = 5
    return np.random.default_rng(seed).uniform(*bounds.T, (*shape, len(bounds)))


@pytest.mark.parametrize("binary", [False, True])
@pytest.mark.parametrize("options", every_option, ids=lambda options: "-".join(map(str, options.values())))
def test_probabilities_are_those_of_a_loop_over_trials(options: dict, binary: bool) -> None:
    trials = random_trials("category_learning", (30, 17, 25, 12), n_problems=2, seed=1)
    if binary:
        shown = np.where(trials.mask[..., None], trials.stimulus > 0, np.nan)
        trials = trials.updated(stimulus=shown.astype(float))
    model = get_model_for("gcm", trials, **options)
    names = [parameter.name for parameter in model.parameters]
    theta = draw_theta(model, (2, 2))
    p = model.predict(theta, trials)
    for start, row in itertools.product(range(2), range(4)):
        values = dict(zip(names, theta[start, trials.participant_index[row]], strict=True))
        n = trials.mask[row].sum()
        expected = by_hand(
            values, options["distance_power"], trials.stimulus[row, :n], trials.category[row, :n]
        )
        np.testing.assert_allclose(p[start, row, :n], expected, atol=1e-12)


@pytest.mark.parametrize(
    "options", every_option[::3], ids=lambda options: "-".join(map(str, options.values()))
)
def test_gradients_are_exact_with_every_option(options: dict) -> None:
    trials = random_trials("category_learning", (25, 20), n_problems=2, seed=2)
    model = get_model_for("gcm", trials, **options)
    theta = draw_theta(model, (3, 1), 3)
    _, gradient = model.log_likelihood_and_gradient(theta, trials)
    for number in range(theta.shape[-1]):
        step = 1e-6 * np.eye(theta.shape[-1])[number]
        higher, lower = (model.log_likelihood_and_gradient(theta + way * step, trials)[0] for way in (1, -1))
        np.testing.assert_allclose(gradient[..., number], (higher - lower) / 2e-6, rtol=1e-5, atol=1e-6)


def test_without_attention_answers_are_the_shares_of_exemplars_seen() -> None:
    trials = random_trials("category_learning", (40,), seed=4)
    model = get_model_for("gcm", trials)
    p = model.predict(model.theta(attention_1=0, attention_2=0, lapse=0, background=0.5), trials)[0]
    told = np.stack([trials.category[0] == 0, trials.category[0] == 1], -1)
    seen = np.cumsum(told, 0) - told
    both = seen.all(-1)
    np.testing.assert_allclose(p[both], seen[both] / seen[both].sum(-1, keepdims=True), atol=1e-12)
    assert both.sum() > 30


def test_guessing_is_chance() -> None:
    for n_options in (2, 3):
        table = random_trials("category_learning", (40, 30), seed=5).to_table()
        trials = Trials.from_table(table, "category_learning", n_options=n_options)
        model = get_model_for("gcm", trials)
        theta = model.theta(2, attention_1=3, attention_2=1, lapse=1, background=0.2)
        log_p, _ = model.log_likelihood_and_gradient(theta, trials)
        np.testing.assert_allclose(log_p, -trials.n_scored * np.log(n_options), rtol=1e-12)


def test_sensitivity_and_weights_are_the_published_form() -> None:
    """exp(-c Σ w |difference|) of two exemplars, c = 6 and w = (2/3, 1/3)."""
    table = pd.DataFrame(
        {
            "participant": 0,
            "stimulus_0": [0, 1, 0.5],
            "stimulus_1": [0, 1, 0.25],
            "category": [0, 1, 0],
            "choice": 0,
        }
    )
    trials = Trials.from_table(table, "category_learning")
    model = get_model_for("gcm", trials)
    p = model.predict(model.theta(attention_1=4, attention_2=2, lapse=0, background=0.3), trials)[0, :, 0]
    first, second = np.exp(-6 * (2 / 3 * 0.5 + 1 / 3 * 0.25)), np.exp(-6 * (2 / 3 * 0.5 + 1 / 3 * 0.75))
    unseen = np.exp(-6) / (np.exp(-6) + 0.3)
    np.testing.assert_allclose(p, [0.5, unseen, first / (first + second)], atol=1e-12)


def test_trials_without_feedback_are_not_stored_and_long_sequences_do_not_overflow() -> None:
    n = 3000
    rng = np.random.default_rng(6)
    table = pd.DataFrame(
        {
            "participant": 0,
            "stimulus_0": rng.integers(0, 2, n),
            "category": rng.integers(0, 2, n),
            "choice": 0,
        }
    )
    table.loc[table.index % 3 == 0, "category"] = -1
    trials = Trials.from_table(table, "category_learning")
    model = get_model_for("gcm", trials, decay=True)
    p = model.predict(model.theta(attention_1=2, lapse=0, background=0.5, decay=1), trials)[0]
    last = slice(n - 60, n)
    expected = by_hand(
        {"attention_1": 2, "lapse": 0, "background": 0.5, "decay": 1},
        1,
        trials.stimulus[0, last],
        trials.category[0, last],
    )
    np.testing.assert_allclose(p[last][-10:], expected[-10:], atol=1e-12)
    silent = trials.updated(category=np.full_like(trials.category, -1))
    np.testing.assert_allclose(get_model_for("gcm", silent).predict(np.full((1, 3), 0.5), silent), 0.5)


@pytest.mark.parametrize("name", ["gcm", "prototype"])
def test_features_in_other_units_are_refused_before_similarities_vanish(name: str) -> None:
    trials = random_trials("category_learning", (20,), seed=7)
    span = np.ptp(trials.stimulus[0], axis=0).max()
    far = trials.updated(stimulus=trials.stimulus * (34 / span))
    log_p, gradient = get_model_for(name, far).log_likelihood_and_gradient(np.array([[20, 20, 0, 0.5]]), far)
    assert np.isfinite(log_p).all() and np.isfinite(gradient).all()
    farther = trials.updated(stimulus=trials.stimulus * (400 / span))
    with pytest.raises(UsageError, match="stimuli differ by up to 400 on one feature.*Scale features"):
        get_model_for(name, farther).predict(np.full((1, 4), 0.5), farther)


def test_golden_values(checkout: Path) -> None:
    golden = json.loads((checkout / "toolkit/tests/golden/similarity_models.json").read_text())["gcm"]
    trials = random_trials("category_learning", (50, 40, 30), seed=20261125)
    for options in (every_option[0], every_option[-1]):
        model = get_model_for("gcm", trials, **options)
        log_p, _ = model.log_likelihood_and_gradient(draw_theta(model, (3,), 9), trials)
        np.testing.assert_allclose(log_p, golden[str(len(model.parameters))], rtol=1e-10)


def test_parameters_are_as_many_as_published() -> None:
    assert len(get_model("gcm").parameters) == 5
    assert len(get_model("gcm", n_features=6).parameters) == 8
    assert len(get_model("gcm", response_scaling=True, bias=True, decay=True).parameters) == 8


def test_what_cannot_be_says_so() -> None:
    trials = random_trials("category_learning", (5,))
    with pytest.raises(UsageError, match="the model has 3 features, the stimuli have 2"):
        get_model("gcm").predict(np.zeros((1, 5)), trials)
    with pytest.raises(UsageError, match="distance_power is 3"):
        get_model("gcm", distance_power=3)
    three = Trials.from_table(trials.to_table(), "category_learning", n_options=3)
    with pytest.raises(UsageError, match="bias=True is for two categories, these trials have 3"):
        get_model_for("gcm", three, bias=True).predict(np.full((1, 5), 0.5), three)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        *(("gcm", options) for options in every_option[::5]),
        ("prototype", {}),
        ("prototype", {"prototypes": "learned", "shared_lapse": True, "distance_power": 2}),
        ("prototype", {"prototypes": ((0.1, 0.4), (0.9, 0.7))}),
    ],
)
def test_compiled_likelihoods_are_those_of_the_probabilities(name: str, options: dict) -> None:
    """Also where nothing was told or chosen, whoever the rows are for, and of people with several problems."""
    trials = random_trials("category_learning", (25, 18, 30, 9, 21, 16), n_problems=2, seed=8)
    untold, unchosen = (np.random.default_rng(9).random((2, *trials.mask.shape)) < 0.2) & trials.mask
    trials = trials.updated(category=np.where(untold, MISSING, trials.category))
    trials = trials.updated(choice=np.where(unchosen, MISSING, trials.choice))
    model = get_model_for(name, trials, **options)
    theta = draw_theta(model, (7,))
    participant = np.array([2, 0, 0, 1, 2, 2, 1])
    total, gradient = model.log_likelihood_and_gradient_of_rows(theta, participant, trials)
    for row, who in enumerate(participant):
        own = trials.where(participant=trials.participants[who])
        expected, slopes = Model.log_likelihood_and_gradient(model, theta[row : row + 1], own)
        np.testing.assert_allclose(total[row], expected[0], rtol=1e-10)
        np.testing.assert_allclose(gradient[row], slopes[0], rtol=1e-7, atol=1e-9)
