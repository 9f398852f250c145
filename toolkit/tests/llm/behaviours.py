"""What a server of the tests can be told to do."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from toolkit.llm.messages import Stop


@dataclass(frozen=True)
class Say:
    """A reply of the model."""

    text: str = "yes"
    stop: Stop = "end"
    input: int = 10
    output: int = 5
    read: int = 0
    written: int = 0
    logprobs: Mapping[str, float] | None = None
    after: float = 0.0


@dataclass(frozen=True)
class Fail:
    """An error with an HTTP status; inside a stream that began well if ``midway``."""

    status: int
    message: str = "no"
    retry_after: float | None = None
    midway: bool = False


@dataclass(frozen=True)
class Drop:
    """The connection ends: before the reply, or in the middle of it, in silence or with a reset."""

    midway: bool = False
    reset: bool = False


@dataclass(frozen=True)
class Garbage:
    """Something that is not a reply."""

    body: bytes = b"<html>It works!</html>"


@dataclass(frozen=True)
class Stall:
    """Nothing for a long time; with ``pings`` signs of life, but no reply."""

    seconds: float = 30.0
    pings: bool = False


@dataclass(frozen=True)
class Expired:
    """A question of a batch that was not answered in time."""


Behaviour = str | Say | Fail | Drop | Garbage | Stall | Expired


@dataclass(frozen=True)
class Asked:
    """A request as it arrived; ``body`` holds model, messages and so on, {} for a GET."""

    path: str
    headers: Mapping[str, str]
    body: Mapping[str, Any] = field(default_factory=dict)

    @property
    def prompt(self) -> str:
        """Text of the last turn."""
        return self.body["messages"][-1]["content"]


Answer = Behaviour | Sequence[Behaviour] | Callable[[Asked], Behaviour]
