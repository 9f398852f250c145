"""Programs compiled and interpreted alike, masked, and their faults named."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from toolkit.discovery.engine import Engine
from toolkit.discovery.probes import probe
from toolkit.discovery.program import Program
from toolkit.discovery.rejection import Rejected
from toolkit.discovery.task import Task
from toolkit.errors import UsageError
from toolkit.models import Parameter
from toolkit.tests.discovery.programs import delta_rule, inside, interpreted, parameters, two_step
from toolkit.tests.discovery.searches import described
from toolkit.tests.discovery.searches import people as at_a_bandit
from toolkit.tests.discovery.texts import DELTA_RULE, EVERYTHING_REWRITTEN, NOT_COMPILED
from toolkit.tests.strategies import random_trials
from toolkit.trials import Trials


def by_hand(theta: np.ndarray, trials: Trials) -> np.ndarray:
    """(participants,) log-likelihoods of the delta rule, from a loop that knows nothing of the engine."""
    total = np.zeros(len(trials.participants))
    for s in range(len(trials)):
        rate, steepness, stickiness = theta[trials.participant_index[s]]
        value, last = [0.0, 0.0], None
        for t in range(trials.mask[s].sum()):
            choice = trials.choice[s, t]
            drive = [steepness * (value[k] + stickiness * (k == last)) for k in (0, 1)]
            if choice >= 0 and not trials.forced[s, t]:
                p = 1 / (1 + np.exp(drive[1 - choice] - drive[choice]))
                total[trials.participant_index[s]] += np.log(max(p, 1e-12))
            if choice >= 0 and not np.isnan(trials.outcome[s, t, choice]):
                value[choice] += rate * (trials.outcome[s, t, choice] - value[choice])
                last = choice
    return total


def test_the_likelihood_is_that_of_a_plain_loop(model, trials) -> None:
    assert model.engine.why_interpreted == ""
    theta = inside(model, 3, participants=3)
    total, gradient = model.log_likelihood_and_gradient(theta, trials)
    for start in range(3):
        np.testing.assert_allclose(total[start], by_hand(theta[start], trials), rtol=1e-12)
    np.testing.assert_allclose(model.log_likelihood(theta, trials).sum(-1), total, rtol=1e-12)
    for position, step in enumerate(np.eye(3) * 1e-6):
        slope = (by_hand(theta[0] + step, trials) - by_hand(theta[0] - step, trials)) / 2e-6
        np.testing.assert_allclose(gradient[0, :, position], slope, rtol=1e-5, atol=1e-6)


def test_compiled_and_interpreted_programs_are_the_same(model, trials, workers) -> None:
    slow = interpreted(delta_rule(trials).model(workers))
    theta = inside(model, 2, participants=3)
    for one, other in zip(
        model.log_likelihood_and_gradient(theta, trials),
        slow.log_likelihood_and_gradient(theta, trials),
        strict=True,
    ):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(model.predict(theta, trials), slow.predict(theta, trials), atol=1e-13)


def test_everything_that_is_rewritten_means_the_same(trials, workers) -> None:
    program = Program("all", EVERYTHING_REWRITTEN, parameters("rate", "bias", "forgetting"), Task.of(trials))
    model = program.model(workers)
    theta = inside(model, 3)
    compiled = model.totals(theta, trials)
    assert model.engine.why_interpreted == ""
    np.testing.assert_allclose(model.totals(theta, trials, interpreted=True), compiled, rtol=1e-12)
    numeric = interpreted(program.model(workers)).log_likelihood_and_gradient(theta, trials)[1]
    exact = model.log_likelihood_and_gradient(theta, trials)[1]
    np.testing.assert_allclose(exact, numeric, rtol=1e-5, atol=1e-5)


@pytest.mark.slow
def test_two_choices_a_trial(workers) -> None:
    trials = random_trials("two_step", (50, 30), seed=4)
    model = two_step(trials).model(workers)
    theta = inside(model, 2)
    total, _ = model.log_likelihood_and_gradient(theta, trials)
    assert model.engine.why_interpreted == ""
    slow = interpreted(two_step(trials).model(workers))
    np.testing.assert_allclose(slow.totals(theta, trials), total, rtol=1e-12)
    np.testing.assert_allclose(slow.log_likelihood(theta, trials).sum(-1), total, rtol=1e-12)
    p = slow.predict_all(theta, trials)
    assert p.shape == (2, 50, 2, 2)
    np.testing.assert_allclose(p[trials.mask].sum(-1), 1)
    np.testing.assert_array_equal(p[1, 30:], 0)


def test_a_program_outside_the_subset_is_interpreted(trials, workers) -> None:
    model = delta_rule(trials, NOT_COMPILED).model(workers)
    assert model.engine.why_interpreted
    theta = inside(model, 3)
    total, gradient = model.log_likelihood_and_gradient(theta, trials)
    assert np.isfinite(total).all() and np.isfinite(gradient).all() and (gradient != 0).any()


def test_an_index_that_may_be_no_whole_number_is_left_to_python(trials, workers) -> None:
    text = DELTA_RULE.replace("return value, choice", "return value, choice + 0 * int(rate > 2) / 1")
    whole = delta_rule(trials, text.replace("stickiness if", "stickiness * value[int(last)] if"))
    assert whole.model(workers).engine.why_interpreted == ""
    model = delta_rule(trials, text.replace("stickiness if", "stickiness * value[last] if")).model(workers)
    assert "may be no whole number" in model.engine.why_interpreted
    with pytest.raises(Rejected, match="IndexError"):
        model.totals(inside(model, 3), trials)


def test_what_one_compiler_refuses_is_left_to_the_next_and_to_python(trials, workers) -> None:
    for instead, says in (("np.e ** (", ""), ("np.no_such_function(", "numba cannot compile it")):
        model = delta_rule(trials).model(workers)
        own, numba = (
            replace(form, content={**form.content, "text": form.content["text"].replace("np.exp(", instead)})
            for form in (model.engine.compiled, *model.engine._slower)
            if form is not None
        )
        model.engine = Engine(model.engine.interpreted, (own, numba), "", workers)
        total, _ = model.log_likelihood_and_gradient(inside(model, 3), trials)
        np.testing.assert_allclose(total, by_hand(inside(model, 3), trials), rtol=1e-12)
        assert says in model.engine.why_interpreted
        assert model.engine.compiled is (None if says else numba)


MIXED = """
def init(n_options):
    value = np.zeros(n_options)
    last = 0
    return value, last

def predict(value, last, steepness, trial, n_options):
    weight = np.zeros(n_options)
    for k in range(n_options):
        weight[k] = {weight}
    return softmax(weight, steepness)

def update(value, last, choice, reward, rate):
    value[choice] += rate * (reward - value[choice])
    return value, choice
"""


@pytest.mark.parametrize(
    ("weight", "says"),
    [
        ("value[k] + (last or 3) * k", ""),
        ("value[k] + (-7 % (k + 2)) - (-last - 7) // (k + 3)", ""),
        ("value[-1 - k] + (0 <= last < value[last] <= 1)", ""),
        ("value[k] + 5 // (trial - 3)", "divided by 0"),
        ("value[k] + trial % last", "divided by 0"),
        ("value[k] + 1.0 / trial", "divided by 0"),
        ("value[k] + int(value[k] / (reward_free := 0.0 * value[k]))", "NaN|infinite|no number"),
    ],
)
def test_whole_numbers_mean_the_same_to_python_and_compiled(trials, workers, weight: str, says: str) -> None:
    program = delta_rule(trials, MIXED.format(weight=weight))
    model = program.model(workers)
    theta = inside(model, 3)
    if not says:
        expected = interpreted(program.model(workers)).totals(theta, trials)
        np.testing.assert_allclose(model.totals(theta, trials), expected, rtol=1e-12)
        return
    with pytest.raises(Rejected, match=says):
        model.totals(theta, trials)
    with pytest.raises(Rejected):
        model.totals(theta, trials, interpreted=True)


# -- what a program is not told --------------------------------------------------------------------

_PARANOID = """
def init(n_options):
    value = np.zeros(n_options)
    return value

def predict(value, steepness, context):
    if context < 0:
        raise ValueError("a missing context")
    return softmax(value, steepness)

def update(value, choice, reward, rate):
    if choice < 0 or reward != reward:
        raise ValueError("a missing choice or reward")
    value[choice] += rate * (reward - value[choice])
    return value
"""


def test_missing_values_are_never_told(trials, workers) -> None:
    assert (trials.choice[trials.mask] < 0).any() and np.isnan(trials.outcome[trials.mask]).any()
    model = interpreted(delta_rule(trials, _PARANOID).model(workers))
    assert np.isfinite(model.totals(inside(model, 3), trials)).all()


def test_a_prediction_does_not_change_with_its_choice_or_what_follows(model, trials) -> None:
    theta = inside(model, 3)
    before = model.predict(theta, trials)
    t = 10
    choice, outcome = trials.choice.copy(), trials.outcome.copy()
    choice[:, t] = 1 - np.maximum(choice[:, t], 0)
    outcome[:, t] = 5.0
    after = model.predict(theta, trials.updated(choice=choice, outcome=outcome))
    np.testing.assert_array_equal(after[:, : t + 1], before[:, : t + 1])
    assert (after[:, t + 1 :] != before[:, t + 1 :]).any()


def test_left_out_choices_are_history_but_do_not_count(model, trials) -> None:
    theta = inside(model, 3)
    first_half = np.broadcast_to(np.arange(trials.n_trials) < 12, trials.mask.shape)
    some = model.log_likelihood_and_gradient(theta, trials.leaving_out(first_half))[0]
    expected = np.where(first_half, 0, model.log_likelihood(theta, trials)).sum(-1)
    np.testing.assert_allclose(some, expected, rtol=1e-12)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("    weight = ", "    value[0] = 1.0\n    weight = "), "read-only"),
        (("return softmax(weight, steepness)", "return 1.0"), "returned () numbers for 2 options"),
        (("return softmax(weight, steepness)", "return np.ones(3)"), "returned (3,) numbers for 2 options"),
        (("return softmax(weight, steepness)", "return 'x'"), "not a weight for every option"),
        (("    value[choice] +=", "    value[choice + 7] +="), "index"),
        (("    value[choice] +=", "    value[0] = 1 / 0\n    value[choice] +="), "ZeroDivisionError"),
    ],
)
def test_faults_are_named(trials, workers, change: tuple[str, str], says: str) -> None:
    assert change[0] in DELTA_RULE
    model = interpreted(delta_rule(trials, DELTA_RULE.replace(*change)).model(workers))
    with pytest.raises(Rejected) as caught:
        model.totals(inside(model, 3), trials)
    assert says in caught.value.what, caught.value


def test_an_index_outside_an_array_is_noticed_in_compiled_code(trials, workers) -> None:
    text = """
def init():
    value = np.zeros(2)
    return value

def predict(value, rate):
    return [rate, 1.0]

def update(value, choice):
    value[choice + 7] = 1.0
    return value
"""
    model = Program("outside", text, parameters("rate"), Task.of(trials)).model(workers)
    assert model.engine.compiled is not None
    with pytest.raises(Rejected, match="an index lies outside its array"):
        model.totals(inside(model, 3), trials)


def test_weights_that_are_no_probabilities_are_noticed(trials, workers) -> None:
    text = DELTA_RULE.replace("return softmax(weight, steepness)", "return np.sqrt(weight - 5 * steepness)")
    model = interpreted(delta_rule(trials, text).model(workers))
    with pytest.raises(Rejected, match="the likelihood is not a number at") as caught:
        probe(model, trials)
    assert caught.value.reason == "invalid probabilities"


def test_a_parameter_without_effect_is_noticed(trials, workers) -> None:
    model = interpreted(
        delta_rule(trials, DELTA_RULE.replace("(stickiness if", "(0 * stickiness if")).model(workers)
    )
    with pytest.raises(Rejected, match="'stickiness' makes no difference") as caught:
        probe(model, trials)
    assert caught.value.reason == "unused parameter"


FADES = """
def init(n_options):
    value = np.zeros(n_options)
    return value

def predict(value):
    return softmax(value)

def update(value, choice, reward, rate):
    value = np.where(np.arange(len(value)) == choice, reward, value * (1 - rate))
    return value
"""


def test_a_parameter_need_not_make_a_difference_for_the_first_person(workers) -> None:
    trials = at_a_bandit(3)
    one_thing = np.where(np.arange(2) == 0, trials.arrays["payoff"], np.nan)[:1]
    first = {"choice": np.zeros_like(trials.choice[:1]), "outcome": one_thing}
    arrays = {name: np.concatenate([first[name], trials.arrays[name][1:]]) for name in first}
    program = Program.from_json(described("fade", FADES, "rate"), Task.of(trials))
    trials = trials.updated(**arrays)
    with pytest.raises(Rejected, match="'rate' makes no difference"):
        probe(interpreted(program.model(workers)), trials.take([0]))
    probe(interpreted(program.model(workers)), trials)


def test_trials_of_another_kind_are_refused(model) -> None:
    with pytest.raises(UsageError, match="cannot answer two_step trials"):
        model.predict(np.ones((2, 3)), random_trials("two_step"))


def test_parameters_of_a_few_values_are_rounded(trials, workers) -> None:
    given = (Parameter("rate", 0, 1, "", values=(0, 0.5, 1)), *parameters("steepness", "stickiness"))
    model = interpreted(Program("few", DELTA_RULE, given, Task.of(trials)).model(workers))
    theta = np.array([[[0.4, 2, 0.1]] * 3, [[0.5, 2, 0.1]] * 3])
    total, gradient = model.log_likelihood_and_gradient(theta, trials)
    np.testing.assert_array_equal(total[0], total[1])
    assert (gradient[..., 0] == 0).all()


# -- simulation ------------------------------------------------------------------------------------
