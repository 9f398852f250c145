"""What a worker can be asked to do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from toolkit.discovery.sandbox.protocol import Message
from toolkit.discovery.worker import namespace
from toolkit.discovery.worker.data import Data
from toolkit.discovery.worker.evaluation import CompiledRows, Evaluated, Failures, InterpretedRows
from toolkit.discovery.worker.faults import Fault
from toolkit.discovery.worker.interpreted import Interpreted
from toolkit.discovery.worker.legacy import CompiledLegacyRows, LegacyRows
from toolkit.discovery.worker.simulation import Simulation
from toolkit.discovery.worker.warming import warm_compiler, warm_translator

Answer = tuple[dict[str, Any], dict[str, np.ndarray]]


class Bench:
    """What a worker holds between two requests, and its operations by name."""

    def __init__(self, *, compiles: bool) -> None:
        warm_translator()
        if compiles:
            warm_compiler()
        self._programs: dict[str, Evaluated] = {}
        self._data: dict[str, Data] = {}
        self._simulation: Simulation | None = None
        self.operations: dict[str, Callable[[Message], Answer]] = {
            "call": self.call,
            "define": self.define,
            "data": self.data,
            "forget": self.forget,
            "probabilities": self.probabilities,
            "log_likelihood": self.log_likelihood,
            "gradient": self.gradient,
            "begin": self.begin,
            "ask": self.ask,
            "tell": self.tell,
        }

    def call(self, message: Message) -> Answer:
        """Call one function of a text with arrays and numbers by name; its result is one array."""
        functions = namespace.load(message.content["text"])
        name = message.content["function"]
        if name not in functions:
            raise Fault("contract", f"the text defines no function '{name}'.")
        result = functions[name](**message.arrays, **message.content.get("numbers", {}))
        try:
            return {}, {"result": np.asarray(result, dtype=float)}
        except (TypeError, ValueError) as error:
            raise Fault("contract", f"'{name}' returned {type(result).__name__}, not numbers.") from error

    # -- programs and data --------------------------------------------------------------------

    def define(self, message: Message) -> Answer:
        """Keep a program under a key."""
        self._programs[message.content["key"]] = _program(message.content)
        return {}, {}

    def data(self, message: Message) -> Answer:
        """Keep trials under a key; the answer says how much memory they take."""
        data = Data.received(message.arrays, message.content["n_options"])
        self._data[message.content["key"]] = data
        return {"n_bytes": data.n_bytes}, {}

    def forget(self, message: Message) -> Answer:
        """Drop programs and trials."""
        for key in message.content["keys"]:
            self._programs.pop(key, None)
            self._data.pop(key, None)
        return {}, {}

    # -- evaluation ---------------------------------------------------------------------------

    def probabilities(self, message: Message) -> Answer:
        """(rows, trials, stages, options)"""
        program, data, given, failures = self._given(message)
        p = program.probabilities(*given, data, failures)
        return _told(failures), {"p": p}

    def log_likelihood(self, message: Message) -> Answer:
        """(rows,)"""
        program, data, given, failures = self._given(message)
        total = program.log_likelihood(*given, data, failures)
        return _told(failures), {"total": total}

    def gradient(self, message: Message) -> Answer:
        """(rows,) and (rows, parameters)"""
        program, data, given, failures = self._given(message)
        total, gradient = program.log_likelihood_and_gradient(*given, data, failures)
        return _told(failures), {"total": total, "gradient": gradient}

    def _given(self, message: Message) -> tuple[Evaluated, Data, tuple[np.ndarray, np.ndarray], Failures]:
        program = self._programs[message.content["program"]]
        data = self._data[message.content["data"]]
        return program, data, (message.arrays["theta"], message.arrays["sequence"]), Failures()

    # -- simulation ---------------------------------------------------------------------------

    def begin(self, message: Message) -> Answer:
        """Begin a simulation of every row of parameters."""
        program = self._programs[message.content["program"]]
        if not isinstance(program, InterpretedRows):
            raise Fault("contract", "only a program that is interpreted can be simulated.")
        theta = message.arrays["theta"]
        columns = {name: array for name, array in message.arrays.items() if name != "theta"}
        self._simulation = Simulation(program.program, theta, columns, message.content["n_options"])
        return {}, {}

    def ask(self, message: Message) -> Answer:
        """(sequences, options) probabilities of one choice."""
        assert self._simulation is not None
        arrays = dict(message.arrays)
        which = arrays.pop("which")
        return {}, {"p": self._simulation.ask(message.content["stage"], which, arrays)}

    def tell(self, message: Message) -> Answer:
        """Let those that are told learn from a trial."""
        assert self._simulation is not None
        arrays = dict(message.arrays)
        self._simulation.tell(arrays.pop("which"), arrays)
        return {}, {}


def _program(told: dict[str, Any]) -> Evaluated:
    """The program that a message describes."""
    match told["kind"]:
        case "compiled":
            names = ("text", "entry", "arguments", "n_parameters", "smallest", "by_numba")
            return CompiledRows(**{name: told[name] for name in names})
        case "legacy":
            return LegacyRows(told)
        case "compiled legacy":
            return CompiledLegacyRows(told)
    program = Interpreted(told["text"], told)
    return InterpretedRows(program, told["lower"], told["upper"], told["smallest"])


def _told(failures: Failures) -> dict[str, Any]:
    return {"failures": failures.count, "first_failure": failures.first}
