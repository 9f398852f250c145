"""A program as it is written, executed by Python, in the order of the contract."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from toolkit.discovery.worker.data import Data
from toolkit.discovery.worker.faults import Fault
from toolkit.discovery.worker.namespace import load

State = tuple[Any, ...]


class Interpreted:
    """A program.

    Parameters
    ----------
    text
        Its definitions.
    told
        ``parameters``, ``state``, ``sizes``; ``stages``, the functions that predict; and ``arguments`` of
        every function.
    """

    def __init__(self, text: str, told: Mapping[str, Any]) -> None:
        self._functions: dict[str, Callable] = load(text)
        self.parameters: list[str] = told["parameters"]
        self.state: list[str] = told["state"]
        self.stages: list[str] = told["stages"]
        self._sizes: dict[str, int] = told["sizes"]
        self._arguments: dict[str, list[str]] = told["arguments"]

    def probabilities(self, theta: np.ndarray, sequence: int, data: Data) -> np.ndarray:
        """Probabilities of one sequence: (trials, stages, options)."""
        begin, end = data.first[sequence], data.first[sequence + 1]
        p = np.full((end - begin, len(self.stages), data.n_options), 1 / data.n_options)
        scalars, asked, told = data.scalars, data.asked, data.told
        if begin == end:
            return p
        known = self.known(theta)
        state = self.begin(known, {name: values[begin] for name, values in scalars.items()})
        for t in range(begin, end):
            values = {name: column[t] for name, column in scalars.items()}
            for stage in range(len(self.stages)):
                if asked[stage, t]:
                    p[t - begin, stage] = self.ask(stage, known, state, values, data.n_options)
            if told[t]:
                state = self.tell(known, state, values)
        return p

    def known(self, theta: np.ndarray) -> dict[str, Any]:
        """Parameters, as numbers of NumPy, and sizes, by name."""
        return {**self._sizes, **dict(zip(self.parameters, np.asarray(theta, dtype=float), strict=True))}

    def begin(self, known: dict[str, Any], values: dict[str, Any]) -> State:
        """The state before the first trial."""
        return self._state_of("init", self._call("init", known, values)) if self.state else ()

    def ask(
        self, stage: int, known: dict[str, Any], state: State, values: dict[str, Any], n_options: int
    ) -> np.ndarray:
        """(options,) probabilities that a function makes of what it is allowed to know."""
        name = self.stages[stage]
        shielded = {one: _shielded(value) for one, value in zip(self.state, state, strict=True)}
        weights = self._call(name, {**known, **shielded}, values)
        try:
            weights = np.array(weights, dtype=float)
        except (TypeError, ValueError) as error:
            what = f"{name} returned {type(weights).__name__}, not a weight for every option."
            raise Fault("contract", what) from error
        if weights.shape != (n_options,):
            raise Fault("contract", f"{name} returned {weights.shape} numbers for {n_options} options.")
        weights[weights < 0] = 0.0
        return weights / weights.sum()

    def tell(self, known: dict[str, Any], state: State, values: dict[str, Any]) -> State:
        """The state after a trial."""
        if not self.state:
            return ()
        given = {**known, **dict(zip(self.state, state, strict=True))}
        return self._state_of("update", self._call("update", given, values))

    def _call(self, name: str, known: dict[str, Any], values: dict[str, Any]) -> Any:
        given = {
            argument: known[argument] if argument in known else values[argument]
            for argument in self._arguments[name]
        }
        return self._functions[name](**given)

    def _state_of(self, name: str, returned: Any) -> State:
        parts = returned if len(self.state) > 1 else (returned,)
        if not isinstance(parts, tuple) or len(parts) != len(self.state) or returned is None:
            raise Fault("contract", f"{name} must return {', '.join(self.state)}.")
        return tuple(np.float64(part) if isinstance(part, float) else part for part in parts)


def _shielded(value: Any) -> Any:
    """A part of the state that a prediction can look at but not change."""
    if isinstance(value, np.ndarray):
        value = value.view()
        value.flags.writeable = False
        return value
    return copy.deepcopy(value) if isinstance(value, list | dict | set) else value
