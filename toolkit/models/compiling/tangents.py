"""Writes the function that carries the derivatives with respect to all parameters along, statement by statement.

A number ``z`` has one derivative a parameter in ``z__0``, ``z__1``, …; an array ``w`` has them in ``w__d``, which
has one axis more. Only parameters that a variable can depend on are carried.
"""

from __future__ import annotations

import ast
import contextlib
from collections.abc import Iterator

from toolkit.models.compiling.analysis import Analysis
from toolkit.models.compiling.expressions import Expression, Term
from toolkit.models.compiling.variables import Parameters
from toolkit.models.compiling.vocabulary import (
    base_of,
    element_of,
    is_allocation,
    is_shape,
    name_of_call,
    shape_of,
)
from toolkit.syntax import parse_expression


class TangentFunctions:
    """The functions with derivatives that an entry function needs, as text."""

    def __init__(self) -> None:
        self._names: dict[int, str] = {}
        self.texts: list[str] = []

    def write_entry(self, analysis: Analysis, name: str, output: str) -> None:
        """Write the entry function as ``name``, and every helper that it needs."""
        function = TangentFunction(self, analysis)
        function.entry(name, output)
        self.texts.append("\n".join(function.lines))

    def name_of(self, analysis: Analysis) -> str:
        """Name of the version of a helper that such a call needs, which is written the first time."""
        if id(analysis) not in self._names:
            name = f"{analysis.name}__{len(self._names)}"
            self._names[id(analysis)] = name
            function = TangentFunction(self, analysis)
            function.helper(name)
            self.texts.append("\n".join(function.lines))
        return self._names[id(analysis)]


class TangentFunction:
    """Lines of one function."""

    def __init__(self, functions: TangentFunctions, analysis: Analysis) -> None:
        self.functions, self.analysis = functions, analysis
        self.lines: list[str] = []
        self._depth = 0
        self._n_names = 0
        # A parameter that is never assigned has the derivative 1 with respect to itself and needs no variable.
        self._constant: set[str] = set()

    # -- lines --------------------------------------------------------------------------------

    def emit(self, line: str) -> None:
        """Add a line."""
        self.lines.append("    " * self._depth + line)

    def emit_value(self, text: str) -> str:
        """Add a line that gives an expression a name; return the name."""
        name = self.new_name()
        self.emit(f"{name} = {text}")
        return name

    def new_name(self) -> str:
        """A name that nothing else has: those with two underscores in a row are kept for this."""
        self._n_names += 1
        return f"t__{self._n_names}"

    @contextlib.contextmanager
    def _indented(self, line: str) -> Iterator[None]:
        self.emit(line)
        self._depth += 1
        yield
        self._depth -= 1

    def depends_on(self, name: str) -> list[int]:
        """Parameters whose derivatives a variable carries, in order."""
        return sorted(self.analysis.variables[name].depends_on)

    def tangents_of(self, number: str) -> dict[int, str]:
        """How the derivatives of a number with a name are written."""
        if number in self._constant:
            return dict.fromkeys(self.depends_on(number), "1.0")
        return {parameter: f"{number}__{parameter}" for parameter in self.depends_on(number)}

    # -- whole functions ----------------------------------------------------------------------

    def entry(self, name: str, output: str) -> None:
        """Write the function that fills ``output`` and its derivatives."""
        arguments = self.analysis.arguments
        with self._indented(f"def {name}({', '.join([*arguments, f'{output}__d'])}):"):
            stored = {
                node.id
                for node in ast.walk(self.analysis.definition)
                if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
            }
            for argument, known in arguments.items():
                if known.n_dimensions and known.depends_on and argument != output:
                    self.emit(f"{argument}__d = np.eye({len(known.depends_on)})")
                elif not known.n_dimensions and argument not in stored:
                    self._constant.add(argument)
                elif not known.n_dimensions:
                    for parameter in self.depends_on(argument):
                        self.emit(f"{argument}__{parameter} = {float(parameter in known.depends_on)}")
            self._block(self.analysis.definition.body)

    def helper(self, name: str) -> None:
        """Write a helper that takes and returns derivatives beside values."""
        arguments = self.analysis.arguments
        taken = [text for argument in arguments for text in self._taken(argument)]
        with self._indented(f"def {name}({', '.join([*arguments, *taken])}):"):
            for argument, known in arguments.items():
                if not known.n_dimensions:
                    for parameter in set(self.depends_on(argument)) - known.depends_on:
                        self.emit(f"{argument}__{parameter} = 0.0")
            self._block(self.analysis.definition.body)

    def _taken(self, argument: str) -> list[str]:
        known = self.analysis.arguments[argument]
        if known.n_dimensions:
            return [f"{argument}__d"] if self.depends_on(argument) else []
        return [f"{argument}__{parameter}" for parameter in sorted(known.depends_on)]

    # -- statements ---------------------------------------------------------------------------

    def _block(self, statements: list[ast.stmt]) -> None:
        for statement in statements:
            self._statement(statement)

    def _statement(self, node: ast.stmt) -> None:
        match node:
            case ast.Expr(value=ast.Call()):
                self._fill(node.value)
            case ast.Expr():
                self.emit("pass")
            case ast.Assign(targets=[target]):
                self._assign(node, target, node.value)
            case ast.AugAssign():
                before = parse_expression(ast.unparse(node.target))
                value = ast.BinOp(before, node.op, node.value, lineno=node.lineno)
                self._assign(node, node.target, value)
            case ast.For():
                with self._indented(f"for {node.target.id} in {ast.unparse(node.iter)}:"):
                    self._block(node.body)
            case ast.While():
                with self._indented(f"while {ast.unparse(node.test)}:"):
                    self._block(node.body)
            case ast.If():
                with self._indented(f"if {ast.unparse(node.test)}:"):
                    self._block(node.body)
                if node.orelse:
                    with self._indented("else:"):
                        self._block(node.orelse)
            case ast.Return(value=ast.expr()):
                self._return(node.value)
            case _:
                self.emit(ast.unparse(node))

    def _assign(self, node: ast.stmt, target: ast.expr, value: ast.expr) -> None:
        if isinstance(target, ast.Tuple) or not self.depends_on(base_of(target)):
            self.emit(ast.unparse(node))
        elif isinstance(target, ast.Subscript):
            self._store(target, value)
        elif is_allocation(value):
            self._allocate(target.id, value)
        elif self.analysis.variables[target.id].n_dimensions:
            self.emit(ast.unparse(node))
            self.emit(f"{target.id}__d = {self._derivatives_of(value)}")
        else:
            self._assign_number(target.id, self.analysis.variables[target.id].depends_on, value)

    def _assign_number(self, name: str, depends_on: Parameters, value: ast.expr) -> None:
        expression = Expression(self)
        term = expression.term(value)
        tangents = expression.tangents(term)
        # The value comes last: the derivatives may use the old one.
        for parameter in sorted(depends_on):
            self.emit(f"{name}__{parameter} = {tangents.get(parameter, '0.0')}")
        self.emit(f"{name} = {term.text}")

    def _store(self, target: ast.Subscript, value: ast.expr) -> None:
        expression = Expression(self)
        place, array = expression.place(target), base_of(target)
        term = expression.term(value)
        tangents = expression.tangents(term)
        # All are computed before the first is stored, which lets the compiler use vector instructions.
        computed = [
            self.emit_value(tangents[parameter]) if parameter in tangents else "0.0"
            for parameter in self.depends_on(array)
        ]
        for position, text in enumerate(computed):
            self.emit(f"{array}__d[{place}, {position}] = {text}")
        self.emit(f"{array}[{place}] = {term.text}")

    def _allocate(self, name: str, call: ast.Call) -> None:
        shape, width = shape_of(call), len(self.depends_on(name))
        if is_shape(shape):
            sizes = f"{ast.unparse(shape)} + ({width},)"
        else:
            parts = shape.elts if isinstance(shape, ast.Tuple) else [shape]
            sizes = f"({', '.join([*map(ast.unparse, parts), str(width)])})"
        tangents: dict[int, str] = {}
        if name_of_call(call) == "np.full":
            expression = Expression(self)
            tangents = expression.tangents(expression.term(call.args[1]))
            tangents = {parameter: self.emit_value(text) for parameter, text in tangents.items()}
        self.emit(f"{name} = {ast.unparse(call)}")
        self.emit(f"{name}__d = np.zeros({sizes})")
        for position, parameter in enumerate(self.depends_on(name)):
            if parameter in tangents:
                self.emit(f"{name}__d[..., {position}] = {tangents[parameter]}")

    def _return(self, value: ast.expr) -> None:
        depends_on = self.analysis.returns or frozenset()
        name = self.emit_number(value, depends_on)
        derivatives = [f"{name}__{parameter}" for parameter in sorted(depends_on)]
        self.emit(f"return {', '.join([f'float({name})', *derivatives])}")

    # -- helpers and choices, for Expression --------------------------------------------------

    def emit_number(self, node: ast.expr, depends_on: Parameters) -> str:
        """Add the lines of a number with derivatives; return its name."""
        name = self.new_name()
        self._assign_number(name, depends_on, node)
        return name

    def emit_selection(self, test: str, one: Term, other: Term) -> str:
        """Add the lines that take the derivatives of one of two terms; return the name that they go by."""
        name, depends_on = self.new_name(), sorted(one.depends_on | other.depends_on)
        for line, term in ((f"if {test}:", one), ("else:", other)):
            with self._indented(line):
                for parameter in depends_on:
                    self.emit(f"{name}__{parameter} = {term.tangents.get(parameter, '0.0')}")
        return name

    def emit_choice(self, node: ast.IfExp, depends_on: Parameters) -> str:
        """Add the lines of ``a if test else b``; return the name of the result."""
        name = self.new_name()
        for line, value in ((f"if {ast.unparse(node.test)}:", node.body), ("else:", node.orelse)):
            with self._indented(line):
                self._assign_number(name, depends_on, value)
        return name

    def emit_call(self, node: ast.Call) -> str:
        """Add the line that calls a helper for a number and its derivatives; return the number's name."""
        name, analysis = self.new_name(), self.analysis.call_helper(node)
        given = self._given(node, analysis)
        derivatives = [f"{name}__{parameter}" for parameter in sorted(analysis.returns or ())]
        self.emit(f"{', '.join([name, *derivatives])} = {self.functions.name_of(analysis)}({given})")
        return name

    def _fill(self, node: ast.Call) -> None:
        analysis = self.analysis.call_helper(node)
        if any(known.depends_on for known in analysis.variables.values()):
            self.emit(f"{self.functions.name_of(analysis)}({self._given(node, analysis)})")
        else:
            self.emit(ast.unparse(node))

    def _given(self, node: ast.Call, analysis: Analysis) -> str:
        """Arguments of a call: all values, then the derivatives of those that have any."""
        values, derivatives = [], []
        for argument, known in zip(node.args, analysis.arguments.values(), strict=True):
            if not known.depends_on:
                values.append(ast.unparse(argument))
            elif known.n_dimensions:
                values.append(ast.unparse(argument))
                derivatives.append(self._derivatives_of(argument))
            else:
                name = self.emit_number(argument, known.depends_on)
                values.append(name)
                derivatives += [f"{name}__{parameter}" for parameter in sorted(known.depends_on)]
        return ", ".join([*values, *derivatives])

    def _derivatives_of(self, array: ast.expr) -> str:
        """The derivatives of an array, or of a part of one."""
        if isinstance(array, ast.Name):
            return f"{array.id}__d"
        indices = ", ".join(ast.unparse(index) for index in element_of(array)[1])
        return f"{base_of(array)}__d[{indices}]"
