"""Functions that return a negative log-likelihood themselves, executed by Python."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from toolkit.discovery.worker.data import Data
from toolkit.discovery.worker.evaluation import ByDifferences, Failures
from toolkit.discovery.worker.faults import Fault
from toolkit.discovery.worker.namespace import load


class LegacyRows(ByDifferences):
    """Such a function for many rows of parameters.

    Parameters
    ----------
    text, function
        The definitions, and which of them to call.
    columns
        For every argument that is a column its name, and the place in it where it has several numbers.
    vector
        The argument that is all parameters together; "" where each has an argument of its own.
    order
        Positions in theta of the parameters, in the order in which the function takes them.
    """

    def __init__(self, told: Mapping[str, Any]) -> None:
        super().__init__(told["lower"], told["upper"])
        functions = load(told["text"])
        self._function = functions[told["function"]]
        self._columns: dict[str, tuple[str, list[int]]] = told["columns"]
        self._vector: str = told["vector"]
        self._order: list[int] = told["order"]
        self._parameters: list[str] = told["parameters"]

    def probabilities(
        self, theta: np.ndarray, sequence: np.ndarray, data: Data, failures: Failures
    ) -> np.ndarray:
        """Not known: only what the function returns in the end is."""
        raise Fault("contract", "a function that returns a likelihood says nothing about single choices.")

    def log_likelihood(
        self, theta: np.ndarray, sequence: np.ndarray, data: Data, failures: Failures
    ) -> np.ndarray:
        """(rows,)"""
        total = np.full(len(theta), np.nan)
        for row, (values, number) in enumerate(zip(theta, sequence, strict=True)):
            try:
                total[row] = -float(self._function(**self._given(values, int(number), data)))
            except MemoryError:
                raise
            except Exception as error:
                failures.add(error)
        return total

    def _given(self, theta: np.ndarray, sequence: int, data: Data) -> dict[str, Any]:
        """The arguments: columns of the trials that were recorded, copied, since a function may change them."""
        rows = np.arange(data.first[sequence], data.first[sequence + 1])
        rows = rows[data.told[rows]]
        given: dict[str, Any] = {
            argument: data.columns[name][(rows, *place)] for argument, (name, place) in self._columns.items()
        }
        if self._vector:
            given[self._vector] = theta[self._order].copy()
        else:
            given |= dict(zip(self._parameters, theta, strict=True))
        return given
