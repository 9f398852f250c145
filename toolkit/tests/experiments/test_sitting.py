"""A person in front of a design: no trial is missed or answered twice, and what is left are Trials of that design."""

from __future__ import annotations

import numpy as np
import pytest

from toolkit.data import load_bank
from toolkit.errors import UsageError
from toolkit.experiments import get_design
from toolkit.experiments.bandits import get_task
from toolkit.experiments.everyday import draw_everyday
from toolkit.experiments.sitting import Sitting
from toolkit.trials import Trials


def shepard(n_people: int = 1) -> Trials:
    rng = np.random.default_rng(0)
    return get_design("shepard", block=8).draw(n_people, rng=rng, conditions=["II"], n_blocks=2)


def casinos() -> Trials:
    return get_task("partial").draw(1, rng=np.random.default_rng(0)).until(20)


@pytest.mark.parametrize("design", [shepard(), casinos()], ids=["categories", "bandit"])
def test_trials_are_those_of_the_design_with_the_choices_made(design: Trials) -> None:
    sitting, made = Sitting(design), np.random.default_rng(1).integers(2, size=design.n_trials)
    for trial, option in enumerate(made.tolist()):
        assert (sitting.state, sitting.position, sitting.n_done) == ("shown", trial, trial)
        sitting.choose(option)
        assert (sitting.state, sitting.position, sitting.n_done) == ("told", trial, trial + 1)
        sitting.go_on()
    assert sitting.state == "over" and sitting.n_done == design.n_trials
    trials = sitting.trials
    assert trials.choice.tolist() == [made.tolist()] and not trials.missed.any()
    for name in design.arrays.keys() - {"choice", "outcome"}:
        np.testing.assert_array_equal(trials.arrays[name], design.arrays[name])
    if "outcome" in trials.arrays:
        seen = np.take_along_axis(trials.outcome, trials.choice[..., None], -1)
        np.testing.assert_array_equal(seen, np.take_along_axis(design.payoff, trials.choice[..., None], -1))
        assert np.isnan(trials.outcome).sum() == design.n_trials


def test_what_is_told_is_what_came_of_it() -> None:
    design = shepard()
    sitting, right = Sitting(design), int(design.category[0, 0])
    np.testing.assert_array_equal(sitting.shown, design.stimulus[0, 0])
    told = sitting.choose(1 - right)
    assert (told.choice, told.right, told.category, told.outcome) == (1 - right, False, right, ())
    sitting = Sitting(casinos())
    told = sitting.choose(1)
    assert told.category is None and told.earned == casinos().payoff[0, 0, 1] and np.isnan(told.outcome[0])
    assert told.right == (None if casinos().answer[0, 0] < 0 else casinos().answer[0, 0] == 1)


def test_nothing_can_be_done_out_of_turn() -> None:
    sitting = Sitting(shepard().until(1))
    for out_of_turn in (sitting.go_on, lambda: sitting.told, lambda: sitting.trials):
        with pytest.raises(UsageError):
            out_of_turn()
    with pytest.raises(UsageError, match="no option 2"):
        sitting.choose(2)
    sitting.choose(0)
    with pytest.raises(UsageError, match="trial 1 has an answer"):
        sitting.choose(1)
    sitting.go_on()
    with pytest.raises(UsageError, match=r"was the last\. All answers"):
        sitting.choose(0)
    assert sitting.trials.choice.tolist() == [[0]]


def test_only_one_sequence_of_free_choices_can_be_sat_through() -> None:
    with pytest.raises(UsageError, match="not 2"):
        Sitting(shepard(2))
    forced = get_task("full").draw(1, rng=np.random.default_rng(0)).take([0])
    with pytest.raises(UsageError, match="dictates"):
        Sitting(forced)


def test_everyday_things_are_as_they_look() -> None:
    trials, again = (draw_everyday(7, [4, 1], 40, seed=3) for _ in range(2))
    assert trials.equals(again) and not trials.equals(draw_everyday(7, [4, 1], 40, seed=4))
    problem = load_bank()[7]
    for column, position in enumerate((4, 1)):
        feature = problem.features[position]
        own = trials.arrays[f"{feature.name} ({feature.unit})"]
        assert own.min() >= feature.range[0] and own.max() <= feature.range[1]
        assert all(float(f"{value:.3g}") == value for value in own.ravel())
        scaled = (own - own.min()) / (own.max() - own.min())
        np.testing.assert_allclose(trials.stimulus[..., column], scaled)
    assert trials.sequences["condition"].tolist() == [problem.id]
    with pytest.raises(UsageError, match="no feature"):
        draw_everyday(7, [], 40)
    with pytest.raises(UsageError, match=r"no problem 750 in the bank\. Use 0 to 749"):
        draw_everyday(750, [0], 40)
