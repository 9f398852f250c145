"""The functions and names that a compiled function may use, and the derivatives of those that have one."""

from __future__ import annotations

import ast

MODULES = ("np", "math")

DERIVATIVES = {
    "exp": "{v}",
    "expm1": "({v} + 1.0)",
    "log": "(1.0 / {x})",
    "log1p": "(1.0 / (1.0 + {x}))",
    # A root of something that is 0 for every parameter is constant; the limit would make it not a number.
    "sqrt": "(0.5 / {v} if {v} > 0.0 else 0.0)",
    "tanh": "(1.0 - {v} * {v})",
}
"""Derivative of functions of one number ``x`` with the value ``v``, under np. and under math."""

CHECKS = ("isnan", "isinf", "isfinite")
ALLOCATIONS = ("zeros", "ones", "empty", "full")
NUMBERS = ("inf", "nan", "pi")
WHOLE_NUMBERS = "np.int64"
DTYPES = (WHOLE_NUMBERS, "np.float64")

SMALLER_OR_LARGER = {"min": "<", "np.minimum": "<", "max": ">", "np.maximum": ">"}
"""How the second of two values must compare with the first to be taken."""

ABSOLUTE = ("abs", "np.abs", "math.fabs")
CONVERSIONS = ("int", "float")
BUILTINS = (*CONVERSIONS, "abs", "len", "min", "max", "range")

FUNCTIONS = (
    *(f"{module}.{name}" for module in MODULES for name in (*DERIVATIVES, *CHECKS)),
    *SMALLER_OR_LARGER,
    *ABSOLUTE,
    *CONVERSIONS,
    "len",
)
"""Everything that can be called inside an expression, apart from helpers."""


def name_of_call(node: ast.Call) -> str:
    """The called function as it is written, for instance ``np.exp``."""
    return ast.unparse(node.func)


def is_allocation(node: ast.AST) -> bool:
    """Whether this is ``np.zeros(…)`` or one of its relatives."""
    return isinstance(node, ast.Call) and name_of_call(node) in {f"np.{name}" for name in ALLOCATIONS}


def is_shape(node: ast.AST) -> bool:
    """Whether this is ``array.shape``."""
    return isinstance(node, ast.Attribute) and node.attr == "shape"


def holds_whole_numbers(allocation: ast.Call) -> bool:
    """Whether an allocated array has a whole-number dtype."""
    return any(ast.unparse(keyword.value) == WHOLE_NUMBERS for keyword in allocation.keywords)


def shape_of(allocation: ast.Call) -> ast.expr:
    """The first argument of an allocation."""
    return allocation.args[0]


def element_of(node: ast.Subscript) -> tuple[ast.expr, list[ast.expr]]:
    """The array and all its indices, ``w[i][j]`` read as ``w[i, j]``."""
    indices = list(node.slice.elts) if isinstance(node.slice, ast.Tuple) else [node.slice]
    if isinstance(node.value, ast.Subscript):
        array, before = element_of(node.value)
        return array, before + indices
    return node.value, indices


def base_of(node: ast.expr) -> str:
    """Name of the array that an expression is, or is a part of."""
    array = element_of(node)[0] if isinstance(node, ast.Subscript) else node
    return array.id
