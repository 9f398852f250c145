"""What the client needs of a provider, and what providers share."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, Protocol, runtime_checkable

from toolkit.errors import UsageError
from toolkit.llm.messages import Request, Stop, Usage
from toolkit.llm.prices import Price

LONGEST_CONNECT = 10.0


class Answer(NamedTuple):
    """A reply as a provider gives it; ``usage`` is None where the provider does not say."""

    model: str
    text: str
    stop: Stop
    stop_reason: str
    usage: Usage | None
    logprobs: Mapping[str, float] | None = None


class Provider(Protocol):
    """Asks one model one question at a time; safe to share between threads.

    Attributes
    ----------
    model
        Name that goes into the key of a request.
    secret
        Must not appear anywhere; empty if there is none.
    price
        None if it is not known.
    """

    model: str
    secret: str
    price: Price | None

    def ask(self, request: Request, timeout_s: float) -> Answer:
        """The reply; otherwise Transient, Rejected, or a UsageError that ends everything."""


@runtime_checkable
class BatchProvider(Provider, Protocol):
    """A provider that also takes many questions at once and answers within a day."""

    def submit(self, requests: Mapping[str, Request], timeout_s: float) -> str:
        """Hand in questions by key; the name of the batch."""

    def is_over(self, batch: str, timeout_s: float) -> bool:
        """Whether the results of a batch can be fetched."""

    def results(self, batch: str, timeout_s: float) -> Iterator[tuple[str, Answer | Exception]]:
        """Key, and the reply or why there is none, of every question of a batch."""


def key_from_environment(variable: str) -> str:
    """The key in an environment variable, empty if there is none."""
    return os.environ.get(variable, "").strip()


def missing_key(variable: str, where: str) -> UsageError:
    """The error for a question that cannot be sent; what is in the journal needs no key."""
    return UsageError(
        f"the environment variable {variable} is not set, so nothing was sent.",
        where=where,
        fix=f"Set {variable} to your key, or use the provider 'recorded' with a journal.",
    )


@contextlib.contextmanager
def shut_after(seconds: float, response: Any) -> Iterator[threading.Event]:
    """Shut the connection of an httpx response when the time is over; the event tells whether that happened.

    The time-outs of HTTP libraries are per read: a server that drips never meets them.
    """
    is_over = threading.Event()

    def shut() -> None:
        is_over.set()
        connection = response.extensions["network_stream"].get_extra_info("socket")
        with contextlib.suppress(OSError):
            socket.socket.shutdown(connection, socket.SHUT_RDWR)

    timer = threading.Timer(max(0.0, seconds), shut)
    timer.daemon = True
    timer.start()
    try:
        yield is_over
    finally:
        timer.cancel()
