"""Arrays with a JSON header; pickles are refused."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest

from toolkit import io
from toolkit.errors import DataError


def test_arrays_and_header_come_back(tmp_path: Path) -> None:
    arrays = {"weights": np.arange(6.0).reshape(2, 3)[:, ::-1], "mask": np.array([True, False])}
    io.save_arrays(tmp_path / "a.safetensors", arrays, {"prior": "ecological", "steps": 10})
    loaded, header = io.load_arrays(tmp_path / "a.safetensors")
    assert header == {"prior": "ecological", "steps": 10} == io.read_header(tmp_path / "a.safetensors")
    for name, array in arrays.items():
        np.testing.assert_array_equal(loaded[name], array)


class _Bomb:
    def __reduce__(self) -> tuple:
        return Path.touch, (Path("exploded"),)


@pytest.mark.parametrize("content", [pickle.dumps(_Bomb()), b"", b"\x08\x00\x00\x00\x00\x00\x00\x00{}"])
def test_what_is_no_safetensors_file_is_refused_and_not_executed(
    tmp_path, monkeypatch, content: bytes
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.safetensors").write_bytes(content)
    with pytest.raises(DataError, match="a.safetensors: not a whole safetensors file"):
        io.load_arrays("a.safetensors")
    assert not Path("exploded").exists()


def test_a_truncated_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    io.save_arrays(path, {"a": np.zeros(1000)}, {})
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(DataError, match="not a whole"):
        io.load_arrays(path)
