"""Functions in the style of GeCCo: bound by name, and refused with a reason where they are no likelihood."""

from __future__ import annotations

import re

import numpy as np
import pytest

from toolkit.discovery.legacy import LegacyModel, LegacyProgram
from toolkit.discovery.lowering.likelihood import write_likelihood
from toolkit.discovery.probes import probe
from toolkit.discovery.program import Program
from toolkit.discovery.rejection import Rejected
from toolkit.discovery.task import Task
from toolkit.errors import UsageError
from toolkit.fitting import fit
from toolkit.tests.discovery.programs import bandit, inside, interpreted, parameters
from toolkit.tests.discovery.texts import LEGACY_REWRITTEN, LEGACY_TWO_STEP
from toolkit.tests.strategies import random_trials
from toolkit.trials import Trials

HEAD = "def model(choice, reward, params):\n    rate, steepness = params\n"
LOOP = """
    value = np.zeros(2)
    total = 0.0
    for t in range(len(choice)):
        p = np.exp(steepness * value) / np.exp(steepness * value).sum()
        total -= np.log(p[choice[t]])
        value[choice[t]] += rate * (reward[t] - value[choice[t]])
    return total
"""


@pytest.fixture(scope="module")
def trials() -> Trials:
    rewarded = bandit()
    free = np.zeros_like(rewarded.mask)
    return rewarded.updated(outcome=np.tanh(rewarded.outcome), forced=free)


def legacy(text: str, trials: Trials, *names: str, **options) -> LegacyProgram:
    return LegacyProgram("legacy", text, parameters(*names), Task.of(trials), **options)


def of_bandit(text: str, trials: Trials, workers) -> LegacyModel:
    return interpreted(legacy(text, trials, "rate", "steepness").model(workers))


def test_a_legacy_function_is_the_same_model_as_a_program(trials, workers) -> None:
    text = """
def init(n_options):
    value = np.zeros(n_options)
    return value

def predict(value, steepness):
    return softmax(value, steepness)

def update(value, choice, reward, rate):
    value[choice] += rate * (reward - value[choice])
    return value
"""
    program = Program("program", text, parameters("rate", "steepness"), Task.of(trials))
    model, other = of_bandit(HEAD + LOOP, trials, workers), interpreted(program.model(workers))
    theta = inside(other, 2, participants=3)
    # A legacy function does not see trials on which something is missing, which a program is asked about.
    whole = trials.updated(choice=np.maximum(trials.choice, 0), outcome=np.nan_to_num(trials.outcome))
    for one, two in zip(
        model.log_likelihood_and_gradient(theta, whole),
        other.log_likelihood_and_gradient(theta, whole),
        strict=True,
    ):
        np.testing.assert_allclose(one, two, rtol=1e-7, atol=1e-7)
    probe(model, trials)
    fitted = fit(model, whole.take([0]), n_starts=2, exchange_rounds=0, progress=False)
    assert np.isfinite(fitted.table["log_likelihood"]).all()


def test_arguments_and_parameters_are_bound_by_name(workers) -> None:
    """The order of arguments and of parameters changes nothing; only names do."""
    trials = random_trials("two_step", (20, 15), seed=3)
    one = legacy(LEGACY_TWO_STEP, trials, "learning_rate", "beta")
    turned = LEGACY_TWO_STEP.replace("choice_1, state, choice_2, reward, model", "reward, choice_2, choice_1, state, model")  # fmt: skip
    other = legacy(turned, trials, "beta", "learning_rate")
    assert other.binding().order == (1, 0) and one.binding().order == (0, 1)
    assert one.binding().columns["choice_1"] == ("choice", ())
    theta = inside(one.model(workers), 2)
    first, second = (
        interpreted(one.model(workers)).totals(theta, trials),
        interpreted(other.model(workers)).totals(theta[:, ::-1], trials),
    )
    np.testing.assert_array_equal(first, second)


def test_one_number_of_a_column_of_several_has_a_name() -> None:
    trials = random_trials("multi_attribute")
    text = "def f(decisions, B_feature2, x):\n    return x[0]"
    assert legacy(text, trials, "beta").binding().columns == {
        "decisions": ("choice", ()),
        "B_feature2": ("attributes", (1, 1)),
    }
    renamed = legacy(text.replace("B_feature2", "price"), trials, "beta", columns={"price": "attributes_0_1"})
    assert renamed.binding().columns["price"] == ("attributes", (0, 1))


@pytest.mark.parametrize(
    ("line", "order"),
    [
        ("beta, rate = x", (1, 0)),
        ("(beta, rate) = [float(one) for one in x]  # a comment", (1, 0)),
        ("[beta, rate] = map(float, x)", (1, 0)),
        ("(\n        beta,\n        rate,\n    ) = x", (1, 0)),
        ("n, m = 3, 4\n    beta, rate = x", (1, 0)),
        ("beta = x[0]\n    rate = x[1]", (1, 0)),
        ("pass", (0, 1)),
    ],
)
def test_names_are_found_however_parameters_are_unpacked(line: str, order: tuple[int, ...]) -> None:
    text = f"def f(choice, x):\n    {line}\n    return x[0] * x[1]"
    assert legacy(text, bandit(), "rate", "beta").binding().order == order


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("def f(choice, rewards_, x):\n    return 0", "Did you mean 'reward'"),
        ("def f(choice):\n    return 0", "no argument is left for the parameters"),
        ("def f(choice, x):\n    beta, gamma = x\n    return 0", "unpacks beta, gamma, but its parameters are rate, beta"),
    ],
)  # fmt: skip
def test_what_cannot_be_bound_is_named(text: str, says: str) -> None:
    with pytest.raises(Rejected, match=says) as caught:
        legacy(text, bandit(), "rate", "beta").binding()
    assert caught.value.reason == "contract"


@pytest.mark.parametrize(
    ("text", "reason", "says"),
    [
        (HEAD + "    return 0.0", "constant", "is 0 whatever the choices are"),
        (HEAD + "    return rate * steepness", "constant", "whatever the choices are"),
        (HEAD + LOOP.replace("total -= np", "total = -np"), "not a likelihood", "sum to"),
        (HEAD + LOOP.replace("p[choice[t]])", "0.999 if t % 2 else p[choice[t]])"), "not a likelihood", "sum to"),
        (HEAD + LOOP.replace("total -=", "value[choice[t]] += 1.0\n        p = np.exp(value) / np.exp(value).sum()\n        total -="),
         "not a likelihood", "looks at a choice before it predicts it"),
        (HEAD + LOOP.replace("np.exp(steepness * value)", "np.exp(steepness * (value + choice.mean() * np.array([1, 0])))"),
         "not a likelihood", "not to 1"),
        (HEAD + LOOP.replace("np.exp(steepness * value)", "np.exp(steepness * (value + np.array([reward[t], 0])))"),
         "reads ahead", "the outcome of the last trial changes the likelihood"),
        (HEAD + LOOP.replace("value = np.zeros(2)", "value = np.array([reward.mean(), 0])"), "reads ahead", "outcome"),
        (HEAD + LOOP.replace("return total", "return -total"), "not a likelihood", "below 0"),
        (HEAD + LOOP.replace("return total", "return total + np.log(rate - 0.5)"), "invalid probabilities", "not a number at"),
        (HEAD + LOOP.replace("rate *", "0.1 *"), "unused parameter", "'rate' makes no difference"),
        (HEAD + "    return None", "error", "TypeError"),
        (HEAD + "    minimize = choice\n    return [1, 2]", "error", "TypeError"),
    ],
)  # fmt: skip
def test_what_is_no_likelihood_is_refused_with_a_reason(
    trials, workers, text, reason: str, says: str
) -> None:
    with pytest.raises(Rejected) as caught:
        probe(of_bandit(text, trials, workers), trials)
    assert (caught.value.reason, says in caught.value.what) == (reason, True), caught.value


# -- compiled --------------------------------------------------------------------------------------


def test_a_compiled_function_is_the_same_as_an_interpreted_one(workers) -> None:
    trials = random_trials("two_step", (40, 30), seed=5)
    names = ("rate", "beta", "w")
    model = legacy(LEGACY_REWRITTEN, trials, *names).model(workers)
    theta = inside(model, 3, participants=2)
    compiled = model.log_likelihood_and_gradient(theta, trials)
    assert model.engine.why_interpreted == ""
    slow = interpreted(legacy(LEGACY_REWRITTEN, trials, *names).model(workers))
    for one, other in zip(compiled, slow.log_likelihood_and_gradient(theta, trials), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-6)
    # The function raises an error there; the other rows are computed all the same.
    theta[0, 0, 2] = 0.0
    total, _ = model.log_likelihood_and_gradient(theta, trials)
    assert np.isnan(total[0, 0]) and np.isfinite(total.ravel()[1:]).all()
    with pytest.raises(Rejected, match="ValueError: no weight of 0") as caught:
        model.log_likelihood_and_gradient(theta[:1, :1].repeat(2, 1), trials)
    assert caught.value.where.startswith("cognitive_model1, line")


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("q = {}; q.setdefault(1, rate)", "numba cannot compile it: .*setdefault"),
        ("n = 10\n    for k in range(20):\n        n = n * 10\n    steepness = n / 1e21 * steepness", "compiled, its log-likelihood is .* where Python's is"),
    ],
)  # fmt: skip
def test_what_cannot_be_compiled_is_interpreted_with_a_reason(trials, workers, line: str, says: str) -> None:
    text = f"{HEAD}    {line}\n    return np.log(1 + steepness) * len(choice)"
    model = legacy(text, trials, "rate", "steepness").model(workers)
    theta = inside(model, 3)
    total = model.totals(theta, trials)
    np.testing.assert_allclose(total, model.totals(theta, trials, interpreted=True))
    assert re.search(says, model.engine.why_interpreted), model.engine.why_interpreted


@pytest.mark.parametrize(
    ("line", "written"),
    [
        ("x = np.max(y, axis=1)", "x = max_along__(y, 1)"),
        ("x = y.mean(0)", "x = mean_along__(y, 0)"),
        ("x = y.max()", "x = y.max()"),
        ("x = np.max([a, b])", "x = np.max(np.array([a, b]))"),
        ("x = np.clip(a, 0, 1)", "x = np.minimum(np.maximum(a, 0), 1)"),
        ("x = y.astype(int)", "x = y.astype(np.int64)"),
        ("x = np.zeros(2, dtype=float)", "x = np.zeros(2, dtype=np.float64)"),
        ("x = np.array(y)", "x = np.asarray(y).copy()"),
        ("x = np.column_stack([a, b])", "x = np.column_stack((a, b))"),
        ("x = y @ a", "x = dot__(y, a)"),
        ("x = y[None, :]", "x = y[None, :]"),
        ("x = None if y is None else np.sum(a, axis=None)", "x = -4503599627370496 if y == -4503599627370496 else np.sum(a, axis=None)"),
    ],
)  # fmt: skip
def test_what_numba_does_not_know_is_put_in_other_words(line: str, written: str) -> None:
    text = f"def f(choice, x):\n    {line}\n    return x"
    assert written in write_likelihood(text, "f", ["choice"], "x", ["rate"]).splitlines()[-12:][1]


def test_choices_that_do_not_count_are_not_given_to_a_legacy_function(trials, workers) -> None:
    model = of_bandit(HEAD + LOOP, trials, workers)
    some = trials.leaving_out(np.broadcast_to(np.arange(trials.n_trials) > 5, trials.mask.shape))
    with pytest.raises(UsageError, match="forced or left out"):
        model.totals(inside(model, 3), some)
    with pytest.raises(UsageError, match="says nothing about single choices"):
        model.predict(inside(model, 3), trials)
