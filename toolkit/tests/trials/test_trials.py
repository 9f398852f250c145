"""What Trials say of themselves, and the errors of tables that are not right."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from toolkit.errors import DataError, UsageError
from toolkit.trials import Trials, concat


@pytest.fixture
def table() -> pd.DataFrame:
    """Two people: the first misses a trial, the second learns a shorter problem without feedback at the end."""
    return pd.DataFrame(
        {
            "participant": [1, 1, 1, 2, 2],
            "age": [20, 20, 20, 70, 70],
            "size": [0.0, 1, 0, 1, 0],
            "colour": [0.0, 0, 1, 1, 1],
            "category": ["A", "B", "A", "B", None],
            "resp": ["A", None, "B", "B", "A"],
        }
    )


OPTIONS = {
    "columns": {"stimulus": ["size", "colour"], "choice": "resp"},
    "labels": {"choice": ["A", "B"], "category": ["A", "B"]},
    "source": "mine.csv",
}


def read(table: pd.DataFrame, **options) -> Trials:
    return Trials.from_table(table, "category_learning", **{**OPTIONS, **options})


def test_missed_padded_and_unscored_trials_are_told_apart(table: pd.DataFrame) -> None:
    trials = read(table, about=["age"])
    assert trials.stimulus.shape == (2, 3, 2)
    np.testing.assert_array_equal(trials.mask, [[1, 1, 1], [1, 1, 0]])
    np.testing.assert_array_equal(trials.missed, [[0, 1, 0], [0, 0, 0]])
    np.testing.assert_array_equal(trials.scored, [[1, 0, 1], [1, 1, 0]])
    np.testing.assert_array_equal(trials.correct, [[1, np.nan, 0], [1, np.nan, np.nan]])
    np.testing.assert_array_equal(trials.n_scored, [2, 2])
    assert trials.sequences["age"].tolist() == [20, 70]
    assert trials.n_options == 2


def test_choices_that_are_left_out_happened_but_are_not_scored(table: pd.DataFrame) -> None:
    trials = read(table)
    first = np.array([[True, True, False], [False, False, True]])
    without = trials.leaving_out(first)
    np.testing.assert_array_equal(without.scored, [[0, 0, 1], [1, 1, 0]])
    np.testing.assert_array_equal(without.n_scored, [1, 2])
    np.testing.assert_array_equal(without.choice, trials.choice)
    np.testing.assert_array_equal(without.missed, trials.missed)
    more = without.take([1, 0]).leaving_out(np.array([[True, False, False], [False, False, False]]))
    np.testing.assert_array_equal(more.scored, [[0, 1, 0], [0, 0, 1]])
    assert trials.scored.sum() == 4


def test_forced_choices_are_not_scored() -> None:
    table = pd.DataFrame(
        {
            "participant": 1,
            "context": 0,
            "choice": [0, 1],
            "outcome_0": [1, None],
            "outcome_1": [None, 0],
            "forced": [1, 0],
        }
    )
    trials = Trials.from_table(table, "bandit")
    np.testing.assert_array_equal(trials.scored, [[False, True]])


def test_both_stages_of_a_two_step_trial_count() -> None:
    table = pd.DataFrame(
        {"participant": 1, "choice": [0, 1], "state": [0, -1], "choice_2": [1, -1], "outcome": [1.0, None]}
    )
    assert Trials.from_table(table, "two_step").n_scored.tolist() == [3]


def test_words_for_choices_get_the_advice_to_name_them() -> None:
    words = pd.DataFrame({"participant": 1, "stimulus_0": 0, "category": 0, "choice": ["left", "right"]})
    with pytest.raises(DataError, match=r"'left' is not a number.*labels=\{'choice'"):
        Trials.from_table(words, "category_learning")


def test_arrays_cannot_be_changed_in_place(table: pd.DataFrame) -> None:
    with pytest.raises(ValueError, match="read-only"):
        read(table).choice[0, 0] = 1


@pytest.mark.parametrize(
    ("column", "row", "value", "words"),
    [
        ("resp", 2, "C", ["mine.csv", "column 'resp'", "row 3", "'C'", "A, B"]),
        ("size", 1, "big", ["column 'size'", "row 2", "'big'", "not a number"]),
        ("size", 4, None, ["column 'size'", "row 5", "is empty"]),
        ("size", 0, np.inf, ["column 'size'", "row 1", "not finite"]),
        ("participant", 3, None, ["column 'participant'", "row 4", "is empty"]),
    ],
)
def test_a_bad_value_is_named_by_file_column_and_row(table, column, row, value, words) -> None:
    table[column] = table[column].astype(object)
    table.loc[row, column] = value
    with pytest.raises(DataError) as error:
        read(table)
    assert all(word in str(error.value) for word in words), str(error.value)


def test_other_errors_of_tables(table: pd.DataFrame) -> None:
    with pytest.raises(DataError, match="no column 'answr'"):
        read(table, columns={**OPTIONS["columns"], "choice": "answr"})
    with pytest.raises(UsageError, match="no field 'choise'. Did you mean 'choice'"):
        read(table, columns={"choise": "resp"})
    with pytest.raises(DataError, match="changes within one problem"):
        read(table.assign(age=range(5)), about=["age"])
    with pytest.raises(DataError, match="row 2: 0 occurs twice"):
        read(table.assign(trial=[0, 0, 1, 0, 1]))
    with pytest.raises(DataError, match="no rows"):
        read(table.iloc[:0])
    with pytest.raises(UsageError, match="no schema 'bandits'. Did you mean 'bandit'"):
        Trials.from_table(table, "bandits")
    with pytest.raises(DataError, match="stimulus_0"):
        read(table, columns={"choice": "resp"})


def test_a_column_may_have_the_name_of_another_field(table: pd.DataFrame) -> None:
    """The category lies in a column 'choice' here, the choice in 'resp'."""
    swapped = table.rename(columns={"category": "choice"})
    columns = {"stimulus": ["size", "colour"], "choice": "resp", "category": "choice"}
    assert read(swapped, columns=columns).equals(read(table))


def test_where_names_what_there_is(table: pd.DataFrame) -> None:
    trials = read(table, about=["age"])
    assert trials.where(age=70).participants == [2]
    assert trials.where(participant=[1, 2]).equals(trials)
    with pytest.raises(UsageError, match="Values that occur"):
        trials.where(age=33)
    with pytest.raises(UsageError, match="Did you mean 'participant'"):
        trials.where(partcipant=1)


def test_only_like_can_be_joined(table: pd.DataFrame) -> None:
    with pytest.raises(UsageError, match="same arrays"):
        concat([read(table), read(table.assign(answer=0), columns=OPTIONS["columns"])])


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("choice", 2, "participant 2, problem 0, trial 1: 'choice' is 2, but there are 2 options. Codes go"),
        ("category", -2, "'category' is -2, but there are 2 options"),
        ("answer", 7, "'answer' is 7, but"),
        ("stimulus", np.nan, "participant 2, problem 0, trial 1, entry 0: 'stimulus' is nan"),
        ("stimulus", -np.inf, "'stimulus' is -inf"),
    ],
)
def test_arrays_hold_codes_of_options_and_numbers_where_something_was_shown(
    table: pd.DataFrame, name: str, value: float, words: str
) -> None:
    trials = read(table)
    changed = trials.arrays.get(name, trials.choice).copy()
    # In padding anything may stand.
    changed[1, 2] = value
    kept = trials.updated(**{name: changed})
    assert not kept.mask[1, 2] and (kept.arrays[name][1, 2] != value).all()
    changed[1, 1, ...] = value
    with pytest.raises(DataError) as error:
        trials.updated(**{name: changed})
    assert words in str(error.value)
