"""What every model in the registry must hold, whatever it is."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from toolkit.errors import UsageError
from toolkit.models import (
    Model,
    Parameter,
    TrialTensors,
    get_model,
    get_model_for,
    list_models,
    register_model,
    validate,
)
from toolkit.models.meta_learners import MetaLearner
from toolkit.tests.strategies import random_trials, trials_of
from toolkit.trials import Trials

pytestmark = pytest.mark.usefixtures("small_networks")

every_case = [(name, family) for name in list_models() for family in get_model(name).schemas]


def draw_theta(model: Model, trials: Trials, seed: int, starts: int = 3) -> np.ndarray:
    lower = np.array([parameter.lower for parameter in model.parameters])
    upper = np.array([parameter.upper for parameter in model.parameters])
    shape = (starts, len(trials.participants), len(lower))
    return np.random.default_rng(seed).uniform(lower, upper, shape)


def tolerance(model: Model) -> float:
    """Networks compute in single precision, and differently in batches of other sizes."""
    return 1e-5 if isinstance(model, MetaLearner) else 1e-12


@st.composite
def cases(draw: st.DrawFn) -> tuple[Model, Trials, np.ndarray]:
    name, family = draw(st.sampled_from(every_case))
    trials = draw(trials_of(family))
    model = get_model_for(name, trials)
    return model, trials, draw_theta(model, trials, draw(st.integers(0, 99)))


@pytest.mark.parametrize("name", list_models())
def test_the_registry_entry_is_valid(name: str) -> None:
    validate(type(get_model(name)))
    assert get_model(name).name == name


@given(cases())
@settings(deadline=None, max_examples=60)
def test_probabilities_are_probabilities(case) -> None:
    model, trials, theta = case
    p = model.predict(theta, trials)
    assert p.shape == (len(theta), *trials.mask.shape, trials.n_options)
    np.testing.assert_allclose(p.sum(-1)[:, trials.mask], 1, atol=1e-12)
    assert (p >= 0).all()


@given(cases())
@settings(deadline=None, max_examples=60)
def test_padding_never_changes_a_likelihood(case) -> None:
    model, trials, theta = case
    plain = model.log_likelihood(theta, trials)
    padded = model.log_likelihood(theta, trials.padded(trials.n_trials + 4))
    np.testing.assert_allclose(padded[..., : trials.n_trials], plain, atol=tolerance(model))
    assert (padded[..., trials.n_trials :] == 0).all()
    assert (plain[:, ~trials.scored] == 0).all()


@given(cases())
@settings(deadline=None, max_examples=60)
def test_nothing_is_known_before_it_is_told(case) -> None:
    """Probabilities of a trial depend neither on its choice and feedback nor on what comes later."""
    model, trials, theta = case
    later = {}
    for name in {"choice", "category", "outcome"} & trials.arrays.keys():
        later[name] = trials.arrays[name].copy()
        values = later[name][:, -1]
        later[name][:, -1] = -values if name == "outcome" else np.where(values >= 0, 1 - values, values)
    changed = trials.updated(**later)
    np.testing.assert_allclose(
        model.predict(theta, changed), model.predict(theta, trials), atol=tolerance(model)
    )


@pytest.mark.parametrize("name", list_models("category_learning"))
def test_later_trials_change_nothing_before(name: str) -> None:
    """Whatever is shown, told and chosen later: predictions up to then stay, and later ones need not."""
    trials = random_trials("category_learning", (12, 9), seed=5)
    shown = np.where(trials.mask[..., None], np.abs(trials.stimulus) > 0.6, np.nan)
    trials = trials.updated(stimulus=shown.astype(float))
    model = get_model_for(name, trials)
    theta = draw_theta(model, trials, 6)
    before = model.predict(theta, trials)
    others = {
        "stimulus": 1 - trials.stimulus,
        "category": trials.category[::-1, ::-1],
        "choice": np.where(trials.choice >= 0, 1 - trials.choice, trials.choice),
    }
    for t in (0, 3, 7):
        first = {"stimulus": t + 1, "category": t, "choice": t}
        changed = {
            array: np.concatenate([getattr(trials, array)[:, : first[array]], other[:, first[array] :]], 1)
            for array, other in others.items()
        }
        after = model.predict(theta, trials.updated(**changed))
        shared = trials.mask[:, : t + 1]
        np.testing.assert_allclose(
            after[:, :, : t + 1][:, shared], before[:, :, : t + 1][:, shared], atol=tolerance(model)
        )


@given(cases())
@settings(deadline=None, max_examples=30)
def test_sequences_do_not_touch_each_other(case) -> None:
    model, trials, theta = case
    together = model.log_likelihood(theta, trials)
    for row in range(len(trials)):
        alone = trials.take([row])
        rows = theta[:, [trials.participant_index[row]]]
        np.testing.assert_allclose(
            model.log_likelihood(rows, alone), together[:, [row], : alone.n_trials], atol=tolerance(model)
        )


@given(cases())
@settings(deadline=None, max_examples=20)
def test_a_row_of_theta_gives_the_same_alone(case) -> None:
    model, trials, theta = case
    np.testing.assert_allclose(
        model.log_likelihood(theta[1], trials), model.log_likelihood(theta, trials)[1], atol=1e-12
    )


@pytest.mark.parametrize(("name", "family"), every_case)
def test_gradients_flow_and_agree_with_differences(name: str, family: str) -> None:
    trials = random_trials(family)
    model = get_model_for(name, trials)
    theta = torch.tensor(draw_theta(model, trials, 1), requires_grad=True)
    assert torch.autograd.gradcheck(lambda theta: model.log_likelihood(theta, trials).sum(), theta)


@pytest.mark.parametrize(("name", "family"), every_case)
def test_summed_likelihoods_and_their_gradients(name: str, family: str) -> None:
    """Each participant's sum over sequences; derivatives against central differences."""
    trials = random_trials(family, (5, 3, 4, 6), n_problems=2)
    model = get_model_for(name, trials)
    theta = draw_theta(model, trials, 2)
    total, gradient = model.log_likelihood_and_gradient(theta, trials)
    expected = model.log_likelihood(theta, trials).sum(-1)
    np.testing.assert_allclose(total, expected[:, [0, 2]] + expected[:, [1, 3]], atol=1e-12)
    for number in range(theta.shape[-1]):
        step = np.zeros(theta.shape[-1])
        step[number] = 1e-6
        higher, lower = (
            model.log_likelihood_and_gradient(moved, trials)[0] for moved in (theta + step, theta - step)
        )
        np.testing.assert_allclose(gradient[..., number], (higher - lower) / 2e-6, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(("name", "family"), every_case)
def test_likelihoods_and_gradients_are_finite_on_the_bounds(name: str, family: str) -> None:
    trials = random_trials(family, (8, 8), seed=3)
    model = get_model_for(name, trials)
    bounds = np.array([(parameter.lower, parameter.upper) for parameter in model.parameters])
    corners = np.random.default_rng(0).integers(0, 2, (64, len(trials.participants), len(bounds)))
    corners[:2] = np.array([0, 1])[:, None, None]
    theta = bounds[np.arange(len(bounds)), corners]
    total, gradient = model.log_likelihood_and_gradient(theta, trials)
    assert np.isfinite(total).all() and np.isfinite(gradient).all()


@pytest.mark.parametrize("name", [name for name in list_models() if not get_model(name).reads_choices])
def test_who_does_not_read_choices_says_so_truly(name: str) -> None:
    """Predictions stay the same whatever was chosen, and one pass simulates as trial by trial does."""
    for family in get_model(name).schemas:
        trials = random_trials(family, (6, 4))
        model = get_model_for(name, trials)
        theta = draw_theta(model, trials, 4)
        others = trials.updated(choice=np.where(trials.mask, 1 - np.abs(trials.choice), -1))
        np.testing.assert_array_equal(model.predict(theta, others), model.predict(theta, trials))


@pytest.mark.parametrize("name", list_models("category_learning"))
def test_choices_are_simulated_by_the_probabilities(name: str) -> None:
    """The share of each person's choices of the second option, against what the model expects of it."""
    design = random_trials("category_learning", (12,) * 400, seed=7)
    model = get_model_for(name, design)
    theta = np.repeat(draw_theta(model, design, 8)[0, :1], 400, 0)
    trials = model.simulate(theta, design, np.random.default_rng(9))
    p = model.predict(theta, trials)[..., 1]
    assert (trials.choice >= 0).all()
    error = (trials.choice.sum() - p.sum()) / max(np.sqrt((p * (1 - p)).sum()), 1e-9)
    assert abs(error) < 4


class Counter(Model):
    """Chooses the category told most often so far with probability ``trust``."""

    name = "test_counter"
    schemas = ("category_learning",)
    parameters = (Parameter("trust", 0.0, 1.0, "probability of the more frequent category"),)
    reads_choices = False

    def __init__(self, n_told: int = 0) -> None:
        self.calls, self.n_told = 0, n_told

    @classmethod
    def for_trials(cls, trials: Trials, **options: int) -> Counter:
        return cls(**{"n_told": int((trials.category >= 0).sum()), **options})

    def probabilities(self, theta, data):
        self.calls += 1
        balance = data.remember("balance", lambda: (data.category == 0).int() - (data.category == 1).int())
        ahead = torch.nn.functional.pad(balance.cumsum(1)[:, :-1], (1, 0)).sign()
        p = 0.5 + ahead * (theta[..., 0, None] - 0.5)
        return torch.stack([p, 1 - p], -1)


def test_simulation_in_one_pass_equals_trial_by_trial() -> None:
    class Careful(Counter):
        reads_choices = True

    design = random_trials("category_learning", (12, 9, 12))
    forced = np.random.default_rng(1).random(design.mask.shape) < 0.3
    design = design.updated(forced=forced)
    simulated = []
    for model in (Counter(), Careful()):
        simulated.append(model.simulate(np.full((3, 1), 0.8), design, np.random.default_rng(2)))
        assert model.calls == (12 if model.reads_choices else 1)
    assert simulated[0].equals(simulated[1])
    assert (simulated[0].choice[forced & design.mask] == design.choice[forced & design.mask]).all()
    assert (simulated[0].choice[design.mask & ~forced] >= 0).all()


def test_options_follow_the_trials_unless_they_are_given() -> None:
    register_model(Counter)
    trials = random_trials("category_learning", (6, 3))
    assert get_model_for("test_counter", trials).n_told == (trials.category >= 0).sum()
    assert get_model_for("test_counter", trials, n_told=5).n_told == 5
    assert get_model_for("random", trials).name == "random"


def test_what_is_remembered_is_computed_once_for_every_precision() -> None:
    trials = random_trials("category_learning")
    theta = torch.full((2, 1), 0.7)
    calls = []
    for like in (theta, theta.double(), theta):
        data = TrialTensors.of(trials, like)
        assert data.remember("number", lambda: calls.append(1) or len(calls)) <= 2
        assert data.remember(("number", 2), lambda: "other") == "other"
    assert len(calls) == 2
    assert TrialTensors.of(trials.updated(choice=trials.choice), theta).remember("number", lambda: 0) == 0


def test_a_parameter_of_a_few_values_lies_between_them() -> None:
    assert Parameter("rule", 0, 2, "which rule", values=(0, 1, 2)).values == (0, 1, 2)
    with pytest.raises(UsageError, match=r"'rule' has the bounds \[0, 3\], but its values go from 0 to 2"):
        Parameter("rule", 0, 3, "which rule", values=(0, 1, 2))


def test_wrong_shapes_families_and_names_say_so() -> None:
    model = get_model("win_stay_lose_shift")
    bandit = random_trials("bandit")
    with pytest.raises(UsageError, match=r"needs theta as \(…, "):
        model.log_likelihood(np.zeros((99, 2)), bandit)
    with pytest.raises(UsageError, match="cannot answer two_step trials"):
        model.log_likelihood(np.zeros((1, 2)), random_trials("two_step"))
    with pytest.raises(UsageError, match="no parameter 'sty'. Did you mean 'stay'"):
        model.theta(sty=0.5, shift=0.5)
    with pytest.raises(UsageError, match="also needs shift"):
        model.theta(stay=0.5)
    with pytest.raises(UsageError, match="no model 'win_stay'. Did you mean 'win_stay_lose_shift'"):
        get_model("win_stay")


def test_a_model_of_ones_own_is_registered_like_any_other() -> None:
    class Coin(Model):
        name = "test_coin"
        schemas = ("free",)
        parameters = (Parameter("heads", 0.0, 1.0, "probability of heads"),)

        def probabilities(self, theta, data):
            heads = theta[..., 0, None].expand(*theta.shape[:-1], data.mask.shape[1])
            return torch.stack([heads, 1 - heads], -1)

    register_model(Coin)
    assert "test_coin" in list_models("free")
    trials = random_trials("free")
    model = get_model("test_coin")
    log_p = model.log_likelihood(model.theta(len(trials.participants), heads=0.25), trials)
    np.testing.assert_allclose(log_p[trials.choice == 0], np.log(0.25))

    class Clash(Coin):
        name = "random"

    with pytest.raises(UsageError, match="there is a model 'random' already"):
        register_model(Clash)
    with pytest.raises(UsageError, match="not a subclass"):
        validate(int)


@pytest.mark.parametrize("name", ["gcm", "ermi", "alcove", "rescorla_wagner", "exact_bayes"])
def test_an_option_that_a_model_does_not_have_is_refused_in_words(name: str) -> None:
    with pytest.raises(UsageError, match=f"model '{name}' has no option 'bogus'"):
        get_model(name, bogus=1)
    assert get_model("exact_bayes", half_range=2.0, n_messages=5).name == "exact_bayes"
    with pytest.raises(UsageError, match="Did you mean 'bias'"):
        get_model("gcm", bia=True)
