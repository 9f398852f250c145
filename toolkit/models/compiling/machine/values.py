"""Kinds of values, and how they are written in the language of LLVM."""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np

WHOLE, NUMBER, TRUTH = "i64", "double", "i1"
"""Kinds of single values."""

_WIDTH = (TRUTH, WHOLE, NUMBER)

STORED = {WHOLE: "i64", NUMBER: "double", TRUTH: "i8"}
"""How an element of an array is stored."""

N_BYTES = {WHOLE: 8, NUMBER: 8, TRUTH: 1}

_ELEMENTS = {np.dtype(np.int64): WHOLE, np.dtype(np.float64): NUMBER, np.dtype(np.bool_): TRUTH}


class NotTranslated(Exception):
    """Something that is left to numba, with what it is."""


@dataclass(frozen=True)
class ArrayKind:
    """Arrays in rows, one behind the other, of elements of one kind."""

    element: str
    n_axes: int


Kind = str | ArrayKind


@dataclass(frozen=True)
class Scalar:
    """A single value: its kind, and the register or number that it is."""

    kind: str
    text: str


@dataclass(frozen=True)
class Array:
    """An array: where it begins, and its sizes, each a register or a number."""

    kind: ArrayKind
    pointer: str
    sizes: tuple[str, ...]


Value = Scalar | Array


def constant(value: bool | int | float) -> Scalar:
    """A number that is written out."""
    if isinstance(value, bool):
        return Scalar(TRUTH, "true" if value else "false")
    if isinstance(value, int):
        if not -(2**63) <= value < 2**63:
            raise NotTranslated("a whole number of more than 64 bits")
        return Scalar(WHOLE, str(value))
    (bits,) = struct.unpack("<Q", struct.pack("<d", value))
    return Scalar(NUMBER, f"0x{bits:016X}")


def whole_constant(value: Value) -> int | None:
    """The whole number that is written out, if it is one."""
    if isinstance(value, Scalar) and value.kind == WHOLE and not value.text.startswith("%"):
        return int(value.text)
    return None


def joined(one: Kind, other: Kind) -> Kind:
    """The kind that holds values of both."""
    if one == other:
        return one
    if isinstance(one, ArrayKind) or isinstance(other, ArrayKind):
        raise NotTranslated("a name of different things")
    return max(one, other, key=_WIDTH.index)


def kind_of(given: object) -> Kind:
    """Of an argument as Python has it."""
    if isinstance(given, np.ndarray):
        if given.dtype not in _ELEMENTS or not given.flags.c_contiguous:
            raise NotTranslated(f"an array of {given.dtype}, or with gaps")
        return ArrayKind(_ELEMENTS[given.dtype], given.ndim)
    if isinstance(given, bool | np.bool_):
        return TRUTH
    if isinstance(given, int | np.integer):
        return WHOLE
    if isinstance(given, float | np.floating):
        return NUMBER
    raise NotTranslated(f"an argument of type {type(given).__name__}")
