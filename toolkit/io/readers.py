"""Readers of text and JSON that name the file and the place when it does not parse."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from toolkit.errors import DataError


def read_lines(path: str | Path) -> list[str]:
    """Lines of a text file in UTF-8."""
    path = Path(path)
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        raise DataError("the file does not exist.", where=str(path)) from None
    except UnicodeDecodeError as error:
        raise DataError(f"not text in UTF-8 ({error}).", where=str(path), fix="Save it as UTF-8.") from error


def read_json(path: str | Path) -> Any:
    """Parsed content of a JSON file."""
    path = Path(path)
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise DataError("the file does not exist.", where=str(path)) from None
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise DataError(f"not valid JSON ({error}).", where=str(path), fix="Delete or restore it.") from error
