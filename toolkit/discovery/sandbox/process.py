"""One worker process, seen from outside: started locked, asked, watched, and ended."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from typing import Any

import numpy as np

from toolkit.discovery.rejection import Reason, Rejected
from toolkit.discovery.sandbox import macos
from toolkit.discovery.sandbox.exchange import Ended, Exchange, exchange, resident
from toolkit.discovery.sandbox.folders import python_folders, toolkit_folder
from toolkit.discovery.sandbox.layers import Layer, layers_of
from toolkit.discovery.sandbox.limits import Limits
from toolkit.discovery.sandbox.protocol import Message, encode
from toolkit.errors import ToolkitError

_BEGIN = """
import importlib.util, sys
found = importlib.util.spec_from_file_location("toolkit", sys.argv[1] + "/__init__.py")
sys.modules["toolkit"] = importlib.util.module_from_spec(found)
found.loader.exec_module(sys.modules["toolkit"])
from toolkit.discovery.worker import main
main.run()
"""
"""The worker's toolkit is that of its parent, whichever one is installed beside it."""

_ENVIRONMENT = {
    "PATH": os.defpath,
    "LC_ALL": "C.UTF-8",
    **{f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL", "NUMBA", "VECLIB_MAXIMUM")},
}
"""All that a worker's environment holds: no key, no home, no path of the project."""

_SIGNALS: dict[int, tuple[Reason, str]] = {
    signal.SIGXCPU: ("time", "it used up the processor time of a worker."),
    signal.SIGALRM: ("time", "it took too long."),
    signal.SIGKILL: ("memory", "it was killed, as the system does when memory runs out."),
}


class WorkerLost(ToolkitError):
    """A worker that ended though no candidate was at fault; asking another one may help."""


class Worker:
    """A locked process that runs candidates one after the other.

    Attributes
    ----------
    layers
        What stands between a candidate and this machine.
    known
        Keys of what the worker has been sent and still holds; for whoever uses it.
    """

    def __init__(self, limits: Limits, *, compiles: bool) -> None:
        self.limits, self.compiles = limits, compiles
        self.known: dict[str, int] = {}
        self.n_requests = 0
        self._seconds_used = 0.0
        self._process = self._start()
        try:
            hello = self._receive_hello()
        except BaseException:
            self.kill()
            raise
        self.layers: list[Layer] = layers_of(hello.content)

    @property
    def pid(self) -> int:
        """Of the process, which leads a group of its own."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether it can be asked."""
        return self._process.poll() is None

    @property
    def worn(self) -> bool:
        """Whether it should be replaced before the next request."""
        limits = self.limits
        if self.n_requests >= limits.requests or self._seconds_used > limits.cpu_seconds / 2:
            return True
        # Machine code is never given back: after a few thousand programs the next one would find no room.
        return resident(self.pid) > limits.memory_mb * 2**20 / 2

    def request(
        self,
        operation: str,
        content: Mapping[str, Any] | None = None,
        arrays: Mapping[str, np.ndarray] | None = None,
        seconds: float | None = None,
    ) -> Message:
        """Ask for something and wait for the answer, at most so many seconds.

        Raises
        ------
        Rejected
            where the candidate is at fault. The worker is ended unless it says itself what went wrong.
        WorkerLost
            where it had ended before.
        """
        (answer,) = request_all([(self, operation, content or {}, arrays or {})], seconds)
        return answer

    def kill(self) -> None:
        """End the process and all of its group, at once."""
        with contextlib.suppress(OSError):
            os.killpg(self._process.pid, signal.SIGKILL)
        for pipe in (self._process.stdin, self._process.stdout):
            with contextlib.suppress(OSError):
                pipe.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=5)

    # -- starting -----------------------------------------------------------------------------

    def _start(self) -> subprocess.Popen[bytes]:
        folders = python_folders()
        confined = macos.available()
        settings = {
            "readable": folders,
            "memory_mb": self.limits.memory_mb,
            "cpu_seconds": self.limits.cpu_seconds,
            # The kernel would end the worker with the thread that started it.
            "parent": os.getpid() if threading.current_thread() is threading.main_thread() else None,
            "confined": confined,
            "compiles": self.compiles,
        }
        before = macos.command(sys.executable, [*folders, str(toolkit_folder())])
        command = [sys.executable, "-I", "-c", _BEGIN, str(toolkit_folder()), json.dumps(settings)]
        process = subprocess.Popen(
            [*before, *command] if confined else command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=_ENVIRONMENT,
            cwd="/",
            start_new_session=True,
        )
        for pipe in (process.stdin, process.stdout):
            os.set_blocking(pipe.fileno(), False)
        return process

    def _receive_hello(self) -> Message:
        (end,) = exchange([self._exchange([], self.limits.start_seconds)])
        if not isinstance(end, Message):
            raise ToolkitError(
                f"a worker could not be started: {end.value}, exit code {self._process.poll()}.",
                where="sandbox",
                fix=f"Try `{sys.executable} -I -c 'import numpy, numba'`, and more memory_mb in Limits.",
            )
        return end

    # -- asking -------------------------------------------------------------------------------

    def _exchange(self, pieces: list[bytes | memoryview], seconds: float) -> Exchange:
        return Exchange(
            process=self._process,
            outgoing=pieces,
            deadline=time.monotonic() + seconds,
            longest_reply=self.limits.reply_mb * 2**20,
            most_memory=self.limits.memory_mb * 2**20,
        )

    def open_exchange(
        self, operation: str, content: Mapping[str, Any], arrays: Mapping[str, np.ndarray], seconds: float
    ) -> Exchange:
        """A request that is ready to be sent."""
        if not self.alive:
            raise WorkerLost(
                f"worker {self.pid} has ended, though no candidate was at fault.",
                where="sandbox",
                fix="Ask again; a new worker is started.",
            )
        self.n_requests += 1
        told = {"operation": operation, "seconds": seconds, **content}
        return self._exchange(encode(told, arrays), seconds)

    def close_exchange(self, end: Message | Ended, seconds: float, used: float) -> Message:
        """The answer, or the error that it stands for."""
        self._seconds_used += used
        if isinstance(end, Message):
            error = end.content.get("error")
            if error is None:
                return end
            raise Rejected(error["reason"], error["what"], where=error.get("where", ""))
        code = self._process.poll()
        self.kill()
        raise _rejection(end, code, seconds, self.limits)


def request_all(
    requests: list[tuple[Worker, str, Mapping[str, Any], Mapping[str, np.ndarray]]],
    seconds: float | None = None,
) -> list[Message]:
    """Ask several workers at once and wait for all answers; the first that is an error is raised."""
    limit = seconds or requests[0][0].limits.seconds
    began = time.monotonic()
    try:
        ends = exchange([worker.open_exchange(*rest, limit) for worker, *rest in requests])
    except BaseException:
        for worker, *_ in requests:
            worker.kill()  # It may be in the middle of something.
        raise
    used = time.monotonic() - began
    answers, errors = [], []
    for (worker, *_), end in zip(requests, ends, strict=True):
        try:
            answers.append(worker.close_exchange(end, limit, used))
        except Rejected as error:
            errors.append(error)
    if errors:
        raise errors[0]
    return answers


def _rejection(end: Ended, code: int | None, seconds: float, limits: Limits) -> Rejected:
    match end:
        case Ended.TIME:
            return Rejected("time", f"it took longer than {seconds:g} s.", fix="Use fewer or shorter loops.")
        case Ended.MEMORY:
            return Rejected("memory", f"it used more than {limits.memory_mb} MB.", fix="Use smaller arrays.")
        case Ended.REPLY:
            return Rejected("contract", "its answer is too long, or none that a worker gives.")
    if code is not None and -code in _SIGNALS:
        reason, what = _SIGNALS[-code]
        return Rejected(reason, what)
    return Rejected("crash", f"it ended its process ({_how(code)}).", fix="Use plain arithmetic.")


def _how(code: int | None) -> str:
    if code is None or code >= 0:
        return f"exit code {code}"
    return signal.Signals(-code).name
