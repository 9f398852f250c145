"""What every model in the registry must hold, whatever it is."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from toolkit.errors import UsageError
from toolkit.models import Model, Parameter, get_model, list_models, register_model, validate
from toolkit.tests.strategies import random_trials, trials_of
from toolkit.trials import Trials

every_case = [(name, family) for name in list_models() for family in get_model(name).schemas]


def draw_theta(model: Model, trials: Trials, seed: int, starts: int = 3) -> np.ndarray:
    lower = np.array([parameter.lower for parameter in model.parameters])
    upper = np.array([parameter.upper for parameter in model.parameters])
    shape = (starts, len(trials.participants), len(lower))
    return np.random.default_rng(seed).uniform(lower, upper, shape)


@st.composite
def cases(draw: st.DrawFn) -> tuple[Model, Trials, np.ndarray]:
    name, family = draw(st.sampled_from(every_case))
    trials = draw(trials_of(family))
    return get_model(name), trials, draw_theta(get_model(name), trials, draw(st.integers(0, 99)))


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
    np.testing.assert_array_equal(padded[..., : trials.n_trials], plain)
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
    np.testing.assert_array_equal(model.predict(theta, changed), model.predict(theta, trials))


@given(cases())
@settings(deadline=None, max_examples=30)
def test_sequences_do_not_touch_each_other(case) -> None:
    model, trials, theta = case
    together = model.log_likelihood(theta, trials)
    for row in range(len(trials)):
        alone = trials.take([row])
        rows = theta[:, [trials.participant_index[row]]]
        np.testing.assert_allclose(
            model.log_likelihood(rows, alone), together[:, [row], : alone.n_trials], atol=1e-12
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
    model = get_model(name)
    trials = random_trials(family)
    theta = torch.tensor(draw_theta(model, trials, 1), requires_grad=True)
    assert torch.autograd.gradcheck(lambda theta: model.log_likelihood(theta, trials).sum(), theta)


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
