"""What a search takes: seconds on the wall, and of processors, those of the sandbox's workers included."""

from __future__ import annotations

import contextlib
import os
import time
from dataclasses import dataclass


@dataclass(frozen=True)
class Spent:
    """Seconds of the wall clock, and of all processors together.

    The second do not depend on what else a machine is busy with: ten minutes of two cores are 1,200.
    """

    seconds: float = 0.0
    processor_seconds: float = 0.0

    def __add__(self, other: Spent) -> Spent:
        return Spent(self.seconds + other.seconds, self.processor_seconds + other.processor_seconds)

    def __sub__(self, other: Spent) -> Spent:
        return Spent(self.seconds - other.seconds, self.processor_seconds - other.processor_seconds)

    def at_least(self, other: Spent) -> Spent:
        """The greater of both, each for itself."""
        return Spent(max(self.seconds, other.seconds), max(self.processor_seconds, other.processor_seconds))

    def exceeds(self, seconds: float | None, processor_seconds: float | None) -> bool:
        """Whether either is beyond its cap, None for no cap."""
        return (seconds is not None and self.seconds > seconds) or (
            processor_seconds is not None and self.processor_seconds > processor_seconds
        )


def spent_so_far() -> Spent:
    """By this process and all that it started, from any point on: to be subtracted from a later one."""
    import psutil

    own = os.times()
    total = own.user + own.system + own.children_user + own.children_system
    for child in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            total += child.cpu_times().user + child.cpu_times().system
    return Spent(time.monotonic(), total)
