"""Which variables of a function are arrays, and which parameters each of them can depend on."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import replace

from toolkit.errors import UsageError
from toolkit.models.compiling.programs import Program
from toolkit.models.compiling.subset import check
from toolkit.models.compiling.variables import NONE, NUMBER, Parameters, Variable
from toolkit.models.compiling.vocabulary import (
    base_of,
    element_of,
    holds_whole_numbers,
    is_allocation,
    is_shape,
    name_of_call,
    shape_of,
)


class Library:
    """Analyses of all functions of a program, one for each way in which a function is called."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.analyses: dict[tuple[str, tuple[Variable, ...]], Analysis] = {}
        self._checked: set[str] = set()
        self._open: list[str] = []

    @property
    def functions(self) -> list[str]:
        """Names of the functions that are used."""
        return sorted(self._checked)

    def admit(self, name: str) -> None:
        """Refuse a function that leaves the subset."""
        if name not in self._checked:
            check(self.program, name)
            self._checked.add(name)

    def analyse(self, name: str, arguments: Sequence[Variable], node: ast.AST) -> Analysis:
        """The analysis of a function called with such arguments at ``node``."""
        if name in self._open:
            raise self.program.refusal(name, node, "a function cannot call itself.", "Write a loop.")
        self.admit(name)
        key = (name, tuple(arguments))
        if key not in self.analyses:
            self._open.append(name)
            analysis = Analysis(self, name, arguments)
            self._open.pop()
            self.analyses[key] = analysis
        return self.analyses[key]


class Analysis:
    """One function, called with arguments that depend on certain parameters.

    Goes through the statements again and again until nothing new is learned: what an array may depend on
    can come from a line below, in an earlier round of a loop.

    Attributes
    ----------
    variables
        By name.
    returns
        What the returned number can depend on; None where nothing is returned.
    fills
        Whether it writes into an array that it was given.
    """

    def __init__(self, library: Library, name: str, arguments: Sequence[Variable]) -> None:
        self.library, self.name = library, name
        self.definition = library.program.functions[name]
        names = [argument.arg for argument in self.definition.args.args]
        self.arguments = dict(zip(names, arguments, strict=True))
        self.variables = dict(self.arguments)
        self.returns: Parameters | None = None
        # Names of arrays that were given or are a part of one, so that filling them is seen outside.
        self._given = {name for name, known in self.arguments.items() if known.n_dimensions}
        self.fills = False
        before: object = None
        while before != (self.variables, self.returns):
            before = (dict(self.variables), self.returns)
            self._block(self.definition.body)
        if self.fills and self.returns is not None:
            raise self.refuse(
                self.definition,
                "it returns a number and also fills an array.",
                "Make two functions of it, or fill an array with the number too.",
            )

    def refuse(self, node: ast.AST, what: str, fix: str) -> UsageError:
        """An error at ``node`` of this function."""
        return self.library.program.refusal(self.name, node, what, fix)

    # -- statements ---------------------------------------------------------------------------

    def _block(self, statements: list[ast.stmt]) -> None:
        for statement in statements:
            self._statement(statement)

    def _statement(self, node: ast.stmt) -> None:
        match node:
            case ast.Expr(value=ast.Call()):
                self.call_helper(node.value)
            case ast.Assign(targets=[target]):
                self._assign(target, node.value)
            case ast.AugAssign():
                self._assign(node.target, ast.BinOp(node.target, node.op, node.value, lineno=node.lineno))
            case ast.For():
                for bound in node.iter.args:
                    self.number(bound)
                self._define(node.target, NUMBER)
                if self.variables[node.target.id].depends_on:
                    raise self.refuse(node, "the loop's variable is also assigned.", "Use two names.")
                self._block(node.body)
            case ast.While():
                self.number(node.test)
                self._block(node.body)
            case ast.If():
                self.number(node.test)
                self._block(node.body)
                self._block(node.orelse)
            case ast.Return(value=ast.expr()):
                if self.name == self.library.program.entry:
                    raise self.refuse(node, "this function fills p and returns nothing.", "Write `return`.")
                self.returns = (self.returns or NONE) | self.number(node.value)

    def _assign(self, target: ast.expr, value: ast.expr) -> None:
        if isinstance(target, ast.Tuple):
            if self.array(value.value).n_dimensions != len(target.elts):
                raise self.refuse(value, "the array has another number of axes.", "Name each of them once.")
            for name in target.elts:
                self._define(name, NUMBER)
        elif isinstance(target, ast.Subscript):
            self._store(target, self.number(value))
        elif is_allocation(value):
            self._define(target, self._allocated(value))
        else:
            given = self.value(value)
            self._define(target, given)
            if given.n_dimensions:
                self._join(value, self.variables[target.id].depends_on)
                self._given |= {target.id} if base_of(value) in self._given else set()

    def _define(self, target: ast.expr, given: Variable) -> None:
        known = self.variables.get(target.id, given)
        if (known.n_dimensions, known.whole_numbers) != (given.n_dimensions, given.whole_numbers):
            raise self.refuse(
                target, f"'{target.id}' is one kind of thing here and another elsewhere.", "Use two names."
            )
        if target.id in self.arguments and known.n_dimensions:
            raise self.refuse(target, "an array that is given can only be filled.", "Assign its elements.")
        self.variables[target.id] = replace(
            known,
            depends_on=known.depends_on | given.depends_on,
            read_only=known.read_only or given.read_only,
        )

    def _store(self, target: ast.Subscript, depends_on: Parameters) -> None:
        array, indices = element_of(target)
        known = self.array(array)
        if len(indices) != known.n_dimensions:
            raise self.refuse(
                target,
                f"the array has {known.n_dimensions} axes.",
                "Assign one element, in a loop if need be.",
            )
        self._indices(indices)
        if known.read_only:
            raise self.refuse(target, "data and parameters cannot be changed.", "Fill an array of your own.")
        if known.whole_numbers and depends_on:
            raise self.refuse(
                target, "an array of whole numbers cannot hold this.", "Leave the dtype out, or use int(…)."
            )
        self.fills |= base_of(array) in self._given
        self._join(array, depends_on)

    def _join(self, node: ast.expr, depends_on: Parameters) -> None:
        """Let the array that ``node`` is, or is a part of, depend on more parameters."""
        name = base_of(node)
        known = self.variables[name]
        self.variables[name] = replace(known, depends_on=known.depends_on | depends_on)

    def _allocated(self, call: ast.Call) -> Variable:
        shape = shape_of(call)
        if is_shape(shape):
            n_dimensions = self.array(shape.value).n_dimensions
        else:
            sizes = shape.elts if isinstance(shape, ast.Tuple) else [shape]
            n_dimensions = len(sizes)
            for size in sizes:
                self.number(size)
        depends_on = NONE.union(*(self.number(value) for value in call.args[1:]))
        return Variable(n_dimensions, depends_on, whole_numbers=holds_whole_numbers(call))

    # -- expressions --------------------------------------------------------------------------

    def number(self, node: ast.expr) -> Parameters:
        """What an expression depends on that must be a single number."""
        given = self.value(node)
        if given.n_dimensions:
            raise self.refuse(node, "this is a whole array.", "Write a loop over its elements.")
        return given.depends_on

    def array(self, node: ast.expr) -> Variable:
        """The variable that an expression is, which must be an array."""
        given = self.value(node)
        if not given.n_dimensions:
            raise self.refuse(node, "this is a single number, not an array.", "Use it without an index.")
        return given

    def value(self, node: ast.expr) -> Variable:
        """What is known of the value of an expression."""
        match node:
            case ast.Name():
                if node.id not in self.variables:
                    raise self.refuse(node, f"'{node.id}' is not known here.", "Assign it first.")
                return self.variables[node.id]
            case ast.Subscript():
                return self._part(node)
            case ast.BinOp(op=ast.FloorDiv() | ast.Mod()):
                if depends_on := self.number(node.left) | self.number(node.right):
                    raise self.refuse(
                        node, "// and % are for whole numbers from the data.", "Use / , or int(…) around it."
                    )
                return Variable(0, depends_on)
            case ast.Compare() | ast.UnaryOp(op=ast.Not()):
                for part in (
                    (node.left, *node.comparators) if isinstance(node, ast.Compare) else [node.operand]
                ):
                    self.number(part)
                return NUMBER
            case ast.IfExp():
                self.number(node.test)
                return Variable(0, self.number(node.body) | self.number(node.orelse))
            case ast.Call():
                return self._call(node)
            case ast.Attribute() if is_shape(node):
                raise self.refuse(node, "a shape is several numbers.", "Use .shape[0], or unpack it.")
            case ast.Attribute():
                return NUMBER
            case _:
                parts = (part for part in ast.iter_child_nodes(node) if isinstance(part, ast.expr))
                return Variable(0, NONE.union(*map(self.number, parts)))

    def _part(self, node: ast.Subscript) -> Variable:
        if is_shape(node.value):
            self.array(node.value.value)
            self.number(node.slice)
            return NUMBER
        array, indices = element_of(node)
        known = self.array(array)
        self._indices(indices)
        if len(indices) > known.n_dimensions:
            raise self.refuse(node, f"the array has {known.n_dimensions} axes.", "Use fewer indices.")
        if len(indices) == known.n_dimensions:
            return Variable(0, known.depends_on)
        return replace(known, n_dimensions=known.n_dimensions - len(indices))

    def _indices(self, indices: list[ast.expr]) -> None:
        for index in indices:
            if self.number(index):
                raise self.refuse(index, "an index must be a whole number.", "Write int(…) around it.")

    def _call(self, node: ast.Call) -> Variable:
        name = name_of_call(node)
        if name in self.library.program.functions:
            returns = self.call_helper(node).returns
            if returns is None:
                raise self.refuse(node, f"{name} returns nothing.", "Call it on a line of its own.")
            return Variable(0, returns)
        if name == "len":
            self.array(node.args[0])
            return NUMBER
        depends_on = NONE.union(*map(self.number, node.args))
        return NUMBER if name == "int" or name.startswith(("np.is", "math.is")) else Variable(0, depends_on)

    def call_helper(self, node: ast.Call) -> Analysis:
        """The analysis of a helper as it is called here; its array arguments depend on what it fills in."""
        name = name_of_call(node)
        given = [self.value(argument) for argument in node.args]
        analysis = self.library.analyse(name, given, node)
        for argument, (parameter, known) in zip(node.args, analysis.arguments.items(), strict=True):
            if known.n_dimensions:
                self._join(argument, analysis.variables[parameter].depends_on)
                self.fills |= analysis.fills and base_of(argument) in self._given
        return analysis
