"""What `toolkit status` shows: runs, their sections, and where the running ones are."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass, field
from typing import Any

from toolkit.errors import DataError, ToolkitError
from toolkit.manifest import read_manifest
from toolkit.pipeline.attempts import Attempt, interrupted_manifest, read_attempts
from toolkit.pipeline.driver import format_seconds
from toolkit.pipeline.locks import read_holder
from toolkit.pipeline.plan import load_pipeline
from toolkit.pipeline.runlog import LOG_NAME
from toolkit.pipeline.runs import Run


@dataclass(frozen=True)
class SectionStatus:
    """One section of a run.

    Attributes
    ----------
    status
        "succeeded", "failed", "interrupted", "running" or "not run".
    cell, cells, text
        The running cell, how many there are, and its first line.
    progress
        What the running cell itself says: what, done, total, left_s.
    """

    section: str
    status: str
    seconds: float | None = None
    reason: str = ""
    advice: str = ""
    cell: int | None = None
    cells: int | None = None
    text: str = ""
    cell_seconds: float | None = None
    memory_mb: float | None = None
    progress: dict[str, Any] | None = None


@dataclass(frozen=True)
class RunStatus:
    """A run and its sections."""

    run_id: str
    profile: str
    created: str
    running: bool
    sections: list[SectionStatus] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """The object that ``toolkit status --json`` prints."""
        return asdict(self)


def read_status(run: Run) -> RunStatus:
    """Where a run is; it changes nothing."""
    attempts = {attempt.section: attempt for attempt in read_attempts(run)}
    sections = [_section_status(run, name, attempts.get(name)) for name in _section_names(run)]
    running = read_holder(run.lock) is not None or any(s.status == "running" for s in sections)
    return RunStatus(run.run_id, run.profile, run.created, running, sections)


def status_lines(status: RunStatus) -> list[str]:
    """A run in words, one line a section and one more where there is something to say."""
    lines = [f"{status.run_id}  profile {status.profile}{'  (running)' if status.running else ''}"]
    for section in status.sections:
        took = format_seconds(section.seconds) if section.seconds is not None else ""
        lines.append(f"  {section.section:24} {section.status:12} {took}".rstrip())
        if section.status == "running":
            lines.append(f"    {_where(section)}")
        elif section.reason:
            lines.append(f"    {section.reason} {section.advice}".rstrip())
    return lines


class LogTail:
    """What has come to the logs of running sections since the last look."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._read: dict[str, int] = {}

    def new_lines(self) -> list[str]:
        """Lines not seen yet, each with its section's name."""
        places = {a.section: a.folder for a in read_attempts(self._run) if a.is_alive}
        for name in self._read.keys() - places.keys():
            places[name] = self._run.section_folder(name)
        lines = []
        for name, folder in places.items():
            path = folder / LOG_NAME
            if path.is_file():
                with path.open(encoding="utf-8", errors="replace") as file:
                    file.seek(self._read.get(name, 0))
                    lines += [f"{name} | {line.rstrip()}" for line in file]
                    self._read[name] = file.tell()
        return lines


def _section_names(run: Run) -> list[str]:
    """Sections of the pipeline, or those that have a folder if the pipeline file is gone."""
    try:
        return load_pipeline(run.pipeline_path).names
    except ToolkitError:
        return sorted(path.parent.name for path in run.folder.glob("*/manifest.json"))


def _section_status(run: Run, name: str, attempt: Attempt | None) -> SectionStatus:
    if attempt is not None and attempt.is_alive:
        return _running(attempt)
    if attempt is not None:
        manifest = interrupted_manifest(run, attempt)
    else:
        try:
            manifest = read_manifest(run.section_folder(name))
        except DataError as error:
            return SectionStatus(name, "failed", reason=str(error))
    if manifest is None:
        return SectionStatus(name, "not run")
    return SectionStatus(name, manifest.status, manifest.seconds, manifest.reason, manifest.advice)


def _running(attempt: Attempt) -> SectionStatus:
    beat, now = attempt.beat, time.time()
    return SectionStatus(
        attempt.section,
        "running",
        seconds=round(now - beat["started"], 1),
        cell=beat["cell"],
        cells=beat["cells"],
        text=beat["text"],
        cell_seconds=round(now - beat["cell_started"], 1),
        memory_mb=beat["memory_mb"],
        progress=attempt.progress,
    )


def _where(section: SectionStatus) -> str:
    if not section.cell:
        return "the kernel is starting"
    parts = [
        f"cell {section.cell}/{section.cells}",
        section.text,
        f"for {format_seconds(section.cell_seconds)}",
    ]
    if progress := section.progress:
        total = f"/{progress['total']}" if progress.get("total") else ""
        parts.append(f"{progress['what']} {progress['done']}{total}")
        if progress.get("left_s") is not None:
            parts.append(f"about {format_seconds(progress['left_s'])} left")
    if section.memory_mb is not None:
        parts.append(f"{section.memory_mb:.0f} MB")
    return "  ".join(parts)
