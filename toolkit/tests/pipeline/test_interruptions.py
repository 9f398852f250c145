"""Runs that are stopped, killed or doubled: nothing half done is ever taken for a result."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import psutil
import pytest

from toolkit.manifest import damaged_artifacts, read_manifest
from toolkit.pipeline import driver
from toolkit.pipeline.attempts import Attempt, read_attempts, recover
from toolkit.pipeline.locks import Holder, hold
from toolkit.pipeline.runs import Run
from toolkit.pipeline.section import run_section
from toolkit.pipeline.status import read_status
from toolkit.tests.pipeline.conftest import Project, wait_for

LONG = """
import os, pathlib, time
pathlib.Path(os.environ["TOOLKIT_RUN_FOLDER"], "kernel.pid").write_text(str(os.getpid()))
time.sleep(600)
"""


def in_long_cell(run: Run, name: str = "01_a") -> Attempt:
    """Wait until the long cell of a section runs."""

    def look() -> Attempt | None:
        found = [
            a
            for a in read_attempts(run)
            if a.section == name and a.beat["text"].startswith("import os, pathlib")
        ]
        return found[0] if found and (run.folder / "kernel.pid").exists() else None

    return wait_for(look, 120, "the long cell")


def kernel_is_gone(run: Run) -> bool:
    pid = int((run.folder / "kernel.pid").read_text())
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def processes_of(run: Run) -> list[psutil.Process]:
    """Processes that were started for a run and live."""
    found = []
    for process in psutil.process_iter(["cmdline", "status"]):
        command = " ".join(process.info["cmdline"] or [])
        if run.run_id in command and process.info["status"] != psutil.STATUS_ZOMBIE:
            found.append(process)
    return found


def assert_interrupted(run: Run, name: str, reason: str) -> None:
    folder = run.section_folder(name)
    manifest = read_manifest(folder)
    assert manifest is not None and manifest.status == "interrupted"
    assert reason in manifest.reason
    assert "continues" in manifest.advice
    assert not (folder / "executed.ipynb").exists() and not (folder / "artifacts").exists()


def end(process: subprocess.Popen[str]) -> None:
    if process.poll() is None:
        process.kill()
    process.communicate(timeout=30)


@pytest.mark.slow
def test_sigterm_to_a_section(project: Project) -> None:
    project.add("01_a", before=LONG)
    run = project.run()
    process = project.start("run-section", "01_a", "--run", run.run_id)
    try:
        in_long_cell(run)
        process.send_signal(signal.SIGTERM)
        output, _ = process.communicate(timeout=60)
    finally:
        end(process)
    assert process.returncode == 75, output
    assert "stopped by SIGTERM" in output and "continues" in output and "Traceback" not in output
    assert_interrupted(run, "01_a", "it was stopped by SIGTERM. It was in cell 3 of 6")
    assert kernel_is_gone(run)


@pytest.mark.slow
def test_sigkill_of_a_section(project: Project) -> None:
    project.add("01_a", before=LONG)
    run = project.run()
    process = project.start("run-section", "01_a", "--run", run.run_id)
    try:
        in_long_cell(run)
        second = project.run_section("01_a")
        assert second.returncode == 2
        assert f"is being worked on by process {process.pid}" in " ".join(second.stderr.split())
        process.kill()
        process.wait(timeout=30)
    finally:
        end(process)
    wait_for(lambda: kernel_is_gone(run), 20, "the kernel's own end")
    assert not run.section_folder("01_a").exists()
    status = read_status(run).sections[0]
    assert status.status == "interrupted" and "its process was killed in cell 3 of 6" in status.reason

    with driver.opened(run) as interrupted:
        assert interrupted == ["01_a"]
    assert_interrupted(run, "01_a", "its process was killed in cell 3 of 6")
    assert not list(run.work.glob("*"))


@pytest.mark.slow
def test_stopping_a_run_stops_its_sections_and_keeps_what_was_done(project: Project) -> None:
    project.add("01_a")
    project.add("02_b", before=LONG)
    run = project.run()
    process = project.start("run", "--profile", "smoke", "--jobs", "1")
    try:
        in_long_cell(run, "02_b")
        process.send_signal(signal.SIGTERM)
        output, _ = process.communicate(timeout=90)
    finally:
        end(process)
    assert process.returncode == 75, output
    assert "the run was stopped" in output and "continues" in output and "Traceback" not in output
    assert_interrupted(run, "02_b", "it was stopped by SIGTERM")
    assert kernel_is_gone(run)
    assert not list(run.work.glob("*")) and not run.lock.exists()
    manifest = project.manifest("01_a")
    assert manifest is not None and manifest.status == "succeeded"
    shown = " ".join(project.toolkit("run", "--profile", "smoke", "--dry-run").stdout.split())
    assert "01_a fresh" in shown and "(interrupted last time)" in shown


def test_control_c_is_a_stop_and_no_traceback() -> None:
    from toolkit.interruptions import stop_signals

    with stop_signals() as stopped:
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.05)
        assert stopped.is_set()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@pytest.mark.slow
def test_sigkill_of_a_run_ends_its_sections_and_two_runs_at_once_are_refused(project: Project) -> None:
    project.add("01_a", before=LONG)
    project.add("02_b", before=LONG)
    run = project.run()
    process = project.start("run", "--profile", "smoke", "--jobs", "1")
    try:
        in_long_cell(run)
        second = project.toolkit("run", "--profile", "smoke")
        assert second.returncode == 2
        message = " ".join(second.stderr.split())
        assert f"run {run.run_id} is being worked on by process {process.pid}" in message
        assert "toolkit status --follow" in message
        listed = json.loads(project.toolkit("status", "--json").stdout)
        assert listed[0]["running"] and listed[0]["sections"][0]["status"] == "running"
        process.kill()
        process.wait(timeout=30)
        wait_for(lambda: kernel_is_gone(run), 30, "the kernel's end")
        wait_for(lambda: not any(a.is_alive for a in read_attempts(run)), 30, "the section's end")
    finally:
        end(process)
    wait_for(lambda: run.section_folder("01_a").exists(), 10, "the section's folder")
    assert_interrupted(run, "01_a", "the `toolkit run` that started it is gone")
    wait_for(lambda: not processes_of(run), 60, "Snakemake's end")
    assert not run.section_folder("02_b").exists()


@pytest.mark.slow
@pytest.mark.parametrize("moment", ["executed.ipynb", "manifest.json"])
def test_killing_a_section_while_it_publishes_leaves_nothing_half_done(project: Project, moment: str) -> None:
    project.add("01_a")
    run = project.run()
    process = project.start("run-section", "01_a", "--run", run.run_id)
    try:
        wait_for(lambda: list(run.folder.glob(f".work/*/{moment}")) or process.poll() is not None, 60, moment)
    finally:
        end(process)
    folder = run.section_folder("01_a")
    manifest = read_manifest(folder)  # An unparsable one would raise.
    if manifest is not None:
        assert manifest.status == "succeeded"
        json.loads((folder / "executed.ipynb").read_text())
        assert not damaged_artifacts(folder, manifest.artifacts)
    with driver.opened(run):
        pass
    assert read_status(run).sections[0].status in ("succeeded", "interrupted")
    assert not list(run.work.glob("*"))


def test_what_another_process_puts_in_order_is_left_to_it(project: Project) -> None:
    project.add("01_a")
    run = project.run()
    dead = Holder(pid=2**22 + 1, host=os.uname().nodename, process_started=1.0, since="")
    beat = {"started": 1.0, "at": 1.0, "cell": 2, "cells": 6, "text": "x = 1", "memory_mb": 3.0}
    folder = run.work / "01_a-4194305"
    folder.mkdir(parents=True)
    (folder / "artifacts").mkdir()
    (folder / "heartbeat.json").write_text(json.dumps(dead.model_dump() | beat))
    with hold(run.section_lock("01_a"), "it"):
        assert recover(run) == [] and folder.is_dir()
    assert recover(run) == ["01_a"]
    assert_interrupted(run, "01_a", "its process was killed in cell 2 of 6 (x = 1)")


def test_an_attempt_that_lacked_only_its_name_gets_it(project: Project) -> None:
    project.add("01_a")
    run = project.run()
    manifest = run_section(run, "01_a")
    private = run.work / "01_a-999999999"
    run.section_folder("01_a").rename(private)
    beat = {
        "pid": 999999999,
        "host": os.uname().nodename,
        "process_started": 1.0,
        "since": "",
        "started": 1.0,
        "at": 1.0,
        "cell": 6,
        "cells": 6,
        "text": "",
        "memory_mb": None,
    }
    (private / "heartbeat.json").write_text(json.dumps(beat))
    assert recover(run) == ["01_a"]
    assert read_manifest(run.section_folder("01_a")) == manifest
    assert not Path(private).exists()
