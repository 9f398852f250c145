"""Rain or sunshine after one to three of four cards (Speekenbrink, Channon & Shanks, 2008)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from toolkit.experiments.base import Block, Design, Problems

PATTERNS = {
    "0001": (19, 17),
    "0010": (9, 7),
    "0011": (26, 24),
    "0100": (9, 2),
    "0101": (12, 10),
    "0110": (6, 3),
    "0111": (19, 17),
    "1000": (19, 2),
    "1001": (6, 3),
    "1010": (12, 2),
    "1011": (9, 5),
    "1100": (26, 2),
    "1101": (9, 4),
    "1110": (19, 2),
}
"""Cards that are shown, how often in 200 trials, and how many of these are followed by rain on average."""

STIMULI = np.array([[int(card) for card in cards] for cards in PATTERNS])
COUNTS = tuple(count for count, _ in PATTERNS.values())
CHANCE_OF_RAIN = np.array([rain / count for count, rain in PATTERNS.values()])
"""(14,) probability of category 1, rain, by pattern."""


@dataclass(frozen=True)
class Weather(Design):
    """A block is all 200 trials, patterns as often as in the original; the outcome is drawn on every trial.

    Frequencies are those that each of the 25 participants saw. The file does not say the probabilities: they
    are estimated from its 5,000 outcomes, as the nearest whole number of rainy trials if a pattern and its
    mirror image (cards from right to left) predict rain and sunshine equally well.
    There is no ``answer``: ``Trials.correct`` compares choices with the outcome, as in people's trials.
    """

    name = "weather"
    citation = "Speekenbrink, Channon & Shanks (2008), Neuroscience & Biobehavioral Reviews 32, 292-310"
    conditions = ("weather",)
    n_blocks = 1
    studies = ("speekenbrink2008",)

    def problems(self, condition: str, n_sequences: int, rng: np.random.Generator) -> Problems:
        return Problems(STIMULI[None].astype(float), (CHANCE_OF_RAIN > 0.5).astype(int)[None])

    def blocks(self, condition: str, n_blocks: int) -> list[Block]:
        return [Block(COUNTS)] * n_blocks

    def outcomes(self, problems: Problems, shown: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        return (rng.random(shown.shape) < CHANCE_OF_RAIN[shown]).astype(int)
