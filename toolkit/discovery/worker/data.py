"""Trials as a worker keeps them: one sequence behind the other, without padding."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

COLUMN = "column_"
"""What stands before the name of a column among the arrays of a message."""


@dataclass(frozen=True)
class Data:
    """Trials of many sequences.

    Attributes
    ----------
    first
        (sequences + 1,) where each begins; the last entry is the number of all trials.
    columns
        (trials, …) each, by name.
    asked
        (stages, trials) where a program is asked for its probabilities.
    chosen
        (stages, trials) the option whose probability counts, -1 where none does.
    told
        (trials,) where it learns what followed.
    n_options
        Number of options to choose from.
    """

    first: np.ndarray
    columns: Mapping[str, np.ndarray]
    asked: np.ndarray
    chosen: np.ndarray
    told: np.ndarray
    n_options: int

    @classmethod
    def received(cls, arrays: Mapping[str, np.ndarray], n_options: int) -> Data:
        """The data of a message."""
        columns = {
            name.removeprefix(COLUMN): array for name, array in arrays.items() if name.startswith(COLUMN)
        }
        rest = {name: arrays[name] for name in ("first", "asked", "chosen", "told")}
        return cls(columns=columns, n_options=n_options, **rest)

    @property
    def n_stages(self) -> int:
        """Choices of a trial."""
        return len(self.asked)

    @cached_property
    def longest(self) -> int:
        """Trials of the longest sequence."""
        return int(np.diff(self.first).max(initial=0))

    @cached_property
    def scalars(self) -> dict[str, list[Any]]:
        """Columns as lists of what a function is given on a trial.

        Codes are whole numbers of Python and serve as an index; numbers are those of NumPy, which divide by
        zero as compiled code does; arrays cannot be changed.
        """
        return {name: _as_list(array) for name, array in self.columns.items()}

    @property
    def n_bytes(self) -> int:
        """Memory that it takes, roughly."""
        return 3 * sum(array.nbytes for array in (*self.columns.values(), self.asked, self.chosen, self.told))


def _as_list(array: np.ndarray) -> list[Any]:
    if array.ndim == 1 and array.dtype.kind != "f":
        return array.astype(np.int64).tolist()
    if array.ndim > 1:
        array = array.view()
        array.flags.writeable = False
    return list(array)
