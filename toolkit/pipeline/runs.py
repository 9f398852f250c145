"""Run folders: their names, what they were asked to do, and where things lie in them."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from toolkit.errors import DataError, UsageError
from toolkit.io import read_json, sha256_of_bytes, write_json
from toolkit.manifest import read_manifest
from toolkit.paths import project_root, runs_dir
from toolkit.pipeline.parameters import Overrides

RUN_NAME = "run.json"

_BEGAN = "%Y%m%d-%H%M%S"


class Run(BaseModel):
    """What a run was asked to do; kept in its folder as run.json.

    Attributes
    ----------
    pipeline
        The pipeline file, relative to the project where it lies in it.
    overrides
        Parameters set by hand, by section and name.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    run_id: str
    profile: str
    pipeline: str
    overrides: Overrides = {}
    created: str

    @property
    def folder(self) -> Path:
        """The run's folder."""
        return runs_dir() / self.run_id

    @property
    def pipeline_path(self) -> Path:
        """The pipeline file as an absolute path."""
        return project_root() / self.pipeline

    @property
    def work(self) -> Path:
        """Private folders of the attempts that are being made."""
        return self.folder / ".work"

    @property
    def lock(self) -> Path:
        """Lock of whoever drives this run."""
        return self.folder / ".lock"

    def section_folder(self, section: str) -> Path:
        """Published folder of a section."""
        return self.folder / section

    def section_lock(self, section: str) -> Path:
        """Lock of whoever runs this section."""
        return self.work / f"{section}.lock"

    def scratch(self, section: str) -> Path:
        """Folder of checkpoints that outlives an interrupted attempt."""
        return self.folder / ".scratch" / section


def open_run(pipeline: Path, profile: str, overrides: Overrides, *, fresh: bool = False) -> Run:
    """The newest run that was asked for the same, or a new one; nothing is written.

    Two runs are asked for the same if profile, overrides and pipeline file are the same.
    """
    request = {"profile": profile, "overrides": overrides, "pipeline": _relative(pipeline)}
    key = sha256_of_bytes(_canonical(request))[:8]
    if not fresh:
        for folder in sorted(runs_dir().glob(f"[0-9]*-{key}"), reverse=True):
            if (folder / RUN_NAME).is_file():
                return read_run(folder.name)
    now = datetime.now()
    return Run(run_id=_free_name(now, key), created=now.isoformat(sep=" ", timespec="seconds"), **request)


def create_run(run: Run) -> None:
    """Make the run's folder, for its owner only: executed notebooks hold data of people."""
    run.folder.mkdir(parents=True, exist_ok=True)
    run.folder.chmod(0o700)
    if not (run.folder / RUN_NAME).exists():
        write_json(run.folder / RUN_NAME, run.model_dump(mode="json"))


def read_run(run_id: str) -> Run:
    """What a run was asked to do."""
    path = runs_dir() / run_id / RUN_NAME
    if not path.is_file():
        raise UsageError(
            f"there is no run '{run_id}'.", where=str(path.parent), fix="`toolkit status` lists them."
        )
    try:
        return Run.model_validate(read_json(path))
    except ValidationError as error:
        raise DataError(
            "it does not describe a run.", where=str(path), fix="Delete the folder of this run."
        ) from error


def list_runs() -> list[Run]:
    """All runs, the newest first."""
    folders = sorted(runs_dir().glob("[0-9]*-*"), reverse=True)
    return [read_run(folder.name) for folder in folders if (folder / RUN_NAME).is_file()]


def publish(private: Path, run: Run, section: str) -> Path:
    """Give a finished private folder its final name; a reader sees the old one or the new one.

    The last attempt that succeeded before is kept in ``.previous``.
    """
    final, discarded = run.section_folder(section), private.with_name(f"{private.name}.discarded")
    if final.exists():
        aside = run.folder / ".previous" / section
        earlier = read_manifest(final)
        if earlier is not None and earlier.status == "succeeded":
            shutil.rmtree(aside, ignore_errors=True)
            aside.parent.mkdir(exist_ok=True)
            final.rename(aside)
        else:
            final.rename(discarded)
    _flush_folder(private)
    private.rename(final)
    _flush_folder(run.folder)
    shutil.rmtree(discarded, ignore_errors=True)
    return final


def _flush_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    # Some network file systems cannot fsync a folder; the rename is still atomic there.
    with contextlib.suppress(OSError):
        os.fsync(descriptor)
    os.close(descriptor)


def _free_name(now: datetime, key: str) -> str:
    """A name that sorts behind all others, also if the clock was set back since the last run began."""
    for folder in runs_dir().glob("[0-9]*-*"):
        with contextlib.suppress(ValueError):
            now = max(now, datetime.strptime(folder.name[:15], _BEGAN) + timedelta(seconds=1))
    return f"{now:{_BEGAN}}-{key}"


def _relative(pipeline: Path) -> str:
    pipeline = pipeline.resolve()
    root = project_root()
    return pipeline.relative_to(root).as_posix() if pipeline.is_relative_to(root) else str(pipeline)


def _canonical(content: Any) -> bytes:
    return json.dumps(content, sort_keys=True, ensure_ascii=False, allow_nan=False).encode()
