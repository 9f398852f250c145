"""Problems that a sum of binary features solves, and others that it does not, with any number of features."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np

from toolkit.errors import UsageError
from toolkit.experiments.base import Block, Design, Problems

_FEWEST_FOR_PAIRS = 5


@dataclass(frozen=True)
class Separable(Design):
    """Two opposite prototypes and as many neighbours of each as there are features; drawn for every sequence.

    Linear: a category has its prototype, two items that differ from it on one feature, and others that differ
    on two. With fewer than five features an item that differs on two is no closer to its own prototype, so all
    differ on one. Nonlinear: the prototype, all items but one that differ on one feature, and an exception: the
    one that the other category lacks. The two categories lack different features, otherwise one feature would do.
    With six features these are the problems of Smith and Minda (1998) up to the names of features and values.

    Parameters
    ----------
    n_features
        3 or more; the categories have one item more than that.
    """

    n_features: int = 6

    name = "separable"
    citation = "after Smith & Minda (1998), Journal of Experimental Psychology: LMC 24, 1411-1436"
    conditions = ("linear", "nonlinear")
    n_blocks = 44

    def __post_init__(self) -> None:
        if self.n_features < 3:
            raise UsageError(f"n_features is {self.n_features}.", fix="Use 3 or more.")

    def problems(self, condition: str, n_sequences: int, rng: np.random.Generator) -> Problems:
        shape = (n_sequences, self.n_features)
        first = self._linear(shape, rng) if condition == "linear" else None
        if first is None:
            lacking = rng.random(shape).argsort(1)
            first, second = self._nonlinear(*lacking[:, :2].T), self._nonlinear(*lacking[:, 1::-1].T)
        else:
            second = self._linear(shape, rng)
        # Differences from the category's own prototype become features.
        prototype = rng.integers(2, size=(n_sequences, 1, self.n_features))
        stimuli = np.concatenate([first ^ prototype, second ^ (1 - prototype)], axis=1)
        category = np.repeat([0, 1], self.n_features + 1)[None]
        return Problems(stimuli.astype(float), np.broadcast_to(category, (n_sequences, category.shape[1])))

    def blocks(self, condition: str, n_blocks: int) -> list[Block]:
        return [Block((1,) * (2 * self.n_features + 2))] * n_blocks

    def _linear(self, shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
        """(sequences, items, features) where the items of a category differ from their prototype."""
        one = np.eye(self.n_features, dtype=int)
        n_single = 2 if self.n_features >= _FEWEST_FOR_PAIRS else self.n_features
        single = one[rng.random(shape).argsort(1)[:, :n_single]]
        pairs = np.array([one[i] + one[j] for i, j in combinations(range(self.n_features), 2)])
        drawn = rng.random((len(single), len(pairs))).argsort(1)[:, : self.n_features - n_single]
        nothing = np.zeros((len(single), 1, self.n_features), dtype=int)
        return np.concatenate([nothing, single, pairs[drawn]], axis=1)

    def _nonlinear(self, lacking: np.ndarray, lacking_of_other: np.ndarray) -> np.ndarray:
        """The same with one neighbour of the prototype (sequences,) replaced by one of the other prototype."""
        items = np.concatenate([np.zeros((1, self.n_features), int), np.eye(self.n_features, dtype=int)])
        found = np.repeat(items[None], len(lacking), axis=0)
        found[np.arange(len(lacking)), lacking + 1] = 1 - items[lacking_of_other + 1]
        return found
