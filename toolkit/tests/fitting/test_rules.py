"""Rules that are handed over: what each type of problem leaves wrong, with exceptions and without."""

from __future__ import annotations

import numpy as np
import pytest

from toolkit.errors import UsageError
from toolkit.experiments import get_design
from toolkit.fitting.difficulty import expected_errors
from toolkit.fitting.rules import KnownRule
from toolkit.tests.models.sorter import learning
from toolkit.trials import Trials

WITHOUT = {"I": 0.0, "II": 0.0, "III": 0.25, "IV": 0.25, "V": 0.25, "VI": 0.5}
WITH_TWO = WITHOUT | {"III": 0.0, "IV": 0.0, "V": 0.0, "VI": 0.25}


@pytest.fixture
def design() -> Trials:
    return get_design("shepard").draw(8, rng=np.random.default_rng(0), n_blocks=2)


@pytest.mark.parametrize(("n_exceptions", "expected"), [(0, WITHOUT), (2, WITH_TWO)])
def test_what_no_rule_or_pair_explains_is_wrong_from_the_first_trial_on(
    design: Trials, n_exceptions: int, expected: dict[str, float]
) -> None:
    answers = KnownRule(n_exceptions).answers(design)
    errors = expected_errors(answers, 0.0).groupby(["condition", "block"])["error"].mean().unstack()
    for block in (1, 2):
        assert errors[block].to_dict() == pytest.approx(expected)
    guesses = expected_errors(answers, 0.4).groupby("condition")["error"].mean()
    assert guesses["I"] == pytest.approx(0.2) and guesses["VI"] == pytest.approx(0.2 + 0.6 * expected["VI"])


def test_one_feature_comes_before_two_and_equally_good_rules_take_turns() -> None:
    trials = get_design("five_four", tests_after=(1,)).draw(4, rng=np.random.default_rng(0), n_blocks=1)
    answer = KnownRule().answers(trials).p[..., 1]
    for row in range(4):
        followed = trials.stimulus[row, :, 0 if row % 2 == 0 else 2]
        np.testing.assert_array_equal(answer[row], followed)


def test_exceptions_are_what_is_trained_and_nothing_else_is_turned_round() -> None:
    trials = get_design("five_four", tests_after=(1,)).draw(4, rng=np.random.default_rng(0), n_blocks=1)
    plain, known = (KnownRule(n).answers(trials).p[..., 1] for n in (0, 2))
    changed = plain != known
    assert {tuple(row) for row in trials.stimulus[changed]} <= {
        tuple(map(float, item)) for item in ("1000", "0011", "0010", "1001", "1110", "0001")
    }
    assert (known[trials.category >= 0] == trials.category[trials.category >= 0]).all()


def test_three_categories_are_refused() -> None:
    with pytest.raises(UsageError, match="two categories"):
        KnownRule().answers(learning((4,), n=3))
