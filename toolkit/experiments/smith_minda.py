"""Six binary features, two prototypes and one exception to each (Smith & Minda, 1998)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from toolkit.experiments.base import Block, Design, Problems

FIRST_CATEGORY = ("000000", "100000", "010000", "001000", "000010", "000001", "111101")
SECOND_CATEGORY = ("111111", "011111", "101111", "110111", "111011", "111110", "000100")
STIMULI = np.array([[int(value) for value in item] for item in FIRST_CATEGORY + SECOND_CATEGORY])
"""(14, 6): of each category its prototype, five neighbours of it, and an exception near the other prototype."""

SEGMENT = 56
"""Trials of a segment in published analyses: four blocks."""


@dataclass(frozen=True)
class SmithMinda(Design):
    """Two categories of seven that no sum of features tells apart; every block shows each stimulus once.

    44 blocks, 616 trials, as Devraj, Griffiths and Zhang (2024) ran it; 11 segments of 56 trials. Problems like
    this one, and others that a sum of features does solve, are drawn by the design "separable".
    """

    name = "smith_minda"
    citation = "Smith & Minda (1998), Journal of Experimental Psychology: LMC 24, 1411-1436"
    conditions = ("nonlinear",)
    n_blocks = 44
    curve = "smith1998"
    studies = ("devraj2022_exp1", "devraj2022_exp2", "smithminda1998_exp1", "smithminda1998_exp2")

    def problems(self, condition: str, n_sequences: int, rng: np.random.Generator) -> Problems:
        return Problems(STIMULI[None].astype(float), np.repeat([0, 1], 7)[None])

    def blocks(self, condition: str, n_blocks: int) -> list[Block]:
        return [Block((1,) * 14)] * n_blocks
