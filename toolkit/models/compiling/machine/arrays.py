"""Instructions for new arrays, and for storing into arrays."""

from __future__ import annotations

import ast

from toolkit.models.compiling.machine.expressions import Expressions
from toolkit.models.compiling.machine.values import (
    N_BYTES,
    NUMBER,
    STORED,
    TRUTH,
    WHOLE,
    Array,
    ArrayKind,
    NotTranslated,
    Scalar,
    constant,
)
from toolkit.models.compiling.vocabulary import WHOLE_NUMBERS, is_shape, name_of_call, shape_of

_ON_STACK = 64
"""Elements up to which an array of a known size lies on the stack, where LLVM can make registers of it."""

_MOST_ELEMENTS = 2**31
"""Elements of an array beyond which there is no memory for it."""


class Arrays(Expressions):
    """New arrays and what is stored in them.

    Attributes
    ----------
    depth
        Of loops around the statement that is written.
    """

    depth = 0

    def store_in(self, target: ast.Subscript, value: ast.expr) -> None:
        """Store a value in an element, or in all of a row, or in all that have one last index."""
        indices = list(target.slice.elts) if isinstance(target.slice, ast.Tuple) else [target.slice]
        array = self.array(target.value)
        if isinstance(indices[0], ast.Slice) and len(indices) == 1:
            self._fill(array, self._element(array, self.scalar(value)))
            return
        if isinstance(indices[0], ast.Constant) and indices[0].value is Ellipsis and len(indices) == 2:
            element, width = self._element(array, self.scalar(value)), array.sizes[-1]
            self._fill(array, element, self.whole(indices[1]).text, width)
            return
        if len(indices) != array.kind.n_axes or any(isinstance(one, ast.Slice) for one in indices):
            raise NotTranslated("a part of an array that is assigned")
        # Python computes the value before the place.
        element = self._element(array, self.scalar(value))
        self.write(f"store {element}, ptr {self.place(array, indices)}")

    def _element(self, array: Array, value: Scalar) -> str:
        """A value with its type, as the array holds it."""
        kind = array.kind.element
        if kind == TRUTH or (kind == WHOLE and value.kind == NUMBER):
            raise NotTranslated("a number in an array of another kind")
        return f"{STORED[kind]} {self.converted(value, kind).text}"

    def _n_elements(self, sizes: tuple[str, ...]) -> str:
        count = sizes[0]
        for size in sizes[1:]:
            count = self.compute(f"mul i64 {count}, {size}")
        return count

    def _fill(self, array: Array, element: str, first: str = "0", step: str = "1") -> None:
        """Store an element again and again."""
        count, counter = self._n_elements(array.sizes), self.slot("i64")
        head, body, done = self.new_label(), self.new_label(), self.new_label()
        self.write(f"store i64 {first}, ptr {counter}")
        self._begin(head)
        now = self.compute(f"load i64, ptr {counter}")
        self.branch(Scalar(TRUTH, self.compute(f"icmp slt i64 {now}, {count}")), body, done)
        self.label(body)
        self.write(f"store {element}, ptr {self.at(array.pointer, array.kind.element, now)}")
        self.write(f"store i64 {self.compute(f'add nsw i64 {now}, {step}')}, ptr {counter}")
        self.jump(head)
        self.label(done)

    # -- new arrays ---------------------------------------------------------------------------

    def allocate(self, call: ast.Call) -> Array:
        """A new array, filled as the call says."""
        if is_identity(call):
            size = self.whole(call.args[0]).text
            array = self._new(NUMBER, (size, size))
            self._fill(array, f"double {constant(0.0).text}")
            diagonal = Array(array.kind, array.pointer, array.sizes)
            self._fill(diagonal, f"double {constant(1.0).text}", step=self.compute(f"add i64 {size}, 1"))
            return array
        filled = self.scalar(call.args[1]) if len(call.args) > 1 else None
        kind = WHOLE if any(ast.unparse(one.value) == WHOLE_NUMBERS for one in call.keywords) else NUMBER
        if filled is not None and not call.keywords and filled.kind != NUMBER:
            raise NotTranslated("an array filled with a whole number")
        array = self._new(kind, self._shape(shape_of(call)))
        how = name_of_call(call)
        if how != "np.empty":
            start = filled or self.converted(constant(int(how == "np.ones")), kind)
            self._fill(array, self._element(array, start))
        return array

    def _shape(self, shape: ast.expr) -> tuple[str, ...]:
        match shape:
            case ast.BinOp(left=left, op=ast.Add(), right=ast.Tuple(elts=more)):
                return (*self._shape(left), *(self.whole(one).text for one in more))
            case ast.Attribute() if is_shape(shape):
                return self.array(shape.value).sizes
            case ast.Tuple(elts=sizes):
                return tuple(self.whole(one).text for one in sizes)
        return (self.whole(shape).text,)

    def _new(self, kind: str, sizes: tuple[str, ...]) -> Array:
        """Room for an array: on the stack if it is small, else from what the caller has set aside."""
        known = 1
        for size in sizes:
            known *= _ON_STACK + 1 if size.startswith("%") else int(size)
        array_kind = ArrayKind(kind, len(sizes))
        # In a loop an array of an earlier round may go on under another name.
        if 0 < known <= _ON_STACK and not self.depth:
            return Array(array_kind, self.slot(f"[{known} x {STORED[kind]}], align 16"), sizes)
        n_bytes = self.compute(f"mul i64 {self._few_enough(sizes)}, {N_BYTES[kind]}")
        rounded = self.compute(f"and i64 {self.compute(f'add i64 {n_bytes}, 15')}, -16")
        end = self.compute("getelementptr i8, ptr %arena, i64 8")
        begin, limit = self.compute("load ptr, ptr %arena"), self.compute(f"load ptr, ptr {end}")
        room = self._difference(limit, begin)
        self._require(f"icmp ule i64 {rounded}, {room}")
        following = self.compute(f"getelementptr i8, ptr {begin}, i64 {rounded}")
        self.write(f"store ptr {following}, ptr %arena")
        return Array(array_kind, begin, sizes)

    def _few_enough(self, sizes: tuple[str, ...]) -> str:
        """How many elements, unless they are too many, or a size is below 0; no product is too large for 64 bits."""
        count = "1"
        for size in sizes:
            self._require(f"icmp ule i64 {size}, {_MOST_ELEMENTS}")
            count = self.compute(f"mul i64 {count}, {size}")
            self._require(f"icmp ule i64 {count}, {_MOST_ELEMENTS}")
        return count

    def _require(self, test: str) -> None:
        """Go on only where there is enough memory."""
        self.demand(test, self.TOO_MUCH)

    def _difference(self, one: str, other: str) -> str:
        a, b = (self.compute(f"ptrtoint ptr {pointer} to i64") for pointer in (one, other))
        return self.compute(f"sub i64 {a}, {b}")


def is_identity(node: ast.expr) -> bool:
    """Whether this is ``np.eye(…)``, which only derivatives of whole theta begin with."""
    return isinstance(node, ast.Call) and name_of_call(node) == "np.eye"
