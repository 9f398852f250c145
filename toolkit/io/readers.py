"""Readers of JSON that name the file and the place when it does not parse."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from toolkit.errors import DataError


def read_json(path: str | Path) -> Any:
    """Parsed content of a JSON file."""
    path = Path(path)
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise DataError("the file does not exist.", where=str(path)) from None
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise DataError(f"not valid JSON ({error}).", where=str(path), fix="Delete or restore it.") from error
