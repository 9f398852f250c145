"""How parent and worker talk: a JSON header and plain arrays behind one another. Nothing is unpickled."""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

_FRAME = struct.Struct("<4sIQ")
_MAGIC = b"TKD1"
FRAME_BYTES = _FRAME.size
LONGEST_HEADER = 2**24
_SMALL = 2**15
_TYPES = ("<f8", "<i8", "|b1")


class BadMessage(Exception):
    """Bytes that are no message."""


@dataclass(frozen=True)
class Message:
    """What is sent: JSON content and arrays by name."""

    content: dict[str, Any]
    arrays: dict[str, np.ndarray] = field(default_factory=dict)


def encode(content: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> list[bytes | memoryview]:
    """A message as pieces to be written one behind the other."""
    plain = {name: _plain(array) for name, array in arrays.items()}
    listed = [[name, array.dtype.str, list(array.shape)] for name, array in plain.items()]
    header = json.dumps({"content": content, "arrays": listed}).encode()
    n_bytes = sum(array.nbytes for array in plain.values())
    pieces = [memoryview(array).cast("B") for array in plain.values() if array.nbytes]
    begin = _FRAME.pack(_MAGIC, len(header), n_bytes) + header
    # Small messages are written at once: whoever waits for them wakes up once.
    return [b"".join([begin, *pieces])] if n_bytes <= _SMALL else [begin, *pieces]


def sizes(frame: bytes) -> tuple[int, int]:
    """Bytes of the header and of the arrays that follow the first ``FRAME_BYTES``."""
    magic, n_header, n_arrays = _FRAME.unpack(frame)
    if magic != _MAGIC or n_header > LONGEST_HEADER:
        raise BadMessage("this is no message.")
    return n_header, n_arrays


def decode(header: bytes, body: bytes | bytearray | memoryview) -> Message:
    """The message of a header and the bytes of its arrays, all of which come from a stranger."""
    try:
        told = json.loads(header)
        content, listed = told["content"], told["arrays"]
        arrays, position = {}, 0
        for name, dtype, shape in listed:
            if dtype not in _TYPES or not all(isinstance(n, int) and n >= 0 for n in shape):
                raise BadMessage("an array of another kind.")
            count = math.prod(shape)
            kind = np.dtype(dtype)
            if position + count * kind.itemsize > len(body):
                raise BadMessage("an array is cut short.")
            arrays[str(name)] = np.frombuffer(body, kind, count, position).reshape(shape)
            position += count * kind.itemsize
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise BadMessage(f"this is no message: {error}") from error
    if not isinstance(content, dict) or position != len(body):
        raise BadMessage("this is no message.")
    return Message(content, arrays)


def _plain(array: np.ndarray) -> np.ndarray:
    array = np.asarray(array)
    dtype = {"b": "|b1", "i": "<i8", "u": "<i8"}.get(array.dtype.kind, "<f8")
    return np.ascontiguousarray(array, dtype=dtype).reshape(array.shape)
