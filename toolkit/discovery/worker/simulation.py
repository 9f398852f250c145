"""Many copies of a program that go through a task together, one trial at a time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from toolkit.discovery.worker.data import Data
from toolkit.discovery.worker.interpreted import Interpreted


class Simulation:
    """One state a sequence.

    Parameters
    ----------
    theta
        (sequences, parameters).
    columns
        (sequences,) what is known before the first trial.
    """

    def __init__(
        self, program: Interpreted, theta: np.ndarray, columns: Mapping[str, np.ndarray], n_options: int
    ) -> None:
        self.program, self.n_options = program, n_options
        self._known = [program.known(row) for row in theta]
        self._states = [
            program.begin(known, values)
            for known, values in zip(self._known, _by_sequence(columns, len(theta)), strict=True)
        ]

    def ask(self, stage: int, which: np.ndarray, columns: Mapping[str, np.ndarray]) -> np.ndarray:
        """(sequences, options) probabilities of those that are asked, even ones for the others."""
        p = np.full((len(self._states), self.n_options), 1 / self.n_options)
        for s, values in enumerate(_by_sequence(columns, len(which))):
            if which[s]:
                p[s] = self.program.ask(stage, self._known[s], self._states[s], values, self.n_options)
        return p

    def tell(self, which: np.ndarray, columns: Mapping[str, np.ndarray]) -> None:
        """Let those that are told learn from a trial."""
        for s, values in enumerate(_by_sequence(columns, len(which))):
            if which[s]:
                self._states[s] = self.program.tell(self._known[s], self._states[s], values)


def _by_sequence(columns: Mapping[str, np.ndarray], n_sequences: int) -> list[dict[str, Any]]:
    """What each sequence's functions are given; arrays as in ``Data``."""
    nothing = np.zeros((0, 0))
    scalars = Data(nothing, columns, nothing, nothing, nothing, 0).scalars
    return [{name: values[s] for name, values in scalars.items()} for s in range(n_sequences)]
