"""Caps on money, tokens and time, held before anything is sent."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NamedTuple

from toolkit.errors import UsageError


@dataclass(frozen=True)
class Budget:
    """What asking may cost; None is no cap.

    Attributes
    ----------
    usd, tokens
        For everything that ends up in one journal, what is in it already included: starting again does
        not fill the purse. Tokens are those of prompts and replies together.
    seconds
        For one call of :meth:`Client.ask`, or for all inside :meth:`Purse.one_deadline`.
    """

    usd: float | None = None
    tokens: int | None = None
    seconds: float | None = None

    def __post_init__(self) -> None:
        for name in ("usd", "tokens", "seconds"):
            value = getattr(self, name)
            if value is not None and not value >= 0:
                raise UsageError(
                    f"a budget of {name}={value} cannot be kept.", fix="Give a number from 0 up."
                )


@dataclass(frozen=True)
class Estimate:
    """What asking would cost.

    Attributes
    ----------
    n_requests, n_in_journal
        Different questions, and those of them that are answered already and cost nothing.
    prompt_tokens
        Of the others together, rather too many than too few.
    usd_at_most
        If every prompt is as long as its bytes and every reply as long as allowed; None without a price.
    usd_likely
        If replies cost what those in the journal did on average; None if there are none.
    """

    n_requests: int
    n_in_journal: int
    prompt_tokens: int
    usd_at_most: float | None
    usd_likely: float | None


class Cost(NamedTuple):
    """Money and tokens of one question."""

    usd: float = 0.0
    tokens: int = 0


class Purse:
    """What was spent and what is promised to questions on their way; safe to share between threads."""

    def __init__(self, budget: Budget, clock: Callable[[], float] = time.monotonic) -> None:
        self.budget, self._clock = budget, clock
        self._lock = threading.Lock()
        self.spent, self._promised = Cost(), Cost()
        self._ends, self._is_running = float("inf"), False

    def begin(self, spent: Cost) -> None:
        """Start a call: nothing is promised yet, and the seconds begin to count unless they do already."""
        self.spent, self._promised = spent, Cost()
        if not self._is_running:
            self._start_clock()

    @contextmanager
    def one_deadline(self) -> Iterator[None]:
        """The seconds count for all calls inside together."""
        self._start_clock()
        self._is_running = True
        try:
            yield
        finally:
            self._is_running = False

    def _start_clock(self) -> None:
        seconds = self.budget.seconds
        self._ends = float("inf") if seconds is None else self._clock() + seconds

    def seconds_left(self) -> float:
        """Seconds until the deadline, infinity without one."""
        return self._ends - self._clock()

    def obstacle(self, cost: Cost) -> str | None:
        """Why a question of this cost may not be asked now; None if it may."""
        if self.seconds_left() <= 0:
            return time_is_up(self.budget)
        budget, held = self.budget, _sum(self.spent, self._promised)
        if budget.usd is not None and held.usd + cost.usd > budget.usd:
            return (
                f"cost cap: this question could cost {cost.usd:.4f} USD, and {held.usd:.4f} of the "
                f"{budget.usd:g} USD are spent or promised, the replies in the journal included. "
                "Raise Budget(usd=…) or lower max_tokens."
            )
        if budget.tokens is not None and held.tokens + cost.tokens > budget.tokens:
            return (
                f"token cap: this question could take {cost.tokens} tokens, and {held.tokens} of the "
                f"{budget.tokens} are spent or promised, the replies in the journal included. "
                "Raise Budget(tokens=…) or lower max_tokens."
            )
        return None

    def promise(self, cost: Cost) -> str | None:
        """Set ``cost`` aside for a question, or say why that cannot be."""
        with self._lock:
            obstacle = self.obstacle(cost)
            if obstacle is None:
                self._promised = _sum(self._promised, cost)
            return obstacle

    def owe(self, cost: Cost) -> None:
        """Set ``cost`` aside for a question that is on its way already."""
        with self._lock:
            self._promised = _sum(self._promised, cost)

    def settle(self, promised: Cost, paid: Cost) -> None:
        """Replace a promise by what was paid."""
        with self._lock:
            usd, tokens = self._promised
            self._promised = Cost(usd - promised.usd, tokens - promised.tokens)
            self.spent = _sum(self.spent, paid)


def time_is_up(budget: Budget) -> str:
    """Reason of a failure at the deadline."""
    return f"time cap: the {budget.seconds:g} s are over. Ask again: what was answered is kept."


def _sum(one: Cost, other: Cost) -> Cost:
    return Cost(one.usd + other.usd, one.tokens + other.tokens)
