"""Notebooks run cell by cell in this process, so that a test can change what surrounds them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nbformat
import plotly.graph_objects as go
import pytest

from toolkit.errors import DataError
from toolkit.manifest import Record, read_record
from toolkit.session import Run
from toolkit.viz import read_figure


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


def read_section(home: Path, section: str) -> tuple[Path, Record, dict[str, go.Figure]]:
    """Folder, record and figures of a section that a test ran to its end."""
    folder = home / "papermill_runs" / "interactive" / section
    record = read_record(folder)
    assert record is not None
    figures = {a.name: read_figure(folder / a.path) for a in record.artifacts if a.kind == "figure"}
    return folder, record, figures
