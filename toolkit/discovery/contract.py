"""The contract of programs: what a text must define, read off its syntax tree and bound by name.

A program is three functions, or four where a trial has two choices, or ``predict`` alone if it learns nothing.
``init`` returns the state, under names. ``predict`` (and ``predict_2``) returns a weight for every option, not
below 0; the engine makes probabilities of them. ``update`` returns the state anew, in the same order; it is called
after trials on which everything that it asks for was recorded. Each takes what it needs by name: parameters, the
state, sizes such as ``n_options``, and the columns that are known by then. No function is given a choice before it
has been predicted.
"""

from __future__ import annotations

import ast
import keyword
from collections.abc import Sequence
from dataclasses import dataclass

from toolkit.discovery.rejection import Rejected
from toolkit.discovery.sandbox.gate import check_text, functions_of
from toolkit.discovery.task import Task
from toolkit.errors import did_you_mean
from toolkit.syntax import parse_module

LEARNING = ("init", "update")
"""The functions that a program which learns nothing does without."""


@dataclass(frozen=True)
class Contract:
    """A text that keeps the contract.

    Attributes
    ----------
    text
        The definitions, as they are written out from the syntax tree: formatting and comments are gone.
    parameters
        Names, in the order of theta.
    state
        Names of what ``init`` returns, in order.
    arguments
        What each function of the task takes.
    """

    text: str
    parameters: tuple[str, ...]
    state: tuple[str, ...]
    arguments: dict[str, tuple[str, ...]]

    @property
    def tree(self) -> ast.Module:
        """The syntax tree, a fresh one each time."""
        return parse_module(self.text)

    def columns(self, task: Task) -> tuple[str, ...]:
        """Columns that any function asks for."""
        asked = {name for names in self.arguments.values() for name in names}
        return tuple(name for name in task.columns if name in asked)


def read_contract(text: str, parameters: Sequence[str], task: Task) -> Contract:
    """Check a text against the contract without executing it.

    Raises
    ------
    Rejected
        with the function, what is wrong, and what to write instead.
    """
    tree = check_text(text)
    functions = functions_of(tree)
    learns = not functions.keys().isdisjoint(LEARNING)
    wanted = [name for name in task.functions if learns or name not in LEARNING]
    for name in wanted:
        if name not in functions:
            raise Rejected(
                "contract",
                f"the text defines no function '{name}'.",
                fix=f"Define {', '.join(wanted)}; it has {', '.join(functions)}.",
            )
    _check_parameters(parameters, task)
    state = _names_returned(functions["init"]) if learns else ()
    _check_state(state, parameters, task)
    arguments = {}
    for name in wanted:
        arguments[name] = _arguments(functions[name])
        own_state = () if name == "init" else state
        known = {*parameters, *task.sizes, *own_state, *task.known_to(name)}
        _check_arguments(name, arguments[name], known, task)
    if learns:
        _check_returns(functions["update"], state)
    used = {argument for names in arguments.values() for argument in names}
    for name in parameters:
        if name not in used:
            raise Rejected(
                "unused parameter",
                f"no function takes the parameter '{name}'.",
                fix="Use it, or leave it out of the parameters.",
            )
    return Contract(ast.unparse(tree), tuple(parameters), state, arguments)


def _arguments(function: ast.FunctionDef) -> tuple[str, ...]:
    given = function.args
    if given.defaults or given.kwonlyargs or given.posonlyargs:
        raise Rejected(
            "contract", "arguments have no defaults here.", where=function.name, fix="Name what it needs."
        )
    return tuple(argument.arg for argument in given.args)


def _check_parameters(parameters: Sequence[str], task: Task) -> None:
    taken = {*task.sizes, *task.columns}
    for name in parameters:
        if name in taken or parameters.count(name) > 1 or not _is_name(name):
            raise Rejected(
                "contract", f"the parameter '{name}' cannot be called so.", fix="Choose another name."
            )


def _is_name(name: str) -> bool:
    return name.isidentifier() and not keyword.iskeyword(name) and "__" not in name


def _names_returned(init: ast.FunctionDef) -> tuple[str, ...]:
    """The names of the state: those that the last line of ``init`` returns."""
    returns = returns_of(init)
    last = init.body[-1]
    values = []
    if len(returns) == 1 and returns[0] is last and last.value is not None:
        values = list(last.value.elts) if isinstance(last.value, ast.Tuple) else [last.value]
    if not values or not all(isinstance(value, ast.Name) for value in values):
        raise Rejected(
            "contract",
            "init must end with its only return, of the names of the state.",
            where="init",
            fix="Write for instance `return value, last_choice`.",
        )
    return tuple(value.id for value in values)


def _check_state(state: tuple[str, ...], parameters: Sequence[str], task: Task) -> None:
    taken = {*parameters, *task.sizes, *task.columns}
    for name in state:
        if name in taken or state.count(name) > 1:
            raise Rejected(
                "contract",
                f"the state '{name}' has the name of something else.",
                where="init",
                fix="Choose another name.",
            )


def _check_arguments(function: str, arguments: tuple[str, ...], known: set[str], task: Task) -> None:
    for name in arguments:
        if name in known:
            continue
        if name in task.columns:
            raise Rejected(
                "contract",
                f"'{name}' is not known yet when {function} is called.",
                where=function,
                fix=f"It can take: {', '.join(sorted(known))}.",
            )
        raise Rejected(
            "contract",
            f"the argument '{name}' is no parameter, no state, no size and no column.",
            where=function,
            fix=did_you_mean(name, known),
        )


def _check_returns(update: ast.FunctionDef, state: tuple[str, ...]) -> None:
    for node in returns_of(update):
        values = node.value.elts if isinstance(node.value, ast.Tuple) else [node.value]
        if node.value is None or len(values) != len(state):
            break
    else:
        if returns_of(update) and isinstance(update.body[-1], ast.Return | ast.If | ast.Raise):
            return
    raise Rejected(
        "contract",
        "update must return the whole state.",
        where="update",
        fix=f"End it with `return {', '.join(state)}`.",
    )


def returns_of(function: ast.FunctionDef) -> list[ast.Return]:
    """The returns of a function, without those of functions inside it."""
    found: list[ast.Return] = []
    stack: list[ast.AST] = list(function.body)
    while stack:
        node = stack.pop()
        if isinstance(node, ast.Return):
            found.append(node)
        elif not isinstance(node, ast.FunctionDef | ast.Lambda):
            stack += ast.iter_child_nodes(node)
    return found
