"""What counts as success is judged from what can be checked; no kernel is needed to try that."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Any

import nbformat
import pytest

from toolkit.io import write_json
from toolkit.manifest import Record, describe_artifact
from toolkit.pipeline.execution import Outcome
from toolkit.pipeline.freshness import Parts
from toolkit.pipeline.plan import Section
from toolkit.pipeline.secrets import Secrets
from toolkit.pipeline.supervisor import Stop
from toolkit.pipeline.verdict import Verdict, is_full_disk, judge_outcome

SECTION = Section(
    name="01_a", notebook="01_a.ipynb", params="tiny_models:Tiny", data=["bandit"], needs=["00_z"]
)
PARAMS: dict[str, Any] = {"profile": "smoke", "seed": 0, "number": 1}
PARTS = Parts("", PARAMS, "", {"bandit/a.csv": "1" * 64}, {})
GOOD = {
    "section": "01_a",
    "params": PARAMS,
    "seed_streams": {},
    "device": "cpu",
    "inputs": {"bandit/a.csv": "1" * 64, "00_z/numbers": "2" * 64},
    "takeaways": [],
}


def executed(*counts: int | None) -> Outcome:
    notebook = nbformat.v4.new_notebook()
    notebook.cells = [nbformat.v4.new_code_cell("x", execution_count=count) for count in counts or (1, 2)]
    return Outcome(notebook, cell=2, cell_text="x", cells=2)


def judge(folder: Path, outcome: Outcome | None = None, **changes: Any) -> Verdict:
    write_json(folder / "artifacts" / "numbers.json", {"words": "sk-12345678"})
    artifact = describe_artifact(folder, folder / "artifacts" / "numbers.json", "numbers", "json")
    record = Record(**{**GOOD, "artifacts": [artifact], **changes})
    secrets = changes.pop("secrets", Secrets({}))
    return judge_outcome(outcome or executed(), record, folder, SECTION, PARAMS, PARTS, secrets)


def test_success(tmp_path: Path) -> None:
    assert judge(tmp_path) == Verdict("succeeded")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"section": "01_b"}, "says it is section '01_b'"),
        ({"params": {**PARAMS, "number": 2}}, "worked with another value of number than asked"),
        ({"params": {**PARAMS, "number": True}}, "worked with another value of number"),
        (
            {"inputs": {"categories/a.csv": "1" * 64}},
            "loaded categories, which the pipeline file does not know",
        ),
        ({"inputs": {"bandit/a.csv": "3" * 64}}, "bandit/a.csv changed while the section ran"),
    ],
)
def test_a_record_that_does_not_fit(tmp_path: Path, changes: dict[str, Any], reason: str) -> None:
    judged = judge(tmp_path, **changes)
    assert judged.status == "failed" and reason in judged.reason and judged.advice


def test_cells_that_never_ran_and_a_finish_that_never_came(tmp_path: Path) -> None:
    judged = judge(tmp_path, executed(1, None))
    assert judged.status == "failed" and "only 1 of 2 code cells ran" in judged.reason
    judged = judge_outcome(executed(), None, tmp_path, SECTION, PARAMS, PARTS, Secrets({}))
    assert judged.status == "failed" and "run.finish() was never called" in judged.reason


def test_a_lost_artifact_and_one_that_holds_a_key(tmp_path: Path) -> None:
    record = Record(**GOOD, artifacts=[])
    write_json(tmp_path / "artifacts" / "numbers.json", {"words": "sk-12345678"})
    secrets = Secrets({"SERVICE_KEY": "sk-12345678"})
    judged = judge_outcome(executed(), record, tmp_path, SECTION, PARAMS, PARTS, secrets)
    assert judged.status == "failed"
    assert "artifacts/numbers.json holds the value of the environment variable SERVICE_KEY" in judged.reason
    artifact = describe_artifact(tmp_path, tmp_path / "artifacts" / "numbers.json", "numbers", "json")
    (tmp_path / "artifacts" / "numbers.json").unlink()
    record = Record(**GOOD, artifacts=[artifact])
    judged = judge_outcome(executed(), record, tmp_path, SECTION, PARAMS, PARTS, Secrets({}))
    assert judged.status == "failed" and "artifacts/numbers.json is missing" in judged.reason


def test_a_stop_counts_even_if_all_cells_ran(tmp_path: Path) -> None:
    outcome = executed()
    outcome.stopped = Stop("interrupted", "it was stopped by SIGTERM.", "It continues.")
    judged = judge(tmp_path, outcome)
    assert judged == Verdict(
        "interrupted", 'it was stopped by SIGTERM. It was in cell 2 of 2 ("x").', "It continues."
    )


def test_a_full_disk_is_seen_through_other_errors() -> None:
    try:
        try:
            raise OSError(errno.ENOSPC, "No space left on device")
        except OSError as error:
            raise ValueError("could not write") from error
    except ValueError as error:
        assert is_full_disk(error)
    assert not is_full_disk(OSError(errno.EACCES, "Permission denied"))


class CellError(Exception):
    """As papermill raises it."""

    def __init__(self, ename: str, evalue: str) -> None:
        super().__init__(evalue)
        self.ename, self.evalue = ename, evalue


@pytest.mark.parametrize(
    ("error", "kernel_exit", "status", "reason", "advice"),
    [
        (
            CellError("MemoryError", ""),
            None,
            "failed",
            'cell 2 of 2 ("x") ran out of memory (at most 812 MB',
            "smaller",
        ),
        (
            CellError("OSError", "[Errno 28] No space left on device"),
            None,
            "failed",
            "is full",
            "Free some space",
        ),
        (
            CellError("DataError", "the file is not here."),
            None,
            "failed",
            "raised DataError: the file",
            "failed.ipynb",
        ),
        (RuntimeError("Kernel died"), -9, "failed", "killed by SIGKILL in cell 2 of 2", "ran out of memory"),
        (RuntimeError("Kernel died"), -11, "failed", "killed by SIGSEGV in cell 2 of 2", "native code"),
        (RuntimeError("Kernel died"), 3, "failed", "exited with code 3", "os._exit"),
        (RuntimeError("Kernel died"), -15, "interrupted", "killed by SIGTERM", "continues"),
        (RuntimeError("odd"), None, "failed", "could not be executed (RuntimeError: odd)", "run.log"),
    ],
)
def test_every_end_has_a_reason_and_an_advice(
    tmp_path: Path, error: Exception, kernel_exit: int | None, status: str, reason: str, advice: str
) -> None:
    outcome = executed()
    outcome.error, outcome.kernel_exit, outcome.peak_memory_mb = error, kernel_exit, 812.0
    judged = judge(tmp_path, outcome)
    assert judged.status == status
    assert reason in judged.reason and advice in judged.advice
