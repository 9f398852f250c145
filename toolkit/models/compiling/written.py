"""``write_sequence``: the text of a module with a function over one sequence, its derivatives, and loops over rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from toolkit.errors import did_you_mean
from toolkit.models.compiling.analysis import Library
from toolkit.models.compiling.modules import OUTPUT, WHOLE_THETA, write_module
from toolkit.models.compiling.programs import read_program
from toolkit.models.compiling.tangents import TangentFunctions
from toolkit.models.compiling.variables import NONE, Variable


@dataclass(frozen=True)
class Written:
    """The module that was written for a function.

    Attributes
    ----------
    text
        Its source.
    entry, arguments
        Name of the function and of its arguments, in order.
    file
        Where the function comes from.
    """

    text: str
    entry: str
    arguments: tuple[str, ...]
    file: str


def write_sequence(
    function: Callable | str,
    parameters: Sequence[str],
    *,
    per_trial: Mapping[str, np.ndarray],
    constants: Mapping[str, Any] | None = None,
    entry: str = "learn",
    boundscheck: bool = False,
    cache: bool = True,
) -> Written:
    """The text of the module that :func:`~toolkit.models.compiling.compile_sequence` compiles; nothing is compiled or executed.

    The arguments are those of :func:`~toolkit.models.compiling.compile_sequence`; ``cache`` is whether numba keeps the machine code.
    """
    program = read_program(function, entry)
    library = Library(program)
    library.admit(program.entry)
    positions = {name: position for position, name in enumerate(parameters)}
    known = {name: Variable(0, frozenset({position})) for name, position in positions.items()}
    everything = frozenset(positions.values())
    known[WHOLE_THETA] = Variable(1, everything, read_only=True)
    known[OUTPUT] = Variable(2, everything)
    examples = {name: np.asarray(value) for name, value in {**per_trial, **(constants or {})}.items()}
    known |= {name: Variable(array.ndim, NONE, read_only=True) for name, array in examples.items()}
    definition = program.functions[program.entry]
    names = tuple(argument.arg for argument in definition.args.args)
    for name in names:
        if name not in known:
            raise program.refusal(
                program.entry,
                definition,
                f"the argument '{name}' is neither a parameter nor an array of the trials nor an attribute.",
                did_you_mean(name, known),
            )
    if OUTPUT not in names:
        raise program.refusal(program.entry, definition, "it has no argument 'p'.", "Fill p[t, k] with it.")
    analysis = library.analyse(program.entry, [known[name] for name in names], definition)
    tangents = TangentFunctions()
    tangents.write_entry(analysis, f"{program.entry}__tangent", OUTPUT)
    about = "\n".join(f"{name}: {a.dtype}, {a.ndim} axes" for name, a in examples.items() if name in names)
    data = [name for name in names if name in per_trial]
    text = write_module(analysis, tangents.texts, positions, data, about, boundscheck, cache)
    return Written(text, program.entry, names, program.files[program.entry])
