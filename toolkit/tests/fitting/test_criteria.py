"""Places under several criteria, groups of people, and expectations on the trials people made."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from toolkit.errors import UsageError
from toolkit.fitting import compare, compare_groups, fit, predict_correct, rank_by_criterion
from toolkit.models import get_model
from toolkit.tests.fitting.agents import design_of
from toolkit.trials import Trials


def table(log_likelihood: list[float], n_parameters: int) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "participant": [f"p{number}" for number in range(len(log_likelihood))],
            "log_likelihood": log_likelihood,
            "n_trials": 100,
            "n_parameters": n_parameters,
        }
    )


@pytest.fixture
def fits() -> dict[str, pd.DataFrame]:
    """The large model is better before its numbers are paid for."""
    return {"large": table([-40.0, -45, -50, -60], 6), "small": table([-48.0, -50, -55, -50], 1)}


def test_places_turn_round_where_numbers_are_paid_for(fits: dict[str, pd.DataFrame]) -> None:
    by = {name: compare(fits, by=name, n_bootstrap=10) for name in ("aic", "bic")}
    likelihood = pd.DataFrame({"model": ["large", "small", "absent"], "nats_per_trial": [0.4, 0.5, np.nan]})
    places = rank_by_criterion({"likelihood": likelihood, **by})
    assert places.columns.tolist() == ["criterion", "model", "place", "behind"]
    first = places[places["place"] == 1].set_index("criterion")["model"]
    assert first.to_dict() == {"likelihood": "large", "aic": "small", "bic": "small"}
    assert "absent" not in set(places["model"])
    behind = places.set_index(["criterion", "model"])["behind"]
    assert behind["likelihood", "small"] == pytest.approx(0.1)
    # BIC / 2: 195 + 4 · 3 ln 100 against 203 + 4 · 0.5 ln 100, over 400 choices.
    assert behind["bic", "large"] == pytest.approx((195 - 203 + 10 * np.log(100)) / 400)


def test_groups_are_meaned_over_their_own_people(fits: dict[str, pd.DataFrame]) -> None:
    trials = design_of(4, 2, 100, 0)
    young = trials.sequences["participant"] != "p3"
    trials = Trials(
        trials.schema,
        trials.arrays,
        trials.mask,
        trials.sequences.assign(group=np.where(young, "young", "older")),
        n_options=2,
    )
    comparison = compare(fits, by="aic", n_bootstrap=10)
    groups = compare_groups(comparison, trials, "group").set_index(["group", "model"])
    assert groups.loc[("young", "large"), "nats_per_trial"] == pytest.approx((46 + 51 + 56) / 300)
    assert groups.loc[("older", "small"), "nats_per_trial"] == pytest.approx(0.51)
    assert groups.loc["young", "n_participants"].tolist() == [3, 3]
    assert groups.loc[("older", "small"), ["low", "high"]].tolist() == pytest.approx([0.51, 0.51])
    assert (
        groups.loc[("young", "large"), "low"] < (46 + 51 + 56) / 300 < groups.loc[("young", "large"), "high"]
    )
    assert groups.loc[("young", "large"), "share_best"] == pytest.approx(2 / 3)
    assert groups.loc[("young", "small"), "share_best"] == pytest.approx(1 / 3)
    assert groups.loc[("older", "small"), "share_best"] == 1


def test_a_group_belongs_to_a_person(fits: dict[str, pd.DataFrame]) -> None:
    trials = design_of(4, 2, 10, 0)
    with pytest.raises(UsageError, match="'problem' differs between problems"):
        compare_groups(compare(fits, n_bootstrap=10), trials, "problem")


def test_expected_correctness_is_the_probability_of_the_right_answer() -> None:
    rng = np.random.default_rng(0)
    design = design_of(3, 2, 40, 0)
    category = (design.stimulus[..., 0] > 0).astype(int)
    design = design.updated(category=category)
    model = get_model("win_stay_lose_shift")
    trials = model.simulate(model.theta(3, stay=0.9, shift=0.8), design, rng)
    trials = trials.leaving_out(np.arange(40) < 5)
    found = fit(model, trials, progress=False)
    expected = predict_correct(found, trials)
    assert np.isnan(expected[:, :5]).all() and not np.isnan(expected[:, 5:]).any()
    p = model.predict(found.theta, trials)
    right = p[..., 1] * category + p[..., 0] * (1 - category)
    assert expected[:, 5:] == pytest.approx(right[:, 5:])
    assert np.nanmean(expected) == pytest.approx(np.nanmean(trials.correct), abs=0.08)


def test_a_model_by_itself_is_not_told_what_the_person_chose() -> None:
    design = design_of(2, 1, 60, 0)
    category = (design.stimulus[..., 0] > 0).astype(int)
    # The first is always right and the second always wrong, but for a slip each.
    choice = np.array([[0], [1]]) ^ category
    choice[:, 30] ^= 1
    trials = design.updated(category=category, choice=choice)
    model = get_model("win_stay_lose_shift")
    found = fit(model, trials, n_starts=2, progress=False)
    told, alone = (predict_correct(found, trials, by_itself=by_itself) for by_itself in (False, True))
    others = trials.updated(choice=1 - choice)
    assert np.array_equal(predict_correct(found, others, model=model, by_itself=True), alone)
    assert np.abs(predict_correct(found, others, model=model) - told).max() > 0.2
