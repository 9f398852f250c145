"""Trying again: what is worth another attempt, and how long to wait before it."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from typing import TypeVar

from toolkit.errors import UsageError

Result = TypeVar("Result")

LONGEST_BACK_OFF = 60.0
LONGEST_REQUESTED_WAIT = 600.0
"""A server that asks for more seconds than this is not waited for."""

_WORTH_ANOTHER = (408, 409, 429)
_STOPS_EVERYTHING = (401, 402, 403, 404)


class Transient(Exception):
    """An attempt that failed for a reason that may pass.

    Parameters
    ----------
    wait
        Seconds that the server asked to wait.
    garbled
        Something came back, but not a reply.
    perhaps_paid
        The provider may have worked, and charge for it.
    """

    def __init__(
        self, reason: str, *, wait: float | None = None, garbled: bool = False, perhaps_paid: bool = False
    ) -> None:
        super().__init__(reason)
        self.reason, self.wait, self.garbled, self.perhaps_paid = reason, wait, garbled, perhaps_paid


class Rejected(Exception):
    """A question that will not be answered however often it is asked."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Patience:
    """Makes attempts with exponential back-off and jitter.

    Parameters
    ----------
    sleep
        Waits a number of seconds.
    seconds_left
        Time until the overall deadline.
    """

    def __init__(
        self, attempts: int, sleep: Callable[[float], object], seconds_left: Callable[[], float]
    ) -> None:
        self.attempts, self._sleep, self._seconds_left = attempts, sleep, seconds_left
        # Chance spreads the attempts of many clients; no result depends on it.
        self._chance = random.Random()

    def get(self, attempt: Callable[[], Result], note: Callable[[Transient, bool], None]) -> Result:
        """Result of the first attempt that succeeds; ``note`` hears of the others and if one follows."""
        for number in range(1, self.attempts + 1):
            try:
                return attempt()
            except Transient as trouble:
                wait = self._wait(number, trouble)
                too_long = wait > min(LONGEST_REQUESTED_WAIT, self._seconds_left())
                follows = number < self.attempts and not too_long
                note(trouble, follows)
                if not follows:
                    why = f", and the next would be {wait:.0f} s away" if too_long else ""
                    times = f"{number} attempt{'s' if number > 1 else ''}"
                    raise Rejected(f"no reply in {times}{why}; the last one: {trouble.reason}") from None
                self._sleep(wait)
        raise Rejected("no attempt was allowed.")

    def _wait(self, number: int, trouble: Transient) -> float:
        back_off = min(LONGEST_BACK_OFF, 2.0 ** (number - 1)) * self._chance.uniform(0.5, 1.0)
        return back_off if trouble.wait is None else trouble.wait + 0.1 * back_off


def error_of_status(
    status: int, message: str, headers: Mapping[str, str], *, where: str, variable: str
) -> Exception:
    """The exception for an HTTP status: :class:`Transient`, :class:`Rejected`, or an error that ends it all."""
    said = f"the server answered {status}: {message[:300]}"
    if status in _STOPS_EVERYTHING:
        advice = {
            401: f"Check {variable}.",
            402: "Check the balance of the account.",
            403: f"The key in {variable} may not use this model.",
            404: "Check the model's name and base_url.",
        }
        return UsageError(said, where=where, fix=advice[status])
    if status in _WORTH_ANOTHER or status >= 500:
        return Transient(said, wait=_seconds(headers.get("retry-after")))
    return Rejected(said)


def _seconds(text: str | None) -> float | None:
    """Seconds of a retry-after header; dates are left to the back-off."""
    try:
        return max(0.0, float(text)) if text else None
    except ValueError:
        return None
