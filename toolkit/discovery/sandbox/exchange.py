"""Messages to and from several workers at once, under a deadline each; the watchdog of the sandbox."""

from __future__ import annotations

import contextlib
import enum
import os
import selectors
import signal
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from toolkit.discovery.sandbox.protocol import FRAME_BYTES, BadMessage, Message, decode, sizes

_SECONDS_BETWEEN_LOOKS = 0.05
_SECONDS_TO_END = 2.0
_PIECE = 2**20


class Ended(enum.Enum):
    """How an exchange ended that brought no answer."""

    TIME = "it took too long"
    MEMORY = "it took too much memory"
    REPLY = "its answer was no message"
    PROCESS = "its process ended"


@dataclass
class Exchange:
    """One request that is under way.

    Attributes
    ----------
    outgoing
        Pieces that are still to be sent.
    deadline
        By the monotonic clock.
    longest_reply, most_memory
        In bytes.
    """

    process: subprocess.Popen[bytes]
    outgoing: list[bytes | memoryview]
    deadline: float
    longest_reply: int
    most_memory: int
    end: Message | Ended | None = None
    _incoming: bytearray = field(default_factory=bytearray)
    _sizes: tuple[int, int] | None = None

    def send(self) -> None:
        """Write as much as the pipe takes."""
        assert self.process.stdin is not None
        with contextlib.suppress(BlockingIOError, BrokenPipeError):
            while self.outgoing:
                piece = memoryview(self.outgoing[0])
                n_sent = os.write(self.process.stdin.fileno(), piece[: 2 * _PIECE])
                if n_sent < len(piece):
                    self.outgoing[0] = piece[n_sent:]
                else:
                    del self.outgoing[0]

    def receive(self) -> None:
        """Read what there is; an answer that is complete, or can be none, ends the exchange."""
        assert self.process.stdout is not None
        try:
            piece = os.read(self.process.stdout.fileno(), _PIECE)
        except BlockingIOError:
            return
        if not piece:
            self._let_end()
            return
        self._incoming += piece
        try:
            self._read()
        except BadMessage:
            self.stop(Ended.REPLY)

    def _read(self) -> None:
        if self._sizes is None:
            if len(self._incoming) < FRAME_BYTES:
                return
            self._sizes = sizes(bytes(self._incoming[:FRAME_BYTES]))
        n_header, n_arrays = self._sizes
        whole = FRAME_BYTES + n_header + n_arrays
        if n_arrays > self.longest_reply or len(self._incoming) > whole:
            raise BadMessage("too long.")
        if len(self._incoming) == whole:
            content = memoryview(self._incoming).toreadonly()[FRAME_BYTES:]
            self.end = decode(bytes(content[:n_header]), content[n_header:])

    def watch(self, now: float) -> None:
        """End a process that has taken too long or too much."""
        if now >= self.deadline:
            self.stop(Ended.TIME)
        elif resident(self.process.pid) > self.most_memory:
            self.stop(Ended.MEMORY)

    def stop(self, why: Ended) -> None:
        """Kill the process and everything it started."""
        self.end = why
        with contextlib.suppress(OSError):
            os.killpg(self.process.pid, signal.SIGKILL)

    def _let_end(self) -> None:
        self.end = Ended.PROCESS
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(timeout=_SECONDS_TO_END)


def exchange(exchanges: Sequence[Exchange]) -> list[Message | Ended]:
    """Send all requests and wait until each is answered or has been stopped."""
    with selectors.DefaultSelector() as selector:
        for one in exchanges:
            selector.register(one.process.stdout, selectors.EVENT_READ, one.receive)
            if one.outgoing:
                selector.register(one.process.stdin, selectors.EVENT_WRITE, one.send)
        last_look = time.monotonic()
        open_ones = list(exchanges)
        while open_ones:
            wait = min(one.deadline for one in open_ones) - time.monotonic()
            for key, _ in selector.select(max(0.0, min(wait, _SECONDS_BETWEEN_LOOKS))):
                key.data()
            now = time.monotonic()
            if now - last_look >= _SECONDS_BETWEEN_LOOKS:
                last_look = now
                for one in open_ones:
                    if one.end is None:
                        one.watch(now)
            for one in open_ones:
                _unregister(selector, one)
            open_ones = [one for one in open_ones if one.end is None]
    return [one.end for one in exchanges if one.end is not None]


def _unregister(selector: selectors.BaseSelector, one: Exchange) -> None:
    watched = selector.get_map()
    if one.process.stdin in watched and (not one.outgoing or one.end is not None):
        selector.unregister(one.process.stdin)
    if one.process.stdout in watched and one.end is not None:
        selector.unregister(one.process.stdout)


def resident(pid: int) -> int:
    """Bytes of memory that a process occupies."""
    import psutil

    try:
        return psutil.Process(pid).memory_info().rss
    except psutil.Error:
        return 0
