"""What a function to be compiled may consist of; everything else is refused with what to write instead."""

from __future__ import annotations

import ast

from toolkit.errors import UsageError
from toolkit.models.compiling.programs import Program
from toolkit.models.compiling.vocabulary import (
    ALLOCATIONS,
    BUILTINS,
    DTYPES,
    FUNCTIONS,
    MODULES,
    NUMBERS,
    SMALLER_OR_LARGER,
    is_allocation,
    is_shape,
    name_of_call,
)

OPERATORS = (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.Pow, ast.FloorDiv, ast.Mod)
COMPARISONS = (ast.Eq, ast.NotEq, ast.Lt, ast.LtE, ast.Gt, ast.GtE)

_LOOP = "Write a loop over its elements."
_ARRAY = "Make an array with np.zeros and fill it in a loop."
_INSTEAD: dict[type[ast.AST], str] = {
    ast.List: _ARRAY,
    ast.ListComp: _ARRAY,
    ast.GeneratorExp: _ARRAY,
    ast.SetComp: _ARRAY,
    ast.Set: _ARRAY,
    ast.Dict: _ARRAY,
    ast.DictComp: _ARRAY,
    ast.Tuple: "Give every value a name of its own.",
    ast.Slice: _LOOP,
    ast.Starred: "Write every argument out.",
    ast.Lambda: "Define a function of its own beside this one and call it.",
    ast.FunctionDef: "Define it beside this function.",
    ast.AnnAssign: "Leave the annotation out.",
    ast.NamedExpr: "Assign on a line of its own.",
    ast.JoinedStr: "Leave text out.",
    ast.Assert: "Leave it out, or use `if`.",
    ast.Raise: "Leave it out, or fill p with what such a trial should give.",
    ast.Try: "Use `if` to keep the case from arising.",
    ast.With: "Leave it out.",
    ast.Import: "Only np and math are there; import nothing.",
    ast.ImportFrom: "Only np and math are there; import nothing.",
    ast.Delete: "Leave it out.",
    ast.Match: "Use if and elif.",
}


def check(program: Program, name: str) -> None:
    """Refuse a function of the program that leaves the subset.

    Nothing outside these rules reaches the compiler, so a text of unknown origin can do nothing but
    calculate with numbers and with the arrays it was given.
    """
    _Checker(program, name).check()


class _Checker:
    def __init__(self, program: Program, name: str) -> None:
        self.program, self.name = program, name
        self.loops = 0

    def refuse(self, node: ast.AST, what: str, fix: str) -> UsageError:
        return self.program.refusal(self.name, node, what, fix)

    def unknown(self, node: ast.AST) -> UsageError:
        fix = _INSTEAD.get(type(node), "Use numbers, arrays, for, while and if.")
        return self.refuse(node, f"{type(node).__name__} is not in the subset that can be compiled.", fix)

    def check(self) -> None:
        definition = self.program.functions[self.name]
        arguments = definition.args
        extras = (arguments.vararg, arguments.kwarg, *arguments.kwonlyargs, *arguments.posonlyargs)
        if any(extras) or arguments.defaults or definition.decorator_list:
            raise self.refuse(
                definition,
                "it may only have plain arguments: no defaults, no stars, no decorators.",
                "Name every argument and nothing else.",
            )
        for argument in arguments.args:
            self.name_given(argument, argument.arg)
        if "__" in self.name or self.name in (*BUILTINS, *MODULES):
            raise self.refuse(definition, f"'{self.name}' is taken.", "Give the function another name.")
        self.block(definition.body)

    def name_given(self, node: ast.AST, name: str) -> None:
        if "__" in name or name in (*BUILTINS, *MODULES):
            raise self.refuse(
                node, f"the name '{name}' is taken.", "Use another one, without two underscores in a row."
            )

    # -- statements ---------------------------------------------------------------------------

    def block(self, statements: list[ast.stmt]) -> None:
        for statement in statements:
            self.statement(statement)

    def statement(self, node: ast.stmt) -> None:
        match node:
            case ast.Expr(value=ast.Constant(value=str())) | ast.Pass():
                pass
            case ast.Expr(value=ast.Call()):
                self.helper_call(node.value)
            case ast.Assign():
                self.assign(node)
            case ast.AugAssign():
                self.target(node.target)
                self.operator(node, node.op)
                self.expression(node.value)
            case ast.For():
                self.for_loop(node)
            case ast.While():
                self.expression(node.test)
                self.no_else(node)
                self.block(node.body)
            case ast.If():
                self.expression(node.test)
                self.block(node.body)
                self.block(node.orelse)
            case ast.Return():
                if node.value is not None:
                    self.expression(node.value)
            case ast.Break() | ast.Continue():
                pass
            case _:
                raise self.unknown(node)

    def assign(self, node: ast.Assign) -> None:
        if len(node.targets) > 1:
            raise self.refuse(node, "several names are assigned at once.", "Write one assignment a line.")
        target = node.targets[0]
        if isinstance(target, ast.Tuple):
            if not is_shape(node.value):
                raise self.refuse(node, "only a shape can be unpacked.", "Write one assignment a line.")
            self.expression(node.value.value)
            for name in target.elts:
                if not isinstance(name, ast.Name):
                    raise self.refuse(node, "only names can take a shape.", "Unpack it into names.")
                self.target(name)
            return
        self.target(target)
        if is_allocation(node.value):
            self.allocation(node, node.value)
        else:
            self.expression(node.value)

    def target(self, node: ast.expr) -> None:
        if isinstance(node, ast.Name):
            self.name_given(node, node.id)
        elif isinstance(node, ast.Subscript):
            self.expression(node)
        else:
            raise self.refuse(node, "only names and elements of arrays can be assigned.", "Use one of them.")

    def allocation(self, statement: ast.Assign, call: ast.Call) -> None:
        n_arguments = 2 if name_of_call(call) == "np.full" else 1
        if not isinstance(statement.targets[0], ast.Name) or len(call.args) != n_arguments:
            raise self.refuse(statement, "a new array needs a name and a shape.", "Write `w = np.zeros(n)`.")
        for keyword in call.keywords:
            if keyword.arg != "dtype" or ast.unparse(keyword.value) not in DTYPES:
                raise self.refuse(
                    call, "arrays hold numbers or whole numbers.", "Use dtype=np.int64 or leave it out."
                )
        shape = call.args[0]
        if not is_shape(shape):
            for size in shape.elts if isinstance(shape, ast.Tuple) else [shape]:
                self.expression(size)
        for value in call.args[1:]:
            self.expression(value)

    def for_loop(self, node: ast.For) -> None:
        steps = node.iter
        if not (isinstance(steps, ast.Call) and name_of_call(steps) == "range") or steps.keywords:
            raise self.refuse(
                node, "a for loop goes over a range.", "Write `for i in range(len(x))` and use x[i]."
            )
        if not isinstance(node.target, ast.Name):
            raise self.refuse(node, "a range gives one number.", "Give it one name.")
        self.name_given(node, node.target.id)
        for bound in steps.args:
            self.expression(bound)
        self.no_else(node)
        self.block(node.body)

    def no_else(self, node: ast.For | ast.While) -> None:
        if node.orelse:
            raise self.refuse(node, "a loop has no else here.", "Remember in a variable how the loop ended.")

    # -- expressions --------------------------------------------------------------------------

    def expression(self, node: ast.expr) -> None:
        match node:
            case ast.Constant():
                if not isinstance(node.value, bool | int | float):
                    raise self.refuse(node, "only numbers can be written out.", "Use codes instead of text.")
            case ast.Name():
                if node.id in (*BUILTINS, *MODULES):
                    raise self.refuse(node, "this is a function or a module, not a value.", "Call it.")
            case ast.BinOp():
                self.operator(node, node.op)
                self.expressions(node.left, node.right)
            case ast.UnaryOp(op=ast.USub() | ast.UAdd() | ast.Not()):
                self.expression(node.operand)
            case ast.BoolOp():
                self.expressions(*node.values)
            case ast.Compare():
                if not all(isinstance(operator, COMPARISONS) for operator in node.ops):
                    raise self.refuse(node, "only sizes can be compared.", "Use ==, !=, <, <=, > and >=.")
                self.expressions(node.left, *node.comparators)
            case ast.IfExp():
                self.expressions(node.test, node.body, node.orelse)
            case ast.Subscript():
                self.subscript(node)
            case ast.Attribute():
                self.attribute(node)
            case ast.Call():
                self.call(node)
            case _:
                raise self.unknown(node)

    def expressions(self, *nodes: ast.expr) -> None:
        for node in nodes:
            self.expression(node)

    def operator(self, node: ast.AST, operator: ast.operator) -> None:
        if not isinstance(operator, OPERATORS):
            raise self.refuse(
                node, f"the operator {type(operator).__name__} is not known.", "Use + - * / ** // and %."
            )

    def subscript(self, node: ast.Subscript) -> None:
        if not is_shape(node.value) and not isinstance(node.value, ast.Name | ast.Subscript):
            raise self.refuse(node, "only arrays that have a name have elements.", "Give the array a name.")
        if is_shape(node.value):
            self.attribute(node.value)
        else:
            self.expression(node.value)
        self.expressions(*(node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]))

    def attribute(self, node: ast.Attribute) -> None:
        known = isinstance(node.value, ast.Name) and (
            node.attr in NUMBERS if node.value.id in MODULES else node.attr == "shape"
        )
        if not known:
            raise self.refuse(
                node, "this attribute is not known.", f"There are .shape and np.{', np.'.join(NUMBERS)}."
            )

    def call(self, node: ast.Call) -> None:
        name = name_of_call(node)
        if name in self.program.functions:
            self.helper_call(node)
            return
        if is_allocation(node):
            raise self.refuse(node, "a new array needs a name.", "Assign it to a name on a line of its own.")
        if name not in FUNCTIONS:
            raise self.refuse(
                node,
                f"the function {name} is not known.",
                f"For sums and other work on arrays write a loop. There are {', '.join(FUNCTIONS)}, "
                f"np.{', np.'.join(ALLOCATIONS)} and functions of your own.",
            )
        n_least, n_most = (2, 2 if "." in name else 9) if name in SMALLER_OR_LARGER else (1, 1)
        if node.keywords or not n_least <= len(node.args) <= n_most:
            raise self.refuse(node, f"{name} takes {n_least} number(s) here.", "Give them in order.")
        self.expressions(*node.args)

    def helper_call(self, node: ast.Call) -> None:
        name = name_of_call(node)
        if name not in self.program.functions:
            raise self.refuse(
                node, f"the function {name} is not known.", "Call functions defined beside this one."
            )
        wanted = self.program.functions[name].args.args
        if node.keywords or len(node.args) != len(wanted):
            raise self.refuse(
                node, f"{name} takes {len(wanted)} arguments.", "Give all of them in order, without names."
            )
        self.expressions(*node.args)
