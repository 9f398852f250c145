"""Three binary features, linear or not, without the two most typical items (Levering, Conaway & Kurtz, 2020)."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
import pandas as pd

from toolkit.experiments.base import Block, Design, Problems
from toolkit.trials import MISSING

STIMULI = np.array(list(product((0, 1), repeat=3)))
"""(8, 3); the first and the last, 000 and 111, are not trained."""

CATEGORY = {
    "linear": np.array([MISSING, 0, 0, 1, 0, 1, 1, MISSING]),
    "nonlinear": np.array([MISSING, 0, 1, 0, 0, 1, 1, MISSING]),
}
"""(8,) categories of the stimuli; the linear one is the majority of features."""


@dataclass(frozen=True)
class Levering(Design):
    """25 blocks of six trained items, then a test of all eight without feedback: 158 trials."""

    name = "levering"
    citation = "Levering, Conaway & Kurtz (2020), Memory & Cognition 48, 335-347"
    conditions = tuple(CATEGORY)
    n_blocks = 25
    curve = "levering2020"

    def problems(self, condition: str, n_sequences: int, rng: np.random.Generator) -> Problems:
        return Problems(STIMULI[None].astype(float), CATEGORY[condition][None])

    def blocks(self, condition: str, n_blocks: int) -> list[Block]:
        return [*[Block((0, 1, 1, 1, 1, 1, 1, 0))] * n_blocks, Block((1,) * 8, told=False)]

    def _tidy(self, curve: pd.DataFrame) -> pd.DataFrame:
        """``condition``, ``block`` (1-25) and mean ``error``."""
        return curve.assign(condition=curve["structure"], error=1 - curve["accuracy"])[
            ["condition", "block", "error"]
        ]
