"""Watches the kernel of a section: deadlines, signs of life, memory, and how it ended."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from toolkit.io import write_json
from toolkit.pipeline.locks import Holder, is_same_process

HEARTBEAT_NAME = "heartbeat.json"
PROGRESS_NAME = "progress.json"

CONTINUE = "`toolkit run` with the same options continues; what has succeeded is not repeated."

_SECONDS_BETWEEN_LOOKS = 0.25
_SECONDS_BETWEEN_BEATS = 2.0
_GRACE_S = 5.0
"""Time a stopped cell has to save its checkpoint before the kernel is killed."""


@dataclass(frozen=True)
class Stop:
    """Why a section was stopped from outside of its notebook."""

    status: Literal["failed", "interrupted"]
    reason: str
    advice: str


class Supervisor(threading.Thread):
    """Thread that keeps the heartbeat of a section and stops its kernel when it must.

    Attributes
    ----------
    stopped
        Why the section was stopped, or None.
    peak_memory_mb
        Most memory the kernel and its children had at once.
    cell, cell_text, cells
        Number of the running code cell (from 1), its first line, and how many there are.
    """

    def __init__(
        self,
        folder: Path,
        holder: Holder,
        *,
        section_deadline_s: float,
        runner: tuple[int, float] | None = None,
        redact: Callable[[str], str] = str,
    ) -> None:
        super().__init__(daemon=True)
        self._folder, self._holder, self._runner, self._redact = folder, holder, runner, redact
        # The clock may be set while a section runs; what is measured must not be.
        self._began, self._deadline = time.time(), time.monotonic() + section_deadline_s
        self._deadline_s = section_deadline_s
        self._kernel: subprocess.Popen[bytes] | None = None
        self._done = threading.Event()
        self.stopped: Stop | None = None
        self.peak_memory_mb: float | None = None
        self.cell, self.cell_text, self.cells = 0, "", 0
        self._cell_started = self._began

    def attach(self, kernel: subprocess.Popen[bytes]) -> None:
        """Watch this process from now on."""
        self._kernel = kernel

    def begin_cell(self, number: int, source: str) -> None:
        """Note that a code cell begins."""
        lines = [line.strip() for line in source.splitlines() if line.strip()]
        first = next((line for line in lines if not line.startswith("#")), lines[0] if lines else "")
        self.cell, self.cell_text, self._cell_started = number, self._redact(first[:200]), time.time()

    def stop(self, why: Stop) -> None:
        """Ask for the kernel to be stopped; the first reason counts.

        It only sets an attribute, since signal handlers call it.
        """
        self.stopped = self.stopped or why

    def run(self) -> None:
        last_beat, last_cell = 0.0, -1
        while not self._done.wait(_SECONDS_BETWEEN_LOOKS):
            if time.monotonic() - last_beat > _SECONDS_BETWEEN_BEATS or self.cell != last_cell:
                last_beat, last_cell = time.monotonic(), self.cell
                self._measure()
                self._beat()
                self._check_runner()
            if time.monotonic() > self._deadline:
                self.stop(_deadline_passed(self._deadline_s))
            if self.stopped is not None and self._kernel is not None:
                self._end_kernel()
                return

    def finish(self) -> int | None:
        """Stop watching, end what is left of the kernel's processes, and say how the kernel ended.

        Returns
        -------
        Exit code, negative for a signal; None if it ended as it was told to.
        """
        self._done.set()
        self.join(timeout=_GRACE_S + 5)
        if self._kernel is None:
            return None
        code = self._kernel.poll()
        self._signal(signal.SIGKILL)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._kernel.wait(timeout=10)
        return code

    def _end_kernel(self) -> None:
        """Interrupt the cell, again and again for some seconds, then kill."""
        assert self._kernel is not None
        until = time.monotonic() + _GRACE_S
        while time.monotonic() < until and self._kernel.poll() is None:
            self._signal(signal.SIGINT)
            if self._done.wait(1.0):
                return
        self._signal(signal.SIGKILL)

    def _signal(self, number: int) -> None:
        assert self._kernel is not None
        with contextlib.suppress(OSError):
            os.killpg(self._kernel.pid, number)

    def _measure(self) -> None:
        import psutil

        if self._kernel is None:
            return
        with contextlib.suppress(psutil.Error):
            kernel = psutil.Process(self._kernel.pid)
            total = 0.0
            for process in [kernel, *kernel.children(recursive=True)]:
                with contextlib.suppress(psutil.Error):
                    total += process.memory_info().rss / 2**20
            self.peak_memory_mb = round(max(total, self.peak_memory_mb or 0.0), 1)

    def _beat(self) -> None:
        beat: dict[str, Any] = {
            **self._holder.model_dump(),
            "cell": self.cell,
            "cells": self.cells,
            "text": self.cell_text,
            "started": self._began,
            "cell_started": self._cell_started,
            "memory_mb": self.peak_memory_mb,
            "at": time.time(),
        }
        with contextlib.suppress(Exception):  # A missed heartbeat is no reason to fail.
            write_json(self._folder / HEARTBEAT_NAME, beat)

    def _check_runner(self) -> None:
        if self._runner is not None and not is_same_process(*self._runner):
            self.stop(Stop("interrupted", "the `toolkit run` that started it is gone.", CONTINUE))


@contextlib.contextmanager
def stopped_by_signals(supervisor: Supervisor) -> Iterator[None]:
    """While this lasts, SIGTERM, SIGINT and SIGHUP end the section as interrupted."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(number: int, _frame: object) -> None:
        reason = f"it was stopped by {signal.Signals(number).name}."
        supervisor.stop(Stop("interrupted", reason, CONTINUE))

    numbers = [getattr(signal, name) for name in ("SIGTERM", "SIGINT", "SIGHUP") if hasattr(signal, name)]
    earlier = {number: signal.signal(number, stop) for number in numbers}
    try:
        yield
    finally:
        for number, handler in earlier.items():
            signal.signal(number, handler)


def _deadline_passed(seconds: float) -> Stop:
    return Stop(
        "failed",
        f"the section took longer than its deadline of {seconds:g} s.",
        "Raise deadline_s.section in the pipeline file, or choose a smaller profile.",
    )
