"""Functions in the style of GeCCo, which return the negative log-likelihood of one person's choices.

They are accepted where nothing better is at hand: their arguments are bound by name, never by position, and
:func:`toolkit.discovery.probes.probe` finds out whether what they return is a likelihood. They cannot be simulated
and say nothing about single choices; a program that keeps the contract can do both. Those that numba takes are
compiled, with gradients by differences.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import torch

from toolkit.discovery.engine import Definition, Engine
from toolkit.discovery.lowering.likelihood import FILL, write_likelihood
from toolkit.discovery.priors import told_apart
from toolkit.discovery.rejection import Rejected
from toolkit.discovery.sandbox.gate import check_text, functions_of
from toolkit.discovery.sandbox.pool import Sandbox
from toolkit.discovery.sandboxed import SandboxedModel
from toolkit.discovery.tape import Tape, tape_of
from toolkit.discovery.task import Task
from toolkit.errors import UsageError, did_you_mean
from toolkit.io import sha256_of_bytes
from toolkit.models.base import Parameter, TrialTensors
from toolkit.trials import MISSING, Trials

GECCO_NAMES = {
    "two_step": {"choice_1": "choice", "action_1": "choice", "action_2": "choice_2"},
    "bandit": {"stimulus": "context", "stimuli": "context", "actions": "choice", "rewards": "reward"},
    "multi_attribute": {
        "decisions": "choice",
        **{f"{side}_feature{i + 1}": f"attributes_{k}_{i}" for k, side in enumerate("AB") for i in range(4)},
    },
}
"""What GeCCo's data sets call our columns."""


@dataclass(frozen=True)
class LegacyProgram:
    """A function that returns a negative log-likelihood.

    Attributes
    ----------
    function
        Its name in the text; by default the only function, or the last one.
    columns
        Names of columns for arguments that are called otherwise; one number of several is named with its
        place, ``attributes_0_2``. GeCCo's own names are known.
    """

    name: str
    text: str
    parameters: tuple[Parameter, ...]
    task: Task
    function: str = ""
    columns: Mapping[str, str] = field(default_factory=dict)

    def binding(self) -> Binding:
        """What each argument is, found out without executing the text."""
        return _bind(self)

    def key(self) -> str:
        """Hash of what the function computes."""
        content = [asdict(self.binding()), told_apart(self.parameters), asdict(self.task)]
        return sha256_of_bytes(json.dumps(content, sort_keys=True).encode())

    def model(self, sandbox: Sandbox | None = None) -> LegacyModel:
        """The function as a model."""
        return LegacyModel(self, sandbox)


@dataclass(frozen=True)
class Binding:
    """How a function takes what it needs.

    Attributes
    ----------
    columns
        For every argument that is a column its name, and the place in it.
    vector
        The argument that is all parameters together, "" where each is an argument.
    order
        Positions in theta of the parameters in the order in which the function unpacks them.
    """

    text: str
    function: str
    columns: dict[str, tuple[str, tuple[int, ...]]]
    vector: str
    order: tuple[int, ...]


class LegacyModel(SandboxedModel):
    """Such a function as a model: it can be fitted and compared, but not simulated.

    A trial on which anything that the function takes was not recorded is left out of what it is given.
    """

    def __init__(self, program: LegacyProgram, sandbox: Sandbox | None = None) -> None:
        self.program = program
        self.name, self.parameters = program.name, program.parameters
        self.schemas = (program.task.schema,)
        self.binding = program.binding()
        interpreted, compiled = _definitions(program, self.binding)
        self.engine = Engine(interpreted, (compiled,), "", sandbox)

    def probabilities(self, theta: torch.Tensor, data: TrialTensors) -> torch.Tensor:
        raise UsageError(
            f"'{self.name}' returns a likelihood and says nothing about single choices.",
            fix="Rewrite it as init, predict and update.",
        )

    def in_sandbox(self, sandbox: Sandbox) -> LegacyModel:
        return LegacyModel(self.program, sandbox)

    def tape(self, trials: Trials) -> Tape:
        for stage in self.program.task.stages:
            made = trials.mask & (trials.arrays[stage.choice] != MISSING)
            if (made & ~trials.scored_for(stage.choice)).any():
                raise UsageError(
                    f"'{self.name}' counts all choices, but some of these are forced or left out.",
                    fix="Rewrite it as init, predict and update, or give only trials that count.",
                )
        names = tuple(name for name, _ in self.binding.columns.values())
        return tape_of(trials, self.program.task, {"update": names})


def _definitions(program: LegacyProgram, binding: Binding) -> tuple[Definition, Definition]:
    """The function to be interpreted, and to be compiled."""
    told: dict[str, Any] = {
        "kind": "legacy",
        "text": binding.text,
        "function": binding.function,
        "columns": {name: [column, list(place)] for name, (column, place) in binding.columns.items()},
        "vector": binding.vector,
        "order": list(binding.order),
        "parameters": [one.name for one in program.parameters],
        "lower": [one.lower for one in program.parameters],
        "upper": [one.upper for one in program.parameters],
    }
    names = [told["parameters"][position] for position in binding.order]
    module = write_likelihood(binding.text, binding.function, list(binding.columns), binding.vector, names)
    compiled = {**told, "kind": "compiled legacy", "module": module, "fill": FILL}
    return Definition(told, compiles=False), Definition(compiled, compiles=True)


def _bind(program: LegacyProgram) -> Binding:
    tree = check_text(program.text)
    functions = functions_of(tree)
    name = program.function or list(functions)[-1]
    if name not in functions:
        raise Rejected(
            "contract", f"the text defines no function '{name}'.", fix=did_you_mean(name, functions)
        )
    function = functions[name]
    parameters = [one.name for one in program.parameters]
    known = {**GECCO_NAMES.get(program.task.schema, {}), **program.columns}
    columns: dict[str, tuple[str, tuple[int, ...]]] = {}
    rest = []
    for argument in (one.arg for one in function.args.args):
        place = _place(known.get(argument, argument), program.task)
        if place is not None:
            columns[argument] = place
        else:
            rest.append(argument)
    vector = _vector(name, rest, parameters, program.task)
    return Binding(ast.unparse(tree), name, columns, vector, _order(function, vector, parameters))


def _place(name: str, task: Task) -> tuple[str, tuple[int, ...]] | None:
    """A column, or one number of a column of several, by its name."""
    if name in task.columns:
        return name, ()
    for column, known in task.columns.items():
        parts = name.removeprefix(f"{column}_").split("_")
        if name.startswith(f"{column}_") and len(parts) == known.n_axes and all(map(str.isdecimal, parts)):
            return column, tuple(map(int, parts))
    return None


def _vector(function: str, rest: Sequence[str], parameters: Sequence[str], task: Task) -> str:
    """The argument that holds the parameters, from those that are no columns."""
    if sorted(rest) == sorted(parameters):
        return ""
    if len(rest) == 1:
        return rest[0]
    unknown = [name for name in rest[:-1] if name not in parameters] or rest
    raise Rejected(
        "contract",
        f"the arguments {', '.join(rest)} are no columns, but only one, the parameters, can be none."
        if rest
        else "no argument is left for the parameters.",
        where=function,
        fix=did_you_mean(unknown[0], task.columns) if rest else "Take the parameters as the last argument.",
    )


def _order(function: ast.FunctionDef, vector: str, parameters: Sequence[str]) -> tuple[int, ...]:
    """Positions of the parameters in the order in which the function unpacks them, found by their names."""
    unpacked = _unpacked(function, vector) if vector else None
    if unpacked is None:
        return tuple(range(len(parameters)))
    if sorted(unpacked) != sorted(parameters):
        raise Rejected(
            "contract",
            f"the function unpacks {', '.join(unpacked)}, but its parameters are {', '.join(parameters)}.",
            where=function.name,
            fix="Give both the same names.",
        )
    return tuple(parameters.index(name) for name in unpacked)


def _unpacked(function: ast.FunctionDef, vector: str) -> list[str] | None:
    """Names that take the parameters: one assignment of several names, or one line for each index."""
    by_index: dict[int, str] = {}
    for node in ast.walk(function):
        if not isinstance(node, ast.Assign):
            continue
        target = node.targets[0]
        names_read = {one.id for one in ast.walk(node.value) if isinstance(one, ast.Name)}
        several = isinstance(target, ast.Tuple | ast.List) and not isinstance(node.value, ast.Tuple)
        if several and vector in names_read and all(isinstance(one, ast.Name) for one in target.elts):
            return [one.id for one in target.elts]
        match target, node.value:
            case ast.Name(id=name), ast.Subscript(value=ast.Name(id=owner), slice=ast.Constant(value=int(i))):
                if owner == vector:
                    by_index[i] = name
    if by_index and sorted(by_index) == list(range(len(by_index))):
        return [by_index[i] for i in range(len(by_index))]
    return None
