"""Attempts at sections: private folders of those being made, and what killed ones left over."""

from __future__ import annotations

import contextlib
import shutil
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from toolkit.errors import DataError, UsageError
from toolkit.io import read_json
from toolkit.manifest import Manifest, damaged_artifacts, read_manifest, write_manifest
from toolkit.pipeline.locks import Holder, hold
from toolkit.pipeline.runs import Run, publish
from toolkit.pipeline.supervisor import CONTINUE, HEARTBEAT_NAME, PROGRESS_NAME


@dataclass(frozen=True)
class Attempt:
    """A private folder with its last sign of life.

    Attributes
    ----------
    beat
        Content of its heartbeat: cell, cells, text, started, cell_started, memory_mb, at.
    """

    section: str
    folder: Path
    holder: Holder
    beat: dict[str, Any]

    @property
    def is_alive(self) -> bool:
        """Whether its process still lives."""
        return self.holder.is_alive(self.beat["at"])

    @property
    def progress(self) -> dict[str, Any] | None:
        """What the running cell says about how far it is, or None."""
        path = self.folder / PROGRESS_NAME
        try:
            return read_json(path) if path.is_file() else None
        except DataError:
            return None


def read_attempts(run: Run) -> list[Attempt]:
    """Attempts that have not been published, alive or dead."""
    found = []
    for folder in sorted(run.work.glob("*-*")):
        section, _, number = folder.name.partition("-")
        if not number.isdigit() or not folder.is_dir():
            continue
        try:
            beat = read_json(folder / HEARTBEAT_NAME)
            found.append(Attempt(section, folder, Holder.model_validate(beat), beat))
        except (DataError, ValidationError):
            continue  # It is just being published or removed.
    return found


def refuse_if_running(run: Run) -> None:
    """Raise if a section of this run is being made by someone."""
    for attempt in read_attempts(run):
        if attempt.is_alive:
            raise UsageError(
                f"section {attempt.section} of run {run.run_id} is being worked on by {attempt.holder}.",
                fix="Watch it with `toolkit status --follow`, or wait until it has ended.",
            )


def recover(run: Run) -> list[str]:
    """Turn what killed attempts left over into interrupted sections; returns their names.

    An attempt that was whole and lacked only its final name gets it.
    """
    names = []
    for section in {attempt.section for attempt in read_attempts(run) if not attempt.is_alive}:
        # Whoever holds the lock puts the section in order.
        with contextlib.suppress(UsageError), hold(run.section_lock(section), f"section {section}"):
            settle_dead(run, section)
            names.append(section)
    _remove_rubbish(run)
    return sorted(names)


def settle_dead(run: Run, section: str) -> None:
    """Publish what killed attempts at one section left over; the caller holds its lock."""
    for attempt in read_attempts(run):
        if attempt.section == section and not attempt.is_alive:
            _settle(run, attempt)


def interrupted_manifest(run: Run, attempt: Attempt) -> Manifest:
    """What is known about an attempt whose process is gone."""
    beat = attempt.beat
    where = f" in cell {beat['cell']} of {beat['cells']} ({beat['text']})" if beat.get("cell") else ""
    return Manifest(
        section=attempt.section,
        run_id=run.run_id,
        profile=run.profile,
        status="interrupted",
        reason=f"its process was killed{where}; out of memory, a crash of the machine, or kill -9.",
        advice=CONTINUE,
        key="",
        params={},
        started=timestamp(beat["started"]),
        ended=timestamp(beat["at"]),
        seconds=round(beat["at"] - beat["started"], 2),
        peak_memory_mb=beat.get("memory_mb"),
        last_cell=beat.get("cell") or None,
    )


def timestamp(seconds: float) -> str:
    """Local time with its offset, as manifests have it."""
    return datetime.fromtimestamp(seconds).astimezone().isoformat(timespec="seconds")


def clear_private_files(folder: Path) -> None:
    """Remove what only a running attempt needs."""
    for name in (HEARTBEAT_NAME, PROGRESS_NAME):
        (folder / name).unlink(missing_ok=True)


def _settle(run: Run, attempt: Attempt) -> None:
    if not _is_whole(attempt.folder):
        for entry in attempt.folder.iterdir():
            if entry.is_dir():
                shutil.rmtree(entry)
            elif entry.name not in (HEARTBEAT_NAME, "run.log"):
                entry.unlink()
        write_manifest(attempt.folder, interrupted_manifest(run, attempt))
    clear_private_files(attempt.folder)
    publish(attempt.folder, run, attempt.section)


def _is_whole(folder: Path) -> bool:
    try:
        manifest = read_manifest(folder)
    except DataError:
        return False
    return manifest is not None and not damaged_artifacts(folder, manifest.artifacts)


def _remove_rubbish(run: Run) -> None:
    """Folders without a heartbeat, or moved out of the way, whose process is gone."""
    alive = {attempt.folder for attempt in read_attempts(run) if attempt.is_alive}
    for folder in run.work.glob("*-*"):
        if folder.is_dir() and folder not in alive and not _is_young(folder):
            shutil.rmtree(folder, ignore_errors=True)


def _is_young(folder: Path) -> bool:
    return time.time() - folder.stat().st_mtime < 30
