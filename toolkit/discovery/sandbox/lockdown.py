"""What a worker does to itself before it is given a candidate, and how it finds out whether that holds."""

from __future__ import annotations

import ctypes
import os
import socket
import sys
import tempfile
from collections.abc import Callable, Sequence
from typing import Any

from toolkit.discovery.sandbox import landlock, seccomp
from toolkit.discovery.sandbox.limits import limit_this_process

_NO_NEW_PRIVILEGES, _DUMPABLE, _SIGNAL_WHEN_PARENT_ENDS = 38, 4, 1
_KILL = 9


def lock_down(
    readable: Sequence[str], memory_mb: int, cpu_seconds: int, parent: int | None, confined: bool
) -> dict[str, Any]:
    """Lock this process for good and report what holds.

    Parameters
    ----------
    readable
        Folders that can still be read.
    parent
        Process to end with, or None where the parent's thread may end before the parent does.
    confined
        Whether the operating system confined this process before it began.
    """
    report: dict[str, Any] = {"limits": limit_this_process(memory_mb, cpu_seconds)}
    if sys.platform == "linux":
        report["no_new_privileges"] = _control(parent)
        report["landlock"] = landlock.restrict(readable)
        # Without Landlock nothing bounds which files can be opened, so none can be.
        report["seccomp"] = seccomp.install(reading=report["landlock"] == "")
    else:
        report["confined"] = confined
    report["denied"] = {name: _is_denied(attempt) for name, attempt in _ATTEMPTS.items()}
    return report


def _control(parent: int | None) -> bool:
    libc = ctypes.CDLL(None, use_errno=True)
    done = libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0) == 0
    libc.prctl(_DUMPABLE, 0, 0, 0, 0)
    if parent is not None:
        libc.prctl(_SIGNAL_WHEN_PARENT_ENDS, _KILL, 0, 0, 0)
        if os.getppid() != parent:  # It ended before the line above.
            os._exit(0)
    return done


# -- attempts: each must fail ---------------------------------------------------------------------


def _is_denied(attempt: Callable[[], None]) -> bool:
    try:
        attempt()
    except OSError:
        return True
    return False


def _read_a_file() -> None:
    os.close(os.open("/etc/passwd", os.O_RDONLY))


def _write_a_file() -> None:
    with tempfile.TemporaryFile():
        pass


def _open_a_connection() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as one:
        one.settimeout(0.2)
        one.bind(("127.0.0.1", 0))


def _start_a_process() -> None:
    child = os.fork()
    if not child:
        os._exit(0)
    os.waitpid(child, 0)


_ATTEMPTS = {
    "reading files": _read_a_file,
    "writing files": _write_a_file,
    "the network": _open_a_connection,
    "starting processes": _start_a_process,
}
