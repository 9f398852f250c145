"""Locks that are files: who holds them, since when, and whether the holder still lives.

`flock` does nothing on some network file systems of clusters, so a lock is a file that only one
process can create.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import socket
import threading
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from pydantic import BaseModel, ValidationError

from toolkit.errors import UsageError

SECONDS_BETWEEN_BEATS = 5.0
DEAD_AFTER_S = 120.0
"""A holder on another machine that has not touched its lock for so long is gone."""


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
        process_started=psutil.Process().create_time(),
        since=datetime.now().isoformat(sep=" ", timespec="seconds"),
    )


def is_same_process(pid: int, started: float) -> bool:
    """Whether the process ``pid`` still is the one that started then."""
    import psutil

    try:
        process = psutil.Process(pid)
        # Start times are known to a clock tick only.
        return abs(process.create_time() - started) < 2 and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def read_holder(lock: Path) -> Holder | None:
    """The living holder of a lock, or None if it is free or its holder is gone."""
    try:
        holder, beat = Holder.model_validate_json(lock.read_bytes()), lock.stat().st_mtime
    except (FileNotFoundError, ValidationError):
        return None
    return holder if holder.is_alive(beat) else None


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
        try:
            descriptor = os.open(lock, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        except FileExistsError:
            _clear_if_stale(lock, what)
            continue
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        return
    raise UsageError(f"the lock of {what} cannot be taken.", where=str(lock), fix="Try again in a minute.")


def _clear_if_stale(lock: Path, what: str) -> None:
    holder = read_holder(lock)
    if holder is not None:
        raise UsageError(
            f"{what} is being worked on by {holder}.",
            fix="Watch it with `toolkit status --follow`, or wait until it has ended.",
        )
    if _is_being_written(lock):
        time.sleep(0.1)
        return
    # Of two processes that both find it stale, only one can move it; the other's rename fails.
    aside = lock.with_name(f"{lock.name}.stale-{secrets.token_hex(4)}")
    with contextlib.suppress(FileNotFoundError):
        lock.rename(aside)
        if read_holder(aside) is not None:  # A quicker process took the lock in between: give it back.
            with contextlib.suppress(FileExistsError):
                os.link(aside, lock)
        aside.unlink(missing_ok=True)


def _is_being_written(lock: Path) -> bool:
    with contextlib.suppress(FileNotFoundError):
        return not lock.read_bytes() and time.time() - lock.stat().st_mtime < 5
    return False


def _keep_beating(lock: Path, done: threading.Event) -> None:
    while not done.wait(SECONDS_BETWEEN_BEATS):
        with contextlib.suppress(OSError):
            os.utime(lock)
