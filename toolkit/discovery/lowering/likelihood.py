"""Writes a function that returns a likelihood as a module for numba, with a loop over rows of parameters."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from toolkit.discovery.lowering.rewriting import called
from toolkit.discovery.sandbox.gate import functions_of
from toolkit.syntax import parse_expression, parse_module

FILL = "fill__"
"""The loop; no name of a candidate has two underscores in a row."""

_NOTHING = -(2**52)
"""Stands for None, which has no type of its own here; as an index it lies outside every array."""

_TOP = """
import math

import numpy as np
from numba import njit as njit__

SETTINGS__ = {"error_model": "numpy", "nogil": True, "boundscheck": True}

@njit__(**SETTINGS__)
def softmax(values, steepness=1.0):
    scaled = steepness * np.asarray(values)
    powers = np.exp(scaled - np.max(scaled))
    return powers / np.sum(powers)

@njit__(**SETTINGS__)
def max_along__(values, axis):
    found = values[0].copy() if axis == 0 else values[:, 0].copy()
    for i in range(values.shape[0]):
        for j in range(values.shape[1]):
            k = j if axis == 0 else i
            found[k] = max(found[k], values[i, j])
    return found

@njit__(**SETTINGS__)
def min_along__(values, axis):
    return -max_along__(-values, axis)

@njit__(**SETTINGS__)
def mean_along__(values, axis):
    return np.sum(values, axis=axis) / values.shape[axis]

@njit__(**SETTINGS__)
def dot__(left, right):
    if right.ndim == 1:
        if left.ndim == 1:
            total = 0.0
            for i in range(len(left)):
                total += left[i] * right[i]
            return total
        else:
            found = np.zeros(left.shape[0])
            for i in range(left.shape[0]):
                for j in range(left.shape[1]):
                    found[i] += left[i, j] * right[j]
            return found
    else:
        if left.ndim == 1:
            found = np.zeros(right.shape[1])
            for i in range(right.shape[0]):
                for j in range(right.shape[1]):
                    found[j] += left[i] * right[i, j]
            return found
        else:
            found = np.zeros((left.shape[0], right.shape[1]))
            for i in range(left.shape[0]):
                for j in range(right.shape[1]):
                    for k in range(right.shape[0]):
                        found[i, j] += left[i, k] * right[k, j]
            return found
"""

_LOOP = """
@njit__(**SETTINGS__)
def {fill}(theta__, sequence__, first__, {columns}, total__, failed__):
    for r__ in range(theta__.shape[0]):
        a__, b__ = first__[sequence__[r__]], first__[sequence__[r__] + 1]
        try:
            total__[r__] = -float({function}({given}))
        except Exception:
            failed__[r__] = True
"""

_TYPES = {"int": "np.int64", "float": "np.float64", "bool": "np.bool_"}
_ALONG = {"max": "max_along__", "amax": "max_along__", "min": "min_along__", "amin": "min_along__"}
_ALONG |= {"mean": "mean_along__"}
_TOGETHER = ("np.column_stack", "np.concatenate", "np.hstack", "np.stack", "np.vstack")


def write_likelihood(
    text: str, function: str, columns: Sequence[str], vector: str, parameters: Sequence[str]
) -> str:
    """The text of a module whose function ``FILL`` takes rows of parameters, sequences, and two arrays to fill.

    What numba does not know, but what means the same as something that it does know, is rewritten.

    Parameters
    ----------
    columns
        Arguments of the function that are columns of trials, in the order in which the loop takes them.
    vector
        The argument that is all parameters together; "" where each is an argument.
    parameters
        Their names, in the order in which the loop has them.
    """
    tree = ast.fix_missing_locations(_Rewritten().visit(parse_module(text)))
    for definition in functions_of(tree).values():
        definition.decorator_list = [parse_expression("njit__(**SETTINGS__)")]
    values = {name: f"theta__[r__, {position}]" for position, name in enumerate(parameters)}
    values |= {vector: "theta__[r__].copy()"}
    values |= {name: f"{name}[a__:b__].copy()" for name in columns}
    given = [values[one.arg] for one in functions_of(tree)[function].args.args]
    loop = _LOOP.format(fill=FILL, columns=", ".join(columns), function=function, given=", ".join(given))
    return "\n".join([_TOP, ast.unparse(tree), loop])


class _Rewritten(ast.NodeTransformer):
    """Other words for the same."""

    def visit_Expr(self, node: ast.Expr) -> ast.AST:
        return ast.Pass() if isinstance(node.value, ast.Constant) else self.generic_visit(node)

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        # In an index None makes an axis, and at an end of a slice it is nothing; it stays there.
        node.value = self.visit(node.value)
        parts = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        kept = [one if _is_none(one) or isinstance(one, ast.Slice) else self.visit(one) for one in parts]
        node.slice = ast.Tuple(kept, ast.Load()) if isinstance(node.slice, ast.Tuple) else kept[0]
        return node

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        return ast.Constant(_NOTHING) if node.value is None else node

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        self.generic_visit(node)
        same = {ast.Is: ast.Eq(), ast.IsNot: ast.NotEq()}
        node.ops = [same.get(type(one), one) for one in node.ops]
        return node

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        self.generic_visit(node)
        return _call("dot__", node.left, node.right) if isinstance(node.op, ast.MatMult) else node

    def visit_keyword(self, node: ast.keyword) -> ast.AST:
        if not _is_none(node.value):
            node.value = _typed(node.value) if node.arg == "dtype" else self.visit(node.value)
        return node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        name = called(node)
        method = node.func.attr if isinstance(node.func, ast.Attribute) else ""
        if method == "astype":
            node.args = [_typed(one) for one in node.args]
        if name == "np.dot":
            node.func = ast.Name("dot__", ast.Load())
        elif name in _TOGETHER and node.args and isinstance(node.args[0], ast.List):
            node.args[0] = ast.Tuple(node.args[0].elts, ast.Load())
        elif name in ("np.array", "np.asarray"):
            return _array(node, copy=name == "np.array")
        elif method == "clip":
            return _clip(node)
        elif method in _ALONG:
            return _along(node, method)
        return node


def _along(node: ast.Call, method: str) -> ast.AST:
    """The largest, smallest or mean of a list, or along an axis."""
    of_numpy = ast.unparse(node.func) == f"np.{method}"
    given = list(node.args) if of_numpy else [node.func.value, *node.args]
    axis = (
        given[1] if len(given) == 2 else next((one.value for one in node.keywords if one.arg == "axis"), None)
    )
    if axis is not None and len(given) + len(node.keywords) == 2:
        return _call(_ALONG[method], given[0], axis)
    if of_numpy and given and isinstance(given[0], ast.List):
        node.args[0] = _call("np.array", given[0])
    return node


def _array(node: ast.Call, *, copy: bool) -> ast.AST:
    """An array from a list that is written out, or from another array, which numba makes differently."""
    if isinstance(node.args[0], ast.List | ast.ListComp):
        node.func = parse_expression("np.array")
        return node
    node.func = parse_expression("np.asarray")
    return _call(f"{ast.unparse(node)}.copy") if copy else node


def _clip(node: ast.Call) -> ast.AST:
    given = list(node.args) if ast.unparse(node.func) == "np.clip" else [node.func.value, *node.args]
    if len(given) != 3 or node.keywords:
        return node
    values, lower, upper = given
    return _call("np.minimum", _call("np.maximum", values, lower), upper)


def _typed(node: ast.expr) -> ast.expr:
    kind = _TYPES.get(ast.unparse(node))
    return parse_expression(kind) if kind else node


def _call(function: str, *given: ast.expr) -> ast.Call:
    return ast.Call(parse_expression(function), list(given), [])


def _is_none(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and node.value is None
