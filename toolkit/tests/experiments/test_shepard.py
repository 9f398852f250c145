"""The six types: the type that was asked for is the type that is drawn, always."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from itertools import combinations

import numpy as np
import pytest

from toolkit.experiments import get_design
from toolkit.experiments.shepard import FIRST_CATEGORY, STIMULI, faulty, orbits, type_of
from toolkit.seeds import Seeds
from toolkit.trials import Trials

SIZES = {"I": 6, "II": 6, "III": 24, "IV": 8, "V": 24, "VI": 2}
NEIGHBOURS = {
    "I": (2, 2, 2, 2),
    "II": (1, 1, 1, 1),
    "III": (1, 1, 2, 2),
    "IV": (1, 1, 1, 3),
    "V": (0, 1, 1, 2),
    "VI": (0, 0, 0, 0),
}
"""How many others of its category each stimulus differs from on one feature: different for every type."""


def neighbours(half: np.ndarray) -> tuple[int, ...]:
    apart = np.abs(STIMULI[list(half), None] - STIMULI[None, list(half)]).sum(-1)
    return tuple(sorted((apart == 1).sum(1).tolist()))


def first_category(trials: Trials, row: int) -> frozenset[int]:
    return frozenset(trials.stimulus_id[row, trials.category[row] == 0].tolist())


def test_all_seventy_problems_have_their_type() -> None:
    by_neighbours = {pattern: name for name, pattern in NEIGHBOURS.items()}
    halves = [frozenset(half) for half in combinations(range(8), 4)]
    assert len(halves) == 70
    assert all(type_of(half) == by_neighbours[neighbours(half)] for half in halves)
    assert {name: len(found) for name, found in orbits().items()} == SIZES
    assert sum(map(len, orbits().values())) == len(set().union(*orbits().values())) == 70
    for name, half in FIRST_CATEGORY.items():
        assert frozenset(int(stimulus, 2) for stimulus in half) in orbits()[name]


@pytest.mark.parametrize("order", ["balanced", "random"])
def test_every_draw_has_the_type_and_all_its_problems_come_equally_often(order: str) -> None:
    n = 1200
    trials = get_design("shepard").draw(n, rng=Seeds(0).numpy("types"), order=order)
    for name, size in SIZES.items():
        part = trials.where(condition=name)
        counts = Counter(first_category(part, row) for row in range(n))
        assert {neighbours(half) for half in counts} == {NEIGHBOURS[name]}
        assert len(counts) == size
        spread = np.sqrt(n / size * (1 - 1 / size))
        assert max(abs(count - n / size) for count in counts.values()) < 4.5 * spread


def test_blocks_of_sixteen_show_each_stimulus_twice_and_blocks_of_eight_once() -> None:
    for block, n_blocks in ((16, 16), (8, 32)):
        design = get_design("shepard", block=block)
        trials = design.draw(20, rng=Seeds(0).numpy("blocks"), n_blocks=n_blocks)
        shown = trials.stimulus_id.reshape(-1, block)
        assert (np.sort(shown, 1) == np.repeat(np.arange(8), block // 8)).all()
        assert (trials.block == np.arange(256) // block).all()
        np.testing.assert_array_equal(trials.stimulus @ [4, 2, 1], trials.stimulus_id)


def test_the_earlier_generator_mixes_types_as_documented() -> None:
    """III: 50 % III, 25 % IV, 25 % V; V: 44 % V, 22 % III, 17 % II, 11 % I, 6 % VI."""
    shares = {
        "III": {"III": Fraction(1, 2), "IV": Fraction(1, 4), "V": Fraction(1, 4)},
        "V": {"V": (16, 36), "III": (8, 36), "II": (6, 36), "I": (4, 36), "VI": (2, 36)},
    }
    by_neighbours = {pattern: name for name, pattern in NEIGHBOURS.items()}
    n = 2000
    trials = get_design("shepard", legacy=True).draw(n, rng=Seeds(0).numpy("legacy"), n_blocks=1)
    drawn = [by_neighbours[neighbours(first_category(trials, row))] for row in range(len(trials))]
    assert drawn == trials.sequences["drawn_type"].tolist()
    for name in FIRST_CATEGORY:
        expected = {
            key: Fraction(*np.atleast_1d(value)) for key, value in shares.get(name, {name: 1}).items()
        }
        found = Counter(trials.where(condition=name).sequences["drawn_type"])
        assert found.keys() == expected.keys()
        for key, share in expected.items():
            assert abs(found[key] / n - share) < 4 * np.sqrt(float(share * (1 - share)) / n) + 1e-9
        if name in shares:
            exact = Counter(by_neighbours[neighbours(half)] for half in faulty(name))
            assert {key: Fraction(count, len(faulty(name))) for key, count in exact.items()} == expected
