"""What a run will do: every section with its state, before anything starts."""

from __future__ import annotations

from dataclasses import dataclass

from toolkit.errors import DataError, UsageError
from toolkit.manifest import read_manifest
from toolkit.pipeline import freshness
from toolkit.pipeline.parameters import resolve_params
from toolkit.pipeline.plan import Pipeline, Section
from toolkit.pipeline.runs import Run, list_runs
from toolkit.pipeline.secrets import Secrets


@dataclass(frozen=True)
class Step:
    """One section in a plan.

    Attributes
    ----------
    fresh
        Whether its result is that of today's notebook, parameters, code and inputs.
    why
        Why it must be run, or "fresh".
    last_seconds
        How long it took last time in this profile, or None.
    """

    section: Section
    fresh: bool
    why: str
    last_seconds: float | None


def make_plan(run: Run, pipeline: Pipeline, wanted: list[str]) -> list[Step]:
    """Steps for the wanted sections and all they need, in order.

    Parameters and data of every section that must run are checked, so that a wrong name or a
    missing download is an error now and not in an hour.
    """
    steps: list[Step] = []
    stale: set[str] = set()
    for name in pipeline.with_needs(wanted):
        section = pipeline.section(name, run.profile)
        resolve_params(pipeline, name, run.profile, run.overrides, Secrets())
        fresh, why = _judge(run, pipeline, section, stale)
        if not fresh:
            freshness.data_checksums(section)
            stale.add(name)
        steps.append(Step(section, fresh, why, last_seconds(run, name)))
    return steps


def check_gpus(steps: list[Step], run: Run, gpus: int) -> None:
    """Raise if a section that must run asks for more GPUs than there are."""
    for step in steps:
        asked = step.section.resources.gpu
        if not step.fresh and asked > gpus:
            raise UsageError(
                f"it asks for {asked} GPU{'s' if asked > 1 else ''} in profile {run.profile}, {gpus} can be used here.",
                where=f"section {step.section.name}",
                fix="Use another machine or a cluster (--executor slurm), or --profile workshop, which runs on a CPU.",
            )


def last_seconds(run: Run, name: str) -> float | None:
    """How long a section took the last time it succeeded in this profile."""
    others = (other for other in list_runs() if other.profile == run.profile and other.run_id != run.run_id)
    for candidate in (run, *others):
        for folder in (candidate.section_folder(name), candidate.folder / ".previous" / name):
            try:
                manifest = read_manifest(folder)
            except DataError:
                continue
            if manifest is not None and manifest.status == "succeeded":
                return manifest.seconds
    return None


def _judge(run: Run, pipeline: Pipeline, section: Section, stale: set[str]) -> tuple[bool, str]:
    above = sorted(stale.intersection(section.needs))
    try:
        manifest = read_manifest(run.section_folder(section.name))
    except DataError:
        return False, "its manifest cannot be read"
    if manifest is None:
        return False, "not run yet"
    if manifest.status != "succeeded":
        return False, f"{manifest.status} last time"
    if above:
        return False, f"{', '.join(above)} will be made again"
    state = freshness.judge(run, section, freshness.collect_parts(run, pipeline, section))
    return state.fresh, state.why
