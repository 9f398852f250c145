"""Arrays in one safetensors file with a JSON header: no pickle, nothing executed on load."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from toolkit.errors import DataError
from toolkit.io.atomic import write_bytes

HEADER_KEY = "toolkit"


def save_arrays(path: str | Path, arrays: Mapping[str, np.ndarray], header: Mapping[str, Any]) -> None:
    """Write named arrays and a JSON-able header as one safetensors file."""
    from safetensors.numpy import save

    contiguous = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    text = json.dumps(header, ensure_ascii=False, allow_nan=False)
    write_bytes(path, save(contiguous, metadata={HEADER_KEY: text}))


def load_arrays(path: str | Path) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Arrays and header of a file written by :func:`save_arrays`."""
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    header = read_header(path)
    try:
        return load_file(path), header
    except SafetensorError as error:
        raise _unreadable(path, error) from error


def read_header(path: str | Path) -> dict[str, Any]:
    """Header alone, without reading the arrays."""
    from safetensors import SafetensorError, safe_open

    if not Path(path).is_file():
        raise DataError("the file does not exist.", where=str(path))
    try:
        with safe_open(path, framework="numpy") as file:
            header = json.loads((file.metadata() or {}).get(HEADER_KEY, "{}"))
    except (SafetensorError, ValueError) as error:
        raise _unreadable(path, error) from error
    if not isinstance(header, dict):
        raise DataError(f"its header is a {type(header).__name__}, not named values.", where=str(path))
    return header


def _unreadable(path: str | Path, error: Exception) -> DataError:
    return DataError(
        f"not a whole safetensors file ({error}).",
        where=str(path),
        fix="Delete it and make or download it again; pickled checkpoints are never loaded.",
    )
