"""Six types of problems with three binary features (Shepard, Hovland & Jenkins, 1961)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from itertools import chain, combinations, permutations, product

import numpy as np
import pandas as pd

from toolkit.errors import UsageError
from toolkit.experiments.base import Block, Design, Problems

STIMULI = np.array(list(product((0, 1), repeat=3)))
"""(8, 3) all stimuli; the number of a stimulus is what its features spell in binary."""

FIRST_CATEGORY = {
    "I": ("000", "001", "010", "011"),
    "II": ("000", "001", "110", "111"),
    "III": ("000", "001", "010", "101"),
    "IV": ("000", "001", "010", "100"),
    "V": ("000", "001", "010", "111"),
    "VI": ("000", "011", "101", "110"),
}
"""Stimuli of the first category in one problem of each type."""

Half = frozenset[int]
"""Numbers of the four stimuli of the first category."""


@dataclass(frozen=True)
class Shepard(Design):
    """Two categories of four stimuli; which of a type's problems is learned is drawn for every sequence.

    Type I needs one feature, II two (exclusive or), III to V a rule with exceptions or a prototype, VI all
    three (parity). A problem is drawn uniformly from all that are alike but for which feature is which, which
    value and which category is which: 6, 6, 24, 8, 24 and 2.

    Parameters
    ----------
    block
        Trials of a block: 16 shows each stimulus twice, as Nosofsky et al. (1994), 8 once.
    legacy
        Draw types III and V as an earlier generator did, which is wrong: III from 3 stimuli on one side of a
        feature and 1 on the other, V from 2 and 2. ``sequences.drawn_type`` then says which type it was.
    """

    block: int = 16
    legacy: bool = False

    name = "shepard"
    citation = "Nosofsky, Gluck, Palmeri, McKinley & Glauthier (1994), Memory & Cognition 22, 352-369"
    conditions = tuple(FIRST_CATEGORY)
    n_blocks = 16
    curve = "nosofsky1994"
    studies = ("badham2017",)

    def __post_init__(self) -> None:
        if self.block not in (8, 16):
            raise UsageError(f"a block of {self.block} trials cannot be.", fix="Use 8 or 16.")

    def problems(self, condition: str, n_sequences: int, rng: np.random.Generator) -> Problems:
        possible = faulty(condition) if self.legacy and condition in ("III", "V") else orbits()[condition]
        first = np.array([[stimulus in half for stimulus in range(8)] for half in possible])
        drawn = rng.integers(len(possible), size=n_sequences)
        about = {}
        if self.legacy:
            about["drawn_type"] = np.array([type_of(half) for half in possible])[drawn]
        return Problems(STIMULI[None].astype(float), np.where(first[drawn], 0, 1), about)

    def blocks(self, condition: str, n_blocks: int) -> list[Block]:
        return [Block((self.block // 8,) * 8)] * n_blocks

    def _tidy(self, curve: pd.DataFrame) -> pd.DataFrame:
        """``condition`` (type), ``block`` (1-16) and mean ``error``."""
        return curve.assign(condition=np.array(self.conditions)[curve["type"] - 1])[
            ["condition", "block", "error"]
        ]


@cache
def orbits() -> dict[str, tuple[Half, ...]]:
    """All problems of each type."""
    return {name: _orbit(int(stimulus, 2) for stimulus in half) for name, half in FIRST_CATEGORY.items()}


def type_of(half: Iterable[int]) -> str:
    """Type of the problem whose first category has these four stimuli.

    >>> type_of([0, 2, 5, 7])
    'II'
    """
    return next(name for name, halves in orbits().items() if frozenset(half) in halves)


def faulty(condition: str) -> tuple[Half, ...]:
    """What the earlier generator draws from for type III or V, as often as it occurs there."""
    sides = [
        tuple(np.flatnonzero(STIMULI[:, feature] == value).tolist())
        for feature in range(3)
        for value in (0, 1)
    ]
    size = 3 if condition == "III" else 2
    splits = [
        product(combinations(side, size), combinations(set(range(8)) - set(side), 4 - size)) for side in sides
    ]
    return tuple(frozenset(one + other) for one, other in chain.from_iterable(splits))


def _orbit(half: Iterable[int]) -> tuple[Half, ...]:
    """What four stimuli become under all exchanges of features and of their values."""
    features = STIMULI[list(half)]
    found = {
        frozenset(((features[:, order] ^ flips) @ (4, 2, 1)).tolist())
        for order in permutations(range(3))
        for flips in product((0, 1), repeat=3)
    }
    return tuple(sorted(found, key=sorted))
