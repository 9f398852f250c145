"""Likelihoods and gradients of programs that are interpreted, row by row, and of programs that are compiled."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any, Protocol

import numpy as np

from toolkit.discovery.worker.data import COLUMN, Data
from toolkit.discovery.worker.faults import CANDIDATE, Fault, describe
from toolkit.discovery.worker.interpreted import Interpreted

STEP = 1e-5
"""Step of differences on both sides, as a share of the width of the bounds; the error is its square …"""

STEP_ASIDE = 1e-7
"""… and on one side, which is half the work and good enough where a likelihood is steep …"""

FLAT = 0.1
"""… which it is if it promises so many nats over the width of some parameter's bounds."""


@dataclass
class Failures:
    """Rows that could not be computed.

    Attributes
    ----------
    count
        How many.
    first
        What went wrong in the first one.
    """

    count: int = 0
    first: dict[str, str] = field(default_factory=dict)

    def add(self, error: Exception) -> None:
        """Note one."""
        self.count += 1
        self.first = self.first or describe(error)


class Evaluated(Protocol):
    """What every kind of program can do in a worker."""

    def probabilities(
        self, theta: np.ndarray, sequence: np.ndarray, data: Data, failures: Failures
    ) -> np.ndarray: ...

    def log_likelihood(
        self, theta: np.ndarray, sequence: np.ndarray, data: Data, failures: Failures
    ) -> np.ndarray: ...

    def log_likelihood_and_gradient(
        self, theta: np.ndarray, sequence: np.ndarray, data: Data, failures: Failures
    ) -> tuple[np.ndarray, np.ndarray]: ...


class ByDifferences(ABC):
    """Gradients of a likelihood that can only be computed."""

    def __init__(self, lower: list[float], upper: list[float]) -> None:
        self.lower, self.upper = np.array(lower), np.array(upper)

    @abstractmethod
    def log_likelihood(
        self, theta: np.ndarray, sequence: np.ndarray, data: Data, failures: Failures
    ) -> np.ndarray:
        """(rows,)"""

    def log_likelihood_and_gradient(
        self, theta: np.ndarray, sequence: np.ndarray, data: Data, failures: Failures
    ) -> tuple[np.ndarray, np.ndarray]:
        """(rows,) and (rows, parameters)"""
        total = self.log_likelihood(theta, sequence, data, failures)
        gradient = np.zeros(theta.shape)
        rows, width = np.flatnonzero(np.isfinite(total)), self.upper - self.lower
        for position, step in enumerate(STEP_ASIDE * width):
            aside = theta[rows].copy()
            aside[:, position] += np.where(aside[:, position] + step <= self.upper[position], step, -step)
            rise = self.log_likelihood(aside, sequence[rows], data, failures) - total[rows]
            gradient[rows, position] = rise / (aside[:, position] - theta[rows, position])
        flat = rows[(np.abs(gradient[rows]) * width).max(-1) < FLAT]
        for position, step in enumerate(STEP * width):
            above, below = theta[flat].copy(), theta[flat].copy()
            above[:, position] = np.minimum(above[:, position] + step, self.upper[position])
            below[:, position] = np.maximum(below[:, position] - step, self.lower[position])
            rise = self.log_likelihood(above, sequence[flat], data, failures)
            rise -= self.log_likelihood(below, sequence[flat], data, failures)
            gradient[flat, position] = rise / (above[:, position] - below[:, position])
        return total, gradient


class InterpretedRows(ByDifferences):
    """An interpreted program for many rows of parameters."""

    def __init__(self, program: Interpreted, lower: list[float], upper: list[float], smallest: float) -> None:
        super().__init__(lower, upper)
        self.program, self.smallest = program, smallest

    def probabilities(
        self, theta: np.ndarray, sequence: np.ndarray, data: Data, failures: Failures
    ) -> np.ndarray:
        """(rows, trials, stages, options), 0 behind the end of a sequence, NaN where a row failed."""
        p = np.zeros((len(theta), data.longest, data.n_stages, data.n_options))
        for row, (values, number) in enumerate(zip(theta, sequence, strict=True)):
            n_trials = data.first[number + 1] - data.first[number]
            p[row, :n_trials] = self._row(values, int(number), data, failures)
        return p

    def log_likelihood(
        self, theta: np.ndarray, sequence: np.ndarray, data: Data, failures: Failures
    ) -> np.ndarray:
        total = np.zeros(len(theta))
        for row, (values, number) in enumerate(zip(theta, sequence, strict=True)):
            p = self._row(values, int(number), data, failures)
            chosen = data.chosen[:, data.first[number] : data.first[number + 1]].T
            taken = np.take_along_axis(p, np.maximum(chosen, 0)[..., None], -1)[..., 0]
            total[row] = np.log(np.maximum(taken, self.smallest))[chosen >= 0].sum()
        return total

    def _row(self, theta: np.ndarray, sequence: int, data: Data, failures: Failures) -> np.ndarray | float:
        try:
            return self.program.probabilities(theta, sequence, data)
        except (Fault, MemoryError):
            raise
        except Exception as error:
            failures.add(error)
            n_trials = data.first[sequence + 1] - data.first[sequence]
            return np.full((n_trials, data.n_stages, data.n_options), np.nan)


class CompiledRows:
    """A compiled program for many rows of parameters, with exact gradients.

    Parameters
    ----------
    text
        The module that :func:`toolkit.models.compiling.write_sequence` wrote.
    by_numba
        Or by the toolkit, which is quicker and knows less.
    """

    def __init__(
        self,
        text: str,
        entry: str,
        arguments: list[str],
        n_parameters: int,
        smallest: float,
        *,
        by_numba: bool,
    ) -> None:
        from toolkit.models.compiling import Compiled, MachineModule

        if by_numba:
            module: Any = ModuleType("candidate")
            module.__file__ = CANDIDATE
            exec(compile(text, CANDIDATE, "exec"), module.__dict__)
        else:
            module = MachineModule(text, CANDIDATE)
        self._compiled = Compiled(module, entry, tuple(arguments), n_parameters)
        self._smallest = smallest

    def probabilities(
        self, theta: np.ndarray, sequence: np.ndarray, data: Data, failures: Failures
    ) -> np.ndarray:
        """(rows, trials, stages, options), 0 behind the end of a sequence."""
        p = _guarded(self._compiled.probabilities, theta, sequence, self._sequences(data), {})
        return p.reshape(len(theta), data.longest, data.n_stages, data.n_options)

    def log_likelihood(
        self, theta: np.ndarray, sequence: np.ndarray, data: Data, failures: Failures
    ) -> np.ndarray:
        """(rows,)"""
        return self.log_likelihood_and_gradient(theta, sequence, data, failures)[0]

    def log_likelihood_and_gradient(
        self, theta: np.ndarray, sequence: np.ndarray, data: Data, failures: Failures
    ) -> tuple[np.ndarray, np.ndarray]:
        """(rows,) and (rows, parameters)"""
        run = self._compiled.log_likelihood_and_gradient
        return _guarded(run, theta, sequence, self._sequences(data), {}, smallest=self._smallest)

    def _sequences(self, data: Data) -> Any:
        """The trials with as many rows each as a trial has choices."""
        cache = data.__dict__.setdefault("_rows", {})
        if not cache:
            from toolkit.models.compiling import Sequences

            n_stages = data.n_stages
            arrays = {COLUMN + name: np.repeat(a, n_stages, 0) for name, a in data.columns.items()}
            arrays |= {f"engine_asked_{i}": np.repeat(one, n_stages) for i, one in enumerate(data.asked)}
            arrays["engine_told"] = np.repeat(data.told, n_stages)
            chosen = np.ascontiguousarray(data.chosen.T).reshape(-1)
            cache["sequences"] = Sequences(data.first * n_stages, arrays, chosen, data.n_options)
        return cache["sequences"]


def _guarded(run: Callable, *given: Any, **options: Any) -> Any:
    """What it returns; what the compiler or a check of an index says becomes a fault of the candidate."""
    from toolkit.errors import UsageError
    from toolkit.models.compiling import NotTranslated

    try:
        return run(*given, **options)
    except NotTranslated as error:
        raise Fault("not compiled", f"it needs numba: {error}.") from error
    except UsageError as error:
        refused = error.what.startswith("numba cannot compile")
        raise Fault("not compiled" if refused else "error", f"{error.what} {error.fix}".strip()) from error
    except MemoryError:
        raise
    except Exception as error:  # Compiled code raises nothing else, so it is the compiler that did.
        raise Fault("not compiled", f"numba cannot compile it: {type(error).__name__}: {error}") from error
