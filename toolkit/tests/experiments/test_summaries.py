"""Summaries against plain loops, and intervals against what is known of means."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from toolkit.data import correct_to_criterion, load_data
from toolkit.errors import UsageError
from toolkit.experiments import get_design
from toolkit.experiments.summaries import choices_by_item, error_by_block, order_of_conditions, with_intervals
from toolkit.seeds import Seeds
from toolkit.trials import Trials


def rng(name: str = "summaries") -> np.random.Generator:
    return Seeds(5).numpy(name)


def answered(design: Trials, chance_right: float | np.ndarray = 0.8) -> Trials:
    right = design.arrays.get("answer", design.category)
    is_right = rng("choices").random(design.mask.shape) < chance_right
    return design.updated(choice=np.where(is_right, np.maximum(right, 0), 1 - np.maximum(right, 0)))


@pytest.fixture
def five_four() -> Trials:
    return answered(get_design("five_four").draw(12, rng=rng("design"), n_blocks=4))


def test_errors_by_block_are_those_of_a_loop(five_four: Trials) -> None:
    table = error_by_block(five_four)
    assert len(table) == 12 * 4 and (table["trials"] == 9).all()
    for _, row in table.iterrows():
        p = row["participant"]
        here = (five_four.block[p] == row["block"] - 1) & ~five_four.test[p]
        wrong = five_four.choice[p, here] != five_four.category[p, here]
        assert row["error"] == pytest.approx(wrong.mean())


def test_errors_by_block_of_a_given_length_leave_out_trials_without_a_choice() -> None:
    trials = answered(get_design("levering").draw(3, rng=rng("design"), n_blocks=4))
    choice = trials.choice.copy()
    choice[0, :7] = -1
    table = error_by_block(trials.updated(choice=choice), block=5)
    first = table[(table["participant"] == 0) & (table["condition"] == "linear")]
    assert first["block"].tolist() == [2, 3, 4, 5, 6, 7]
    # The test shows all eight items; two have no right answer.
    assert first["trials"].sum() == 4 * 6 - 7 + 6


def test_shares_of_items_are_those_of_a_loop(five_four: Trials) -> None:
    table = choices_by_item(five_four, tests=True)
    assert len(table) == 12 * 2 * 16 and sorted(table["block"].unique()) == [2, 4]
    for _, row in table.sample(40, random_state=0).iterrows():
        p = row["participant"]
        here = (
            five_four.test[p]
            & (five_four.block[p] == row["block"] - 1)
            & (five_four.stimulus_id[p] == row["stimulus_id"])
        )
        assert row["share"] == (five_four.choice[p, here] == 0).mean() and row["trials"] == 1
    training = choices_by_item(five_four)
    assert set(training["stimulus_id"]) == set(range(9)) and set(training["block"]) == {1, 2, 3, 4}
    swapped = choices_by_item(five_four, option=1)
    np.testing.assert_allclose(training["share"], 1 - swapped["share"])


def people_with_errors(n: int, means: dict[str, float], spread: float = 0.1) -> pd.DataFrame:
    """Each person has an ability of their own, shared by all conditions."""
    ability = rng("ability").normal(0, spread, n)
    parts = [
        pd.DataFrame(
            {"participant": np.arange(n), "condition": name, "block": block, "error": mean + ability}
        )
        for name, mean in means.items()
        for block in (1, 2)
    ]
    return pd.concat(parts, ignore_index=True)


def test_intervals_have_the_width_of_the_standard_error() -> None:
    table = people_with_errors(200, {"I": 0.1, "II": 0.2})
    found = with_intervals(table, rng=rng(), n_resamples=4000)
    assert found[["condition", "block"]].values.tolist() == [["I", 1], ["I", 2], ["II", 1], ["II", 2]]
    error = table.query("condition == 'I' and block == 1")["error"].std(ddof=0) / np.sqrt(200)
    np.testing.assert_allclose(found["high"] - found["low"], 2 * 1.96 * error, rtol=0.06)
    np.testing.assert_allclose(found["mean"], table.groupby(["condition", "block"])["error"].mean())
    narrower = with_intervals(table, rng=rng(), level=0.5)
    assert ((narrower["high"] - narrower["low"]) < (found["high"] - found["low"]) / 2).all()


def test_intervals_over_shared_orders_are_wider_than_over_participants() -> None:
    table = people_with_errors(10, {"I": 0.1})
    many = pd.concat([table.assign(participant=table["participant"] + 10 * k) for k in range(50)])
    many = many.assign(order=many["participant"] % 10)
    by_order = with_intervals(many, rng=rng(), unit="order")
    by_participant = with_intervals(many, rng=rng())
    alone = with_intervals(table, rng=rng())
    width = [(t["high"] - t["low"]).iloc[0] for t in (by_order, by_participant, alone)]
    assert width[0] == pytest.approx(width[2], rel=0.15) and width[1] < width[0] / 5
    assert by_order["units"].tolist() == [10, 10]


def test_groups_of_people_are_resampled_apart() -> None:
    """Conditions between participants keep their number of people in every sample."""
    table = pd.DataFrame(
        {"participant": range(5), "condition": ["a", "a", "a", "a", "b"], "error": [0.0, 1, 0, 1, 0.3]}
    )
    found = with_intervals(table, by=["condition"], rng=rng()).set_index("condition")
    assert found.loc["b", ["mean", "low", "high", "units"]].tolist() == [0.3, 0.3, 0.3, 1]
    assert found.loc["a", "low"] < 0.25 and found.loc["a", "high"] > 0.75


def test_an_order_within_people_is_surer_than_their_intervals_suggest() -> None:
    table = people_with_errors(20, {"II": 0.22, "I": 0.2, "VI": 0.4})
    found = order_of_conditions(table, expected=("I", "II", "VI"), rng=rng())
    assert found.means["condition"].tolist() == ["I", "II", "VI"]
    assert found.means["high"][0] > found.means["mean"][1]
    assert found.pairs["probability"].tolist() == [1, 1] and found.probability == 1
    np.testing.assert_allclose(found.pairs["difference"], [0.02, 0.18])
    wrong = order_of_conditions(table, expected=("II", "I"), rng=rng())
    assert wrong.probability == 0 and wrong.pairs["difference"].item() == pytest.approx(-0.02)


def test_equal_conditions_have_an_even_chance_of_either_order() -> None:
    table = pd.DataFrame(
        {
            "participant": np.tile(np.arange(400), 2),
            "condition": np.repeat(["a", "b"], 400),
            "error": rng("equal").permutation(np.tile(np.arange(400) / 400, 2)),
        }
    )
    values = table["error"].to_numpy()
    table["error"] = np.concatenate([values[:400] - values[:400].mean(), values[400:] - values[400:].mean()])
    found = order_of_conditions(table, expected=("a", "b"), rng=rng(), n_resamples=4000)
    assert found.probability == pytest.approx(0.5, abs=0.04)
    tied = order_of_conditions(table.assign(error=0.5), rng=rng())
    assert tied.probability == 0 and tied.pairs["probability"].item() == 0.5


def test_badham_is_ordered_as_published_when_mastered_problems_count(public_data: Path) -> None:
    people = load_data("badham2017")
    table = error_by_block(people, block=16, correct=correct_to_criterion(people))
    assert len(table) == 95 * 4 * 6 and (table["trials"] == 16).all()
    group = people.sequences.drop_duplicates("participant").set_index("participant")["group"]
    orders = {}
    for name in ("young", "older"):
        part = table[table["participant"].map(group) == name]
        found = order_of_conditions(part, rng=rng())
        assert found.pairs["probability"].iloc[0] > 0.99
        orders[name] = found.means.set_index("condition")["mean"]
    assert orders["older"].index.tolist() == ["I", "IV", "III", "II"]
    np.testing.assert_allclose(
        1 - orders["young"][["I", "II", "III", "IV"]], [0.934, 0.743, 0.722, 0.722], atol=6e-4
    )
    np.testing.assert_allclose(1 - orders["older"], [0.846, 0.624, 0.595, 0.574], atol=6e-4)


def test_errors_say_what_is_missing(public_data: Path) -> None:
    people = load_data("badham2017")
    with pytest.raises(UsageError, match="no array 'block'.*how many trials"):
        error_by_block(people)
    with pytest.raises(UsageError, match="no array 'stimulus_id'"):
        choices_by_item(people)
    with pytest.raises(UsageError, match="block of 0 trials"):
        error_by_block(people, block=0)
    with pytest.raises(UsageError, match="shape \\(3, 4\\), for 380 sequences"):
        error_by_block(people, block=8, correct=np.zeros((3, 4)))
    table = error_by_block(people, block=16)
    with pytest.raises(UsageError, match="no column 'errors'.*Did you mean 'error'"):
        with_intervals(table, "errors", rng=rng())
    with pytest.raises(UsageError, match="no condition 'V'"):
        order_of_conditions(table, expected=("I", "V"), rng=rng())
