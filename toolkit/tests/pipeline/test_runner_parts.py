"""Small parts of the runner that need no kernel of their own."""

from __future__ import annotations

import os
import re
import sys
import tempfile
import time
from pathlib import Path

import pytest

from toolkit.errors import UsageError
from toolkit.pipeline.devices import GPUS_VARIABLE, take_gpus
from toolkit.pipeline.driver import format_seconds
from toolkit.pipeline.kernel import kernel_environment, socket_folder
from toolkit.pipeline.locks import this_process
from toolkit.pipeline.provenance import describe_git, describe_machine, installed_packages
from toolkit.pipeline.runs import Run, create_run, publish, read_run
from toolkit.pipeline.supervisor import Stop, Supervisor
from toolkit.tests.pipeline.conftest import REPOSITORY, Project


def test_sockets_are_private_short_and_gone_afterwards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = tmp_path / ("x" * 90)
    long.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(long))
    with socket_folder() as folder:
        assert len(str(folder / "kernel-ipc-5")) < 104
        assert folder.stat().st_mode & 0o777 == 0o700
    assert not folder.exists()


def test_the_kernel_has_one_thread_unless_told_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "4")
    monkeypatch.setenv("PYTHONPATH", "/somewhere")
    environment = kernel_environment({"A": "b"})
    assert (environment["OMP_NUM_THREADS"], environment["OPENBLAS_NUM_THREADS"], environment["A"]) == (
        "1",
        "4",
        "b",
    )
    assert environment["PYTHONPATH"].split(os.pathsep) == [str(REPOSITORY), "/somewhere"]


def test_where_a_result_comes_from(monkeypatch: pytest.MonkeyPatch) -> None:
    import numpy

    monkeypatch.delenv("TOOLKIT_HOME", raising=False)
    monkeypatch.chdir(REPOSITORY)
    git = describe_git()
    assert not git or (re.fullmatch(r"[0-9a-f]{40}", git["commit"]) and git["dirty"] in (True, False))
    assert installed_packages()["numpy"] == numpy.__version__
    assert describe_machine()["python"] == sys.version.split()[0]


def test_outside_of_git_there_is_no_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOOLKIT_HOME", str(tmp_path))
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert describe_git() == {}


def test_publishing_replaces_the_whole_folder(project: Project) -> None:
    run = Run(run_id="20260101-000000-abcdef00", profile="smoke", pipeline="x.yaml", created="")
    create_run(run)
    assert read_run(run.run_id) == run and run.folder.stat().st_mode & 0o777 == 0o700
    for number in (1, 2):
        private = run.work / "01_a-1"
        private.mkdir(parents=True)
        (private / f"file_{number}").touch()
        final = publish(private, run, "01_a")
        assert [path.name for path in final.iterdir()] == [f"file_{number}"]
    assert not list(run.work.iterdir())


def test_the_first_reason_to_stop_counts(tmp_path: Path) -> None:
    supervisor = Supervisor(tmp_path, this_process(), section_deadline_s=9)
    first = Stop("interrupted", "a", "b")
    supervisor.stop(first)
    supervisor.stop(Stop("failed", "c", "d"))
    assert supervisor.stopped is first
    supervisor.begin_cell(2, "# a comment\n\n  x = 1\ny = 2")
    assert (supervisor.cell, supervisor.cell_text) == (2, "x = 1")


def test_setting_the_clock_ends_no_section(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    supervisor = Supervisor(tmp_path, this_process(), section_deadline_s=1)
    now = time.time
    monkeypatch.setattr(time, "time", lambda: now() + 3600)
    supervisor.start()
    time.sleep(0.6)
    assert supervisor.stopped is None
    monkeypatch.setattr(time, "time", lambda: now() - 3600)
    time.sleep(0.8)
    assert supervisor.stopped is not None and "deadline of 1 s" in supervisor.stopped.reason
    supervisor.finish()


@pytest.mark.parametrize(
    ("seconds", "text"), [(None, "–"), (3.14, "3.1 s"), (60, "1 min 00 s"), (7261, "2 h 01 min")]
)
def test_seconds_as_people_write_them(seconds: float | None, text: str) -> None:
    assert format_seconds(seconds) == text


def test_sections_at_once_get_gpus_of_their_own(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    project.add("01_a")
    run = project.run()
    with take_gpus(run, 2) as shown:
        assert shown == {}  # Not in a local run: a cluster shares out its GPUs itself.
    monkeypatch.setenv(GPUS_VARIABLE, "3")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "4,5,6")
    with take_gpus(run, 1) as first, take_gpus(run, 2) as second, take_gpus(run, 0) as third:
        assert [shown["CUDA_VISIBLE_DEVICES"] for shown in (first, second, third)] == ["4", "5,6", ""]
        with pytest.raises(UsageError, match="1 GPUs are asked for, 0 are free"), take_gpus(run, 1):
            pass
    assert not list(run.work.iterdir())
