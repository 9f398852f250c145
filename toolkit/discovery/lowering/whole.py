"""Which numbers of a program's state are whole numbers, as those are that serve as an index, and how they are divided."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from toolkit.syntax import parse_module

_KEEPS = (ast.Add, ast.Sub, ast.Mult, ast.FloorDiv, ast.Mod)


def whole_state(
    init: ast.FunctionDef,
    update: ast.FunctionDef,
    returned: list[list[ast.expr]],
    state: tuple[str, ...],
    whole_names: Iterable[str],
) -> set[str]:
    """Names of the state that begin as whole numbers and remain so.

    Parameters
    ----------
    returned
        What every return of ``update`` returns.
    whole_names
        Sizes and columns of codes.
    """
    known = set(whole_names)
    begin = _whole_locals(init, known)
    found = {name for name in state if name in begin}
    while True:
        names = _whole_locals(update, known | found, given=found)
        kept = {
            name
            for position, name in enumerate(state)
            if name in found and all(_is_whole(values[position], names) for values in returned)
        }
        if kept == found:
            return found
        found = kept


def _whole_locals(function: ast.FunctionDef, known: set[str], given: set[str] = frozenset()) -> set[str]:
    """Names that hold whole numbers wherever the function assigns them, and those known before."""
    assigned: dict[str, list[ast.expr | None]] = {}
    for node in ast.walk(function):
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                assigned.setdefault(name, []).append(value)
            case ast.AugAssign(target=ast.Name(id=name)):
                value = ast.BinOp(ast.Name(name, ast.Load()), node.op, node.value)
                assigned.setdefault(name, []).append(value)
            case ast.For(target=ast.Name(id=name)):
                assigned.setdefault(name, []).append(ast.Constant(0))
    whole = known | assigned.keys()
    while True:
        failing = {
            name
            for name, values in assigned.items()
            if name in whole and not all(_is_whole(value, whole) for value in values)
        }
        if not failing:
            return whole
        whole -= failing


def _is_whole(node: ast.expr, whole: set[str]) -> bool:
    match node:
        case ast.Constant(value=value):
            return isinstance(value, int)
        case ast.Name(id=name):
            return name in whole
        case ast.UnaryOp(op=ast.USub() | ast.UAdd(), operand=operand):
            return _is_whole(operand, whole)
        case ast.BinOp(left=left, op=operator, right=right):
            return isinstance(operator, _KEEPS) and _is_whole(left, whole) and _is_whole(right, whole)
        case ast.IfExp(body=body, orelse=orelse):
            return _is_whole(body, whole) and _is_whole(orelse, whole)
        case ast.Call(func=ast.Name(id="int" | "len")):
            return True
    return False


def may_divide_by_nothing(text: str) -> bool:
    """Whether // or %, which a lowered text has of whole numbers only, divides by what is not written out."""
    nodes = (one for one in ast.walk(parse_module(text)) if isinstance(one, ast.BinOp | ast.AugAssign))
    divisors = [
        one.right if isinstance(one, ast.BinOp) else one.value
        for one in nodes
        if isinstance(one.op, ast.FloorDiv | ast.Mod)
    ]
    return not all(isinstance(one, ast.Constant) and one.value for one in divisors)
