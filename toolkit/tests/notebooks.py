"""Notebooks run cell by cell in this process, so that a test can change what surrounds them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nbformat
import pytest

from toolkit.errors import DataError
from toolkit.session import Run


def hide_data(monkeypatch: pytest.MonkeyPatch) -> None:
    """From here on notebooks find none of the data sets that are fetched."""

    def absent(run: Run, name: str, **options: object) -> None:
        raise DataError(f"data set '{name}' is not here.", fix=f"toolkit fetch {name}")

    monkeypatch.setattr(Run, "load", absent)


def run_cells(path: Path, **parameters: Any) -> dict[str, Any]:
    """Everything that a notebook's code defines, run with other values in its parameters cell."""
    names: dict[str, Any] = {}
    for cell in nbformat.read(path, as_version=4).cells:
        if cell.cell_type == "code":
            exec(cell.source, names)
            if "parameters" in cell.metadata.get("tags", []):
                names |= parameters
    return names
