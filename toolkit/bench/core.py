"""What a benchmark is: rows that set our seconds beside those of a plain reference implementation."""

from __future__ import annotations

import platform
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Row:
    """One thing timed both ways in one process run.

    Attributes
    ----------
    what
        The work, with its size; where the reference is slow, the subset both were timed on.
    ours_s, reference_s
        Median seconds.
    goal
        The aim in words, for instance "ratio ≥ 50".
    same_result
        Whether both gave the same numbers.
    met
        Whether the goal is reached.
    """

    what: str
    ours_s: float
    reference_s: float
    goal: str
    same_result: bool
    met: bool
    note: str = ""

    @property
    def ratio(self) -> float:
        """How many times faster ours is."""
        return self.reference_s / self.ours_s


@dataclass(frozen=True)
class Report:
    """All rows of one benchmark."""

    name: str
    rows: list[Row]
    machine: dict[str, Any] = field(default_factory=lambda: describe_machine())

    def as_json(self) -> dict[str, Any]:
        """The object that ``toolkit bench --json`` prints."""
        names = ("what", "ours_s", "reference_s", "ratio", "goal", "met", "same_result", "note")
        rows = [{name: getattr(row, name) for name in names} for row in self.rows]
        return {"name": self.name, "machine": self.machine, "rows": rows}


def describe_machine() -> dict[str, Any]:
    """Processor, cores and Python of this machine."""
    import os

    return {
        "system": platform.platform(),
        "processor": platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
    }


def median_seconds(*works: Callable[[], Any], repeats: int = 3) -> list[float]:
    """Median seconds of each work, the works taking turns so that noise falls on all alike."""
    seconds: list[list[float]] = [[] for _ in works]
    for _ in range(repeats):
        for work, taken in zip(works, seconds, strict=True):
            started = time.perf_counter()
            work()
            taken.append(time.perf_counter() - started)
    return [statistics.median(taken) for taken in seconds]
