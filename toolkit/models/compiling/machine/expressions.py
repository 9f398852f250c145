"""Instructions for expressions: arithmetic as Python and NumPy mean it, elements and parts of arrays, calls."""

from __future__ import annotations

import ast
import math
from collections.abc import Callable

from toolkit.models.compiling.machine.parts import Parts
from toolkit.models.compiling.machine.values import (
    NUMBER,
    TRUTH,
    WHOLE,
    NotTranslated,
    Scalar,
    Value,
    constant,
    joined,
    whole_constant,
)
from toolkit.models.compiling.vocabulary import ABSOLUTE, SMALLER_OR_LARGER, name_of_call

_OPERATIONS = {
    ast.Add: {NUMBER: "fadd", WHOLE: "add"},
    ast.Sub: {NUMBER: "fsub", WHOLE: "sub"},
    ast.Mult: {NUMBER: "fmul", WHOLE: "mul"},
}
_COMPARISONS = {
    ast.Eq: ("oeq", "eq"),
    ast.NotEq: ("une", "ne"),
    ast.Lt: ("olt", "slt"),
    ast.LtE: ("ole", "sle"),
    ast.Gt: ("ogt", "sgt"),
    ast.GtE: ("oge", "sge"),
}
_LIBRARY = ("exp", "expm1", "log", "log1p", "tanh")
_NUMBERS = {"inf": math.inf, "nan": math.nan, "pi": math.pi}


class Expressions(Parts):
    """What a function's statements are made of."""

    def test(self, node: ast.expr) -> Scalar:
        """Whether an expression counts as true; what decides comes first, and the rest is not computed."""
        if isinstance(node, ast.BoolOp):
            return self._decided(node, self.test)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            return Scalar(TRUTH, self.compute(f"xor i1 {self.test(node.operand).text}, true"))
        value = self.scalar(node)
        if value.kind == NUMBER:
            return Scalar(TRUTH, self.compute(f"fcmp une double {value.text}, 0.0"))
        if value.kind == WHOLE:
            return Scalar(TRUTH, self.compute(f"icmp ne i64 {value.text}, 0"))
        return value

    def value(self, node: ast.expr) -> Value:
        """The value of an expression, a number or an array."""
        match node:
            case ast.Constant(value=bool() | int() | float()):
                return constant(node.value)
            case ast.Name(id=name):
                return self.load(name)
            case ast.Subscript():
                return self.part(node)
            case ast.BinOp():
                return self._operation(node.op, self.scalar(node.left), node.right)
            case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as number)):
                return constant(-number)
            case ast.UnaryOp(op=ast.USub()):
                return self._negative(self.scalar(node.operand))
            case ast.UnaryOp(op=ast.UAdd()):
                return self.scalar(node.operand)
            case ast.UnaryOp():
                return self.test(node)
            case ast.BoolOp():
                return self._decided(node, self._truth)
            case ast.Compare():
                return self._compared(node)
            case ast.IfExp():
                return self._choice(node)
            case ast.Call():
                return self._call(node)
            case ast.Attribute(value=ast.Name(id="np" | "math"), attr=name) if name in _NUMBERS:
                return constant(_NUMBERS[name])
        raise NotTranslated(f"`{ast.unparse(node)}`")

    # -- arithmetic ---------------------------------------------------------------------------

    def combine(self, operator: ast.operator, left: Scalar, right: Scalar) -> Scalar:
        """The result of an operator."""
        kinds = _OPERATIONS.get(type(operator))
        if kinds is not None:
            kind = WHOLE if (shared := joined(left.kind, right.kind)) == TRUTH else shared
            return self._applied(kinds[kind], kind, left, right)
        if isinstance(operator, ast.Div):
            if right.kind == WHOLE and (left.kind == WHOLE or not left.text.startswith("%")):
                self._check_divisor(right)  # Neither is NumPy's, whose numbers divide by 0.
            return self._applied("fdiv", NUMBER, left, right)
        if isinstance(operator, ast.Pow):
            return self._power(left, right)
        if NUMBER in (left.kind, right.kind):
            raise NotTranslated("// or % of numbers with fractions")
        function = "floor_divide" if isinstance(operator, ast.FloorDiv) else "remainder"
        left, right = (self.converted(one, WHOLE) for one in (left, right))
        self._check_divisor(right)
        return Scalar(WHOLE, self.compute(f"call i64 @{function}(i64 {left.text}, i64 {right.text})"))

    def _check_divisor(self, whole: Scalar) -> None:
        if self.checks_bounds and not whole_constant(whole):
            self.demand(f"icmp ne i64 {whole.text}, 0", self.BY_NOTHING)

    def _operation(self, operator: ast.operator, left: Scalar, right: ast.expr) -> Scalar:
        return self.combine(operator, left, self.scalar(right))

    def _applied(self, instruction: str, kind: str, left: Scalar, right: Scalar) -> Scalar:
        a, b = (self.converted(one, kind).text for one in (left, right))
        return Scalar(kind, self.compute(f"{instruction} {kind} {a}, {b}"))

    def _power(self, base: Scalar, exponent: Scalar) -> Scalar:
        if base.kind != NUMBER and exponent.kind != NUMBER:
            times = whole_constant(exponent)
            if times is None or not 0 <= times <= 8:
                raise NotTranslated("a power of whole numbers")
            result = constant(1)
            for _ in range(times):
                result = self._applied("mul", WHOLE, result, base)
            return result
        return self._function("pow", base, exponent)

    def _function(self, name: str, *given: Scalar) -> Scalar:
        arguments = ", ".join(f"double {self.converted(one, NUMBER).text}" for one in given)
        return Scalar(NUMBER, self.compute(f"call double @{name}({arguments})"))

    def _negative(self, value: Scalar) -> Scalar:
        if value.kind == NUMBER:
            return Scalar(NUMBER, self.compute(f"fneg double {value.text}"))
        return Scalar(WHOLE, self.compute(f"sub i64 0, {self.converted(value, WHOLE).text}"))

    # -- truth --------------------------------------------------------------------------------

    def _compare(self, operator: ast.cmpop, left: Scalar, right: Scalar) -> str:
        of_numbers, of_wholes = _COMPARISONS[type(operator)]
        kind = NUMBER if NUMBER in (left.kind, right.kind) else WHOLE
        a, b = (self.converted(one, kind).text for one in (left, right))
        if kind == NUMBER:
            return self.compute(f"fcmp {of_numbers} double {a}, {b}")
        return self.compute(f"icmp {of_wholes} i64 {a}, {b}")

    def _compared(self, node: ast.Compare) -> Scalar:
        if len(node.ops) > 1:  # What is behind the first that does not hold is not computed.
            terms = [node.left, *node.comparators]
            pairs = [
                ast.Compare(a, [how], [b]) for a, how, b in zip(terms, node.ops, terms[1:], strict=False)
            ]
            return self._decided(ast.BoolOp(ast.And(), pairs), self.test)
        left, right = self.scalar(node.left), self.scalar(node.comparators[0])
        return Scalar(TRUTH, self._compare(node.ops[0], left, right))

    def _truth(self, node: ast.expr) -> Scalar:
        """A value of which and/or make a truth; of numbers they make one of the numbers."""
        value = self.scalar(node)
        if value.kind != TRUTH:
            raise NotTranslated("and/or between numbers")
        return value

    def _decided(self, node: ast.BoolOp, part: Callable[[ast.expr], Scalar]) -> Scalar:
        slot, done = self.slot("i1"), self.new_label()
        for one in node.values:
            value = part(one)
            self.write(f"store i1 {value.text}, ptr {slot}")
            after = self.new_label()
            ways = (after, done) if isinstance(node.op, ast.And) else (done, after)
            self.branch(value, *ways)
            self.label(after)
        self.jump(done)
        self.label(done)
        return Scalar(TRUTH, self.compute(f"load i1, ptr {slot}"))

    def _choice(self, node: ast.IfExp) -> Scalar:
        yes, no, done = self.new_label(), self.new_label(), self.new_label()
        self.branch(self.test(node.test), yes, no)
        ways = []
        for label, part in ((yes, node.body), (no, node.orelse)):
            with self.apart() as lines:
                self.label(label)
                ways.append((lines, self.scalar(part)))
        kind = joined(*(value.kind for _, value in ways))
        slot = self.slot(kind)
        for lines, value in ways:
            self.lines += lines
            self.write(f"store {kind} {self.converted(value, kind).text}, ptr {slot}")
            self.jump(done)
        self.label(done)
        return Scalar(kind, self.compute(f"load {kind}, ptr {slot}"))

    # -- functions ----------------------------------------------------------------------------

    def _call(self, node: ast.Call) -> Scalar:
        name = name_of_call(node)
        if self.knows(name):
            results = self.call(node)
            if len(results) != 1:
                raise NotTranslated("a function of several results in an expression")
            return results[0]
        if name in SMALLER_OR_LARGER:
            return self._smaller_or_larger(name, [self.scalar(one) for one in node.args])
        if name == "len":
            return Scalar(WHOLE, self.array(node.args[0]).sizes[0])
        if len(node.args) != 1 or node.keywords:
            raise NotTranslated(f"`{ast.unparse(node)}`")
        value = self.scalar(node.args[0])
        module, _, function = name.rpartition(".")
        if name in ABSOLUTE:
            return self._absolute(value, as_number=module == "math")
        if name == "int" and value.kind == NUMBER:
            return self._whole_part(value)
        simple: dict[str, Callable[[], Scalar]] = {
            "int": lambda: self.converted(value, WHOLE),
            "float": lambda: self.converted(value, NUMBER),
            "sqrt": lambda: self._function("llvm.sqrt.f64", value),
            "isnan": lambda: self._ordered(value, "uno"),
            "isinf": lambda: self._ordered(self._function("llvm.fabs.f64", value), "oeq", math.inf),
            "isfinite": lambda: self._ordered(self._function("llvm.fabs.f64", value), "olt", math.inf),
        }
        simple |= {one: lambda one=one: self._function(one, value) for one in _LIBRARY}
        if function not in simple:
            raise NotTranslated(f"the function {name}")
        return simple[function]()

    def _whole_part(self, value: Scalar) -> Scalar:
        if self.checks_bounds:
            size = self._function("llvm.fabs.f64", value)
            self.demand(f"fcmp olt double {size.text}, {constant(2.0**63).text}", self.NOT_WHOLE)
        return Scalar(WHOLE, self.compute(f"fptosi double {value.text} to i64"))

    def _absolute(self, value: Scalar, *, as_number: bool) -> Scalar:
        if value.kind == NUMBER or as_number:
            return self._function("llvm.fabs.f64", value)
        whole = self.converted(value, WHOLE)
        return self._smaller_or_larger("max", [whole, self._negative(whole)])

    def _ordered(self, value: Scalar, how: str, other: float = 0.0) -> Scalar:
        a, b = self.converted(value, NUMBER).text, constant(other).text
        return Scalar(TRUTH, self.compute(f"fcmp {how} double {a}, {b}"))

    def _smaller_or_larger(self, name: str, given: list[Scalar]) -> Scalar:
        kind = NUMBER if any(one.kind == NUMBER for one in given) else WHOLE
        first, *others = (self.converted(one, kind) for one in given)
        operator = ast.Lt() if SMALLER_OR_LARGER[name] == "<" else ast.Gt()
        for second in others:
            taken = self._compare(operator, second, first)
            if kind == NUMBER and name.startswith(
                "np."
            ):  # NumPy's are not a number where one of both is none.
                missing = self.compute(f"fcmp uno double {second.text}, {second.text}")
                taken = self.compute(f"or i1 {taken}, {missing}")
                absent = self.compute(f"fcmp uno double {first.text}, {first.text}")
                taken = self.compute(f"select i1 {absent}, i1 false, i1 {taken}")
            text = self.compute(f"select i1 {taken}, {kind} {second.text}, {kind} {first.text}")
            first = Scalar(kind, text)
        return first
