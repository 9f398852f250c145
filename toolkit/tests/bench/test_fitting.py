"""What `toolkit bench fitting` compares and says; its speeds are not tested."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from toolkit.bench import fitting
from toolkit.bench._plain_fitting import Counted, evolve, gcm_objective, network_objective, search_from
from toolkit.fitting import fit
from toolkit.fitting.people import Study
from toolkit.fitting.starts import draw_starts
from toolkit.models import get_model_for
from toolkit.models.checkpoints import find_checkpoint
from toolkit.tests.strategies import random_trials
from toolkit.trials import Trials


@pytest.fixture(scope="module")
def study() -> Study:
    everyone = fitting.simulate(4).until(40)
    return Study("badham2017", "", everyone, simulated=True, groups=None, note="")


@pytest.fixture(scope="module")
def trials() -> Trials:
    """Problems of different lengths, some choices and some categories missing, features 0 or 1."""
    drawn = random_trials("category_learning", (30, 12, 25, 18), n_problems=2, seed=5)
    shown = np.where(drawn.mask[..., None], drawn.stimulus > 0, np.nan)
    return drawn.updated(stimulus=shown.astype(float))


def test_the_plain_exemplar_model_is_ours(trials: Trials) -> None:
    """At starts, on all bounds, and without guesses where nothing is similar."""
    model = get_model_for("gcm", trials)
    lower, upper = (np.array([getattr(one, side) for one in model.parameters]) for side in ("lower", "upper"))
    never_guessing = np.where(np.arange(len(upper)) == len(upper) - 2, 0, upper)
    theta = np.array([*draw_starts(model.parameters, 20), lower, upper, never_guessing])
    assert (trials.choice[trials.mask] < 0).any() and (trials.category[trials.mask] < 0).any()
    for person in trials.participants:
        one = trials.where(participant=person)
        ours = model.log_likelihood(theta[:, None], one).sum((1, 2))
        plain = [-gcm_objective(one)(row) for row in theta]
        np.testing.assert_allclose(ours, plain, rtol=1e-10)


def test_the_plain_network_is_ours_whether_it_is_run_again_or_not(trials: Trials) -> None:
    model, checkpoint = get_model_for("ermi", trials), find_checkpoint("ermi")
    theta = np.array([[0.0, 0.0], [1.5, 0.1], [10.0, 0.0], [4.0, 1.0]])
    for person in trials.participants:
        one = trials.where(participant=person)
        ours = model.log_likelihood(theta[:, None], one).sum((1, 2))
        for rerun in (True, False):
            objective = network_objective(one, checkpoint, rerun=rerun)
            np.testing.assert_allclose(ours, [-objective(row) for row in theta], atol=1e-3)


def test_plain_searches_end_at_the_best_end_and_count_every_call() -> None:
    parameters = get_model_for("ermi", fitting.simulate(1)).parameters
    counted = Counted(lambda theta: min((theta[0] - 3) ** 2, (theta[0] - 8) ** 2 + 2) + theta[1])
    starts = np.array([[9.0, 0.5], [2.0, 0.5]])
    assert search_from(counted, starts, parameters) == pytest.approx(0, abs=1e-6)
    assert counted.n_calls > 12
    assert search_from(counted, starts[:1], parameters) > 1
    assert evolve(counted, parameters, n_restarts=2) == pytest.approx(0, abs=1e-6)


def test_ours_is_as_good_for_everyone_as_the_plain_loop(study: Study) -> None:
    row = fitting.gcm_row(study, n_people=2, n_starts=1)
    assert row.same_result
    assert row.reference_s > row.ours_s
    assert row.met == (row.ratio >= 100)
    assert "4 simulated people in the design of Badham" in row.what
    assert "extrapolated from 2 people and 1 of the starts" in row.note


def test_one_person_who_is_worse_off_makes_the_result_another() -> None:
    people = fit("random", fitting.simulate(2), progress=False).table
    lowest = -people["log_likelihood"].to_numpy()
    assert fitting.Likelihoods.of(people, lowest + np.array([0, 3])).none_worse
    assert "0.000000 (smallest gain) to 3.000000" in str(
        fitting.Likelihoods.of(people, lowest + np.array([0, 3]))
    )
    assert not fitting.Likelihoods.of(people, lowest + np.array([5, -0.01])).none_worse


def test_a_network_that_is_run_once_finds_what_running_it_for_every_call_finds(study: Study) -> None:
    row = fitting.network_row(study, "ermi", n_people=1, n_restarts=1)
    assert row.same_result and row.ratio > 1
    assert row.met == (row.ratio >= 1_000)
    assert "the one pass of the network" in row.note and "counted for 1 people" in row.note


@pytest.fixture
def _few_models(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(fitting, "list_agents", lambda trials, fixed_rules: ["gcm", "rule", "random"])
    yield


@pytest.mark.usefixtures("_few_models")
def test_every_model_is_fitted_to_every_study_and_people_without_an_estimate_are_counted(
    study: Study,
) -> None:
    row = fitting.all_models_row([study, replace(study, name="devraj2022", simulated=False)], n_starts=1)
    assert row.same_result and row.met and row.reference_s == 300
    assert "all 3 models" in row.what and "and 4 people of Devraj" in row.what
    assert row.note.count(" + ") == 3
    silent = study.everyone.participant_index[:, None] == 2
    choice = np.where(silent, -1, study.everyone.choice)
    row = fitting.all_models_row([replace(study, everyone=study.everyone.updated(choice=choice))], n_starts=1)
    assert not row.same_result and "without an estimate (3)" in row.note


def test_all_agents_that_need_nothing_recorded_are_in_the_long_row(study: Study) -> None:
    names = fitting.list_agents(study.everyone, fixed_rules=True)
    assert {"ermi", "gcm", "prototype", "rule", "rule_with_exceptions", "alcove", "rulex"} <= set(names)
    assert "llm" not in names
