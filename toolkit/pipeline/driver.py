"""`toolkit run`: from what was asked for to how every section ended."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from toolkit.errors import DataError, InterruptedRunError, SectionError, ToolkitError
from toolkit.interruptions import stop_signals
from toolkit.manifest import MANIFEST_NAME, read_manifest
from toolkit.pipeline import workflow
from toolkit.pipeline.attempts import CONTINUE, read_attempts, recover, refuse_if_running
from toolkit.pipeline.locks import hold
from toolkit.pipeline.planning import Step
from toolkit.pipeline.runlog import LOG_NAME
from toolkit.pipeline.runs import Run, create_run
from toolkit.pipeline.workflow import Engine

_SETTLE_S = 40.0
_SECONDS_BETWEEN_LINES = 10.0

Ending = Literal["succeeded", "fresh", "failed", "interrupted", "not run"]
Tell = Callable[[str], None]


@dataclass(frozen=True)
class Result:
    """How a section ended in this run."""

    section: str
    ending: Ending
    seconds: float | None = None
    reason: str = ""
    advice: str = ""


@contextlib.contextmanager
def opened(run: Run) -> Iterator[list[str]]:
    """Hold a run alone, with what killed attempts left over put in order; gives their names."""
    create_run(run)
    with hold(run.lock, f"run {run.run_id}"):
        refuse_if_running(run)
        yield recover(run)


def run_sections(run: Run, steps: list[Step], engine: Engine, tell: Tell) -> list[Result]:
    """Run the steps that are not fresh, with the run held by :func:`opened`.

    Parameters
    ----------
    steps
        The plan, fresh steps included.
    tell
        Takes a line of progress for the reader.
    """
    stale = [step for step in steps if not step.fresh]
    before = {step.section.name: _identity(run, step.section.name) for step in stale}
    workflow.write_jobs(run, stale, engine)
    progress = _Progress(run, before, tell)
    with stop_signals() as stopped:
        log = workflow.run_snakemake(run, engine, progress.look, stopped.is_set)
        _settle(run)
        progress.look()
    results = {name: _result(run, name, before[name]) for name in before}
    if stopped.is_set() and not any(result.ending == "failed" for result in results.values()):
        raise InterruptedRunError("the run was stopped.", where=run.run_id, fix=CONTINUE)
    _check_engine(run, results, log)
    return [
        results.get(step.section.name) or Result(step.section.name, "fresh", step.last_seconds)
        for step in steps
    ]


def error_of(run: Run, results: list[Result]) -> ToolkitError | None:
    """The error a run ends with: that of its first section that failed, or was interrupted."""
    bad = [result for result in results if result.ending in ("failed", "interrupted")]
    bad.sort(key=lambda result: result.ending != "failed")
    if not bad:
        return None
    first, others = bad[0], len(bad) - 1
    log = run.section_folder(first.section) / LOG_NAME
    fix = first.advice + (f" Its log: {log}" if log.is_file() else "")
    if others:
        fix += f" ({others} more did not succeed; `toolkit status` tells.)"
    kind = SectionError if first.ending == "failed" else InterruptedRunError
    return kind(first.reason, where=f"section {first.section} {first.ending}", fix=fix.strip())


class _Progress:
    """Tells a reader when sections begin, where they are, and how they ended."""

    def __init__(self, run: Run, before: dict[str, object], tell: Tell) -> None:
        self._run, self._before, self._tell = run, before, tell
        self._said: dict[str, tuple[float, int]] = {}
        self._ended: set[str] = set()

    def look(self) -> None:
        for attempt in read_attempts(self._run):
            if attempt.section in self._before:
                self._tell_where(attempt.section, attempt.beat)
        for name in self._before.keys() - self._ended:
            if _identity(self._run, name) != self._before[name]:
                self._ended.add(name)
                result = _result(self._run, name, self._before[name])
                took = f" after {format_seconds(result.seconds)}" if result.seconds is not None else ""
                self._tell(f"{name}: {result.ending}{took}")

    def _tell_where(self, name: str, beat: dict) -> None:
        cell = int(beat.get("cell") or 0)
        said_at, said_cell = self._said.get(name, (0.0, -1))
        if said_cell == -1:
            self._tell(f"{name}: started")
        elif cell == said_cell or time.time() - said_at < _SECONDS_BETWEEN_LINES:
            return
        else:
            self._tell(f"{name}: cell {cell} of {beat['cells']}  {beat['text']}")
        self._said[name] = (time.time(), cell)


def format_seconds(seconds: float | None) -> str:
    """Seconds as people write them.

    >>> format_seconds(8.24), format_seconds(95), format_seconds(4000), format_seconds(None)
    ('8.2 s', '1 min 35 s', '1 h 06 min', '–')
    """
    if seconds is None:
        return "–"
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"


def _identity(run: Run, section: str) -> object:
    """Changes whenever a section is published anew."""
    try:
        status = (run.section_folder(section) / MANIFEST_NAME).stat()
    except FileNotFoundError:
        return None
    return status.st_ino, status.st_mtime_ns


def _result(run: Run, section: str, before: object) -> Result:
    if _identity(run, section) == before:
        if workflow.is_stamped(run, section):
            return Result(section, "fresh", reason="what it needs came out the same")
        return Result(section, "not run", reason="something it needs did not succeed")
    try:
        manifest = read_manifest(run.section_folder(section))
    except DataError as error:
        return Result(section, "failed", reason=error.what, advice=error.fix)
    assert manifest is not None
    return Result(section, manifest.status, manifest.seconds, manifest.reason, manifest.advice)


def _settle(run: Run) -> None:
    """Wait for sections that are just saying how they ended, then put the dead ones in order."""
    until = time.monotonic() + _SETTLE_S
    while time.monotonic() < until and any(attempt.is_alive for attempt in read_attempts(run)):
        time.sleep(0.5)
    recover(run)


def _check_engine(run: Run, results: dict[str, Result], log: Path) -> None:
    """Raise if nothing explains why sections did not run: then it was Snakemake or the cluster."""
    if any(result.ending in ("failed", "interrupted") for result in results.values()):
        return
    missing = [name for name, result in results.items() if result.ending == "not run"]
    if not missing:
        return
    lines = [line.strip() for line in log.read_text(encoding="utf-8").splitlines() if line.strip()]
    raise SectionError(
        f"{', '.join(missing)} did not start; Snakemake's last words: {' / '.join(lines[-3:])[:600]}",
        where=run.run_id,
        fix=f"Its log: {log}",
    )
