"""Repetitions: counted by hand on a few trials, and the same whether observed or predicted."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from toolkit.discovery.signatures import repetitions, summarise
from toolkit.tests.strategies import random_trials
from toolkit.trials import Trials


def two_step() -> Trials:
    """One person, five trials, the third one missed."""
    trials = random_trials("two_step", (5,), seed=0)
    return trials.updated(
        choice=np.array([[0, 0, -1, 1, 1]]),
        state=np.array([[0, 1, -1, 1, 0]]),
        choice_2=np.array([[1, 0, -1, 0, 1]]),
        outcome=np.array([[1.0, 0.0, np.nan, 1.0, 0.0]]),
    )


def test_each_choice_is_compared_with_the_one_before_and_what_came_of_it() -> None:
    table = repetitions(two_step())
    assert list(table["trial"]) == [1, 3, 4]
    assert list(table["repeats"]) == [1.0, 0.0, 1.0]
    assert list(table["outcome"]) == ["reward", "no reward", "reward"]
    assert list(table["transition"]) == ["common", "rare", "common"]


def test_predictions_are_asked_for_the_option_of_before() -> None:
    predicted = np.array([[[0.9, 0.1], [0.8, 0.2], [0.5, 0.5], [0.7, 0.3], [0.4, 0.6]]])
    assert list(repetitions(two_step(), predicted)["expected"]) == [0.8, 0.7, 0.6]


def test_in_a_bandit_the_choice_of_before_is_that_in_the_same_context() -> None:
    trials = random_trials("bandit", (4,), seed=1)
    outcome = np.full((1, 4, 2), np.nan)
    outcome[0, [0, 1, 2, 3], [0, 1, 0, 0]] = [1.0, -1.0, -1.0, 1.0]
    trials = trials.updated(
        context=np.array([[0, 1, 0, 1]]),
        choice=np.array([[0, 1, 0, 0]]),
        outcome=outcome,
        forced=np.zeros((1, 4), dtype=bool),
    )
    table = repetitions(trials)
    assert list(table["repeats"]) == [1.0, 0.0] and list(table["outcome"]) == ["reward", "no reward"]
    assert "transition" not in table


def test_summaries_are_means_over_people_and_not_over_choices() -> None:
    table = pd.DataFrame(
        {
            "participant": ["a", "a", "a", "b"],
            "repeats": [1.0, 1.0, 1.0, 0.0],
            "expected": [0.5, 0.5, 0.5, 0.7],
            "outcome": "reward",
        }
    )
    (row,) = summarise(table).to_dict("records")
    assert row["repeats"] == 0.5 and row["expected"] == pytest.approx(0.6)
    assert row["error"] == pytest.approx(np.std([1, 0], ddof=1) / np.sqrt(2))
