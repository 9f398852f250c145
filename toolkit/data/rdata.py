"""A reader of R's saved tables (.rda, .RData): vectors, factors and data frames, nothing that runs."""

from __future__ import annotations

import bz2
import gzip
import lzma
import struct
import zlib
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from toolkit.errors import DataError

_MAGIC = (b"RDX2\n", b"RDX3\n")
_OPENERS = {b"\x1f\x8b": gzip.decompress, b"BZ": bz2.decompress, b"\xfd7": lzma.decompress}
# What bytes of another meaning lead to, not only what unpacking says.
_UNREADABLE = (
    *(struct.error, zlib.error, lzma.LZMAError, OSError),
    *(EOFError, IndexError, KeyError, TypeError, ValueError),
)
_NIL, _GLOBAL, _REFERENCE = 254, 253, 255
_SYMBOL, _PAIRLIST, _CHAR, _LOGICAL, _INTEGER, _REAL, _STRING, _LIST = 1, 2, 9, 10, 13, 14, 16, 19
_NO_INTEGER = -(2**31)


class _Value(NamedTuple):
    """An R vector or list with its attributes."""

    data: Any
    attributes: dict[str, Any]


def read_rdata(path: str | Path) -> dict[str, pd.DataFrame]:
    """Data frames of a file written by R's ``save()``, by name.

    Reads the binary XDR format, versions 2 and 3. Factors become their labels; other objects than data
    frames are an error.
    """
    content = Path(path).read_bytes()
    unpack = _OPENERS.get(content[:2], bytes)
    try:
        return _Reader(unpack(content)).tables()
    except _UNREADABLE as error:
        raise DataError(
            f"not a table saved by R that can be read here ({error}).", where=str(path)
        ) from error


class _Reader:
    def __init__(self, content: bytes) -> None:
        if content[:5] not in _MAGIC:
            raise ValueError("it does not begin with RDX2 or RDX3")
        if content[5:7] != b"X\n":
            raise ValueError("it is not in the binary XDR format")
        self.content, self.at = content, 7
        self.symbols: list[str] = []
        version, _, _ = self._integers(3)
        if version == 3:
            self._bytes(self._integer())

    def tables(self) -> dict[str, pd.DataFrame]:
        return {name: _table(value) for name, value in self._item().items()}

    def _item(self) -> Any:
        flags = self._integer()
        kind, has_attributes = flags & 0xFF, bool(flags & 0x200)
        if kind in (_NIL, _GLOBAL):
            return {}
        if kind == _REFERENCE:
            return self.symbols[(flags >> 8) - 1]
        if kind == _SYMBOL:
            self.symbols.append(self._item())
            return self.symbols[-1]
        if kind == _PAIRLIST:
            return self._pairs(flags)
        if kind == _CHAR:
            return self._text()
        data = self._vector(kind)
        return _Value(data, self._item() if has_attributes else {})

    def _pairs(self, flags: int) -> dict[str, Any]:
        pairs: dict[str, Any] = {}
        while flags & 0xFF == _PAIRLIST:
            if flags & 0x200:
                self._item()
            name = self._item() if flags & 0x400 else str(len(pairs))
            pairs[name] = self._item()
            flags = self._integer()
        return pairs

    def _vector(self, kind: int) -> Any:
        if kind == _REAL:
            length = self._integer()
            return np.frombuffer(self._bytes(8 * length), ">f8").astype(float)
        if kind in (_INTEGER, _LOGICAL):
            length = self._integer()
            return np.frombuffer(self._bytes(4 * length), ">i4").astype(np.int64)
        if kind in (_STRING, _LIST):
            return [self._item() for _ in range(self._integer())]
        raise ValueError(f"it holds an object of R's type {kind}")

    def _text(self) -> str | None:
        length = self._integer()
        return None if length == -1 else self._bytes(length).decode("utf-8", errors="replace")

    def _integer(self) -> int:
        return self._integers(1)[0]

    def _integers(self, count: int) -> tuple[int, ...]:
        return struct.unpack(f">{count}i", self._bytes(4 * count))

    def _bytes(self, count: int) -> bytes:
        if count < 0 or self.at + count > len(self.content):
            raise ValueError("it ends too early")
        self.at += count
        return self.content[self.at - count : self.at]


def _table(frame: Any) -> pd.DataFrame:
    if not isinstance(frame, _Value) or "names" not in frame.attributes or not isinstance(frame.data, list):
        raise ValueError("it holds something else than a data frame")
    names = frame.attributes["names"].data
    return pd.DataFrame({name: _column(value) for name, value in zip(names, frame.data, strict=True)})


def _column(value: _Value) -> Any:
    if "levels" in value.attributes:
        levels = np.array([*value.attributes["levels"].data, None], dtype=object)
        return levels[np.where(value.data > 0, value.data - 1, -1)]
    data = value.data
    if isinstance(data, np.ndarray) and data.dtype.kind == "i" and (data == _NO_INTEGER).any():
        return np.where(data == _NO_INTEGER, np.nan, data)
    return data
