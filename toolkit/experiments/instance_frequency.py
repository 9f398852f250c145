"""Twelve colours, one of which is shown more often (Nosofsky, 1988, Experiment 1)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from toolkit.errors import UsageError
from toolkit.experiments.base import Block, Design, Problems

COLOURS = np.array(
    [(7, 4), (7, 8), (6, 6), (6, 10), (5, 4), (5, 8), (5, 12), (4, 6), (4, 10), (3, 4), (3, 8), (3, 10)]
)
"""(12, 2) Munsell value (brightness) and chroma (saturation); hue 5R."""

CATEGORY = np.array([0, 1, 1, 1, 0, 1, 1, 0, 1, 0, 0, 0])
FREQUENT = {"B": None, "E2": 2, "E7": 7}
"""Which colour is frequent in a condition, counted from 1; B is the baseline."""

_TIMES = 4


@dataclass(frozen=True)
class InstanceFrequency(Design):
    """Both features scaled to 0 to 1; three blocks that show every colour four times, the frequent one more often.

    Parameters
    ----------
    frequency
        How many times as often the frequent colour is shown; 5 in the original.
    """

    frequency: int = 5

    name = "instance_frequency"
    citation = "Nosofsky (1988), Journal of Experimental Psychology: LMC 14, 54-65"
    conditions = tuple(FREQUENT)
    n_blocks = 3
    curve = "nosof88"

    def __post_init__(self) -> None:
        if self.frequency < 1:
            raise UsageError(f"frequency is {self.frequency}.", fix="Use 1 or more.")

    def problems(self, condition: str, n_sequences: int, rng: np.random.Generator) -> Problems:
        low, high = COLOURS.min(0), COLOURS.max(0)
        return Problems(((COLOURS - low) / (high - low))[None], CATEGORY[None])

    def blocks(self, condition: str, n_blocks: int) -> list[Block]:
        frequent = FREQUENT[condition]
        counts = [_TIMES * (self.frequency if number == frequent else 1) for number in range(1, 13)]
        return [Block(tuple(counts))] * n_blocks

    def _tidy(self, curve: pd.DataFrame) -> pd.DataFrame:
        """``condition``, ``stimulus_id`` (from 0), its ``category`` and ``share`` of answers 1 (category 2)."""
        stimulus = curve["stim"].to_numpy(dtype=int) - 1
        return pd.DataFrame(
            {
                "condition": np.array(self.conditions)[curve["cond"].to_numpy(dtype=int) - 1],
                "stimulus_id": stimulus,
                "category": CATEGORY[stimulus],
                "share": curve["c2acc"].to_numpy(),
            }
        )
