"""The sandbox: as many locked workers as are asked for at once, replaced when they wear out or fail."""

from __future__ import annotations

import contextlib
import os
import threading
import weakref
from collections.abc import Iterator
from functools import cache

from toolkit.discovery.sandbox.layers import Layer, require
from toolkit.discovery.sandbox.limits import Limits
from toolkit.discovery.sandbox.process import Worker
from toolkit.errors import UsageError


class Sandbox:
    """Runs candidates in processes that can calculate and do nothing else.

    Workers are started when they are first needed. They end with :meth:`close`, with the ``with`` block,
    and with the program.

    Parameters
    ----------
    n_workers
        Workers of each kind that are kept for the next request; by default one for every core.
    accept_fewer_layers
        Also run candidates on a machine that cannot confine a process. Their text is still checked.
    """

    def __init__(
        self,
        n_workers: int | None = None,
        *,
        limits: Limits | None = None,
        accept_fewer_layers: bool = False,
    ) -> None:
        if n_workers is not None and n_workers < 1:
            raise UsageError(f"{n_workers} workers can run nothing.", fix="Use 1 or more.")
        self.n_workers = n_workers or os.cpu_count() or 1
        self.limits = limits or Limits()
        self.accept_fewer_layers = accept_fewer_layers
        self._idle: list[Worker] = []
        self._all: weakref.WeakSet[Worker] = weakref.WeakSet()
        self._lock = threading.Lock()
        self._compilers = threading.BoundedSemaphore(self.n_workers)
        self._finish = weakref.finalize(self, _kill_all, self._all)

    def __enter__(self) -> Sandbox:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End all workers."""
        _kill_all(self._all)
        self._idle.clear()

    def layers(self) -> list[Layer]:
        """The layers that hold here, found out by a worker."""
        with self._borrowed(compiles=False, prefer="", checked=False) as worker:
            return worker.layers

    @contextlib.contextmanager
    def worker(self, *, compiles: bool = False, prefer: str = "") -> Iterator[Worker]:
        """A worker for as long as the block lasts.

        Parameters
        ----------
        compiles
            Whether it must be able to compile, which takes longer to start.
        prefer
            A key; a worker that knows it already comes first.

        Raises
        ------
        UsageError
            where a layer that is needed is not active on this machine.
        """
        with self._borrowed(compiles=compiles, prefer=prefer, checked=True) as worker:
            yield worker

    @contextlib.contextmanager
    def compiler(self, *, numba: bool, prefer: str = "") -> Iterator[Worker]:
        """A worker to compile with, and to run what is compiled; there are as many at once as are kept.

        A compiler takes a while to start and to compile: it is worth waiting for one of those that are there.

        Parameters
        ----------
        numba
            Whether numba is needed, which takes seconds to start.
        """
        with self._compilers, self.worker(compiles=numba, prefer=prefer) as worker:
            yield worker

    @contextlib.contextmanager
    def _borrowed(self, *, compiles: bool, prefer: str, checked: bool) -> Iterator[Worker]:
        worker = self._take(compiles, prefer) or Worker(self.limits, compiles=compiles)
        self._all.add(worker)
        try:
            if checked and not self.accept_fewer_layers:
                require(worker.layers)
            yield worker
        finally:
            self._give_back(worker)

    def _take(self, compiles: bool, prefer: str) -> Worker | None:
        with self._lock:
            fitting = [one for one in self._idle if one.compiles == compiles and one.alive]
            worker = next((one for one in fitting if prefer in one.known), fitting[0] if fitting else None)
            if worker is not None:
                self._idle.remove(worker)
            return worker

    def _give_back(self, worker: Worker) -> None:
        with self._lock:
            n_idle = sum(one.compiles == worker.compiles for one in self._idle)
            if worker.alive and not worker.worn and n_idle < self.n_workers:
                self._idle.append(worker)
                return
            self._idle = [one for one in self._idle if one.alive]
        worker.kill()


def _kill_all(workers: weakref.WeakSet[Worker]) -> None:
    for worker in list(workers):
        worker.kill()


@cache
def default_sandbox() -> Sandbox:
    """The sandbox that is used where none is given, with a worker for every core."""
    return Sandbox()


def describe_layers() -> list[Layer]:
    """The layers between a candidate and this machine, and which of them are active here."""
    return default_sandbox().layers()
