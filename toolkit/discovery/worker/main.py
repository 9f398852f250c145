"""The life of a worker: import, lock, report, and then answer one request after the other."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from toolkit.discovery.sandbox.lockdown import lock_down
from toolkit.discovery.sandbox.protocol import FRAME_BYTES, Message, decode, encode, sizes
from toolkit.discovery.worker.faults import Fault, describe
from toolkit.discovery.worker.operations import Bench

_SECONDS_MORE = 0.5
"""The parent ends a worker in time; this alarm does where the parent itself has stopped."""


def run() -> None:
    """Serve until the parent closes its end."""
    settings = json.loads(sys.argv[2])
    requests, answers = _take_over_pipes()
    np.seterr(all="ignore")
    bench = Bench(compiles=settings.pop("compiles"))
    sys.setrecursionlimit(1_000)
    report = lock_down(**settings)
    _write(answers, report, {})
    while (message := _read(requests)) is not None:
        content, arrays = _answer(bench.operations, message)
        _write(answers, content, arrays)


def _answer(
    operations: dict[str, Callable[[Message], tuple[dict[str, Any], dict[str, np.ndarray]]]], message: Message
) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    seconds = float(message.content["seconds"])
    signal.setitimer(signal.ITIMER_REAL, seconds + _SECONDS_MORE)
    try:
        operation = operations.get(message.content["operation"])
        if operation is None:
            raise Fault("contract", f"there is no operation '{message.content['operation']}'.")
        return operation(message)
    except Exception as error:
        return {"error": describe(error)}, {}
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def _take_over_pipes() -> tuple[int, int]:
    """The two pipes under other numbers, so that nothing a library prints gets between messages."""
    requests, answers = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(nothing, standard)
    os.close(nothing)
    return requests, answers


def _read(pipe: int) -> Message | None:
    frame = _read_exactly(pipe, FRAME_BYTES)
    if frame is None:
        return None
    n_header, n_arrays = sizes(bytes(frame))
    header, body = _read_exactly(pipe, n_header), _read_exactly(pipe, n_arrays)
    return None if header is None or body is None else decode(bytes(header), body)


def _read_exactly(pipe: int, count: int) -> bytearray | None:
    content = bytearray(count)
    view, position = memoryview(content), 0
    while position < count:
        piece = os.read(pipe, min(count - position, 2**20))
        if not piece:
            return None
        view[position : position + len(piece)] = piece
        position += len(piece)
    return content


def _write(pipe: int, content: dict[str, Any], arrays: dict[str, np.ndarray]) -> None:
    for piece in encode(content, arrays):
        rest = memoryview(piece)
        while rest:
            rest = rest[os.write(pipe, rest) :]
