"""Programs as models like any other: simulated, registered, fitted, kept, and checked again."""

from __future__ import annotations

import time

import numpy as np
import pandas as pd
import pytest

from toolkit.discovery.caching import fit_key, fit_program
from toolkit.discovery.checking import recheck
from toolkit.discovery.rejection import Rejected
from toolkit.errors import UsageError
from toolkit.fitting import fit
from toolkit.models import get_model, list_models
from toolkit.tests.discovery.programs import delta_rule, inside, interpreted, two_step
from toolkit.tests.discovery.texts import DELTA_RULE
from toolkit.tests.strategies import random_trials
from toolkit.trials import SCHEMAS, Trials


def paying(n_people: int, n_trials: int, seed: int = 0) -> Trials:
    """A design of two options that pay with different chances."""
    rng = np.random.default_rng(seed)
    shape = (n_people, n_trials)
    payoff = (rng.random((*shape, 2)) < [0.7, 0.3]).astype(float)
    arrays = {
        "context": np.zeros(shape, int),
        "choice": np.full(shape, -1),
        "outcome": np.full(payoff.shape, np.nan),
        "payoff": payoff,
    }
    people = pd.DataFrame({"participant": np.arange(n_people), "problem": 0, "condition": "all"})
    return Trials(SCHEMAS["bandit"], arrays, np.ones(shape, bool), people, n_options=2)


def test_simulated_choices_follow_the_predictions(workers) -> None:
    design = paying(20, 60)
    model = interpreted(delta_rule(design).model(workers))
    theta = np.tile([0.3, 3.0, 0.2], (20, 1))
    simulated = model.simulate(theta, design, np.random.default_rng(1))
    p = model.predict(theta, simulated)[..., 1]
    excess = (simulated.choice - p).sum() / np.sqrt((p * (1 - p)).sum())
    assert abs(excess) < 4
    chosen = np.take_along_axis(simulated.outcome, simulated.choice[..., None], -1)[..., 0]
    paid = np.take_along_axis(design.payoff, simulated.choice[..., None], -1)[..., 0]
    np.testing.assert_array_equal(chosen, paid)
    assert np.isnan(simulated.outcome).sum() == simulated.choice.size
    assert (simulated.choice == 0).mean() > 0.6
    again = model.simulate(theta, design, np.random.default_rng(1))
    assert again.equals(simulated)


def test_simulated_two_step_trials_follow_the_world(workers) -> None:
    shape = (10, 80)
    design = random_trials("two_step", (80,) * 10)
    chances = {f"reward_p_s{s}_{k}": np.full(shape, 0.2 + 0.6 * (s == k)) for s in (0, 1) for k in (0, 1)}
    design = design.updated(**chances)
    model = interpreted(two_step(design).model(workers))
    simulated = model.simulate(inside(model, 10), design, np.random.default_rng(2))
    assert (simulated.choice >= 0).all() and (simulated.choice_2 >= 0).all()
    assert abs((simulated.state == simulated.choice).mean() - 0.7) < 0.08
    good = simulated.state == simulated.choice_2
    assert (
        abs(simulated.outcome[good].mean() - 0.8) < 0.1 and abs(simulated.outcome[~good].mean() - 0.2) < 0.1
    )
    without = random_trials("two_step", (5,))
    with pytest.raises(UsageError, match="does not hold the chances of rewards"):
        model.simulate(inside(model, 1), without, np.random.default_rng(0))


# -- like any other model --------------------------------------------------------------------------


def test_a_program_is_in_the_registry(trials) -> None:
    delta_rule(trials, name="found_by_search").register()
    assert "found_by_search" in list_models("bandit")
    model = get_model("found_by_search")
    assert [one.name for one in model.parameters] == ["rate", "steepness", "stickiness"]
    assert model.theta(2, rate=0.1, steepness=1, stickiness=0).shape == (2, 3)
    assert "two_step" not in model.schemas and model.reads_choices


@pytest.fixture(scope="module")
def people(model) -> tuple[Trials, np.ndarray]:
    """Eight simulated people, and what they were simulated with."""
    rng = np.random.default_rng(5)
    theta = np.stack([rng.uniform(0.2, 0.8, 8), rng.uniform(2, 6, 8), np.zeros(8)], -1)
    return model.simulate(theta, paying(8, 100), rng), theta


def test_fits_are_good_and_the_same_each_time(model, people) -> None:
    simulated, theta = people
    one = fit(model, simulated, n_starts=4, progress=False)
    assert one.table["converged"].all()
    truth = model.log_likelihood_and_gradient(theta, simulated)[0]
    assert (one.table["log_likelihood"] >= truth - 1e-6).all()
    assert np.corrcoef(one.theta[:, 0], theta[:, 0])[0, 1] > 0.5
    other = fit(model, simulated, n_starts=4, progress=False)
    np.testing.assert_array_equal(one.theta, other.theta)


def test_a_kept_fit_is_not_made_again(model, people, tmp_path, monkeypatch) -> None:
    simulated, _ = people
    options = {"n_starts": 2, "seed": 3, "progress": False}
    made = fit_program(model, simulated, folder=tmp_path, **options)
    monkeypatch.setattr("toolkit.discovery.caching.fit", None)
    kept = fit_program(model, simulated, folder=tmp_path, **options)
    np.testing.assert_array_equal(kept.theta, made.theta)
    assert kept.table["log_likelihood"].equals(made.table["log_likelihood"])
    keys = {
        fit_key(model, simulated, **options),
        fit_key(model, simulated, **{**options, "seed": 4}),
        fit_key(model, simulated.take([0, 1]), **options),
    }
    assert len(keys) == 3
    (path,) = tmp_path.iterdir()
    path.write_bytes(b"damaged")
    with pytest.raises(TypeError):
        fit_program(model, simulated, folder=tmp_path, **options)


def test_a_fit_that_takes_too_long_is_given_up(trials, workers, tmp_path) -> None:
    text = DELTA_RULE.replace(
        "    value[choice] +=", "    while rate > 0:\n        last = 0\n    value[choice] +="
    )
    model = interpreted(delta_rule(trials, text).model(workers))
    began = time.monotonic()
    with pytest.raises(Rejected, match="longer than 0.5 s in all") as caught:
        fit_program(model, trials, folder=tmp_path, seconds=0.5, progress=False)
    assert caught.value.reason == "time" and time.monotonic() - began < 1.5
    assert not list(tmp_path.iterdir())


def test_the_winner_is_checked_in_a_fresh_process(model, people) -> None:
    simulated, _ = people
    fitted = fit(model, simulated, n_starts=2, progress=False)
    assert recheck(model, fitted, simulated, n_participants=2) < 1e-8
    fitted.table["log_likelihood"] += 50.0
    with pytest.raises(Rejected, match="not of .* as fitted") as caught:
        recheck(model, fitted, simulated, n_participants=2)
    assert caught.value.reason == "not confirmed"
