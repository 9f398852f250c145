"""Difficulty of the six types: what is fitted, what is judged, and whose order it is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from toolkit.data import load_data
from toolkit.experiments import get_design
from toolkit.fitting.difficulty import (
    beside_published,
    expected_errors,
    judge_types,
    learn_types,
    legacy_effect,
    mean_errors,
    order_types,
    published_errors,
)
from toolkit.fitting.groups import load_group
from toolkit.fitting.people import Study
from toolkit.fitting.typical import TypicalAgent
from toolkit.trials import Trials

AGENTS = {
    "gcm": TypicalAgent("gcm", {"attention": 6.0, "background": 0.2}),
    "bayesian_logistic_regression": TypicalAgent(
        "bayesian_logistic_regression", {"log10_prior_deviation": 0.5, "response_scaling": 1.0}
    ),
}


@pytest.fixture
def design() -> Trials:
    return get_design("shepard").draw(4, rng=np.random.default_rng(0), n_blocks=6)


def means(errors: pd.DataFrame) -> pd.DataFrame:
    return errors.groupby(["condition", "block"], as_index=False)["error"].mean()


def test_published_means_are_those_that_are_reported() -> None:
    reported = {"I": 0.091, "II": 0.137, "III": 0.132, "IV": 0.125, "V": 0.136, "VI": 0.180}
    found = published_errors().groupby("condition")["error"].mean().to_dict()
    assert found == pytest.approx(reported, abs=6e-4)


def test_expected_errors_are_those_of_many_who_choose(design: Trials) -> None:
    answers = AGENTS["gcm"].answers(design)
    p = answers.chosen(2.0)
    rng = np.random.default_rng(1)
    drawn = np.mean([rng.random(p.shape[:2]) < p[..., 1] for _ in range(400)], axis=0)
    wrong = np.where(design.category == 1, 1 - drawn, drawn)
    simulated = wrong.reshape(len(design), 6, 16).mean(-1).ravel()
    np.testing.assert_allclose(expected_errors(answers, 2.0)["error"], simulated, atol=0.03)


def test_the_number_comes_from_two_types_alone(design: Trials) -> None:
    answers = AGENTS["gcm"].answers(design)
    people = means(expected_errors(answers, 2.5))
    errors, responses = learn_types({"gcm": AGENTS["gcm"]}, design, people)
    assert responses["gcm"] == pytest.approx(2.5, rel=0.02)
    people.loc[~people["condition"].isin(["I", "VI"]), "error"] = 0.5
    again, same = learn_types({"gcm": AGENTS["gcm"]}, design, people)
    assert same == responses
    pd.testing.assert_frame_equal(again, errors)


def test_without_people_answers_stay_as_they_are_and_nobody_is_judged(design: Trials) -> None:
    errors, responses = learn_types(AGENTS, design, None)
    assert responses == dict.fromkeys(AGENTS, 1.0)
    judged = judge_types(errors, None, rng=np.random.default_rng(0))
    assert judged["agent"].tolist() == list(AGENTS) and judged["judged"].isna().all()


def test_judging_is_the_distance_on_the_other_types(design: Trials) -> None:
    people = means(expected_errors(AGENTS["gcm"].answers(design), 1.0))
    people["error"] += np.where(people["condition"].isin(["I", "VI"]), 0.0, 0.1)
    errors, _ = learn_types(AGENTS, design, people)
    judged = judge_types(errors, people, rng=np.random.default_rng(0)).set_index("agent")
    assert judged.index[0] == "gcm"
    assert judged.loc["gcm", "judged"] == pytest.approx(0.1, abs=2e-3)
    assert judged.loc["gcm", "fitted"] == pytest.approx(0.0, abs=2e-3)
    # A line cannot part what exclusive or and parity put together.
    late = errors[(errors["agent"] == "bayesian_logistic_regression") & (errors["block"] == 6)]
    hard = late.groupby("condition")["error"].mean()
    assert hard["I"] < 0.15 and min(hard["II"], hard["VI"]) > 0.4
    assert judged.loc["bayesian_logistic_regression", "same_order"] < 0.5


def test_ours_stands_beside_the_published_blocks(design: Trials) -> None:
    errors, _ = learn_types(AGENTS, design, None)
    found = beside_published(errors.assign(agent="ermi"))
    assert len(found) == 36
    row = found[(found["condition"] == "VI") & (found["block"] == 2)].iloc[0]
    own = errors[(errors["condition"] == "VI") & (errors["block"] == 2)]["error"].mean()
    assert row["published"] == 0.238 and row["ours"] == pytest.approx(own)


def test_the_faulty_generator_mixes_types_as_often_as_it_draws_them(design: Trials) -> None:
    errors, _ = learn_types({"gcm": AGENTS["gcm"]}, design, None)
    mean = errors.groupby("condition")["error"].mean()
    found = legacy_effect(errors).set_index("agent").loc["gcm"]
    assert found["III"] == pytest.approx((mean["IV"] + mean["V"]) / 4 - mean["III"] / 2)
    faulty = get_design("shepard", legacy=True).draw(
        300, rng=np.random.default_rng(1), conditions=["V"], n_blocks=1
    )
    drawn = faulty.sequences["drawn_type"].value_counts(normalize=True)
    expected = (drawn * mean[drawn.index]).sum() - mean["V"]
    assert found["V"] == pytest.approx(expected, abs=0.02) and abs(found["V"]) > 0.005


def test_mean_errors_stand_beside_peoples(design: Trials) -> None:
    people = pd.DataFrame({"condition": ["I", "I"], "block": [1, 2], "error": [0.2, 0.4]})
    found = mean_errors({"gcm": AGENTS["gcm"]}, design, {"gcm": 2.0}, people)
    own = expected_errors(AGENTS["gcm"].answers(design), 2.0)
    assert found.loc["gcm", "VI"] == pytest.approx(own[own["condition"] == "VI"]["error"].mean())
    assert found.loc["people", "I"] == pytest.approx(0.3)
    assert "people" not in mean_errors({"gcm": AGENTS["gcm"]}, design, {"gcm": 2.0}, None).index


def test_simulated_people_have_no_groups(design: Trials) -> None:
    errors, _ = learn_types(AGENTS, design, None)
    study = Study("badham2017", "Simulated", design, simulated=True, groups=None, note="")
    found = order_types(errors, None, study, rng=np.random.default_rng(0))
    assert found["agent"].unique().tolist() == ["published ermi", *AGENTS]
    assert (found["low"] <= found["mean"]).all() and (found["mean"] <= found["high"]).all()


@pytest.mark.data
def test_older_people_find_exclusive_or_hardest_of_four_and_younger_do_not(
    public_data: Path, design: Trials
) -> None:
    errors, _ = learn_types(AGENTS, design, None)
    people = load_group("shepard", load=lambda name: None)
    assert people.title == "People: Nosofsky et al. (1994)"
    study = Study("badham2017", "Badham", load_data("badham2017"), simulated=False, groups="group", note="")
    found = order_types(errors, people.results, study, rng=np.random.default_rng(0))
    mean = found.pivot_table("mean", "agent", "condition")
    assert mean.loc["older people"].drop(["V", "VI"]).idxmax() == "II"
    assert mean.loc["young people", "II"] < mean.loc["young people", "III"]
    early = people.results[people.results["block"] <= 6]
    assert mean.loc["people", "I"] == pytest.approx(early[early["condition"] == "I"]["error"].mean())
