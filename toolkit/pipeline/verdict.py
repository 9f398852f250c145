"""Did a section succeed, and if not, what happened and what helps."""

from __future__ import annotations

import errno
import json
import shutil
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from toolkit.manifest import Record, Status, damaged_artifacts
from toolkit.pipeline.execution import Outcome, code_cells
from toolkit.pipeline.freshness import Parts
from toolkit.pipeline.plan import Section
from toolkit.pipeline.secrets import Secrets

_FULL_DISK = ("the disk is full", "No space left on device", "Disk quota exceeded")
_FULL_DISK_ADVICE = "Free some space (`toolkit doctor` shows how much is left) and run it again."


@dataclass(frozen=True)
class Verdict:
    """Status of an attempt, with the reason and what to do unless it succeeded."""

    status: Status
    reason: str = ""
    advice: str = ""


SUCCEEDED = Verdict("succeeded")


def judge_outcome(
    outcome: Outcome,
    record: Record | None,
    folder: Path,
    section: Section,
    params: dict[str, Any],
    parts: Parts,
    secrets: Secrets,
) -> Verdict:
    """Whether an execution counts, from what can be checked; never from the notebook's metadata."""
    if outcome.stopped is not None:
        where = f" It was in {_place(outcome)}." if outcome.cell else ""
        return Verdict(outcome.stopped.status, outcome.stopped.reason + where, outcome.stopped.advice)
    if outcome.error is not None:
        return _explain(outcome, section, folder)
    ran = [cell.execution_count is not None for cell in code_cells(outcome.notebook)]
    if not all(ran):
        return Verdict(
            "failed",
            f"only {sum(ran)} of {len(ran)} code cells ran.",
            "A cell ended the notebook early, with sys.exit for instance; take that out.",
        )
    if record is None:
        return Verdict(
            "failed", "run.finish() was never called.", "Call it in the last cell, as the other notebooks do."
        )
    return _check_record(record, folder, section, params, parts, secrets)


def _check_record(
    record: Record,
    folder: Path,
    section: Section,
    params: dict[str, Any],
    parts: Parts,
    secrets: Secrets,
) -> Verdict:
    if record.section != section.name:
        return Verdict(
            "failed",
            f"the notebook says it is section '{record.section}'.",
            f"Write toolkit.start_section('{section.name}', …) in it.",
        )
    # repr tells True from 1, which == does not.
    differing = [name for name in params if repr(record.params.get(name)) != repr(params[name])]
    if differing or record.params.keys() != params.keys():
        return Verdict(
            "failed",
            f"the notebook worked with another value of {', '.join(differing) or 'its parameters'} than asked.",
            "Give start_section every parameter unchanged.",
        )
    declared = {*(name.partition("/")[0] for name in parts.data), *section.needs}
    if undeclared := sorted({name.partition("/")[0] for name in record.inputs} - declared):
        return Verdict(
            "failed",
            f"the notebook loaded {', '.join(undeclared)}, which the pipeline file does not know of.",
            "List data sets under `data` and sections under `needs`; else a change of them would go unseen.",
        )
    if moved := [name for name, sha in record.inputs.items() if parts.data.get(name, sha) != sha]:
        return Verdict("failed", f"{', '.join(moved)} changed while the section ran.", "Run it again.")
    if damage := damaged_artifacts(folder, record.artifacts):
        return Verdict(
            "failed", damage[0], "Save every result with run.save or run.figure and leave its file alone."
        )
    for path in sorted(path for path in (folder / "artifacts").rglob("*") if path.is_file()):
        if variable := secrets.found_in_file(path):
            return Verdict(
                "failed",
                f"artifact {path.relative_to(folder)} holds the value of the environment variable {variable}.",
                "Take it out of the result; the file was not kept.",
            )
    return SUCCEEDED


def _explain(outcome: Outcome, section: Section, folder: Path) -> Verdict:
    error = outcome.error
    assert error is not None
    name, text = type(error).__name__, str(error)
    cell_error = (getattr(error, "ename", None), getattr(error, "evalue", "") or "")
    if is_full_disk(error) or any(phrase in cell_error[1] for phrase in _FULL_DISK):
        return full_disk(folder)
    if name == "CellTimeoutError":
        return Verdict(
            "failed",
            f"{_place(outcome)} took longer than its deadline of {section.deadline_s.cell} s.",
            "Raise deadline_s.cell in the pipeline file, or choose a smaller profile.",
        )
    if outcome.kernel_exit is not None and cell_error[0] is None:
        return _explain_death(outcome)
    if cell_error[0] == "MemoryError":
        return Verdict("failed", f"{_place(outcome)} ran out of memory{_peak(outcome)}.", _memory_advice())
    if cell_error[0] is not None:
        message = cell_error[1].strip()[:2000]
        return Verdict(
            "failed",
            f"{_place(outcome)} raised {cell_error[0]}: {message}",
            "failed.ipynb shows the whole traceback; mend its cause and run it again.",
        )
    return Verdict(
        "failed", f"the notebook could not be executed ({name}: {text[:2000]}).", "Look into run.log."
    )


def _explain_death(outcome: Outcome) -> Verdict:
    code = outcome.kernel_exit or 0
    how = f"was killed by {_signal_name(-code)}" if code < 0 else f"exited with code {code}"
    reason = f"the kernel {how} in {_place(outcome)}{_peak(outcome)}."
    if code == -signal.SIGKILL:
        return Verdict("failed", reason, "Most often the machine ran out of memory. " + _memory_advice())
    if code == -signal.SIGTERM:
        return Verdict("interrupted", reason, "The same command continues.")
    return Verdict(
        "failed", reason, "Look at the end of run.log; a crash in native code or os._exit ends a kernel so."
    )


def full_disk(folder: Path) -> Verdict:
    """The verdict when there was no room to write."""
    left = shutil.disk_usage(folder).free // 2**20
    return Verdict(
        "failed", f"the disk that holds {folder.parent.parent} is full ({left} MB left).", _FULL_DISK_ADVICE
    )


def is_full_disk(error: BaseException) -> bool:
    """Whether an error, or what it came from, is a full disk."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, OSError) and seen.errno in (errno.ENOSPC, errno.EDQUOT):
            return True
        seen = seen.__cause__ or seen.__context__
    return any(phrase in str(error) for phrase in _FULL_DISK)


def _place(outcome: Outcome) -> str:
    if outcome.cell == 0:
        return "the start of the kernel"
    return f"cell {outcome.cell} of {outcome.cells} ({json.dumps(outcome.cell_text, ensure_ascii=False)})"


def _peak(outcome: Outcome) -> str:
    peak = outcome.peak_memory_mb
    return "" if peak is None else f" (at most {peak:.0f} MB of memory were in use)"


def _memory_advice() -> str:
    import psutil

    total = psutil.virtual_memory().total // 2**20
    return f"This machine has {total} MB: choose a smaller profile, run fewer jobs at once, or use a larger machine."


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
