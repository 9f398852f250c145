"""Which strategy foretells answers to new things: exact on small cases, found again in simulated people."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from toolkit.errors import DataError
from toolkit.fitting.new_items import Asked, foretell, recognised, say_people, strategies
from toolkit.trials import Trials

LEVELS = np.array([0.0, 1.0, 2.0, 3.0])
GRID = np.array([(first, second) for first in LEVELS for second in LEVELS])
DIAGONAL = np.where(GRID[:, 0] + GRID[:, 1] > 3, 1, 0)


def asked(second: np.ndarray, times: int = 20) -> Asked:
    """Everybody asked about a grid of sixteen things, of which every other one was trained."""
    category = np.where((GRID.sum(1) % 2 == 0), DIAGONAL, -1)
    return Asked(GRID, category, np.full(second.shape, times), second)


def test_the_log_probability_is_that_of_a_plain_loop() -> None:
    rng = np.random.default_rng(0)
    people = asked(rng.integers(0, 4, (3, 16)), times=3)
    for name, ways in strategies(people).items():
        for person, counts in enumerate(people.second):
            joint, known = 0.0, 0.0
            for way in ways:
                each = way**counts * (1 - way) ** (3 - counts)
                joint += each.prod()
                known += each[~people.new].prod()
            expected = np.log(joint / known) / (3 * people.new.sum())
            assert foretell(people)[name][person] == pytest.approx(expected)


def test_a_rule_similarity_and_a_preference_are_told_apart() -> None:
    rule = np.where(GRID[:, 0] > 1, 20, 0)
    similar = np.where(GRID.sum(1) > 3, 20, np.where(GRID.sum(1) == 3, 10, 0))
    preference = np.full(16, 15)
    found = foretell(asked(np.stack([rule, similar, preference])))
    assert found["best"].tolist() == ["rule", "exemplar", "preference"]
    known = recognised(asked(np.stack([rule, similar])), np.random.default_rng(0))
    assert known[["rule", "exemplar"]].min() == 1


def test_only_answers_without_feedback_count() -> None:
    table = pd.DataFrame(
        {
            "participant": 0,
            "stimulus_0": [0.0, 1.0, 1.0, 2.0, 2.0],
            "stimulus_id": [1, 2, 2, 3, 3],
            "category": [0, np.nan, np.nan, np.nan, np.nan],
            "choice": [1, 1, 0, 1, np.nan],
            "answer": [0, 1, 1, -1, -1],
            "transfer": [False, True, True, True, True],
        }
    )
    trials = Trials.from_table(
        table, "category_learning", extra=["stimulus_id", "transfer", "answer"], n_options=2
    )
    found = Asked.of(trials)
    assert found.times.tolist() == [[0, 2, 1]] and found.second.tolist() == [[0, 1, 1]]
    assert found.new.tolist() == [False, False, True]


def test_nothing_is_said_of_people_who_are_not_here() -> None:
    def load(name: str) -> Trials:
        raise DataError("absent")

    assert say_people(load, np.random.default_rng(0)) == ""
