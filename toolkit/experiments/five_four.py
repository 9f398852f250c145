"""The five-four structure with tests of transfer (Medin & Schaffer, 1978; Johansen & Palmeri, 2002)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from toolkit.experiments.base import Block, Design, Problems
from toolkit.trials import MISSING

TRAINED = {
    "A1": "0001",
    "A2": "0101",
    "A3": "0100",
    "A4": "0010",
    "A5": "1000",
    "B1": "0011",
    "B2": "1001",
    "B3": "1110",
    "B4": "1111",
}
TRANSFER = {
    "T1": "0110",
    "T2": "0111",
    "T3": "0000",
    "T4": "1101",
    "T5": "1010",
    "T6": "1100",
    "T7": "1011",
}
NAMES = (*TRAINED, *TRANSFER)
"""Names of the stimuli by their number."""

STIMULI = np.array([[int(value) for value in item] for item in (*TRAINED.values(), *TRANSFER.values())])
"""(16, 4) features, in the order of :data:`NAMES`."""

CATEGORY = np.array([{"A": 0, "B": 1, "T": MISSING}[name[0]] for name in NAMES])
"""(16,) A is 0, B is 1, transfer items have none."""

TESTS_AFTER = (2, 4, 8, 16, 24, 32)
"""Training blocks after which people were tested."""


@dataclass(frozen=True)
class FiveFour(Design):
    """Nine items are trained, five A and four B; tests without feedback show all sixteen once.

    32 blocks of nine trials, with tests after blocks 2, 4, 8, 16, 24 and 32 of those that are drawn. In a test
    trial ``category`` is -1, none told; ``answer`` is -1 for the seven transfer items.

    Parameters
    ----------
    tests_after
        Training blocks after which there is a test, counted from 1. An agent that reads trials without feedback
        too is changed by being tested: (32,) tests once, after everything, as earlier simulations did.
    """

    tests_after: tuple[int, ...] = TESTS_AFTER

    name = "five_four"
    citation = "Johansen & Palmeri (2002), Cognitive Psychology 45, 482-553"
    conditions = ("five-four",)
    n_blocks = 32
    curve = "johansen2002"

    def problems(self, condition: str, n_sequences: int, rng: np.random.Generator) -> Problems:
        return Problems(STIMULI[None].astype(float), CATEGORY[None])

    def blocks(self, condition: str, n_blocks: int) -> list[Block]:
        training, test = Block((1,) * 9 + (0,) * 7), Block((1,) * 16, told=False)
        found = []
        for number in range(1, n_blocks + 1):
            found += [training, test] if number in self.tests_after else [training]
        return found

    def _tidy(self, curve: pd.DataFrame) -> pd.DataFrame:
        """``block`` (32), ``stimulus_id``, ``stimulus``, ``role`` and ``share`` of answers A."""
        number = curve["stimulus"].map(NAMES.index)
        return curve.assign(block=32, stimulus_id=number, share=curve["probability_a"])[
            ["block", "stimulus_id", "stimulus", "role", "share"]
        ]
