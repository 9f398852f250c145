"""Writes the one function over a sequence that asks, reveals and updates in the order of the contract."""

from __future__ import annotations

import ast
from collections.abc import Callable

from toolkit.discovery.contract import Contract, returns_of
from toolkit.discovery.lowering.names import OwnNames, Renamed, all_names, stored_in, write_constants_out
from toolkit.discovery.lowering.rewriting import (
    ALLOCATIONS,
    NotLowered,
    Rewriter,
    arrays_of,
    called,
    fill_softmax,
    parsed,
)
from toolkit.discovery.lowering.whole import whole_state
from toolkit.discovery.sandbox.gate import functions_of
from toolkit.discovery.task import Task
from toolkit.syntax import parse_module

ENTRY = "engine_learn"
ASKED, TOLD = "engine_asked_{}", "engine_told"

_HELPERS = """
def engine_softmax(values, steepness, p):
    best = 0
    for k in range(1, len(values)):
        if steepness * values[k] > steepness * values[best]:
            best = k
    total = 0.0
    for k in range(len(values)):
        p[k] = np.exp(steepness * (values[k] - values[best]))
        total += p[k]
    for k in range(len(values)):
        p[k] /= total

def engine_normalise(p):
    total = 0.0
    for k in range(len(p)):
        if p[k] < 0.0:
            p[k] = 0.0
        total += p[k]
    for k in range(len(p)):
        p[k] /= total

def engine_uniform(p):
    for k in range(len(p)):
        p[k] = 1.0 / len(p)
"""


def lower(contract: Contract, task: Task) -> str:
    """A text for :func:`toolkit.models.compiling.write_sequence`, whose entry is ``ENTRY``.

    Its arguments are ``parameter_0`` and so on, the columns the program asks for under their names behind
    ``column_``, and for every stage, where it is asked, and where ``update`` is told.

    Raises
    ------
    NotLowered
        where the program must be interpreted, with the reason.
    """
    return _Lowering(contract, task).text()


class _Lowering:
    def __init__(self, contract: Contract, task: Task) -> None:
        self.contract, self.task = contract, task
        tree = contract.tree
        if any(name.startswith("engine_") for name in all_names(tree)):
            raise NotLowered("a name begins with engine_")
        write_constants_out(tree)
        self.functions = functions_of(tree)
        self.normalised: set[str] = set()
        self.arrays: dict[str, int] = {}
        self.whole: set[str] = set()
        if contract.state:
            self._read_state()

    def _read_state(self) -> None:
        init, update = self.functions["init"], self.functions["update"]
        Rewriter({}).rewrite(init)
        known = arrays_of(init)
        allocated = {name for name in self.contract.state if _is_array(init, name)}
        self.arrays = {name: known.get(name, 0) for name in allocated}
        codes = [name for name, column in self.task.columns.items() if column.kind == "code"]
        codes = [name for name in codes if not self.task.columns[name].n_axes]
        returned = [_values(node) for node in returns_of(update)]
        whole = whole_state(init, update, returned, self.contract.state, [*codes, *self.task.sizes])
        self.whole = whole - allocated
        # Compiled code would cut off an index that is no whole number where Python refuses it.
        unsure = set(self.contract.state) - self.whole - allocated
        for node in (one for function in self.functions.values() for one in ast.walk(function)):
            if isinstance(node, ast.Subscript) and unsure & _index_names(node.slice):
                raise NotLowered(f"`{ast.unparse(node)}` has an index that may be no whole number")

    @property
    def numbers(self) -> list[str]:
        """The parts of the state that are numbers; each is kept in an array of one."""
        return [name for name in self.contract.state if name not in self.arrays]

    def text(self) -> str:
        written = [parse_module(_HELPERS)]
        for name, function in self.functions.items():
            if name == "init":
                continue
            Rewriter({n: axes for n, axes in self.arrays.items() if axes}).rewrite(function)
            if name == "update":
                self._lower_update(function)
            elif name in self.contract.arguments:
                self._lower_predict(function)
            written.append(function)
        own = OwnNames(self.functions)
        texts = [ast.unparse(ast.fix_missing_locations(own.visit(part))) for part in written[1:]]
        return "\n\n".join([ast.unparse(written[0]), *texts, self._learn()])

    # -- predict and update -------------------------------------------------------------------

    def _lower_predict(self, function: ast.FunctionDef) -> None:
        if all(called(node.value) == "softmax" for node in returns_of(function)):
            self.normalised.add(function.name)
        self._take_numbers(function, self.contract.arguments[function.name])
        function.args.args.append(ast.arg("engine_p"))
        function.body = _replace_returns(function.body, _fill_p)
        _check_that_nothing_else_changes(function)

    def _lower_update(self, function: ast.FunctionDef) -> None:
        extra = [name for name in self.numbers if name not in self.contract.arguments["update"]]
        function.body = _replace_returns(function.body, self._keep_state)
        self._take_numbers(function, self.contract.arguments["update"])
        function.args.args += [ast.arg(f"engine_cell_{name}") for name in extra]

    def _take_numbers(self, function: ast.FunctionDef, arguments: tuple[str, ...]) -> None:
        lines = []
        for argument in function.args.args:
            if argument.arg in self.numbers:
                lines.append(f"{argument.arg} = engine_cell_{argument.arg}[0]")
                argument.arg = f"engine_cell_{argument.arg}"
        function.body = [*parsed("\n".join(lines)), *function.body]

    def _keep_state(self, node: ast.Return) -> list[ast.stmt]:
        lines = []
        for position, (name, value) in enumerate(zip(self.contract.state, _values(node), strict=True)):
            if name in self.arrays:
                if not (isinstance(value, ast.Name) and value.id == name):
                    raise NotLowered(f"update returns another array for '{name}'")
                if name not in self.contract.arguments["update"]:
                    raise NotLowered(f"update makes a new array for '{name}'")
            else:
                lines.append(f"engine_new_{position} = {ast.unparse(value)}")
        for position, name in enumerate(self.contract.state):
            if name in self.numbers:
                lines.append(f"engine_cell_{name}[0] = engine_new_{position}")
        return [*parsed("\n".join(lines)), ast.Return()]

    # -- the loop over trials -----------------------------------------------------------------

    def _learn(self) -> str:
        columns = [f"column_{name}" for name in self.contract.columns(self.task)]
        parameters = [f"parameter_{i}" for i in range(len(self.contract.parameters))]
        asked = [ASKED.format(i) for i in range(self.task.n_stages)]
        lines = [f"def {ENTRY}({', '.join([*parameters, *columns, *asked, TOLD, 'p'])}):", *self._init()]
        lines.append(f"    for engine_row in range(0, p.shape[0], {self.task.n_stages}):")
        for i, stage in enumerate(self.task.stages):
            row = f"p[engine_row + {i}]"
            arguments = [*self._given(stage.function), row]
            lines.append(f"        if {asked[i]}[engine_row] > 0:")
            lines.append(f"            own_{stage.function}({', '.join(arguments)})")
            if stage.function not in self.normalised:
                lines.append(f"            engine_normalise({row})")
            lines += ["        else:", f"            engine_uniform({row})"]
        if self.contract.state:
            extra = [n for n in self.numbers if n not in self.contract.arguments["update"]]
            arguments = [*self._given("update"), *(f"engine_cell_{name}" for name in extra)]
            lines += [
                f"        if {TOLD}[engine_row] > 0:",
                f"            own_update({', '.join(arguments)})",
            ]
        return "\n".join(lines)

    def _given(self, function: str) -> list[str]:
        return [self._argument(name, row="engine_row") for name in self.contract.arguments[function]]

    def _argument(self, name: str, row: str) -> str:
        if name in self.contract.parameters:
            return f"parameter_{self.contract.parameters.index(name)}"
        if name in self.contract.state:
            return f"init_{name}" if name in self.arrays else f"engine_cell_{name}"
        if name in self.task.sizes:
            return str(self.task.sizes[name])
        return f"column_{name}[{row}]"

    def _init(self) -> list[str]:
        if not self.contract.state:
            return []
        init = self.functions["init"]
        outside = {name: self._argument(name, row="0") for name in self.contract.arguments["init"]}
        if outside.keys() & stored_in(init):
            raise NotLowered("init assigns what it was given")
        inlined = Renamed(outside, self.functions)
        body = [inlined.visit(node) for node in init.body[:-1] if not isinstance(node, ast.Expr)]
        lines = [f"    {line}" for node in body for line in ast.unparse(node).splitlines()]
        for name in self.numbers:
            start = f"init_{name}, dtype=np.int64" if name in self.whole else f"float(init_{name})"
            lines.append(f"    engine_cell_{name} = np.full(1, {start})")
        return lines


def _fill_p(node: ast.Return) -> list[ast.stmt]:
    value = node.value
    if called(value) == "softmax":
        return [fill_softmax(value, "engine_p"), ast.Return()]
    if called(value) in ("np.array", "np.asarray") and len(value.args) == 1:
        value = value.args[0]
    match value:
        case ast.Name(id=name):
            lines = f"for engine_k in range(len(engine_p)):\n    engine_p[engine_k] = {name}[engine_k]"
        case ast.List() | ast.Tuple():
            lines = "\n".join(f"engine_p[{i}] = {ast.unparse(one)}" for i, one in enumerate(value.elts))
        case _:
            raise NotLowered("predict returns an expression")
    return [*parsed(lines), ast.Return()]


def _replace_returns(
    statements: list[ast.stmt], replace: Callable[[ast.Return], list[ast.stmt]]
) -> list[ast.stmt]:
    replaced: list[ast.stmt] = []
    for node in statements:
        if isinstance(node, ast.FunctionDef):
            raise NotLowered("a function inside a function")
        for part in ("body", "orelse"):
            if getattr(node, part, None):
                setattr(node, part, _replace_returns(getattr(node, part), replace))
        replaced += replace(node) if isinstance(node, ast.Return) else [node]
    return replaced


def _check_that_nothing_else_changes(function: ast.FunctionDef) -> None:
    """A prediction only fills arrays of its own; one that changes the state is left to the interpreter."""
    own = {"engine_p"}
    for node in ast.walk(function):
        if isinstance(node, ast.Assign) and called(node.value) in ALLOCATIONS:
            own |= {target.id for target in node.targets if isinstance(target, ast.Name)}
    for node in ast.walk(function):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            filled = node.value.args[-1] if called(node.value) == "engine_softmax" else None
            if not (isinstance(filled, ast.Name) and filled.id in own):
                raise NotLowered("a prediction calls a function that may change something")
        if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store):
            array = node
            while isinstance(array, ast.Subscript):
                array = array.value
            if not (isinstance(array, ast.Name) and array.id in own):
                raise NotLowered("a prediction changes an array")


def _values(node: ast.Return) -> list[ast.expr]:
    return list(node.value.elts) if isinstance(node.value, ast.Tuple) else [node.value]


def _index_names(index: ast.expr) -> set[str]:
    """Names that an index is, or is calculated from by plain arithmetic."""
    if isinstance(index, ast.Name):
        return {index.id}
    parts = (one for one in ast.iter_child_nodes(index) if not isinstance(index, ast.Call | ast.Subscript))
    return set().union(*(_index_names(one) for one in parts if isinstance(one, ast.expr)))


def _is_array(init: ast.FunctionDef, name: str) -> bool:
    return any(
        isinstance(node, ast.Assign)
        and called(node.value) in ALLOCATIONS
        and any(isinstance(target, ast.Name) and target.id == name for target in node.targets)
        for node in ast.walk(init)
    )
