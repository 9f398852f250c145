"""`toolkit bench`: our speed beside a plain reference implementation, as ratios in one process run.

A benchmark is a module here with a function ``rows() -> list[Row]``; its first docstring line says
what it measures. The reference is written as a competent researcher would first write it, checked to
give the same numbers, and never slowed down.
"""

from __future__ import annotations

import ast
import importlib
from pathlib import Path

from toolkit.bench.core import Report, Row, median_seconds
from toolkit.errors import UsageError, did_you_mean

__all__ = ["Report", "Row", "list_benchmarks", "median_seconds", "run_benchmark"]


def list_benchmarks() -> dict[str, str]:
    """Every benchmark by name, with what it measures."""
    files = sorted(Path(__file__).parent.glob("[!_]*.py"))
    docstrings = {file.stem: ast.get_docstring(ast.parse(file.read_text())) or "" for file in files}
    return {name: text.splitlines()[0] for name, text in docstrings.items() if name != "core"}


def run_benchmark(name: str) -> Report:
    """Run one benchmark."""
    known = list_benchmarks()
    if name not in known:
        raise UsageError(f"there is no benchmark '{name}'.", fix=did_you_mean(name, known))
    return Report(name, importlib.import_module(f"toolkit.bench.{name}").rows())
