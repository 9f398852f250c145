"""How much a candidate may take, and the limits that a process sets itself before it runs one."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass

from toolkit.errors import UsageError


@dataclass(frozen=True)
class Limits:
    """What one worker may use.

    Attributes
    ----------
    seconds
        Wall time of one request, unless the request names its own.
    start_seconds
        Wall time until a new worker is ready.
    memory_mb
        Address space, and resident memory where the system has no such limit; a worker that occupies half of it is
        replaced between two requests.
    cpu_seconds
        Processor time of a worker in all; one that has used half of it is replaced between two requests.
    reply_mb
        The longest answer.
    requests
        After so many a worker is replaced by a new one.
    """

    seconds: float = 60.0
    start_seconds: float = 60.0
    memory_mb: int = 3_072
    cpu_seconds: int = 3_600
    reply_mb: int = 1_024
    requests: int = 20_000

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if not value > 0:
                raise UsageError(f"the limit {name} is {value}.", fix="It must be more than 0.")


def limit_this_process(memory_mb: int, cpu_seconds: int) -> list[str]:
    """Limit the process that calls this, for good; returns the names of the limits that hold.

    No files are written, however small, and none of these limits can be raised again.
    """
    import os
    import resource

    megabyte = 2**20
    wanted = {
        "RLIMIT_CPU": cpu_seconds,
        "RLIMIT_AS": memory_mb * megabyte,
        "RLIMIT_FSIZE": 0,
        "RLIMIT_NOFILE": 64,
        "RLIMIT_CORE": 0,
    }
    if os.geteuid() != 0:  # It does not hold for root, and would count the processes of other programs.
        wanted["RLIMIT_NPROC"] = 0
    held = []
    for name, value in wanted.items():
        which = getattr(resource, name, None)
        if which is None:
            continue
        with contextlib.suppress(ValueError, OSError):
            _, hard = resource.getrlimit(which)
            value = value if hard == resource.RLIM_INFINITY else min(value, hard)
            resource.setrlimit(which, (value, value))
            held.append(name)
    return held
