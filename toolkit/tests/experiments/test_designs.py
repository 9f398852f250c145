"""What every design promises: who is shown what how often, in which order, and what is told."""

from __future__ import annotations

import numpy as np
import pytest

from toolkit.errors import UsageError
from toolkit.experiments import get_design, list_designs
from toolkit.experiments.base import Design
from toolkit.models import get_model_for
from toolkit.seeds import Seeds
from toolkit.trials import MISSING, Trials

N_TRIALS = {
    "shepard": 16 * 16,
    "smith_minda": 44 * 14,
    "five_four": 32 * 9 + 6 * 16,
    "levering": 25 * 6 + 8,
    "instance_frequency": 3 * 64,
    "weather": 200,
    "separable": 44 * 14,
}


def draw(design: Design, n_participants: int = 6, **options) -> Trials:
    return design.draw(n_participants, rng=Seeds(1).numpy("design"), **options)


@pytest.fixture(params=list_designs())
def design(request: pytest.FixtureRequest) -> Design:
    return get_design(request.param)


def test_every_participant_learns_every_condition_without_having_answered(design: Design) -> None:
    trials = draw(design)
    assert (len(trials), trials.n_trials) == (6 * len(design.conditions), N_TRIALS[design.name])
    assert not trials.scored.any() and (trials.choice == MISSING).all()
    pairs = trials.sequences[["participant", "condition"]].drop_duplicates()
    assert len(pairs) == len(trials) and trials.participants == list(range(6))
    assert trials.sequences.groupby("problem")["condition"].nunique().eq(1).all()
    assert trials.n_options == 2 and np.isfinite(trials.stimulus[trials.mask]).all()


def test_blocks_are_balanced(design: Design) -> None:
    trials = draw(design, n_blocks=3)
    told = trials.mask & ~trials.arrays.get("test", np.zeros_like(trials.mask))
    for row in range(len(trials)):
        shown = [trials.stimulus_id[row, told[row] & (trials.block[row] == block)] for block in range(3)]
        first, *others = (np.bincount(numbers).tolist() for numbers in shown)
        assert all(counts == first for counts in others)
        assert not all((numbers == shown[0]).all() for numbers in shown[1:])
    if design.name not in ("instance_frequency", "weather"):
        assert set(first) - {0} == {2 if design.name == "shepard" else 1}


def test_a_random_order_is_balanced_on_average_only(design: Design) -> None:
    trials = draw(design, 400, order="random", conditions=design.conditions[-1:], n_blocks=1)
    balanced = draw(design, 1, conditions=design.conditions[-1:], n_blocks=1)
    told, told_once = trials.category >= 0, balanced.category[0] >= 0
    counts = np.stack([(told & (trials.stimulus_id == number)).sum(1) for number in range(16)], 1)
    expected = np.bincount(balanced.stimulus_id[0, told_once], minlength=16)
    assert counts.std(0)[expected > 0].min() > 0.2
    tolerance = 4 * np.sqrt(expected / 400)
    assert (np.abs(counts.mean(0) - expected) <= tolerance).all()


def test_orders_differ_between_participants_unless_they_are_shared(design: Design) -> None:
    own, shared = draw(design), draw(design, n_orders=2)
    for trials, n_orders in ((own, 6), (shared, 2)):
        assert trials.sequences["order"].tolist() == [p % n_orders for p in range(6)] * len(design.conditions)
        for condition in design.conditions:
            part = trials.where(condition=condition)
            rows = np.concatenate([part.stimulus.reshape(6, -1), part.category], 1)
            assert len(np.unique(rows, axis=0)) == n_orders


def test_the_same_seed_gives_the_same_design(design: Design) -> None:
    assert draw(design).equals(draw(design))
    assert not draw(design).equals(design.draw(6, rng=Seeds(2).numpy("design")))


def test_what_is_shown_and_told_is_right_by_the_number_of_the_stimulus(design: Design) -> None:
    trials = draw(design)
    for row in range(len(trials)):
        here = trials.mask[row]
        numbers, stimuli = trials.stimulus_id[row, here], trials.stimulus[row, here]
        assert len(np.unique(np.column_stack([numbers, stimuli]), axis=0)) == len(np.unique(numbers))
        assert len(np.unique(stimuli, axis=0)) == len(np.unique(numbers))
        if design.name != "weather":
            told = trials.category[row, here]
            pairs = np.unique(np.column_stack([numbers, told])[told != MISSING], axis=0)
            assert len(pairs) == len(np.unique(pairs[:, 0]))


def test_agents_answer_every_design(design: Design) -> None:
    trials = draw(design, 3)
    model = get_model_for("gcm", trials)
    theta = np.array([[3.0 if p.name.startswith("attention") else 0.1 for p in model.parameters]] * 3)
    answered = model.simulate(theta, trials, Seeds(0).numpy("choices"))
    assert (answered.scored == answered.mask).all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"conditions": ["VII"]}, "no condition 'VII'"),
        ({"conditions": "VI"}, "Give a list"),
        ({"conditions": []}, "Give a list"),
        ({"order": "sorted"}, "no order 'sorted'"),
        ({"n_orders": 7}, "n_orders is 7 for 6 participants"),
        ({"n_orders": 0}, "n_orders is 0"),
        ({"n_blocks": 0}, "n_blocks is 0"),
        ({"n_participants": 0}, "n_participants is 0"),
    ],
)
def test_what_cannot_be_drawn_is_refused(options: dict, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        draw(get_design("shepard"), **options)


def test_unknown_designs_and_options_are_refused_with_a_suggestion() -> None:
    with pytest.raises(UsageError, match="Did you mean 'shepard'"):
        get_design("shephard")
    with pytest.raises(UsageError, match="no option 'blocks'.*Did you mean 'block'"):
        get_design("shepard", blocks=8)
    with pytest.raises(UsageError, match="no option 'block'.*It has none"):
        get_design("weather", block=8)
    with pytest.raises(UsageError, match="block of 12 trials"):
        get_design("shepard", block=12)
    with pytest.raises(UsageError, match="n_features is 2"):
        get_design("separable", n_features=2)
    with pytest.raises(UsageError, match="frequency is 0"):
        get_design("instance_frequency", frequency=0)
