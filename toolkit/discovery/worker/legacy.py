"""Functions that return a negative log-likelihood themselves, executed by Python or compiled by numba."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from toolkit.discovery.worker.data import Data
from toolkit.discovery.worker.evaluation import ByDifferences, Failures
from toolkit.discovery.worker.faults import CANDIDATE, Fault
from toolkit.discovery.worker.namespace import load

N_CHECKED = 4
SAME = 1e-8
"""Share by which a compiled log-likelihood may differ from Python's."""

LONGEST_REASON = 200


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
        self.order: list[int] = told["order"]
        self._key = json.dumps(told["columns"])
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
        first, columns = self.columns(data)
        total = np.full(len(theta), np.nan)
        for row, (values, number) in enumerate(zip(theta, sequence, strict=True)):
            begin, end = first[number], first[number + 1]
            given: dict[str, Any] = {name: column[begin:end].copy() for name, column in columns.items()}
            if self._vector:
                given[self._vector] = values[self.order].copy()
            else:
                given |= dict(zip(self._parameters, values, strict=True))
            try:
                total[row] = -float(self._function(**given))
            except MemoryError:
                raise
            except Exception as error:
                failures.add(error)
        return total

    def columns(self, data: Data) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Where each sequence begins, and what every argument is, of the trials that were recorded."""
        kept = data.__dict__.setdefault("_whole", {})
        if self._key not in kept:
            told = np.concatenate([[0], data.told.cumsum()])
            rows = np.flatnonzero(data.told)
            columns = {
                argument: np.ascontiguousarray(data.columns[name][(rows, *place)])
                for argument, (name, place) in self._columns.items()
            }
            kept[self._key] = told[data.first], columns
        return kept[self._key]


class CompiledLegacyRows(ByDifferences):
    """The same, compiled. The first rows are also computed by Python, which must come to the same."""

    def __init__(self, told: Mapping[str, Any]) -> None:
        super().__init__(told["lower"], told["upper"])
        self.interpreted = LegacyRows(told)
        names: dict[str, Any] = {}
        exec(compile(told["module"], CANDIDATE, "exec"), names)
        self._fill = names[told["fill"]]
        self._is_checked = False

    def probabilities(
        self, theta: np.ndarray, sequence: np.ndarray, data: Data, failures: Failures
    ) -> np.ndarray:
        """Not known."""
        return self.interpreted.probabilities(theta, sequence, data, failures)

    def log_likelihood(
        self, theta: np.ndarray, sequence: np.ndarray, data: Data, failures: Failures
    ) -> np.ndarray:
        """(rows,)"""
        first, columns = self.interpreted.columns(data)
        total, failed = np.full(len(theta), np.nan), np.zeros(len(theta), dtype=bool)
        rows = np.ascontiguousarray(theta[:, self.interpreted.order])
        try:
            self._fill(rows, sequence, first, *columns.values(), total, failed)
        except MemoryError:
            raise
        except Exception as error:  # Whatever the function itself raises is caught in compiled code.
            raise Fault("not compiled", f"numba cannot compile it: {_in_short(error)}") from error
        if not self._is_checked and len(theta):
            self._check(total, theta, sequence, data)
        if failed.any():
            some = slice(failed.argmax(), failed.argmax() + 1)
            self.interpreted.log_likelihood(theta[some], sequence[some], data, failures)
            failures.count += int(failed.sum()) - 1
        return total

    def _check(self, total: np.ndarray, theta: np.ndarray, sequence: np.ndarray, data: Data) -> None:
        some = np.unique(np.linspace(0, len(theta) - 1, N_CHECKED).astype(int))
        expected = self.interpreted.log_likelihood(theta[some], sequence[some], data, Failures())
        if not np.allclose(total[some], expected, rtol=SAME, atol=SAME, equal_nan=True):
            worst = np.nanargmax(np.abs(total[some] - expected)) if np.isfinite(expected).any() else 0
            raise Fault(
                "not compiled",
                f"compiled, its log-likelihood is {total[some][worst]:.9g} where Python's is {expected[worst]:.9g}.",
            )
        self._is_checked = True


def _in_short(error: Exception) -> str:
    """What numba says first, without addresses and the passes it was in."""
    lines = [re.sub(r" at 0x[0-9a-f]+", "", line).strip() for line in str(error).splitlines()]
    told = [line for line in lines if line and not line.startswith("Failed in")]
    return " ".join(told)[:LONGEST_REASON] or type(error).__name__
