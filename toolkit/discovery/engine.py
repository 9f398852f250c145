"""Runs programs in the sandbox: brings program and trials to a worker, and rows of parameters to both."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from toolkit.discovery.rejection import Rejected
from toolkit.discovery.sandbox.pool import Sandbox, default_sandbox
from toolkit.discovery.sandbox.process import Worker, request_all
from toolkit.discovery.sandbox.protocol import Message
from toolkit.discovery.tape import Tape
from toolkit.io import sha256_of_bytes

MOST_BYTES = 500_000_000
"""Trials that one worker keeps for later."""

FEWEST_ROWS = 4
"""Rows of parameters that are worth a worker of their own."""


@dataclass(frozen=True)
class Definition:
    """A program in one of the forms that a worker can run.

    Attributes
    ----------
    content
        What a worker is told of it.
    compiles
        Whether it takes a worker that compiles.
    """

    content: Mapping[str, Any]
    compiles: bool

    @cached_property
    def key(self) -> str:
        """Hash of the content."""
        import json

        return sha256_of_bytes(json.dumps(self.content, sort_keys=True).encode())


class Engine:
    """Evaluates one program, compiled if that is possible and otherwise interpreted.

    Attributes
    ----------
    compiled
        The form in which it is compiled; None where it is interpreted.
    why_interpreted
        Why the program is not compiled; "" if it is.
    """

    def __init__(
        self,
        interpreted: Definition,
        compiled: tuple[Definition, ...],
        why_interpreted: str,
        sandbox: Sandbox | None = None,
    ) -> None:
        self.interpreted = interpreted
        self.compiled, *self._slower = (*compiled, None)
        self.why_interpreted = why_interpreted
        self._sandbox = sandbox
        self._deadline: float | None = None
        self._lock = threading.Lock()

    @property
    def sandbox(self) -> Sandbox:
        """Where it runs."""
        return self._sandbox or default_sandbox()

    def gradient(self, theta: np.ndarray, sequence: np.ndarray, tape: Tape) -> tuple[np.ndarray, np.ndarray]:
        """Summed log-likelihoods (rows,) and gradients (rows, parameters), NaN where a row failed."""
        answer = self._evaluate("gradient", theta, sequence, tape)
        return answer["total"], answer["gradient"]

    def log_likelihood(
        self, theta: np.ndarray, sequence: np.ndarray, tape: Tape, *, interpreted: bool = False
    ) -> np.ndarray:
        """Summed log-likelihoods, (rows,); ``interpreted`` is for a second opinion on compiled ones."""
        return self._evaluate("log_likelihood", theta, sequence, tape, interpreted=interpreted)["total"]

    def probabilities(
        self, theta: np.ndarray, sequence: np.ndarray, tape: Tape, *, interpreted: bool = False
    ) -> np.ndarray:
        """(rows, trials, stages, options), 0 behind the end of a sequence."""
        return self._evaluate("probabilities", theta, sequence, tape, interpreted=interpreted)["p"]

    @contextlib.contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        """Turn the program down where all that is asked of it in the block takes longer than this."""
        self._deadline = time.monotonic() + seconds
        try:
            yield
        except Rejected as error:
            if error.reason == "time" and time.monotonic() >= self._deadline:
                raise Rejected("time", f"it took longer than {seconds:g} s in all.", fix=error.fix) from error
            raise
        finally:
            self._deadline = None

    @contextlib.contextmanager
    def simulator(self) -> Iterator[Worker]:
        """A worker in which the program, interpreted, can be taken through a task trial by trial."""
        with self.sandbox.worker(prefer=self.interpreted.key) as worker:
            _define(worker, self.interpreted)
            yield worker

    # -- which form, which workers ------------------------------------------------------------

    def _evaluate(
        self, operation: str, theta: np.ndarray, sequence: np.ndarray, tape: Tape, interpreted: bool = False
    ) -> dict[str, np.ndarray]:
        theta = np.ascontiguousarray(theta, dtype=float)
        seconds = self._seconds()
        while (form := self.compiled) is not None and not interpreted:
            try:
                with self.sandbox.compiler(prefer=form.key, numba=form.compiles) as worker:
                    return _run([worker], form, operation, theta, sequence, tape, seconds)
            except Rejected as error:
                if error.reason != "not compiled":
                    raise
                self._give_up(form, error.what)
        n_workers = max(1, min(self.sandbox.n_workers, len(theta) // FEWEST_ROWS))
        # Threads take turns, since each takes all workers.
        with self._lock, contextlib.ExitStack() as stack:
            workers = [
                stack.enter_context(self.sandbox.worker(prefer=self.interpreted.key))
                for _ in range(n_workers)
            ]
            return _run(workers, self.interpreted, operation, theta, sequence, tape, seconds)

    def _give_up(self, form: Definition, why: str) -> None:
        """Go on with the next form, unless another thread has done so already."""
        with self._lock:
            if self.compiled is form:
                self.compiled = self._slower.pop(0)
                self.why_interpreted = why if self.compiled is None else ""

    def _seconds(self) -> float:
        """How long the next request may take."""
        limit = self.sandbox.limits.seconds
        if self._deadline is None:
            return limit
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise Rejected("time", "there is no time left for it.", fix="Use fewer or shorter loops.")
        return min(limit, left)


def _run(
    workers: list[Worker],
    definition: Definition,
    operation: str,
    theta: np.ndarray,
    sequence: np.ndarray,
    tape: Tape,
    seconds: float,
) -> dict[str, np.ndarray]:
    """Evaluate rows, shared out between workers."""
    parts = np.array_split(np.arange(len(theta)), len(workers))
    content = {"program": definition.key, "data": tape.key}
    requests = []
    for worker, rows in zip(workers, parts, strict=True):
        _define(worker, definition)
        _bring(worker, tape)
        requests.append((worker, operation, content, {"theta": theta[rows], "sequence": sequence[rows]}))
    answers = request_all(requests, seconds)
    _check(answers, [len(rows) for rows in parts])
    _raise_if_all_failed(answers, len(theta))
    return {name: np.concatenate([one.arrays[name] for one in answers]) for name in answers[0].arrays}


def _define(worker: Worker, definition: Definition) -> None:
    if definition.key not in worker.known:
        worker.request("define", {"key": definition.key, **definition.content})
        worker.known[definition.key] = 0


def _bring(worker: Worker, tape: Tape) -> None:
    """Send the trials, unless the worker has them; it forgets the oldest where they become too many."""
    if tape.key in worker.known:
        return
    answer = worker.request("data", {"key": tape.key, "n_options": tape.n_options}, tape.arrays)
    worker.known[tape.key] = int(answer.content["n_bytes"])
    oldest = [key for key, n_bytes in worker.known.items() if n_bytes and key != tape.key]
    dropped: list[str] = []
    while oldest and sum(worker.known.values()) > MOST_BYTES:
        dropped.append(oldest.pop(0))
        del worker.known[dropped[-1]]
    if dropped:
        worker.request("forget", {"keys": dropped})


def _check(answers: list[Message], n_rows: list[int]) -> None:
    for answer, expected in zip(answers, n_rows, strict=True):
        if not answer.arrays or any(len(array) != expected for array in answer.arrays.values()):
            raise Rejected("contract", "the worker's answer has not as many rows as were asked for.")


def _raise_if_all_failed(answers: list[Message], n_rows: int) -> None:
    """A program that fails for every row has a fault; one that fails for some has odd parameters."""
    if n_rows and sum(int(answer.content.get("failures", 0)) for answer in answers) >= n_rows:
        first = next(answer.content["first_failure"] for answer in answers if answer.content["failures"])
        raise Rejected(first["reason"], first["what"], where=first.get("where", ""))
