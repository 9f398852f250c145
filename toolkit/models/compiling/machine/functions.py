"""Instructions for statements, and whole functions."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from toolkit.models.compiling.machine.arrays import Arrays, is_identity
from toolkit.models.compiling.machine.values import (
    TRUTH,
    WHOLE,
    Array,
    Kind,
    NotTranslated,
    Scalar,
    Value,
    constant,
    joined,
    whole_constant,
)
from toolkit.models.compiling.vocabulary import is_allocation, is_shape, name_of_call
from toolkit.syntax import parse_expression

if TYPE_CHECKING:
    from toolkit.models.compiling.machine.module import Translation


class Function(Arrays):
    """One function for arguments of certain kinds.

    Attributes
    ----------
    name
        In the translation.
    returns
        Kinds of what it returns.
    text
        All of it, in the language of LLVM.
    """

    def __init__(
        self, translation: Translation, definition: ast.FunctionDef, kinds: list[Kind], name: str
    ) -> None:
        super().__init__(checks_bounds=translation.checks_bounds)
        self.translation, self.definition, self.name = translation, definition, name
        self.given = dict(zip((one.arg for one in definition.args.args), kinds, strict=True))
        self.kinds |= self.given
        n_returned = max((_n_values(one) for one in ast.walk(definition)), default=0)
        self.returns: list[str] = [TRUTH] * n_returned
        if n_returned and not _always_returns(definition.body):
            raise NotTranslated("a function that may end without a result")
        while True:
            self.begin()
            self._write()
            if not self.changed:
                break
        self.text = "\n".join(self._whole())

    def knows(self, name: str) -> bool:
        return name in self.translation.definitions

    def _write(self) -> None:
        self._loops: list[tuple[str, str]] = []
        self.depth = 0
        self.block(self.definition.body)

    def _whole(self) -> list[str]:
        arguments, kept = ["ptr %arena"], []
        for name, kind in self.given.items():
            if isinstance(kind, str):
                arguments.append(f'{kind} %"a.{name}"')
                value: Value = Scalar(kind, f'%"a.{name}"')
            else:
                sizes = [f'%"a.{name}.{axis}"' for axis in range(kind.n_axes)]
                arguments += [f'ptr %"a.{name}"', *(f"i64 {size}" for size in sizes)]
                value = Array(kind, f'%"a.{name}"', tuple(sizes))
            with self.apart() as lines:
                self.keep(name, value)
                kept += lines
        arguments += [f"ptr %r{i}" for i in range(len(self.returns))]
        how = "dso_local" if self.name == self.translation.entry else "internal"
        return [
            f'define {how} i32 @"{self.name}"({", ".join(arguments)}) inlinehint nounwind {{',
            *("entry:", *self.variables(), *self.stack, "  %status = alloca i32"),
            *("  %mark = load ptr, ptr %arena", *kept, *self.lines, "  br label %done"),
            *("done:", "  store ptr %mark, ptr %arena", "  ret i32 0"),
            *(f"{self.OUTSIDE}:", "  ret i32 1", f"{self.TOO_MUCH}:", "  ret i32 2"),
            *(f"{self.BY_NOTHING}:", "  ret i32 3", f"{self.NOT_WHOLE}:", "  ret i32 4"),
            *(f"{self.FAILED}:", "  %code = load i32, ptr %status", "  ret i32 %code", "}"),
        ]

    # -- statements ---------------------------------------------------------------------------

    def block(self, statements: list[ast.stmt]) -> None:
        """Write statements one after the other."""
        for statement in statements:
            self._statement(statement)

    def _statement(self, node: ast.stmt) -> None:
        match node:
            case ast.Expr(value=ast.Call()):
                self.call(node.value)
            case ast.Expr(value=ast.Constant()) | ast.Pass():
                pass
            case ast.Assign(targets=[target]):
                self._assign(target, node.value)
            case ast.AugAssign():
                before = parse_expression(ast.unparse(node.target))
                self._assign(node.target, ast.BinOp(before, node.op, node.value))
            case ast.For():
                self._for(node)
            case ast.While():
                head, body, done = self.new_label(), self.new_label(), self.new_label()
                self._begin(head)
                self.branch(self.test(node.test), body, done)
                self._loop(node.body, body, head, head, done)
            case ast.If():
                self._if(node)
            case ast.Return():
                self._return(node)
            case ast.Break() | ast.Continue() if self._loops:
                self._leave(self._loops[-1][isinstance(node, ast.Continue)])
            case _:
                raise NotTranslated(f"`{ast.unparse(node)}`")

    def _begin(self, label: str) -> None:
        self.jump(label)
        self.label(label)

    def _leave(self, label: str) -> None:
        """Jump away; what is written behind is never reached, but is a block."""
        self.jump(label)
        self.label(self.new_label())

    def _loop(self, body: list[ast.stmt], begin: str, again: str, head: str, done: str) -> None:
        """The body of a loop: ``continue`` leads to ``again``, ``break`` to ``done``."""
        self.label(begin)
        self._loops.append((done, again))
        self.depth += 1
        self.block(body)
        self.depth -= 1
        self._loops.pop()
        self.jump(again)
        if again == head:
            self.label(done)

    def _for(self, node: ast.For) -> None:
        bounds = [self.whole(one) for one in node.iter.args]
        first, last = (constant(0), bounds[0]) if len(bounds) == 1 else bounds[:2]
        step = whole_constant(bounds[2]) if len(bounds) == 3 else 1
        if not step:
            raise NotTranslated("a step that is not written out")
        counter, body = self.slot("i64"), self.new_label()
        head, again, done = self.new_label(), self.new_label(), self.new_label()
        self.write(f"store i64 {first.text}, ptr {counter}")
        self._begin(head)
        now = self.compute(f"load i64, ptr {counter}")
        inside = self.compute(f"icmp {'slt' if step > 0 else 'sgt'} i64 {now}, {last.text}")
        self.branch(Scalar(TRUTH, inside), body, done)
        with self.apart() as kept:
            self.keep(node.target.id, Scalar(WHOLE, now))
        with self.apart() as lines:
            self._loop(node.body, body, again, head, done)
        self.lines += [lines[0], *kept, *lines[1:]]
        self.label(again)
        following = self.compute(f"add nsw i64 {now}, {step}")
        self.write(f"store i64 {following}, ptr {counter}")
        self.jump(head)
        self.label(done)

    def _if(self, node: ast.If) -> None:
        yes, no, done = self.new_label(), self.new_label(), self.new_label()
        self.branch(self.test(node.test), yes, no)
        for label, part in ((yes, node.body), (no, node.orelse)):
            self.label(label)
            self.block(part)
            self.jump(done)
        self.label(done)

    def _return(self, node: ast.Return) -> None:
        values = _values(node)
        if len(values) != len(self.returns):
            raise NotTranslated("returns of different lengths")
        for position, one in enumerate(values):
            value = self.scalar(one)
            kind = joined(self.returns[position], value.kind)
            assert isinstance(kind, str)
            if kind != self.returns[position]:
                self.returns[position], self.changed = kind, True
            self.write(f"store {kind} {self.converted(value, kind).text}, ptr %r{position}")
        self._leave("done")

    # -- assignments --------------------------------------------------------------------------

    def _assign(self, target: ast.expr, value: ast.expr) -> None:
        match target:
            case ast.Tuple():
                self._unpack([one.id for one in target.elts if isinstance(one, ast.Name)], value)
            case ast.Subscript():
                self.store_in(target, value)
            case ast.Name() if is_allocation(value) or is_identity(value):
                self.keep(target.id, self.allocate(value))
            case ast.Name():
                self.keep(target.id, self.value(value))
            case _:
                raise NotTranslated(f"`{ast.unparse(target)}`")

    def _unpack(self, names: list[str], value: ast.expr) -> None:
        if is_shape(value):
            sizes = self.array(value.value).sizes
            values: list[Scalar] = [Scalar(WHOLE, size) for size in sizes]
        elif isinstance(value, ast.Tuple):
            values = [self.scalar(one) for one in value.elts]
        elif isinstance(value, ast.Call) and self.knows(name_of_call(value)):
            values = self.call(value)
        else:
            raise NotTranslated(f"`{ast.unparse(value)}` as several values")
        if len(names) != len(values):
            raise NotTranslated("as many names as values are needed")
        for name, one in zip(names, values, strict=True):
            self.keep(name, one)

    # -- calls --------------------------------------------------------------------------------

    def call(self, node: ast.Call) -> list[Scalar]:
        if not self.knows(name_of_call(node)):
            raise NotTranslated(f"the function {name_of_call(node)}")
        given = [self.value(one) for one in node.args]
        function = self.translation.function(name_of_call(node), [one.kind for one in given])
        texts = ["ptr %arena"]
        for one in given:
            if isinstance(one, Scalar):
                texts.append(f"{one.kind} {one.text}")
            else:
                texts += [f"ptr {one.pointer}", *(f"i64 {size}" for size in one.sizes)]
        slots = [self.slot(kind) for kind in function.returns]
        texts += [f"ptr {slot}" for slot in slots]
        status = self.compute(f'call i32 @"{function.name}"({", ".join(texts)})')
        self.write(f"store i32 {status}, ptr %status")
        self.demand(f"icmp eq i32 {status}, 0", self.FAILED)
        return [
            Scalar(kind, self.compute(f"load {kind}, ptr {slot}"))
            for kind, slot in zip(function.returns, slots, strict=True)
        ]


def _values(node: ast.Return) -> list[ast.expr]:
    if node.value is None:
        return []
    return list(node.value.elts) if isinstance(node.value, ast.Tuple) else [node.value]


def _n_values(node: ast.AST) -> int:
    return len(_values(node)) if isinstance(node, ast.Return) else 0


def _always_returns(statements: list[ast.stmt]) -> bool:
    last = statements[-1]
    if isinstance(last, ast.If):
        return bool(last.orelse) and _always_returns(last.body) and _always_returns(last.orelse)
    return isinstance(last, ast.Return)
