"""Locks: one holder, who it is, and how a dead one's lock is taken over."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from toolkit.errors import UsageError
from toolkit.pipeline.locks import (
    DEAD_AFTER_S,
    _take_over,
    hold,
    is_same_process,
    read_holder,
    this_process,
)
from toolkit.tests.pipeline.conftest import REPOSITORY

COUNT = """
import sys, time, pathlib
from toolkit.errors import UsageError
from toolkit.pipeline.locks import hold
lock, counter = map(pathlib.Path, sys.argv[1:])
for _ in range(15):
    while True:
        try:
            with hold(lock, "the counter"):
                value = int(counter.read_text())
                time.sleep(0.002)
                counter.write_text(str(value + 1))
            break
        except UsageError:
            time.sleep(0.003)
"""


def test_the_second_is_told_who_holds_it(tmp_path: Path) -> None:
    lock = tmp_path / "here" / "lock"
    with hold(lock, "run 7"):
        assert read_holder(lock) is not None
        with (
            pytest.raises(
                UsageError, match=f"run 7 is being worked on by process {os.getpid()} on .* since"
            ) as caught,
            hold(lock, "run 7"),
        ):
            pass
        assert "toolkit status --follow" in str(caught.value)
        assert lock.exists()
    assert not lock.exists()


def test_a_dead_holder_s_lock_is_taken_over(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    dead = this_process().model_copy(update={"pid": 2**22 + 1})
    lock.write_text(dead.model_dump_json())
    assert read_holder(lock) is None
    with hold(lock, "it"):
        holder = read_holder(lock)
        assert holder is not None and holder.pid == os.getpid()
    assert list(tmp_path.iterdir()) == []


def test_another_process_with_the_same_number_does_not_count(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    me = this_process()
    lock.write_text(me.model_copy(update={"process_started": me.process_started - 100}).model_dump_json())
    with hold(lock, "it"):
        pass
    assert is_same_process(me.pid, me.process_started)
    assert not is_same_process(me.pid, me.process_started - 100)


@pytest.mark.skipif(not psutil.LINUX, reason="elsewhere psutil says what the system noted at the start")
def test_setting_the_clock_makes_nobody_another_process(monkeypatch: pytest.MonkeyPatch) -> None:
    me = this_process()
    booted = psutil.boot_time()
    monkeypatch.setattr(psutil._psplatform, "boot_time", lambda: booted - 3600)
    assert is_same_process(me.pid, me.process_started)


def test_on_another_machine_only_the_last_sign_of_life_counts(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    lock.write_text(json.dumps({**this_process().model_dump(), "host": "elsewhere", "pid": 1}))
    with pytest.raises(UsageError, match="on elsewhere"), hold(lock, "it"):
        pass
    long_ago = time.time() - DEAD_AFTER_S - 1
    os.utime(lock, (long_ago, long_ago))
    with hold(lock, "it"):
        pass


def test_a_lock_that_was_never_written_to_the_end(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    lock.touch()
    os.utime(lock, (time.time() - 60, time.time() - 60))
    with hold(lock, "it"):
        pass


def test_who_judged_the_dead_one_s_lock_too_late_leaves_the_new_one(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    with hold(lock, "it"):
        assert not _take_over(lock, b"another's")
        holder = read_holder(lock)
        assert holder is not None and holder.pid == os.getpid()
    assert not _take_over(lock, b"another's")
    assert list(tmp_path.iterdir()) == []


def test_processes_do_not_meet_inside(tmp_path: Path) -> None:
    counter = tmp_path / "counter"
    counter.write_text("0")
    # Each begins with a lock that a dead process left.
    (tmp_path / "lock").write_text(this_process().model_copy(update={"pid": 2**22 + 1}).model_dump_json())
    command = [sys.executable, "-c", COUNT, str(tmp_path / "lock"), str(counter)]
    processes = [subprocess.Popen(command, cwd=REPOSITORY) for _ in range(3)]
    assert [process.wait(timeout=120) for process in processes] == [0, 0, 0]
    assert counter.read_text() == "45"
