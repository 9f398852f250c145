"""Faults of earlier searches for models that must not come back, one test for each fact of the specification."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from toolkit.data import load_data
from toolkit.discovery.baselines import get_baseline
from toolkit.discovery.legacy import LegacyProgram
from toolkit.discovery.probes import probe
from toolkit.discovery.rejection import Rejected
from toolkit.discovery.task import Task
from toolkit.fitting import fit
from toolkit.tests.discovery.programs import bandit, delta_rule, inside, interpreted, parameters, two_step
from toolkit.tests.discovery.texts import LEGACY_TWO_STEP
from toolkit.tests.strategies import random_trials
from toolkit.trials import Trials


def bic(log_likelihood: np.ndarray, n_parameters: int, n: int) -> float:
    return float((n_parameters * np.log(n) - 2 * log_likelihood).mean())


@pytest.fixture(scope="module")
def attributes(public_data: Path) -> Trials:
    return load_data("hilbig2014_multi_attribute")


def test_1_a_score_says_how_many_choices_it_counts(workers) -> None:
    trials = random_trials("two_step", (6, 5), seed=1)
    model = interpreted(two_step(trials).model(workers))
    table = fit(model, trials, n_starts=1, exchange_rounds=0, progress=False).table
    made = [((trials.choice[s] >= 0).sum() + (trials.choice_2[s] >= 0).sum()) for s in range(2)]
    assert list(table["n_trials"]) == made
    expected = 7 * np.log(made) - 2 * table["log_likelihood"]
    np.testing.assert_allclose(table["bic"], expected)


def test_2_and_3_compiled_likelihoods_are_quick_and_the_same(workers) -> None:
    import time

    trials = bandit((150,) * 20, seed=2)
    model = delta_rule(trials).model(workers)
    theta = inside(model, 20)
    model.log_likelihood_and_gradient(theta, trials)

    def seconds(run) -> float:
        began = time.perf_counter()
        run()
        return time.perf_counter() - began

    fast = min(seconds(lambda: model.log_likelihood_and_gradient(theta, trials)) for _ in range(3))
    slow = seconds(lambda: model.totals(theta, trials, interpreted=True))
    assert slow > 5 * fast  # It also has the gradient, which takes the slow one six times as long again.
    one, other = model.totals(theta, trials), model.totals(theta, trials, interpreted=True)
    np.testing.assert_allclose(one, other, rtol=1e-12)


@pytest.mark.data
def test_4_columns_are_bound_by_name(attributes, workers) -> None:
    """One weight on the stated validities has the published mean BIC for the participants 4–13."""
    trials = attributes.take(range(4, 14))
    program = get_baseline("wadd", Task.of(attributes))
    fitted = fit(program.model(workers), trials, n_starts=4, progress=False)
    assert abs(bic(fitted.table["log_likelihood"].to_numpy(), 1, 96) - 43.73) < 0.3
    names = [f"{side}_feature{i}" for side in "AB" for i in range(1, 5)]
    text = f"""
def model({", ".join([*names[4:], "decisions", *names[:4], "parameters"])}):
    beta = parameters[0]
    a = .9 * A_feature1 + .8 * A_feature2 + .7 * A_feature3 + .6 * A_feature4
    b = .9 * B_feature1 + .8 * B_feature2 + .7 * B_feature3 + .6 * B_feature4
    p = 1 / (1 + np.exp(-beta * (b - a)))
    return -np.sum(np.log(np.where(decisions == 1, p, 1 - p)))
"""
    legacy = interpreted(LegacyProgram("legacy", text, program.parameters, program.task).model(workers))
    theta = fitted.theta
    np.testing.assert_allclose(legacy.totals(theta, trials), fitted.table["log_likelihood"], rtol=1e-9)


def test_5_a_missed_trial_is_no_index(workers) -> None:
    """What was recorded on trials without a second choice changes nothing that is learned."""
    trials = random_trials("two_step", (40,), seed=5)
    model = interpreted(two_step(trials).model(workers))
    theta = inside(model, 1)
    missed = trials.choice_2 < 0
    assert missed.any()
    other = trials.updated(outcome=np.where(missed, 99.0, trials.outcome))
    np.testing.assert_array_equal(model.predict_all(theta, trials), model.predict_all(theta, other))
    legacy = LegacyProgram("legacy", LEGACY_TWO_STEP, parameters("learning_rate", "beta"), Task.of(trials))
    columns = ("choice", "state", "choice_2", "outcome")
    whole = ~missed & (trials.choice >= 0) & (trials.state >= 0) & ~np.isnan(trials.outcome)
    rows = {name: getattr(trials, name)[0][whole[0]] for name in columns}
    expected = {}
    exec("import numpy as np\n" + LEGACY_TWO_STEP, expected)
    by_hand = -expected["cognitive_model1"](*rows.values(), [0.3, 2.0])
    found = interpreted(legacy.model(workers)).totals(np.array([[0.3, 2.0]]), trials)
    np.testing.assert_allclose(found, by_hand, rtol=1e-12)


@pytest.mark.slow
@pytest.mark.data
def test_5_on_whole_trials_the_known_optimum_is_reached(public_data, workers) -> None:
    """The hybrid of Daw et al. (2011) on the 201 whole trials of participants 4–13, and of 14–23."""
    raw = load_data("feher2020_two_step")
    whole = raw.mask & (raw.choice >= 0) & (raw.state >= 0) & (raw.choice_2 >= 0)
    order = np.argsort(~whole, axis=1, kind="stable")
    arrays = {name: np.take_along_axis(array, order, 1) for name, array in raw.arrays.items()}
    trials = Trials(raw.schema, arrays, np.take_along_axis(whole, order, 1), raw.sequences, n_options=2)
    model = get_baseline("daw_hybrid", Task.of(trials)).model(workers)
    fitted = fit(model, trials.until(201), progress=False).table["log_likelihood"].to_numpy()
    assert abs(bic(fitted[4:14], 7, 201) - 387.19) < 0.3
    assert abs(bic(fitted[14:], 7, 201) - 483.03) < 0.3


def test_6_parameters_and_bounds_are_data_not_prose(workers) -> None:
    """An unpacking over several lines and bounds in any notation of the text lose nothing."""
    trials = random_trials("two_step", (15,), seed=6)
    model = LegacyProgram("legacy", LEGACY_TWO_STEP, parameters("learning_rate", "beta"), Task.of(trials))
    assert [(one.name, one.lower, one.upper) for one in model.model(workers).parameters] == [
        ("learning_rate", 0, 1),
        ("beta", 0, 10),
    ]


def test_8_a_candidate_cannot_reach_what_scores_it(workers) -> None:
    trials = bandit().updated(forced=np.zeros((3, 40), dtype=bool))
    steal = "def f(choice, x):\n    global minimize\n    minimize = lambda *_: -2e9\n    return 1.0"
    with pytest.raises(Rejected, match="Global is not allowed"):
        LegacyProgram("legacy", steal, parameters("rate"), Task.of(trials)).binding()
    rebind = steal.replace("    global minimize\n", "").replace("return 1.0", "return -1e9")
    model = LegacyProgram("legacy", rebind, parameters("rate"), Task.of(trials)).model(workers)
    with pytest.raises(Rejected, match="below 0"):
        probe(model, trials)


def test_9_a_likelihood_is_checked_before_it_counts(workers) -> None:
    """Constant returns, choices that are looked at first, and sums that forget trials: see test_legacy."""
    trials = bandit().updated(forced=np.zeros((3, 40), dtype=bool))
    model = LegacyProgram("zero", "def f(choice, x):\n    return 0.0", parameters("rate"), Task.of(trials))
    with pytest.raises(Rejected, match="whatever the choices are"):
        probe(model.model(workers), trials)
