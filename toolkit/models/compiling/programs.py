"""The text of a function and of the helpers it calls, as syntax trees with nothing left to look up."""

from __future__ import annotations

import ast
import inspect
import math
import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import FunctionType
from typing import Any

import numpy as np

from toolkit.errors import UsageError
from toolkit.models.compiling.vocabulary import BUILTINS, MODULES
from toolkit.syntax import parse_expression, parse_module


@dataclass(frozen=True)
class Program:
    """A function and its helpers.

    Attributes
    ----------
    entry
        Name of the function.
    functions
        Definitions by name; numbers that were global are written out.
    files
        Name of the file each function comes from.
    """

    entry: str
    functions: dict[str, ast.FunctionDef] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)

    def refusal(self, function: str, node: ast.AST, what: str, fix: str) -> UsageError:
        """The error that says which construct of which function cannot be compiled, and what to write."""
        return UsageError(
            f"`{_shortened(node)}`: {what}",
            where=f"{function} in {self.files[function]}, line {getattr(node, 'lineno', '?')}",
            fix=fix,
        )


def read_program(function: Callable | str, entry: str = "learn") -> Program:
    """The program of a function, or of a text that defines a function called ``entry``.

    A text is parsed, never executed.
    """
    return _from_text(function, entry) if isinstance(function, str) else _from_function(function)


def _shortened(node: ast.AST) -> str:
    line = ast.unparse(node).partition("\n")[0]
    return line if len(line) <= 60 else line[:57] + "…"


# -- a text ------------------------------------------------------------------------------------


def _from_text(text: str, entry: str) -> Program:
    program = Program(entry)
    try:
        tree = parse_module(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        line = f", line {error.lineno}" if isinstance(error, SyntaxError) else ""
        raise UsageError(
            f"this is not Python: {getattr(error, 'msg', error)}.", where=f"the text of {entry}{line}"
        ) from error
    program.files[entry] = "the text given"
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            program.functions[node.name], program.files[node.name] = node, "the text given"
        elif not _imports_what_is_known(node):
            raise program.refusal(entry, node, "only functions can be defined.", "Move it into a function.")
    if entry not in program.functions:
        raise UsageError(f"the text defines no function '{entry}'.", fix=f"Write `def {entry}(…)`.")
    return program


def _imports_what_is_known(node: ast.stmt) -> bool:
    known = {("numpy", "np"), ("math", None)}
    return isinstance(node, ast.Import) and all((name.name, name.asname) in known for name in node.names)


# -- a function --------------------------------------------------------------------------------


def _from_function(function: Callable) -> Program:
    program = Program(function.__name__)
    _add(program, function, {})
    return program


def _add(program: Program, function: Callable, found: dict[str, Callable]) -> None:
    """Add a function and, in turn, the helpers it calls; ``found`` are all functions so far."""
    name = function.__name__
    found[name] = function
    try:
        lines, first = inspect.getsourcelines(function)
    except (OSError, TypeError) as error:
        raise UsageError(
            f"the text of function '{name}' cannot be read.", fix="Define it in a file or a notebook cell."
        ) from error
    tree = parse_module(textwrap.dedent("".join(lines)))
    ast.increment_lineno(tree, first - 1)
    definition = tree.body[0]
    program.files[name] = Path(inspect.getsourcefile(function) or "?").name
    if not isinstance(definition, ast.FunctionDef):
        raise program.refusal(name, definition, "this is not a plain function.", "Write it with `def`.")
    definition.decorator_list = [
        one for one in definition.decorator_list if ast.unparse(one) != "staticmethod"
    ]
    program.functions[name] = definition
    for node, helper in _Globals(program, name, _namespace(function)).write_out(definition):
        if helper.__name__ not in found:
            _add(program, helper, found)
        elif found[helper.__name__] is not helper:
            what = f"two different helpers are called {helper.__name__}."
            raise program.refusal(name, node, what, "Rename one of them.")
        node.func.id = helper.__name__  # It may be known here under another name.


def _namespace(function: Callable) -> Mapping[str, Any]:
    cells = zip(function.__code__.co_freevars, function.__closure__ or (), strict=True)
    return {**function.__globals__, **{name: cell.cell_contents for name, cell in cells}}


class _Globals(ast.NodeTransformer):
    """Replaces numbers from outside the function by their values and collects the helpers it calls."""

    def __init__(self, program: Program, function: str, namespace: Mapping[str, Any]) -> None:
        self.program, self.function, self.namespace = program, function, namespace
        self.helpers: list[tuple[ast.Call, FunctionType]] = []

    def write_out(self, definition: ast.FunctionDef) -> list[tuple[ast.Call, FunctionType]]:
        names = (node for node in ast.walk(definition) if isinstance(node, ast.Name))
        stored = {name.id for name in names if isinstance(name.ctx, ast.Store)}
        self.local = stored | {argument.arg for argument in definition.args.args}
        definition.body = [self.visit(statement) for statement in definition.body]
        return self.helpers

    def visit_Call(self, node: ast.Call) -> ast.AST:
        if not isinstance(node.func, ast.Name):
            return self.generic_visit(node)
        helper = self.namespace.get(node.func.id)
        if node.func.id not in {*BUILTINS, *self.local} and isinstance(helper, FunctionType):
            self.helpers.append((node, helper))
        node.args = [self.visit(argument) for argument in node.args]
        return node

    def visit_Name(self, node: ast.Name) -> ast.AST:
        if node.id in self.local or node.id in BUILTINS or node.id not in self.namespace:
            return node
        value = self.namespace[node.id]
        if node.id in MODULES:
            if value not in (np, math):
                raise self.program.refusal(
                    self.function,
                    node,
                    "this is not the module of that name.",
                    "Import numpy as np, or math.",
                )
            return node
        if not isinstance(value, bool | int | float):
            return node
        return ast.copy_location(_number(value), node)


def _number(value: float) -> ast.expr:
    """A number as an expression; infinity and not-a-number have no literal."""
    if isinstance(value, float) and not math.isfinite(value):
        text = "np.nan" if math.isnan(value) else "np.inf" if value > 0 else "-np.inf"
    else:
        text = repr(value)
    return parse_expression(text)
