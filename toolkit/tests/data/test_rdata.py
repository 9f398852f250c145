"""The reader of R's tables, against published copies and damaged files."""

from __future__ import annotations

import gzip
import struct

import numpy as np
import pandas as pd
import pytest

from toolkit.data.cache import locate_one
from toolkit.data.rdata import read_rdata
from toolkit.errors import DataError


@pytest.mark.data
@pytest.mark.parametrize("name", ["nosof88", "shin92", "krus96", "homa76"])
def test_tables_of_catlearn(name, derived):
    table = read_rdata(locate_one("catlearn", f"{name}.RData"))[name]
    expected = derived(f"human/catlearn_summaries/{name}.csv", keep_default_na=False, na_values=[""])
    assert list(table) == list(expected)
    for column in expected:
        if pd.api.types.is_numeric_dtype(expected[column]):
            np.testing.assert_allclose(table[column].astype(float), expected[column])
        else:
            assert (table[column].replace("", np.nan).fillna("?") == expected[column].fillna("?")).all()


def _int(value: int) -> bytes:
    return struct.pack(">i", value)


def _text(text: str | None) -> bytes:
    content = b"" if text is None else text.encode()
    return _int(9) + _int(-1 if text is None else len(content)) + content


def _strings(*texts: str | None) -> bytes:
    return _int(16) + _int(len(texts)) + b"".join(map(_text, texts))


def _symbol(name: str) -> bytes:
    return _int(1) + _text(name)


def _saved(*, version: int = 2, magic: bytes = b"RDX2\n") -> bytes:
    """A data frame t with a double, an integer with NA, a factor with NA and a text, as R writes it."""
    head = magic + b"X\n" + _int(version) + _int(0x040301) + _int(0x020300)
    if version == 3:
        head += _int(5) + b"UTF-8"
    double = _int(14) + _int(2) + struct.pack(">2d", 1.5, np.nan)
    integer = _int(13) + _int(2) + _int(7) + _int(-(2**31))
    levels = _int(1026) + _symbol("levels") + _strings("low", "high") + _int(254)
    factor = _int(13 | 0x200) + _int(2) + _int(2) + _int(-(2**31)) + levels
    text = _strings("a", None)
    names = _int(1026) + _symbol("names") + _strings("d", "i", "f", "s") + _int(254)
    frame = _int(19 | 0x200) + _int(4) + double + integer + factor + text + names
    return head + _int(1026) + _symbol("t") + frame + _int(254)


@pytest.mark.parametrize(
    "content",
    [_saved(), gzip.compress(_saved()), _saved(version=3, magic=b"RDX3\n")],
    ids=["plain", "gzip", "3"],
)
def test_columns_of_every_kind_and_missing_values(tmp_path, content):
    (tmp_path / "t.rda").write_bytes(content)
    table = read_rdata(tmp_path / "t.rda")["t"]
    assert table["d"].tolist()[0] == 1.5 and np.isnan(table["d"][1])
    assert table["i"][0] == 7 and np.isnan(table["i"][1])
    assert table["f"][0] == "high" and pd.isna(table["f"][1])
    assert table["s"][0] == "a" and pd.isna(table["s"][1])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "RDX2"),
        (b"hello", "RDX2"),
        (b"RDX2\nA\n", "XDR"),
        (_saved()[:-20], "ends too early"),
        (gzip.compress(_saved(), mtime=0)[:10] + b"\xff" * 20, "that can be read"),
        (gzip.compress(_saved(), mtime=0)[:-30], "cannot|that can be read"),
        (_saved().replace(_int(19 | 0x200), _int(3)), "type 3"),
    ],
)
def test_what_is_no_saved_table_is_an_error_with_the_file(tmp_path, content, message):
    (tmp_path / "t.rda").write_bytes(content)
    with pytest.raises(DataError, match=message) as caught:
        read_rdata(tmp_path / "t.rda")
    assert "t.rda" in str(caught.value)
