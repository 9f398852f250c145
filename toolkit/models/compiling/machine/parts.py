"""Instructions for elements and parts of arrays."""

from __future__ import annotations

import ast
from abc import abstractmethod
from collections.abc import Sequence

from toolkit.models.compiling.machine.values import (
    NUMBER,
    STORED,
    TRUTH,
    WHOLE,
    Array,
    ArrayKind,
    NotTranslated,
    Scalar,
    Value,
    whole_constant,
)
from toolkit.models.compiling.machine.writing import Writing
from toolkit.models.compiling.vocabulary import is_shape


class Parts(Writing):
    """Where elements lie, and what lies there."""

    @abstractmethod
    def value(self, node: ast.expr) -> Value:
        """The value of an expression, a number or an array."""

    def scalar(self, node: ast.expr) -> Scalar:
        """The value of an expression that is a single one."""
        value = self.value(node)
        if isinstance(value, Array):
            raise NotTranslated("a whole array in an expression")
        return value

    def whole(self, node: ast.expr) -> Scalar:
        """The same of a whole number."""
        value = self.scalar(node)
        if value.kind == NUMBER:
            raise NotTranslated("a number with a fraction as an index or a size")
        return self.converted(value, WHOLE)

    def array(self, node: ast.expr) -> Array:
        """The value of an expression that is an array."""
        value = self.value(node)
        if isinstance(value, Scalar):
            raise NotTranslated("a single number as an array")
        return value

    def place(self, array: Array, indices: Sequence[ast.expr]) -> str:
        """Where an element or a part begins that has these first indices."""
        offset = "0"
        for position, index in enumerate(indices):
            size = array.sizes[position]
            at = self._index(self.whole(index), size)
            offset = at if position == 0 else self._sum(self._product(offset, size), at)
        for size in array.sizes[len(indices) :]:
            offset = self._product(offset, size)
        return self.at(array.pointer, array.kind.element, offset)

    def _index(self, index: Scalar, size: str) -> str:
        """An index, one below 0 counted from the end, compared with the size where that is asked for."""
        known = whole_constant(index)
        at = index.text
        if known is None or known < 0:
            below = self.compute(f"icmp slt i64 {at}, 0")
            at = self.compute(f"select i1 {below}, i64 {self._sum(at, size)}, i64 {at}")
        if self.checks_bounds:
            self.demand(f"icmp ult i64 {at}, {size}", self.OUTSIDE)
        return at

    def _sum(self, one: str, other: str) -> str:
        return self.compute(f"add i64 {one}, {other}")

    def _product(self, one: str, other: str) -> str:
        return "0" if one == "0" else self.compute(f"mul i64 {one}, {other}")

    def part(self, node: ast.Subscript) -> Value:
        """An element, a part or a size of an array."""
        if is_shape(node.value):
            return self._size(self.array(node.value.value), node.slice)
        array = self.array(node.value)
        indices = list(node.slice.elts) if isinstance(node.slice, ast.Tuple) else [node.slice]
        if len(indices) > array.kind.n_axes:
            raise NotTranslated("more indices than axes")
        cut = indices.pop() if isinstance(indices[-1], ast.Slice) else None
        pointer, sizes = self.place(array, indices), array.sizes[len(indices) :]
        if not sizes:
            return self.fetch(pointer, array.kind.element)
        part = Array(ArrayKind(array.kind.element, len(sizes)), pointer, sizes)
        return part if cut is None else self._slice(part, cut)

    def _size(self, array: Array, which: ast.expr) -> Scalar:
        position = whole_constant(self.scalar(which))
        if position is None or not 0 <= position < array.kind.n_axes:
            raise NotTranslated("a size that is not written out")
        return Scalar(WHOLE, array.sizes[position])

    def _slice(self, array: Array, cut: ast.Slice) -> Array:
        """Rows of an array, from one to before another; those of trials always lie inside."""
        if cut.step is not None or cut.upper is None:
            raise NotTranslated("a slice of that form")
        begin = self.whole(cut.lower).text if cut.lower is not None else "0"
        size = self.compute(f"sub i64 {self.whole(cut.upper).text}, {begin}")
        offset = begin
        for other in array.sizes[1:]:
            offset = self._product(offset, other)
        pointer = self.at(array.pointer, array.kind.element, offset)
        return Array(array.kind, pointer, (size, *array.sizes[1:]))

    def fetch(self, pointer: str, kind: str) -> Scalar:
        """The element that lies somewhere."""
        found = self.compute(f"load {STORED[kind]}, ptr {pointer}")
        return Scalar(kind, self.compute(f"icmp ne i8 {found}, 0") if kind == TRUTH else found)
