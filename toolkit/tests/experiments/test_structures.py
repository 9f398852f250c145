"""Tables of the other designs: what they show is what was published."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from toolkit.experiments import five_four, get_design
from toolkit.experiments.weather import CHANCE_OF_RAIN
from toolkit.seeds import Seeds
from toolkit.trials import Trials


def draw(name: str, n_participants: int = 2, condition: str | None = None, **options) -> Trials:
    design = get_design(name, **options)
    conditions = None if condition is None else [condition]
    return design.draw(n_participants, rng=Seeds(3).numpy("structure"), conditions=conditions)


def told(trials: Trials, row: int = 0) -> dict[str, int]:
    """Category of every stimulus that was told, by its features."""
    there = trials.category[row] >= 0
    stimuli = trials.stimulus[row, there].astype(int)
    return {"".join(map(str, x)): int(y) for x, y in zip(stimuli, trials.category[row, there], strict=True)}


def is_separable(stimuli: np.ndarray, category: np.ndarray) -> bool:
    """Whether a sum of features and a threshold tell two categories apart, by linear programming."""
    from scipy.optimize import linprog

    sign = np.where(category == 1, 1, -1)[:, None]
    sides = -sign * np.column_stack([stimuli, np.ones(len(stimuli))])
    found = linprog(np.zeros(sides.shape[1]), sides, -np.ones(len(sides)), bounds=(None, None))
    return found.status == 0


def test_smith_and_minda_show_two_prototypes_their_neighbours_and_two_exceptions() -> None:
    table = told(draw("smith_minda"))
    first = ["000000", "100000", "010000", "001000", "000010", "000001", "111101"]
    second = ["111111", "011111", "101111", "110111", "111011", "111110", "000100"]
    assert table == dict.fromkeys(first, 0) | dict.fromkeys(second, 1)
    stimuli = np.array([[int(value) for value in item] for item in table])
    assert not is_separable(stimuli, np.array(list(table.values())))


def test_five_four_trains_nine_items_and_tests_all_sixteen() -> None:
    trials = draw("five_four")
    a, b = ["0001", "0101", "0100", "0010", "1000"], ["0011", "1001", "1110", "1111"]
    assert told(trials) == dict.fromkeys(a, 0) | dict.fromkeys(b, 1)
    transfer = dict(zip(five_four.NAMES[9:], five_four.STIMULI[9:], strict=True))
    expected = {
        "T1": "0110",
        "T2": "0111",
        "T3": "0000",
        "T4": "1101",
        "T5": "1010",
        "T6": "1100",
        "T7": "1011",
    }
    assert {name: "".join(map(str, features)) for name, features in transfer.items()} == expected
    np.testing.assert_array_equal(trials.category >= 0, ~trials.test)
    is_transfer = trials.stimulus_id >= 9
    assert (trials.answer[is_transfer] == -1).all() and (trials.answer[~is_transfer] >= 0).all()


def test_tests_of_five_four_come_after_the_blocks_that_are_named() -> None:
    trials = draw("five_four")
    for row in range(len(trials)):
        block, test = trials.block[row], trials.test[row]
        assert np.unique(block[test] + 1).tolist() == [2, 4, 8, 16, 24, 32]
        assert np.bincount(block[~test]).tolist() == [9] * 32
        assert (np.diff(block) >= 0).all()
        for number in np.unique(block[test]):
            assert sorted(trials.stimulus_id[row, test & (block == number)]) == list(range(16))
            assert not (test & (block == number))[: np.flatnonzero(block == number)[9]].any()
    shorter = get_design("five_four", tests_after=(1, 3)).draw(1, rng=Seeds(0).numpy("few"), n_blocks=3)
    assert shorter.test[0].tolist() == [False] * 9 + [True] * 16 + [False] * 18 + [True] * 16


def test_levering_trains_six_items_and_tests_eight() -> None:
    trials = draw("levering")
    linear = {"001": 0, "010": 0, "011": 1, "100": 0, "101": 1, "110": 1}
    assert told(trials, 0) == linear == {item: int(item.count("1") == 2) for item in linear}
    assert told(trials, 2) == {"001": 0, "010": 1, "011": 0, "100": 0, "101": 1, "110": 1}
    assert trials.sequences["condition"].tolist() == ["linear"] * 2 + ["nonlinear"] * 2
    assert trials.test[:, -8:].all() and not trials.test[:, :-8].any()
    assert (np.sort(trials.stimulus_id[:, -8:], 1) == np.arange(8)).all()
    for row, separable in ((0, True), (2, False)):
        there = trials.category[row] >= 0
        assert is_separable(trials.stimulus[row, there], trials.category[row, there]) is separable


def test_the_frequent_colour_is_shown_as_many_times_as_often() -> None:
    trials = draw("instance_frequency")
    counts = {
        condition: np.bincount(trials.where(condition=condition).take([0]).stimulus_id[0])
        for condition in ("B", "E2", "E7")
    }
    assert counts["B"].tolist() == [12] * 12
    for condition, colour in (("E2", 1), ("E7", 6)):
        assert counts[condition].tolist() == [60 if number == colour else 12 for number in range(12)]
    rarer = draw("instance_frequency", condition="E7", frequency=3)
    assert np.bincount(rarer.stimulus_id[0])[6] == 36


def test_colours_are_those_of_nosofsky_scaled_to_span_one() -> None:
    trials = draw("instance_frequency", condition="B")
    table = {
        (x[0], x[1]): y for x, y in zip(trials.stimulus[0].round(6).tolist(), trials.category[0], strict=True)
    }
    colours = [
        (7, 4),
        (7, 8),
        (6, 6),
        (6, 10),
        (5, 4),
        (5, 8),
        (5, 12),
        (4, 6),
        (4, 10),
        (3, 4),
        (3, 8),
        (3, 10),
    ]
    scaled = [(round((value - 3) / 4, 6), round((chroma - 4) / 8, 6)) for value, chroma in colours]
    assert [table[colour] for colour in scaled] == [0, 1, 1, 1, 0, 1, 1, 0, 1, 0, 0, 0]


def test_weather_is_as_probable_as_the_cards_say() -> None:
    trials = draw("weather", 2000)
    shown = trials.stimulus_id
    assert (np.sort(shown, 1) == np.sort(shown[0])).all()
    cards = trials.stimulus.reshape(-1, 4) @ [8, 4, 2, 1]
    assert sorted(set(cards.astype(int))) == list(range(1, 15))
    for number, chance in enumerate(CHANCE_OF_RAIN):
        outcomes = trials.category[shown == number]
        assert abs(outcomes.mean() - chance) < 4 * np.sqrt(chance * (1 - chance) / len(outcomes))
    by_card = [trials.category[trials.stimulus[..., card] == 1].mean() for card in range(4)]
    assert np.round(by_card, 2).tolist() == [0.20, 0.40, 0.60, 0.80]
    assert abs(trials.category.mean() - 0.5) < 0.005


@pytest.mark.parametrize("n_features", [3, 4, 5, 6, 8, 10])
def test_linear_problems_are_linear_and_the_others_are_not(n_features: int) -> None:
    trials = draw("separable", 8, n_features=n_features)
    for row, condition in enumerate(trials.sequences["condition"]):
        table = told(trials, row)
        assert Counter(table.values()) == {0: n_features + 1, 1: n_features + 1}
        stimuli = np.array([[int(value) for value in item] for item in table])
        assert is_separable(stimuli, np.array(list(table.values()))) is (condition == "linear")


def test_neighbours_of_prototypes_are_as_many_as_described() -> None:
    trials = draw("separable", 50)
    for row, condition in enumerate(trials.sequences["condition"]):
        order = np.argsort(trials.stimulus_id[row, :14])
        stimuli, category = trials.stimulus[row, :14][order], trials.category[row, :14][order]
        assert category.tolist() == [0] * 7 + [1] * 7
        assert (stimuli[0] == 1 - stimuli[7]).all()
        for first in (0, 7):
            apart = np.abs(stimuli[first : first + 7] - stimuli[first]).sum(1).tolist()
            linear = [0, 1, 1, 2, 2, 2, 2]
            assert sorted(apart) == (linear if condition == "linear" else [0, 1, 1, 1, 1, 1, 5])


def test_problems_of_six_features_include_that_of_smith_and_minda() -> None:
    """Up to names of features and values: the exceptions to both prototypes concern different features."""
    trials = draw("separable", 300, "nonlinear")
    pairs = set()
    for row in range(len(trials)):
        order = np.argsort(trials.stimulus_id[row, :14])
        stimuli = trials.stimulus[row, :14][order]
        apart = np.abs(stimuli[:7] - stimuli[0])
        exception = apart[apart.sum(1) == 5][0]
        other = np.abs(stimuli[7:] - stimuli[0])
        pairs.add(
            (int(np.flatnonzero(exception == 0)[0]), int(np.flatnonzero(other[other.sum(1) == 1][0])[0]))
        )
    assert len(pairs) == 30 and all(one != two for one, two in pairs)
