"""The sandbox: what hostile texts can do with the gate off, deadlines, secrets, and how it fails closed."""

from __future__ import annotations

import dataclasses
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest

from toolkit.discovery.rejection import Rejected
from toolkit.discovery.sandbox import Limits, Sandbox, check_text, describe_layers, process
from toolkit.discovery.sandbox.layers import layers_of, require
from toolkit.discovery.sandbox.process import Worker
from toolkit.errors import ToolkitError, UsageError
from toolkit.tests.discovery.hostile import ENDING, RAISING, SHELL, text_of

LIMITS = Limits(seconds=20, memory_mb=2_048)
SECONDS = 1.0


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(1, limits=LIMITS) as sandbox:
        yield sandbox


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "precious").write_text("x")
    return tmp_path


def call(
    worker: Worker, text: str, name: str = "f", *, seconds: float | None = None, **values: object
) -> float:
    content = {"text": text, "function": name, "numbers": values}
    return float(worker.request("call", content, seconds=seconds).arrays["result"])


def attack(worker: Worker, body: str, folder: Path, port: int = 9, **options: float) -> float:
    values = {"folder": str(folder), "home": str(Path.home()), "parent": os.getpid(), "port": port}
    return call(worker, text_of(body), "attack", **options, **values)


# -- what cannot be done, even without the gate ----------------------------------------------------


@pytest.mark.parametrize("name", RAISING)
def test_what_is_denied_is_an_error_and_nothing_else(sandbox, folder, name: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        with sandbox.worker() as worker, pytest.raises(Rejected) as caught:
            attack(worker, RAISING[name], folder, server.getsockname()[1])
        with pytest.raises(TimeoutError):
            server.accept()
    assert caught.value.reason == "error"
    assert re.search("Permission|not permitted|not allowed|AssertionError: 1$", caught.value.what), (
        caught.value
    )
    assert worker.alive
    assert [path.name for path in folder.iterdir()] == ["precious"]
    assert not (Path.home() / "written").exists()


@pytest.mark.parametrize("name", SHELL)
def test_no_program_runs(sandbox, folder, name: str) -> None:
    with sandbox.worker() as worker:
        assert attack(worker, SHELL[name], folder) != 0
    assert not (folder / "written").exists()


@pytest.mark.parametrize("name", ENDING)
def test_what_takes_too_much_is_ended_in_time(sandbox, folder, name: str) -> None:
    reason, body = ENDING[name]
    with sandbox.worker() as worker:
        began = time.monotonic()
        with pytest.raises(Rejected) as caught:
            attack(worker, body, folder, seconds=SECONDS)
        assert time.monotonic() - began < SECONDS + 1
    assert caught.value.reason == reason, caught.value
    if reason in ("time", "crash", "contract"):
        assert not psutil.pid_exists(worker.pid)
    with sandbox.worker() as worker:
        assert call(worker, "def f():\n    return 2 + 2") == 4


def test_a_worker_has_only_so_much_processor_time(folder) -> None:
    with Sandbox(1, limits=dataclasses.replace(LIMITS, cpu_seconds=2)) as sandbox, sandbox.worker() as worker:
        with pytest.raises(Rejected, match="processor time|killed") as caught:
            attack(worker, "while True: pass", folder, seconds=15)
        assert caught.value.reason in ("time", "memory")
        assert not psutil.pid_exists(worker.pid)


def test_the_escape_that_these_tests_rely_on_works(sandbox, folder) -> None:
    with sandbox.worker() as worker:
        assert attack(worker, "return load('os').getpid()", folder) == worker.pid


# -- secrets ---------------------------------------------------------------------------------------


def test_no_key_is_visible_inside(folder, monkeypatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-secret-0123456789")
    monkeypatch.setenv("HARMLESS", "value")
    with Sandbox(1, limits=LIMITS) as sandbox, sandbox.worker() as worker:
        names = "return sum(n in load('os').environ for n in ('ANTHROPIC_API_KEY', 'HARMLESS', 'HOME'))"
        assert attack(worker, names, folder) == 0
        environment = Path(f"/proc/{worker.pid}/environ")
        if environment.exists():
            assert b"secret" not in environment.read_bytes()


def test_open_files_are_not_inherited(folder) -> None:
    with (folder / "precious").open() as file:
        os.set_inheritable(file.fileno(), True)
        same = f"load('os').fstat({file.fileno()}).st_ino == {os.fstat(file.fileno()).st_ino}"
        with Sandbox(1, limits=LIMITS) as sandbox, sandbox.worker() as worker:
            body = f"try: return {same}\n    except Exception: return 0"
            assert attack(worker, body, folder) == 0


# -- deadlines and ends ----------------------------------------------------------------------------

_ABANDONED = """
import os, sys
from toolkit.discovery.sandbox import Sandbox
with Sandbox(1) as sandbox, sandbox.worker() as worker:
    print(worker.pid, flush=True)
    worker.request("call", {"text": "def f():\\n    while True: pass", "function": "f"}, seconds=2)
"""
_IDLE = """
from toolkit.discovery.sandbox import Sandbox
sandbox = Sandbox(1)
with sandbox.worker() as worker:
    print(worker.pid, flush=True)
"""


def start(script: str) -> tuple[subprocess.Popen, int]:
    process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    return process, int(process.stdout.readline())


def gone_within(pid: int, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def test_a_candidate_does_not_outlive_a_parent_that_is_killed() -> None:
    process, pid = start(_ABANDONED)
    process.kill()
    process.wait()
    assert gone_within(pid, 3)


def test_a_candidate_ends_by_itself_where_the_parent_hangs() -> None:
    process, pid = start(_ABANDONED)
    time.sleep(0.3)
    process.send_signal(signal.SIGSTOP)
    try:
        assert gone_within(pid, 3)
    finally:
        process.kill()
        process.wait()


def test_a_program_ends_at_once_and_takes_its_workers_along() -> None:
    process, pid = start(_IDLE)
    assert process.wait(timeout=10) == 0
    assert gone_within(pid, 1)


def test_an_interrupt_ends_what_is_running(sandbox) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        with sandbox.worker() as worker, pytest.raises(KeyboardInterrupt):
            signal.setitimer(signal.ITIMER_REAL, 0.3)
            call(worker, "def f():\n    while True: pass")
        assert not psutil.pid_exists(worker.pid)
    finally:
        signal.signal(signal.SIGALRM, before)


# -- answers ---------------------------------------------------------------------------------------


def test_arrays_go_there_and_back_unchanged(sandbox) -> None:
    values = np.random.default_rng(0).normal(size=(3, 4, 5))
    text = "def f(x, y):\n    return x * y[0]"
    with sandbox.worker() as worker:
        answer = worker.request("call", {"text": text, "function": "f"}, {"x": values, "y": np.array([2])})
    np.testing.assert_array_equal(answer.arrays["result"], 2 * values)


def test_a_large_array_fits_through_the_pipe(sandbox) -> None:
    values = np.ones(3_000_000)
    with sandbox.worker() as worker:
        text = "def f(x):\n    return x + 1"
        answer = worker.request("call", {"text": text, "function": "f"}, {"x": values})
    assert answer.arrays["result"].sum() == 6_000_000


def test_an_answer_that_is_too_long_is_refused() -> None:
    with Sandbox(1, limits=Limits(reply_mb=1)) as sandbox, sandbox.worker() as worker:
        with pytest.raises(Rejected, match="answer is too long") as caught:
            worker.request("call", {"text": "def f():\n    return np.ones(10**6)", "function": "f"})
        assert caught.value.reason == "contract"


def test_an_error_names_the_line_and_the_worker_goes_on(sandbox) -> None:
    with sandbox.worker() as worker:
        with pytest.raises(Rejected, match="f, line 3: ZeroDivisionError"):
            call(worker, "def f():\n    x = 0\n    return 1 / x")
        assert call(worker, "def f():\n    return 1") == 1


def test_an_error_says_nothing_that_no_file_can_hold(sandbox) -> None:
    text = "def f():\n    raise ValueError('half a pair \\ud800, and a number ' + '9' * 10**6)"
    with sandbox.worker() as worker, pytest.raises(Rejected, match="half a pair [?], and") as caught:
        call(worker, text)
    assert len(caught.value.what.encode()) < 1_000


def test_state_of_one_candidate_does_not_reach_the_next(sandbox) -> None:
    """A candidate that changes a function of NumPy changes its own copy of the list of names."""
    with sandbox.worker() as worker:
        call(worker, "x = 1\ndef f():\n    return x")
        with pytest.raises(Rejected, match="NameError"):
            call(worker, "def f():\n    return x")


def test_a_worn_worker_is_replaced() -> None:
    with Sandbox(1, limits=Limits(requests=2)) as sandbox:
        pids = []
        for _ in range(4):
            with sandbox.worker() as worker:
                pids.append(worker.pid)
                call(worker, "def f():\n    return 1")
    assert pids[0] == pids[1] != pids[2] == pids[3]


def test_a_worker_that_occupies_much_memory_is_replaced(monkeypatch) -> None:
    """Compiled programs are kept for as long as their process lives."""
    with Sandbox(1, limits=LIMITS) as sandbox:
        with sandbox.worker() as first:
            pass
        monkeypatch.setattr(process, "resident", lambda _: 2**19 * LIMITS.memory_mb + 1)
        with sandbox.worker() as again:
            assert again.pid == first.pid
        monkeypatch.undo()
        with sandbox.worker() as another:
            assert another.pid != first.pid


# -- layers ----------------------------------------------------------------------------------------


def test_all_layers_of_this_machine_are_described() -> None:
    layers = {layer.name: layer for layer in describe_layers()}
    assert {"gate", "process", "limits", "confinement", "watchdog"} <= layers.keys()
    assert all(layer.active for layer in layers.values() if layer.needed)
    assert "tried and denied" in str(layers["confinement"])


_REPORT = {
    "limits": ["RLIMIT_AS"],
    "no_new_privileges": True,
    "landlock": "",
    "seccomp": "",
    "denied": dict.fromkeys(("reading files", "writing files", "the network", "starting processes"), True),
}


def test_a_machine_without_confinement_is_refused_with_what_to_do() -> None:
    require(layers_of(_REPORT))
    denied = {**_REPORT["denied"], "the network": False}
    report = {**_REPORT, "landlock": "the kernel has no Landlock", "denied": denied}
    with pytest.raises(UsageError) as caught:
        require(layers_of(report))
    said = str(caught.value)
    assert "without confinement (still possible: the network; the kernel has no Landlock" in said
    assert "Linux 5.13" in said and "accept_fewer_layers=True" in said
    with pytest.raises(UsageError, match="without limits"):
        require(layers_of({**_REPORT, "limits": []}))


@pytest.fixture
def _unconfined(monkeypatch) -> None:
    """Workers that report that nothing is denied."""
    monkeypatch.setattr(
        "toolkit.discovery.sandbox.process.layers_of", lambda report: layers_of({**report, "denied": {}})
    )


@pytest.mark.usefixtures("_unconfined")
def test_fewer_layers_must_be_accepted_in_so_many_words() -> None:
    with Sandbox(1) as sandbox, pytest.raises(UsageError, match="without confinement"), sandbox.worker():
        pass
    with Sandbox(1, accept_fewer_layers=True) as sandbox, sandbox.worker() as worker:
        assert call(worker, "def f():\n    return 1") == 1


def test_a_worker_that_cannot_start_says_so(monkeypatch) -> None:
    monkeypatch.setattr("toolkit.discovery.sandbox.process._BEGIN", "import nothing_of_that_name")
    with pytest.raises(ToolkitError, match="could not be started.*exit code 1"):
        Worker(Limits(), compiles=False)


def test_wrong_limits_are_refused() -> None:
    with pytest.raises(UsageError, match="seconds is 0"):
        Limits(seconds=0)
    with pytest.raises(UsageError, match="0 workers"):
        Sandbox(0)


# -- the gate and hostile texts --------------------------------------------------------------------


@pytest.mark.parametrize("body", [*RAISING.values(), *SHELL.values(), *(body for _, body in ENDING.values())])
def test_the_gate_turns_all_of_them_down(body: str) -> None:
    with pytest.raises(Rejected) as caught:
        check_text(text_of(body))
    assert caught.value.reason == "not allowed"
