"""Programs: models whose text comes from somewhere else, bound by name and run in the sandbox."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Self

import numpy as np
import torch

from toolkit.discovery.contract import Contract, read_contract
from toolkit.discovery.engine import Definition, Engine
from toolkit.discovery.lowering import NotLowered, lower, may_divide_by_nothing
from toolkit.discovery.lowering.learning import ENTRY
from toolkit.discovery.priors import read_prior, told_apart
from toolkit.discovery.rejection import Rejected
from toolkit.discovery.sandbox.pool import Sandbox
from toolkit.discovery.sandboxed import SandboxedModel
from toolkit.discovery.simulation import World, simulate
from toolkit.discovery.tape import Tape, tape_of
from toolkit.discovery.task import Task
from toolkit.errors import UsageError
from toolkit.io import sha256_of_bytes
from toolkit.models import register_model
from toolkit.models.base import SMALLEST_PROBABILITY, Array, Parameter, TrialTensors
from toolkit.models.compiling import write_sequence
from toolkit.trials import Trials

ENGINE_VERSION = "3"
"""To be raised when the same text comes to mean something else."""

_EXAMPLES = {"code": np.int64, "number": np.float64, "flag": np.bool_}


@dataclass(frozen=True)
class Program:
    """A text that keeps the contract of :mod:`toolkit.discovery.contract`.

    Attributes
    ----------
    name
        How the model is called.
    text
        Its functions.
    parameters
        With bounds.
    task
        What it is told, and when.
    idea
        In a sentence or two, what it says about people.
    """

    name: str
    text: str
    parameters: tuple[Parameter, ...]
    task: Task
    idea: str = ""

    @classmethod
    def from_json(cls, content: Mapping[str, Any], task: Task) -> Self:
        """A program from what a proposer wrote: name, idea, parameters with bounds, prior and meaning, and code.

        A prior (see :mod:`toolkit.discovery.priors`) may be absent. It decides where searches start, and what a fit by
        ``method="map"`` believes; likelihoods, and so the criterion of a search, do not know it.

        Raises
        ------
        Rejected
            where something is absent or of another kind.
        """
        try:
            parameters = tuple(map(_parameter, content["parameters"]))
            name, text, idea = str(content["name"]), str(content["code"]), str(content.get("idea", ""))
        except (KeyError, TypeError, ValueError, ArithmeticError, UsageError) as error:
            what = f"no '{error.args[0]}'" if isinstance(error, KeyError) else str(error).rstrip(".")
            raise Rejected(
                "contract",
                f"the description of the program is incomplete: {what}.",
                fix="Give name, code, and parameters with name, lower, upper, prior and meaning.",
            ) from error
        return cls(name, text, parameters, task, idea)

    def contract(self) -> Contract:
        """The text, checked against the contract."""
        return read_contract(self.text, [parameter.name for parameter in self.parameters], self.task)

    def key(self) -> str:
        """Hash of what the program computes: its text without formatting, parameters, task and engine."""
        content = [self.contract().text, told_apart(self.parameters), asdict(self.task), ENGINE_VERSION]
        return sha256_of_bytes(json.dumps(content, sort_keys=True).encode())

    def model(self, sandbox: Sandbox | None = None) -> ProgramModel:
        """The program as a model like any other."""
        return ProgramModel(self, sandbox)

    def register(self) -> type[ProgramModel]:
        """Make the program known to the registry of models under its name."""
        members = {
            "name": self.name,
            "schemas": (self.task.schema,),
            "parameters": self.parameters,
            "program": self,
            "__module__": __name__,
            "__doc__": self.idea,
        }
        return register_model(type(f"Program_{self.key()[:12]}", (ProgramModel,), members))


def _parameter(told: Mapping[str, Any]) -> Parameter:
    lower, upper = float(told["lower"]), float(told["upper"])
    if not np.isfinite(upper - lower):
        raise Rejected("contract", "a bound is not finite.", fix="Give every parameter two finite bounds.")
    prior = read_prior(str(told.get("prior") or ""), lower, upper)
    return Parameter(str(told["name"]), lower, upper, str(told.get("meaning", "")), prior)


class ProgramModel(SandboxedModel):
    """A program as a model.

    The engine loops over trials, asks for probabilities before it reveals the choice, and sums their logs.
    Where a choice or a column was not recorded, nothing is asked, counted or told. A program that can be
    compiled has exact gradients; any other is interpreted and has gradients by differences.

    Attributes
    ----------
    program
        The text and what belongs to it.
    """

    program: ClassVar[Program]

    def __init__(self, program: Program | None = None, sandbox: Sandbox | None = None) -> None:
        self.program = program or type(self).program
        self.name, self.parameters = self.program.name, self.program.parameters
        self.schemas = (self.program.task.schema,)
        self.contract = self.program.contract()
        self.reads_choices = any(
            stage.choice in self.contract.arguments.get("update", ()) for stage in self.program.task.stages
        )
        self.engine = _engine(self.program, self.contract, sandbox)

    def probabilities(self, theta: torch.Tensor, data: TrialTensors) -> torch.Tensor:
        raise UsageError(
            f"'{self.name}' is a program, which reads trials and not tensors.", fix="Call predict()."
        )

    def predict(self, theta: Array, trials: Trials) -> Array:
        """Probability of every option of the first choice of every trial: (…, sequences, trials, options)."""
        return _like(theta, self.predict_all(_numbers(theta), trials)[..., 0, :])

    def predict_all(self, theta: np.ndarray, trials: Trials) -> np.ndarray:
        """The same for all choices of a trial: (…, sequences, trials, stages, options)."""
        rows = self._rows(theta, trials)
        p = self.engine.probabilities(rows, np.arange(len(rows)) % len(trials), self.tape(trials))
        whole = np.zeros((len(rows), trials.n_trials, *p.shape[2:]))
        whole[:, : p.shape[1]] = p
        return whole.reshape(*np.shape(theta)[:-2], len(trials), *whole.shape[1:])

    def log_likelihood(self, theta: Array, trials: Trials) -> Array:
        """Log-probability of the choices of every trial: (…, sequences, trials), 0 where none is scored."""
        p = self.predict_all(_numbers(theta), trials)
        total = np.zeros(p.shape[:-2])
        for number, stage in enumerate(self.program.task.stages):
            chosen = np.maximum(trials.arrays[stage.choice], 0)
            chosen = np.broadcast_to(chosen, p.shape[:-2])[..., None]
            taken = np.take_along_axis(p[..., number, :], chosen, -1)[..., 0]
            log_p = np.log(np.maximum(taken, SMALLEST_PROBABILITY))
            total += np.where(trials.scored_for(stage.choice), log_p, 0.0)
        return _like(theta, total)

    def simulate(
        self, theta: np.ndarray, design: Trials, rng: np.random.Generator, world: World | None = None
    ) -> Trials:
        """The program's own choices on a design, one row of ``theta`` a participant.

        Parameters
        ----------
        world
            What follows from a choice; by default what the design says would have followed.
        """
        if np.ndim(theta) != 2:
            raise UsageError(f"simulate needs theta as (participants, parameters), not {np.shape(theta)}.")
        rows = self._rows(theta, design)
        return simulate(self.engine, self.program.task, self.contract.arguments, rows, design, rng, world)

    def in_sandbox(self, sandbox: Sandbox) -> ProgramModel:
        return ProgramModel(self.program, sandbox)

    def tape(self, trials: Trials) -> Tape:
        return tape_of(trials, self.program.task, self.contract.arguments)


def _engine(program: Program, contract: Contract, sandbox: Sandbox | None) -> Engine:
    task, parameters = program.task, program.parameters
    told = {
        "kind": "interpreted",
        "text": contract.text,
        "parameters": list(contract.parameters),
        "state": list(contract.state),
        "sizes": dict(task.sizes),
        "stages": [stage.function for stage in task.stages],
        "arguments": {name: list(names) for name, names in contract.arguments.items()},
        "lower": [one.lower for one in parameters],
        "upper": [one.upper for one in parameters],
        "smallest": SMALLEST_PROBABILITY,
    }
    interpreted = Definition(told, compiles=False)
    try:
        return Engine(interpreted, _compiled(contract, task), "", sandbox)
    except (NotLowered, UsageError) as error:
        return Engine(interpreted, (), str(error), sandbox)


def _compiled(contract: Contract, task: Task) -> tuple[Definition, ...]:
    """The program for the toolkit's own compiler, and for numba, which knows more and is slower.

    Not for numba where a whole number is divided by one that may be 0, which numba takes for 0 and Python for an error.
    """
    columns = {f"column_{name}": task.columns[name] for name in contract.columns(task)}
    examples = {n: np.empty((0,) * (1 + c.n_axes), _EXAMPLES[c.kind]) for n, c in columns.items()}
    asked = {f"engine_asked_{i}": np.empty(0, dtype=bool) for i in range(task.n_stages)}
    lowered = lower(contract, task)
    written = write_sequence(
        lowered,
        [f"parameter_{i}" for i in range(len(contract.parameters))],
        per_trial={**examples, **asked, "engine_told": np.empty(0, dtype=bool)},
        entry=ENTRY,
        boundscheck=True,
        cache=False,
    )
    told = {
        "kind": "compiled",
        "text": written.text,
        "entry": written.entry,
        "arguments": list(written.arguments),
        "n_parameters": len(contract.parameters),
        "smallest": SMALLEST_PROBABILITY,
    }
    own = Definition({**told, "by_numba": False}, compiles=False)
    return (
        (own,)
        if may_divide_by_nothing(lowered)
        else (own, Definition({**told, "by_numba": True}, compiles=True))
    )


def _numbers(theta: Array) -> np.ndarray:
    if isinstance(theta, torch.Tensor):
        if theta.requires_grad:
            raise UsageError(
                "torch cannot differentiate a program.", fix="Call log_likelihood_and_gradient()."
            )
        return theta.detach().cpu().numpy().astype(float)
    return np.asarray(theta, dtype=float)


def _like(theta: Array, values: np.ndarray) -> Array:
    return torch.as_tensor(values).to(theta) if isinstance(theta, torch.Tensor) else values
