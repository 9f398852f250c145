"""The manifest: what a section's folder holds, how it came about, and whether it is whole."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from toolkit.errors import DataError, Fault
from toolkit.io import read_json, sha256_of_file, write_json

MANIFEST_NAME = "manifest.json"
RECORD_NAME = "record.json"
SCHEMA_VERSION = 1

Status = Literal["succeeded", "failed", "interrupted"]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Artifact(_Frozen):
    """One file a section made; ``path`` is relative to the section's folder."""

    name: str
    path: str
    kind: Literal["table", "json", "arrays", "trials", "figure"]
    sha256: str
    bytes: int


class Record(_Frozen):
    """What the notebook itself says when it finishes; the runner makes the manifest of it."""

    section: str
    params: dict[str, Any]
    seed_streams: dict[str, int]
    device: str
    inputs: dict[str, str]
    artifacts: list[Artifact]
    takeaways: list[str]


class Manifest(_Frozen):
    """The truth about one attempt at a section; written last.

    Attributes
    ----------
    key
        Hash of everything the result depends on; a section is fresh while it equals the key of today.
    parts
        Digest of each thing in the key beside the parameters, so that a change can be named.
    inputs
        sha256 of every data file and upstream artifact used, by name.
    reason, advice
        What went wrong and what to do, unless it succeeded.
    """

    schema_version: int = SCHEMA_VERSION
    section: str
    run_id: str
    profile: str
    status: Status
    reason: str = ""
    advice: str = ""
    key: str
    parts: dict[str, str] = {}
    params: dict[str, Any]
    seed_streams: dict[str, int] = {}
    inputs: dict[str, str] = {}
    artifacts: list[Artifact] = []
    takeaways: list[str] = []
    git: dict[str, Any] = {}
    packages: dict[str, str] = {}
    machine: dict[str, Any] = {}
    started: str
    ended: str
    seconds: float
    cell_seconds: list[float] = []
    peak_memory_mb: float | None = None
    last_cell: int | None = None


def read_manifest(folder: str | Path) -> Manifest | None:
    """Manifest in a section's folder, or None where there is none."""
    path = Path(folder) / MANIFEST_NAME
    return _parse(Manifest, path) if path.is_file() else None


def read_record(folder: str | Path) -> Record | None:
    """Record that the notebook left on ``run.finish()``, or None if it never got there."""
    path = Path(folder) / RECORD_NAME
    return _parse(Record, path) if path.is_file() else None


@dataclass(frozen=True)
class Finished:
    """A section of a run that came to its end.

    Attributes
    ----------
    run, name
        Of the run's folder and of the section.
    folder
        Of the section; paths of artifacts are relative to it.
    """

    run: str
    name: str
    folder: Path
    artifacts: list[Artifact]


def find_finished(runs: str | Path) -> list[Finished]:
    """Sections that succeeded in any run, and those of notebooks run by hand to their end; newest first.

    What another version of the toolkit wrote is passed over.
    """
    found = []
    for folder in Path(runs).glob("*/*"):
        try:
            manifest, record = read_manifest(folder), read_record(folder)
        except DataError:
            continue
        whole = manifest.status == "succeeded" if manifest is not None else record is not None
        if whole:
            stamp = (folder / (MANIFEST_NAME if manifest is not None else RECORD_NAME)).stat().st_mtime_ns
            finished = Finished(folder.parent.name, folder.name, folder, (manifest or record).artifacts)
            found.append((stamp, finished))
    return [finished for _, finished in sorted(found, key=lambda one: (-one[0], str(one[1].folder)))]


def write_manifest(folder: str | Path, manifest: Manifest) -> None:
    """Write the manifest whole."""
    write_json(Path(folder) / MANIFEST_NAME, manifest.model_dump(mode="json"))


def describe_artifact(folder: str | Path, path: Path, name: str, kind: str) -> Artifact:
    """Artifact entry of a file that lies under a section's folder."""
    return Artifact(
        name=name,
        path=path.relative_to(folder).as_posix(),
        kind=kind,
        sha256=sha256_of_file(path),
        bytes=path.stat().st_size,
    )


def damaged_artifacts(folder: str | Path, artifacts: list[Artifact]) -> list[str]:
    """One sentence for each artifact that is missing or no longer has its checksum."""
    problems = []
    for artifact in artifacts:
        path = Path(folder) / artifact.path
        if not path.is_file():
            problems.append(f"artifact {artifact.path} is missing.")
        elif (found := sha256_of_file(path)) != artifact.sha256:
            problems.append(
                f"artifact {artifact.path} has sha256 {found}, the manifest says {artifact.sha256}."
            )
    return problems


def _parse(model: type[_Frozen], path: Path) -> Any:
    try:
        return model.model_validate(read_json(path))
    except ValidationError as error:
        fault = Fault.of(error)
        raise DataError(
            f"field '{fault.place}': {fault.what}.",
            where=str(path),
            fix="Another version of the toolkit wrote it; delete its folder and run the section again.",
        ) from error
