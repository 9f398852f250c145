"""Typical agents: medians of fits, and one number of choice that is found again."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from toolkit.errors import UsageError
from toolkit.experiments import get_design
from toolkit.fitting.fitting import Fit
from toolkit.fitting.typical import Answers, TypicalAgent, typical_agents
from toolkit.models import get_model_for
from toolkit.trials import Trials

GCM = {"attention": 6.0, "background": 0.2, "lapse": 0.3}


@pytest.fixture
def design() -> Trials:
    return get_design("shepard").draw(3, rng=np.random.default_rng(0), conditions=("I", "VI"), n_blocks=2)


def some_fit(model: str, **columns: list[float]) -> Fit:
    return Fit(model, tuple(columns), "participant", "ml", pd.DataFrame(columns))


def test_typical_is_the_median_and_attention_is_summed_before() -> None:
    fitted = some_fit(
        "gcm", attention_1=[1, 9, 5, np.nan], attention_2=[3, 0, 1, np.nan], lapse=[0.1, 0.5, 0.2, 0]
    )
    values = typical_agents({"gcm": fitted})["gcm"].values
    assert values == {"attention": 6.0, "lapse": 0.2}


def test_nobody_fitted_is_an_error() -> None:
    with pytest.raises(UsageError, match="fitted to no one"):
        typical_agents({"gcm": some_fit("gcm", lapse=[np.nan])})


@pytest.mark.parametrize("n_features", [3, 4, 6])
def test_attention_is_shared_by_all_features_and_guesses_are_taken_out(n_features: int) -> None:
    trials = get_design("separable", n_features=n_features).draw(2, rng=np.random.default_rng(0), n_blocks=1)
    agent = TypicalAgent("gcm", GCM)
    theta = agent.theta(agent.model_for(trials), 2)
    np.testing.assert_allclose(theta, np.tile([6 / n_features] * n_features + [0, 0.2], (2, 1)))


def test_answers_are_those_of_the_model_whatever_was_chosen(design: Trials) -> None:
    chosen = design.updated(choice=np.ones_like(design.choice))
    model = get_model_for("gcm", design)
    theta = model.theta(3, attention_1=2, attention_2=2, attention_3=2, lapse=0, background=0.2)
    found = TypicalAgent("gcm", GCM).answers(chosen)
    np.testing.assert_allclose(found.p, model.predict(theta, design))
    assert not found.guessing and found.neutral == 1


def test_the_exponent_raises_and_the_share_of_guesses_mixes(design: Trials) -> None:
    p = np.full((len(design), design.n_trials, 2), [0.2, 0.8])
    raised = Answers(design, p, guessing=False).chosen(2.0)
    np.testing.assert_allclose(raised[0, 0], [0.04 / 0.68, 0.64 / 0.68])
    mixed = Answers(design, p, guessing=True).chosen(0.5)
    np.testing.assert_allclose(mixed[0, 0], [0.35, 0.65])
    np.testing.assert_allclose(Answers(design, p, guessing=False).chosen(1.0), p)
    np.testing.assert_allclose(Answers(design, p, guessing=True).chosen(0.0), p)


def test_probabilities_of_0_and_1_stay_numbers(design: Trials) -> None:
    p = np.full((len(design), design.n_trials, 2), [0.0, 1.0])
    for response in (0.02, 1.0, 50.0):
        found = Answers(design, p, guessing=False).chosen(response)
        assert np.isfinite(found).all()
        np.testing.assert_allclose(found.sum(-1), 1)


@pytest.mark.parametrize(("guessing", "true"), [(False, 0.3), (False, 4.0), (True, 0.25)])
def test_the_number_of_choice_is_recovered(design: Trials, guessing: bool, true: float) -> None:
    p = TypicalAgent("gcm", GCM).answers(design).p
    answers = Answers(design, p, guessing)
    target = answers.correct(true)
    found = answers.fit_response(lambda response: float(np.nansum((answers.correct(response) - target) ** 2)))
    assert found == pytest.approx(true, rel=0.02)


def test_what_rulex_says_without_choices_is_the_mean_over_its_choices(design: Trials) -> None:
    agent = TypicalAgent("rulex", {"store": 0.5, "give_up": 0.5, "complexity": 0.3})
    expected = agent.answers(design)
    assert expected.guessing and expected.neutral == 0
    model = agent.model_for(design)
    many = design.take(np.zeros(600, dtype=int))
    many = Trials(
        many.schema,
        many.arrays,
        many.mask,
        many.sequences.assign(participant=np.arange(600)),
        n_options=2,
    ).until(10)
    chosen = model.simulate(agent.theta(model, 600), many, np.random.default_rng(1))
    share = (chosen.choice == 1).mean(0)
    np.testing.assert_allclose(share, expected.p[0, :10, 1], atol=0.07)
