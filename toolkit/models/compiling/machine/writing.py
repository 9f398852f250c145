"""Lines of one function in the language of LLVM, and the variables that they use."""

from __future__ import annotations

import ast
import contextlib
from abc import ABC, abstractmethod
from collections.abc import Iterator

from toolkit.models.compiling.machine.values import (
    NUMBER,
    STORED,
    TRUTH,
    WHOLE,
    Array,
    ArrayKind,
    Kind,
    NotTranslated,
    Scalar,
    Value,
    joined,
)


class Writing(ABC):
    """What is written so far.

    Every variable has a place on the stack, which LLVM makes a register of. What kinds of values a variable takes
    is known when all has been written once; where a kind turns out wider, all is written again.
    """

    OUTSIDE, TOO_MUCH, BY_NOTHING, NOT_WHOLE, FAILED = (
        "outside",
        "too_much",
        "by_nothing",
        "not_whole",
        "failed",
    )

    def __init__(self, *, checks_bounds: bool) -> None:
        self.checks_bounds = checks_bounds
        self.kinds: dict[str, Kind] = {}
        self.changed = False
        self.begin()

    def begin(self) -> None:
        """Forget the lines, but not the kinds."""
        self.lines: list[str] = []
        self.stack: list[str] = []
        self.changed = False
        self._n_names = 0

    @abstractmethod
    def knows(self, name: str) -> bool:
        """Whether there is a function of that name."""

    @abstractmethod
    def call(self, node: ast.Call) -> list[Scalar]:
        """Call a function of the module; what it returns."""

    # -- lines --------------------------------------------------------------------------------

    def write(self, line: str) -> None:
        """Add an instruction."""
        self.lines.append(f"  {line}")

    def compute(self, instruction: str) -> str:
        """Add an instruction and return the register of its result."""
        self._n_names += 1
        self.lines.append(f"  %t{self._n_names} = {instruction}")
        return f"%t{self._n_names}"

    def slot(self, kind: str) -> str:
        """A place on the stack."""
        self._n_names += 1
        self.stack.append(f"  %s{self._n_names} = alloca {kind}")
        return f"%s{self._n_names}"

    def new_label(self) -> str:
        """The name of a place to jump to."""
        self._n_names += 1
        return f"b{self._n_names}"

    def label(self, name: str) -> None:
        """Begin the block of that name."""
        self.lines.append(f"{name}:")

    def jump(self, label: str) -> None:
        """End the block."""
        self.write(f"br label %{label}")

    def branch(self, test: Scalar, yes: str, no: str) -> None:
        """End the block with a decision."""
        self.write(f"br i1 {test.text}, label %{yes}, label %{no}")

    def demand(self, test: str, otherwise: str) -> None:
        """Go on where a test holds, and end the function at one of its exits where it does not."""
        after = self.new_label()
        self.branch(Scalar(TRUTH, self.compute(test)), after, otherwise)
        self.label(after)

    @contextlib.contextmanager
    def apart(self) -> Iterator[list[str]]:
        """Lines that are kept for later."""
        before, self.lines = self.lines, []
        yield self.lines
        self.lines = before

    def converted(self, value: Scalar, kind: str) -> Scalar:
        """The same value as a wider kind."""
        if value.kind == kind:
            return value
        if kind == NUMBER:
            how = "sitofp" if value.kind == WHOLE else "uitofp"
            return Scalar(NUMBER, self.compute(f"{how} {value.kind} {value.text} to double"))
        if value.kind == TRUTH:
            return Scalar(WHOLE, self.compute(f"zext i1 {value.text} to i64"))
        raise NotTranslated(f"a {value.kind} where a {kind} is needed")

    def at(self, pointer: str, kind: str, offset: str) -> str:
        """Where an element lies."""
        return self.compute(f"getelementptr inbounds {STORED[kind]}, ptr {pointer}, i64 {offset}")

    # -- variables ----------------------------------------------------------------------------

    def define(self, name: str, kind: Kind) -> Kind:
        """Let a variable also take values of a kind; returns the kind that holds all of its values."""
        known = joined(self.kinds.get(name, kind), kind)
        if name in self.kinds and known != self.kinds[name]:
            self.changed = True
        self.kinds[name] = known
        return known

    def keep(self, name: str, value: Value) -> None:
        """Assign a variable."""
        kind = self.define(name, value.kind)
        if isinstance(value, Scalar):
            assert isinstance(kind, str)
            self.write(f"store {kind} {self.converted(value, kind).text}, ptr {_place(name)}")
            return
        self.write(f"store ptr {value.pointer}, ptr {_place(name)}")
        for axis, size in enumerate(value.sizes):
            self.write(f"store i64 {size}, ptr {_place(name, axis)}")

    def load(self, name: str) -> Value:
        """The value of a variable."""
        if name not in self.kinds:
            raise NotTranslated(f"the name {name}")
        kind = self.kinds[name]
        if isinstance(kind, str):
            return Scalar(kind, self.compute(f"load {kind}, ptr {_place(name)}"))
        pointer = self.compute(f"load ptr, ptr {_place(name)}")
        sizes = [self.compute(f"load i64, ptr {_place(name, axis)}") for axis in range(kind.n_axes)]
        return Array(kind, pointer, tuple(sizes))

    def variables(self) -> list[str]:
        """The places of all variables, with nothing in them: what is never assigned is 0, and an array of no size."""
        lines = []
        for name, kind in self.kinds.items():
            places = [(_place(name), kind if isinstance(kind, str) else "ptr")]
            n_axes = kind.n_axes if isinstance(kind, ArrayKind) else 0
            places += [(_place(name, axis), "i64") for axis in range(n_axes)]
            for place, type_ in places:
                lines += [f"  {place} = alloca {type_}", f"  store {type_} zeroinitializer, ptr {place}"]
        return lines


def _place(name: str, axis: int | None = None) -> str:
    return f'%"v.{name}"' if axis is None else f'%"v.{name}.{axis}"'
