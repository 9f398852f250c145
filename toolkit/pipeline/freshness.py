"""Is a section's result still that of today's notebook, parameters, code and inputs?"""

from __future__ import annotations

import functools
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from toolkit.errors import DataError
from toolkit.io import read_json, sha256_of_bytes, sha256_of_file
from toolkit.manifest import Manifest, damaged_artifacts, read_manifest
from toolkit.paths import data_dir
from toolkit.pipeline.parameters import resolve_params
from toolkit.pipeline.plan import Pipeline, Section
from toolkit.pipeline.runs import Run

KEY_VERSION = 1

_CODE_SUFFIXES = {".py", ".toml", ".json", ".yaml", ".csv"}
_EMBEDDED_SUFFIXES = {".jsonl", ".parquet", ".safetensors"}
_NOT_PART_OF_RESULTS = {"tests", "cli", "pipeline", "bench", "widgets", "__pycache__", "raw"}
"""Folders of the package and of data/ that no section's numbers or figures come from."""


@dataclass(frozen=True)
class Parts:
    """Everything a result depends on, each part as a digest, so that a change can be named."""

    notebook: str
    params: dict[str, Any]
    toolkit: str
    data: dict[str, str]
    upstream: dict[str, str]

    @property
    def key(self) -> str:
        """One digest of all parts."""
        content = {"version": KEY_VERSION, **vars(self)}
        text = json.dumps(content, sort_keys=True, ensure_ascii=False, allow_nan=False)
        return sha256_of_bytes(text.encode())


@dataclass(frozen=True)
class State:
    """Whether a section must be run, and why."""

    fresh: bool
    why: str
    manifest: Manifest | None = None


def collect_parts(run: Run, pipeline: Pipeline, section: Section) -> Parts:
    """What the section's result would depend on if it were run now.

    Raises
    ------
    DataError
        If a data set or a result of an upstream section is not here.
    """
    params = resolve_params(pipeline, section.name, run.profile, run.overrides)
    return Parts(
        notebook=_digest_of_notebook(pipeline.notebook(section.name)),
        params=params.model_dump(mode="json"),
        toolkit=digest_of_toolkit(),
        data=data_checksums(section),
        upstream=_upstream_checksums(run, section),
    )


def judge(run: Run, section: Section, parts: Parts) -> State:
    """Compare a section's manifest with the parts of today."""
    manifest = read_manifest(run.section_folder(section.name))
    if manifest is None:
        return State(False, "not run yet")
    if manifest.status != "succeeded":
        return State(False, f"{manifest.status} last time", manifest)
    if manifest.key != parts.key:
        return State(False, _name_change(manifest, parts), manifest)
    damage = damaged_artifacts(run.section_folder(section.name), manifest.artifacts)
    return State(False, damage[0].rstrip("."), manifest) if damage else State(True, "fresh", manifest)


def data_checksums(section: Section) -> dict[str, str]:
    """sha256 of every file of the data sets a section uses.

    A missing one is a DataError, unless the section can do without it; then it counts as absent, so
    that fetching it makes the section stale.
    """
    if not section.data and not section.data_if_here:
        return {}
    from toolkit import data

    found: dict[str, str] = {}
    for name in (*section.data, *section.data_if_here):
        dataset = data.describe(name).name
        try:
            found |= {f"{dataset}/{path}": digest for path, digest in data.checksums(dataset).items()}
        except DataError:
            if name in section.data:
                raise
            found[dataset] = "not here"
    return found


@functools.cache
def digest_of_toolkit() -> str:
    """One digest of all files of this package, and of the data it embeds, that results can depend on."""
    package = Path(__file__).resolve().parent.parent
    digest = hashlib.sha256()
    for root, suffixes in ((package, _CODE_SUFFIXES), (data_dir(), _EMBEDDED_SUFFIXES)):
        for path in sorted(root.rglob("*")):
            place = path.relative_to(root)
            unfinished = any(part.endswith(".training") for part in place.parts)
            if path.suffix in suffixes and not (unfinished or _NOT_PART_OF_RESULTS.intersection(place.parts)):
                digest.update(f"{place.as_posix()}:{sha256_of_file(path)}\n".encode())
    return digest.hexdigest()


def _digest_of_notebook(path: Path) -> str:
    """Digest of the cells' sources; outputs, ids and other metadata do not matter."""
    try:
        cells = [[cell["cell_type"], _joined(cell["source"])] for cell in read_json(path)["cells"]]
    except (KeyError, TypeError) as error:
        raise DataError(f"not a notebook (it lacks {error}).", where=str(path)) from error
    return sha256_of_bytes(json.dumps(cells, ensure_ascii=False).encode())


def _joined(source: str | list[str]) -> str:
    return source if isinstance(source, str) else "".join(source)


def _upstream_checksums(run: Run, section: Section) -> dict[str, str]:
    found = {}
    for need in section.needs:
        manifest = read_manifest(run.section_folder(need))
        if manifest is None or manifest.status != "succeeded":
            raise DataError(
                f"it needs section {need}, which has not succeeded in this run.",
                where=section.name,
                fix=f"Run it first: toolkit run --only {need}",
            )
        damage = damaged_artifacts(run.section_folder(need), manifest.artifacts)
        if damage:
            raise DataError(damage[0], where=need, fix=f"Make it again: toolkit run --only {need}")
        found |= {f"{need}/{artifact.path}": artifact.sha256 for artifact in manifest.artifacts}
    return found


def _name_change(manifest: Manifest, parts: Parts) -> str:
    """Which part of a key has changed, as far as the manifest tells."""
    if manifest.params != parts.params:
        names = sorted(
            name
            for name in manifest.params.keys() | parts.params.keys()
            if manifest.params.get(name) != parts.params.get(name)
        )
        return f"parameter {', '.join(names)} changed"
    before = manifest.parts
    for name, meaning in _MEANINGS.items():
        if before.get(name) != digest_of_part(getattr(parts, name)):
            return meaning
    return "made by another version of the pipeline"


_MEANINGS = {
    "notebook": "the notebook changed",
    "toolkit": "the toolkit's code changed",
    "data": "its data changed",
    "upstream": "a section it needs has other results",
}


def digest_of_part(part: Any) -> str:
    """Digest of one part, as manifests keep it."""
    return sha256_of_bytes(json.dumps(part, sort_keys=True, ensure_ascii=False).encode())


def digests(parts: Parts) -> dict[str, str]:
    """Digest of every part but the parameters, which manifests keep in full."""
    return {name: digest_of_part(getattr(parts, name)) for name in _MEANINGS}
