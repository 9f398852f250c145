"""Locks that are files: who holds them, since when, and whether the holder still lives.

`flock` does nothing on some network file systems of clusters, so a lock is a file that only one
process can create.
"""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel, ValidationError

from toolkit.errors import UsageError
from toolkit.io import write_bytes

if TYPE_CHECKING:
    import psutil

SECONDS_BETWEEN_BEATS = 5.0
DEAD_AFTER_S = 120.0
"""A holder on another machine that has not touched its lock for so long is gone."""
SECONDS_TO_WRITE = 5.0
"""A lock that names nobody for so long was never written to its end."""


class Holder(BaseModel):
    """A process, told apart from a later one with the same number by its start time."""

    pid: int
    host: str
    process_started: float
    since: str

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host} since {self.since}"

    @property
    def is_here(self) -> bool:
        """Whether the process runs on this machine."""
        return self.host == socket.gethostname()

    def is_alive(self, last_beat: float) -> bool:
        """Whether the holder lives; of one elsewhere only its last sign of life is known."""
        if not self.is_here:
            return time.time() - last_beat < DEAD_AFTER_S
        return is_same_process(self.pid, self.process_started)


def this_process() -> Holder:
    """The holder that this process is."""
    import psutil

    return Holder(
        pid=os.getpid(),
        host=socket.gethostname(),
        process_started=_started(psutil.Process()),
        since=datetime.now().isoformat(sep=" ", timespec="seconds"),
    )


def is_same_process(pid: int, started: float) -> bool:
    """Whether the process ``pid`` still is the one that started then."""
    import psutil

    try:
        process = psutil.Process(pid)
        # Start times are known to a clock tick only.
        return abs(_started(process) - started) < 2 and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _started(process: psutil.Process) -> float:
    """When a process started, on a scale that setting the clock does not move."""
    import psutil

    # On Linux psutil adds the time of booting, which is the clock less the uptime.
    return process.create_time() - (psutil.boot_time() if psutil.LINUX else 0.0)


def read_holder(lock: Path) -> Holder | None:
    """The living holder of a lock, or None if it is free or its holder is gone."""
    holder, beat = _read(lock)
    return holder if holder is not None and holder.is_alive(beat) else None


@contextlib.contextmanager
def hold(lock: Path, what: str) -> Iterator[None]:
    """Hold a lock; raise if a living process holds it.

    Parameters
    ----------
    lock
        File of the lock.
    what
        What is locked, for the error of whoever comes second.
    """
    lock.parent.mkdir(parents=True, exist_ok=True)
    _acquire(lock, what)
    done = threading.Event()
    beat = threading.Thread(target=_keep_beating, args=(lock, done), daemon=True)
    beat.start()
    try:
        yield
    finally:
        done.set()
        lock.unlink(missing_ok=True)


def _acquire(lock: Path, what: str) -> None:
    content = this_process().model_dump_json().encode()
    for _ in range(20):
        if _create(lock, content):
            return
        _refuse_if_alive(lock, what)
        if _is_stale(lock) and _take_over(lock, content):
            return
        time.sleep(0.1)
    raise UsageError(f"the lock of {what} cannot be taken.", where=str(lock), fix="Try again in a minute.")


def _create(lock: Path, content: bytes) -> bool:
    try:
        descriptor = os.open(lock, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError:
        return False
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    return True


def _refuse_if_alive(lock: Path, what: str) -> None:
    holder = read_holder(lock)
    if holder is not None:
        raise UsageError(
            f"{what} is being worked on by {holder}.",
            fix="Watch it with `toolkit status --follow`, or wait until it has ended.",
        )


def _take_over(lock: Path, content: bytes) -> bool:
    """Replace a dead holder's lock.

    Only one process at a time may, and it looks again before it does: otherwise one that judged the old
    lock would throw away the new one of a quicker process. The lock is there at every moment.
    """
    right = lock.with_name(f"{lock.name}.takeover")
    try:
        _acquire(right, f"the take-over of {lock.name}")
    except UsageError:
        return False
    try:
        stale = _is_stale(lock)
        if stale:
            write_bytes(lock, content)
        return stale
    finally:
        right.unlink(missing_ok=True)


def _is_stale(lock: Path) -> bool:
    # One look: what is read here and judged a moment later may be another process's lock.
    holder, beat = _read(lock)
    if holder is None:
        return beat > 0 and time.time() - beat > SECONDS_TO_WRITE
    return not holder.is_alive(beat)


def _read(lock: Path) -> tuple[Holder | None, float]:
    """Who a lock names, None if nobody (yet), and its last beat, 0 if there is no lock."""
    try:
        content, beat = lock.read_bytes(), lock.stat().st_mtime
        return Holder.model_validate_json(content), beat
    except FileNotFoundError:
        return None, 0.0
    except ValidationError:
        return None, beat


def _keep_beating(lock: Path, done: threading.Event) -> None:
    while not done.wait(SECONDS_BETWEEN_BEATS):
        with contextlib.suppress(OSError):
            os.utime(lock)
