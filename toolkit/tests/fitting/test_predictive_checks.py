"""Posterior predictive checks: patterns by hand, and who passes for whom."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from toolkit.errors import UsageError
from toolkit.experiments.bandits import get_task
from toolkit.fitting import check_choices, describe_choices, fit, with_payoffs
from toolkit.models import get_model_for
from toolkit.tests.strategies import random_trials
from toolkit.trials import Trials


def history() -> Trials:
    """Two sets of options in turn; option 1 is the better one of the first, none of the second."""
    rows = [
        # context, choice, forced, outcome 0, outcome 1, answer
        (0, 1, False, None, 1.0, 1),
        (1, 0, False, -1.0, None, -1),
        (0, 1, False, None, -1.0, 1),  # repeats after a win, right
        (1, 1, False, None, 1.0, -1),  # leaves after a loss
        (0, 0, True, 1.0, None, 1),
        (1, 1, True, None, -1.0, -1),
        (0, 0, False, -1.0, None, 1),  # repeats after a forced win, wrong
        (1, -1, False, None, None, -1),  # missed
        (0, 0, False, 1.0, None, 1),  # repeats after a loss, wrong
        (1, 1, False, None, 1.0, -1),  # the visit before was missed
    ]
    names = ["context", "choice", "forced", "outcome_0", "outcome_1", "answer"]
    return Trials.from_table(
        pd.DataFrame(rows, columns=names).assign(participant="p"), "bandit", extra=["answer"]
    )


def test_patterns_by_hand() -> None:
    found = describe_choices(history()).set_index("pattern")
    expected = {
        # First visits of five: 0 and 1, 2 (forced), 3, 4.
        "accuracy 1/4": (1.0, 2),
        "accuracy 3/4": (0.0, 1),
        "accuracy 4/4": (0.0, 1),
        "repeat after win": (1.0, 1),
        "repeat after loss": (0.5, 2),
        "repeat after forced win": (1.0, 1),
    }
    assert {name: (row["value"], row["n"]) for name, row in found.iterrows()} == expected
    assert (found["participant"] == "p").all()


@pytest.fixture(scope="module")
def people() -> Trials:
    """Twelve asymmetric learners in the full task, one session each."""
    design = get_task("full").draw(12, rng=np.random.default_rng(0), n_sessions=1)
    model = get_model_for("rescorla_wagner_signed", design)
    theta = model.theta(
        12,
        inverse_temperature=6,
        learning_rate_positive=np.linspace(0.2, 0.7, 12),
        learning_rate_negative=0.1,
    )
    return model.simulate(theta, design, np.random.default_rng(1))


def test_the_model_that_made_the_choices_passes_and_a_repeater_does_not(people: Trials) -> None:
    own, other = (
        check_choices(fit(name, people, method="map", n_starts=4, progress=False), people, n_simulations=10)
        for name in ("rescorla_wagner_signed", "perseveration")
    )
    assert own.table["inside"].mean() >= 0.7
    wins = other.table.set_index("pattern").loc[["repeat after win", "repeat after loss"]]
    assert not wins["inside"].any()
    assert wins["simulated"].diff().iloc[1] == pytest.approx(0, abs=0.1) != wins["observed"].diff().iloc[1]
    assert (own.table["low"] <= own.table["simulated"]).all() and own.n_simulations == 10
    patterns = describe_choices(people)
    merged = own.participants.merge(patterns, on=["participant", "pattern"])
    np.testing.assert_array_equal(merged["observed"], merged["value"])
    means = patterns.groupby("pattern")["value"].mean()
    np.testing.assert_allclose(own.table.set_index("pattern")["observed"], means[own.table["pattern"]])


def test_other_parameters_can_be_given(people: Trials) -> None:
    found = fit("rescorla_wagner_signed", people, n_starts=1, progress=False)
    guessing = np.tile(get_model_for("rescorla_wagner_signed", people).theta(
        12, inverse_temperature=0, learning_rate_positive=0.5, learning_rate_negative=0.5), (3, 1, 1))  # fmt: skip
    table = check_choices(found, people, theta=guessing).table.set_index("pattern")
    assert table.loc["accuracy 4/4", "simulated"] == pytest.approx(0.5, abs=0.08)
    assert not table.loc["accuracy 4/4", "inside"]


def test_payoffs_that_nobody_recorded_are_drawn_from_those_seen(people: Trials) -> None:
    rich = people.sequences["condition"].str.startswith("high").to_numpy()
    seen = people.outcome
    arrays = {name: array for name, array in people.arrays.items() if name != "payoff"}
    without = Trials(people.schema, arrays, people.mask, people.sequences, n_options=2)
    payoff = with_payoffs(without, np.random.default_rng(2)).payoff
    np.testing.assert_array_equal(payoff[~np.isnan(seen)], seen[~np.isnan(seen)])
    assert not np.isnan(payoff[people.mask]).any()
    drawn = np.where(np.isnan(seen), payoff, np.nan)
    better = np.take_along_axis(drawn, people.answer[..., None].clip(min=0), -1)[..., 0]
    assert (np.nanmean(better[rich]) + 1) / 2 == pytest.approx(0.9, abs=0.08)
    assert (np.nanmean(better[~rich]) + 1) / 2 == pytest.approx(0.4, abs=0.12)
    nobody = without.updated(outcome=np.where(np.arange(2) == 1, np.nan, without.outcome))
    with pytest.raises(UsageError, match="nobody saw an outcome of option 1 in condition"):
        with_payoffs(nobody, np.random.default_rng(3))


def test_wrong_calls_say_so(people: Trials) -> None:
    with pytest.raises(UsageError, match="those of bandits"):
        describe_choices(random_trials("category_learning"))
    shared = fit("rescorla_wagner", people, share="everyone", n_starts=1, progress=False)
    with pytest.raises(UsageError, match="shares parameters by everyone"):
        check_choices(shared, people)
