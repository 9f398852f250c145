"""Sequential models: arguments bound by name, likelihoods and gradients over sequences of any length."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from toolkit.errors import UsageError
from toolkit.models import Parameter
from toolkit.models.base import SMALLEST_PROBABILITY, Model
from toolkit.models.sequential import SequentialModel, fill_softmax
from toolkit.tests.strategies import random_trials
from toolkit.trials import Trials


class DeltaRule(SequentialModel):
    """Learns one value an option in every context; forced trials count more, starting values are given."""

    name = "test_delta_rule"
    schemas = ("bandit",)
    parameters = (
        Parameter("rate", 0.0, 1.0, "how fast values follow outcomes"),
        Parameter("steepness", 0.0, 20.0, "how surely the better option is chosen"),
    )

    def __init__(self, n_contexts: int = 2, boost: float = 0.5) -> None:
        self.n_contexts, self.boost = n_contexts, boost
        self.start = np.array([0.2, -0.1])

    @staticmethod
    def learn(steepness, theta, context, choice, outcome, forced, p, n_contexts, boost, start):
        value = np.zeros((n_contexts, len(start)))
        for c in range(n_contexts):
            for k in range(len(start)):
                value[c, k] = start[k]
        for t in range(len(choice)):
            here = value[context[t]]
            fill_softmax(here, steepness, p[t])
            for k in range(len(start)):
                if choice[t] >= 0 and not np.isnan(outcome[t, k]):
                    rate = min(1.0, theta[0] * (1.0 + boost)) if forced[t] else theta[0]
                    here[k] += rate * (outcome[t, k] - here[k])


LENGTHS = (30, 12, 25, 30, 7, 30)


@pytest.fixture(scope="module")
def trials() -> Trials:
    """Three participants with two sequences of unequal length each, missed and forced trials among them."""
    return random_trials("bandit", LENGTHS, n_problems=2, seed=5)


@pytest.fixture(scope="module")
def theta() -> np.ndarray:
    """(starts, participants, parameters)"""
    return np.random.default_rng(6).uniform([0.05, 0.5], [0.6, 5.0], (4, 3, 2))


def one_by_one(model: DeltaRule, theta: np.ndarray, trials: Trials) -> np.ndarray:
    """(sequences, trials, options) from the plain function, one sequence after the other."""
    p = np.zeros((*trials.mask.shape, trials.n_options))
    for s, length in enumerate(LENGTHS):
        row = theta[trials.participant_index[s]]
        data = [getattr(trials, name)[s, :length] for name in ("context", "choice", "outcome", "forced")]
        rest = (p[s, :length], model.n_contexts, model.boost, model.start)
        type(model).learn(row[1], row, *data, *rest)
    return p


def test_every_argument_is_bound_by_its_name(trials, theta) -> None:
    for model in (DeltaRule(), DeltaRule(n_contexts=3, boost=0.0)):
        p = model.predict(theta, trials)
        for start, rows in enumerate(theta):
            np.testing.assert_allclose(p[start], one_by_one(model, rows, trials), atol=1e-12)


def test_the_likelihood_is_that_of_every_other_model(trials, theta) -> None:
    """Compiled sums and slopes agree with those that torch takes of the probabilities."""
    model = DeltaRule()
    total, gradient = model.log_likelihood_and_gradient(theta, trials)
    expected = Model.log_likelihood_and_gradient(model, theta, trials)
    assert total.shape == (4, 3) and gradient.shape == (4, 3, 2)
    np.testing.assert_allclose(total, expected[0], rtol=1e-12)
    np.testing.assert_allclose(gradient, expected[1], rtol=1e-10, atol=1e-10)
    one = model.log_likelihood_and_gradient(theta[2], trials)
    np.testing.assert_array_equal(one[0], total[2])
    np.testing.assert_array_equal(one[1], gradient[2])


def test_gradients_through_torch_equal_differences(trials, theta) -> None:
    weight = np.random.default_rng(7).normal(size=(*trials.mask.shape, 2))
    rows = torch.tensor(theta, requires_grad=True)
    (torch.tensor(weight) * DeltaRule().predict(rows, trials)).sum().backward()
    for number, step in enumerate(np.eye(2) * 1e-6):
        higher, lower = (DeltaRule().predict(moved, trials) for moved in (theta + step, theta - step))
        slopes = (weight * (higher - lower)).sum((-1, -2)) / 2e-6
        by_participant = slopes[:, ::2] + slopes[:, 1::2]
        np.testing.assert_allclose(rows.grad[..., number], by_participant, rtol=1e-6, atol=1e-6)


def test_a_floored_probability_counts_but_has_no_gradient() -> None:
    """An option that is as good as excluded costs the log of the floor, as in every model."""
    trials = random_trials("bandit", (2,)).updated(
        context=np.zeros((1, 2), dtype=int),
        choice=np.array([[0, 1]]),
        forced=np.array([[True, False]]),
        outcome=np.array([[[9.0, np.nan], [np.nan, np.nan]]]),
    )
    total, gradient = DeltaRule().log_likelihood_and_gradient(np.array([[0.9, 20.0]]), trials)
    np.testing.assert_allclose(total, np.log(SMALLEST_PROBABILITY))
    np.testing.assert_array_equal(gradient, 0)


def test_threads_change_nothing(trials, theta) -> None:
    model, threaded = DeltaRule(), DeltaRule()
    threaded.n_threads = 3
    for ours, theirs in zip(
        model.log_likelihood_and_gradient(theta, trials),
        threaded.log_likelihood_and_gradient(theta, trials),
        strict=True,
    ):
        np.testing.assert_array_equal(ours, theirs)


def test_the_precision_of_theta_is_kept(trials, theta) -> None:
    single = DeltaRule().predict(torch.tensor(theta, dtype=torch.float32), trials)
    assert single.dtype == torch.float32
    np.testing.assert_allclose(single, DeltaRule().predict(theta, trials), atol=1e-5)


def test_a_flag_that_was_not_recorded_was_nowhere_set(trials, theta) -> None:
    arrays = {name: array for name, array in trials.arrays.items() if name != "forced"}
    without = Trials(trials.schema, arrays, trials.mask, trials.sequences, n_options=2)
    unset = trials.updated(forced=np.zeros_like(trials.mask))
    np.testing.assert_array_equal(DeltaRule().predict(theta, without), DeltaRule().predict(theta, unset))


def test_the_arguments_say_whether_choices_are_read() -> None:
    class Blind(DeltaRule):
        @staticmethod
        def learn(steepness, p):
            p[0, 0] = steepness

    assert DeltaRule.reads_choices and not Blind.reads_choices


@pytest.mark.parametrize(
    ("learn", "says"),
    [
        (
            lambda rate, strat, p: None,
            "'strat' of model 'test_delta_rule' is neither a parameter nor an array",
        ),
        (lambda rate, name, p: None, "'name' of model 'test_delta_rule' is neither a parameter nor an array"),
        (lambda rate, answer, p: None, "asks for 'answer', which no learner sees"),
    ],
)
def test_unknown_arguments_are_named(learn, says: str, trials, theta) -> None:
    model = type("Odd", (DeltaRule,), {"learn": staticmethod(learn)})()
    with pytest.raises(UsageError, match=says):
        model.predict(theta, trials)
