"""Rewrites what is common in programs, but outside of what can be compiled, line by line with the same meaning."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable

from toolkit.syntax import parse_expression, parse_module

ALLOCATIONS = ("np.zeros", "np.ones", "np.full", "np.empty")
_FILL = {"np.zeros": 0.0, "np.ones": 1.0}
_DTYPES = {"int": "np.int64", "float": "np.float64"}


class NotLowered(Exception):
    """A construct that has no counterpart for the compiler, so that the program is interpreted."""


def parsed(text: str) -> list[ast.stmt]:
    """Statements from text."""
    return parse_module(text).body


def called(node: ast.AST) -> str:
    """Name of the function that an expression calls, "" where it is no call."""
    return ast.unparse(node.func) if isinstance(node, ast.Call) else ""


def names_in(node: ast.AST) -> set[str]:
    """All names in a part of a text."""
    return {one.id for one in ast.walk(node) if isinstance(one, ast.Name)}


def arrays_of(function: ast.FunctionDef) -> dict[str, int]:
    """Number of axes of the arrays that a function allocates with a shape that is written out."""
    found = {}
    for node in ast.walk(function):
        if isinstance(node, ast.Assign) and called(node.value) in ALLOCATIONS and node.value.args:
            shape = node.value.args[0]
            if isinstance(node.targets[0], ast.Name) and not isinstance(shape, ast.Attribute):
                n_axes = len(shape.elts) if isinstance(shape, ast.Tuple) else 1
                found[node.targets[0].id] = n_axes
    return found


class Rewriter:
    """Rewrites the statements of one function.

    Parameters
    ----------
    arrays
        Number of axes of the arrays that the function is given.
    """

    def __init__(self, arrays: dict[str, int]) -> None:
        self.arrays = dict(arrays)
        self._n_names = 0

    def rewrite(self, function: ast.FunctionDef) -> None:
        """Rewrite a function in place."""
        function.body = self._block(function.body)
        self.arrays |= arrays_of(function)
        self._aliased = _aliased(function)
        function.body = self._block(function.body, elementwise=True)

    def _name(self) -> str:
        self._n_names += 1
        return f"engine_{self._n_names}"

    def _block(self, statements: Iterable[ast.stmt], elementwise: bool = False) -> list[ast.stmt]:
        rewritten: list[ast.stmt] = []
        for node in statements:
            for part in ("body", "orelse"):
                if getattr(node, part, None) and not isinstance(node, ast.FunctionDef):
                    setattr(node, part, self._block(getattr(node, part), elementwise))
            one = self._elementwise(node) if elementwise else self._allocation(node)
            rewritten += one if one is not None else [node]
        return rewritten

    # -- new arrays ---------------------------------------------------------------------------

    def _allocation(self, node: ast.stmt) -> list[ast.stmt] | None:
        if not (isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)):
            return None
        name, value = node.targets[0].id, node.value
        if called(value) == "softmax":
            if name in names_in(value):
                raise NotLowered(f"'{name}' is made of itself")
            return [
                *parsed(f"{name} = np.zeros(len({ast.unparse(value.args[0])}))"),
                fill_softmax(value, name),
            ]
        if called(value) in ("np.array", "np.asarray") and isinstance(value.args[0], ast.List):
            return self._written_out(name, value.args[0])
        if called(value) in ALLOCATIONS:
            for given in value.keywords:
                kind = _DTYPES.get(ast.unparse(given.value))
                given.value = parse_expression(kind) if kind else given.value
        if isinstance(value, ast.BinOp):
            full = _filled(value)
            return parsed(f"{name} = {full}") if full else None
        return None

    def _written_out(self, name: str, rows: ast.List) -> list[ast.stmt]:
        if name in names_in(rows):
            raise NotLowered(f"'{name}' is made of itself")
        nested = [row.elts for row in rows.elts if isinstance(row, ast.List)]
        if not nested:
            values = {str(i): value for i, value in enumerate(rows.elts)}
            shape = str(len(rows.elts))
        elif len(nested) == len(rows.elts) and len({len(row) for row in nested}) == 1:
            values = {f"{i}, {j}": value for i, row in enumerate(nested) for j, value in enumerate(row)}
            shape = f"({len(nested)}, {len(nested[0])})"
        else:
            raise NotLowered("an array of lists of different lengths")
        lines = [f"{name} = np.zeros({shape})"]
        lines += [f"{name}[{place}] = {ast.unparse(value)}" for place, value in values.items()]
        return parsed("\n".join(lines))

    # -- whole arrays and one number ----------------------------------------------------------

    def _elementwise(self, node: ast.stmt) -> list[ast.stmt] | None:
        """``value *= x`` and ``value = value * x`` of a whole array and one number, as loops."""
        if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
            return self._loop(node.target.id, lambda e, x: f"{e} {sign(node.op)} {x}", node.value)
        if not (isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)):
            return None
        name, value = node.targets[0].id, node.value
        if not isinstance(value, ast.BinOp) or name not in self.arrays or name in self._aliased:
            return None
        for own, other, turned in ((value.left, value.right, False), (value.right, value.left, True)):
            if isinstance(own, ast.Name) and own.id == name and name not in names_in(other):
                pattern = f"{{1}} {sign(value.op)} {{0}}" if turned else f"{{0}} {sign(value.op)} {{1}}"
                return self._loop(name, pattern.format, other)
        return None

    def _loop(self, name: str, line: Callable[[str, str], str], other: ast.expr) -> list[ast.stmt] | None:
        if name not in self.arrays:
            return None
        number, indices = self._name(), [self._name() for _ in range(self.arrays[name])]
        text, indent = f"{number} = {ast.unparse(other)}\n", ""
        for axis, index in enumerate(indices):
            text += f"{indent}for {index} in range({name}.shape[{axis}]):\n"
            indent += "    "
        element = f"{name}[{', '.join(indices)}]"
        return parsed(f"{text}{indent}{element} = {line(element, number)}")


def sign(operator: ast.operator) -> str:
    """How an operator is written."""
    return ast.unparse(ast.BinOp(ast.Name("a"), operator, ast.Name("b"))).split()[1]


def fill_softmax(call: ast.Call, name: str) -> ast.stmt:
    """The statement that fills an array with what a call of ``softmax`` returns."""
    given = {keyword.arg: keyword.value for keyword in call.keywords}
    given |= dict(zip(("values", "steepness"), call.args, strict=False))
    if (
        "values" not in given
        or len(call.args) > 2
        or not isinstance(given["values"], ast.Name | ast.Subscript)
    ):
        raise NotLowered("softmax of something that has no name")
    steepness = ast.unparse(given["steepness"]) if "steepness" in given else "1.0"
    return parsed(f"engine_softmax({ast.unparse(given['values'])}, {steepness}, {name})")[0]


def _filled(value: ast.BinOp) -> str:
    """``np.ones(n) / n`` and its like as ``np.full(n, 1.0 / n)``; "" where it is none of them."""
    for own, other, turned in ((value.left, value.right, False), (value.right, value.left, True)):
        if called(own) in ("np.zeros", "np.ones", "np.full") and called(other) not in ALLOCATIONS:
            start = ast.unparse(own.args[1]) if called(own) == "np.full" else str(_FILL[called(own)])
            parts = (f"({start})", f"({ast.unparse(other)})")
            left, right = reversed(parts) if turned else parts
            return f"np.full({ast.unparse(own.args[0])}, {left} {sign(value.op)} {right})"
    return ""


def _aliased(function: ast.FunctionDef) -> set[str]:
    """Names whose array, or a part of it, also has another name."""
    aliased: set[str] = set()
    for node in ast.walk(function):
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Name | ast.Subscript):
            aliased |= names_in(node.value) | names_in(node.targets[0])
    return aliased
