"""Why a candidate was turned down, as a word to count by and a sentence to act on."""

from __future__ import annotations

from typing import Literal

from toolkit.errors import ToolkitError

Reason = Literal[
    "not allowed",  # the gate: a construct that candidates may not use
    "contract",  # a function, an argument or a result that is not as agreed
    "error",  # an exception of its own
    "time",
    "memory",
    "crash",
    "invalid probabilities",
    "constant",  # the choices make no difference to its likelihood
    "reads ahead",  # a prediction changes with a later choice
    "not a likelihood",  # its probabilities do not sum to 1 over the options
    "unused parameter",
    "not confirmed",  # a fresh process, interpreting the text, comes to another result
    "not compiled",  # the compiler refuses it; the program is interpreted instead
]


class Rejected(ToolkitError):
    """A candidate that cannot be used.

    Attributes
    ----------
    reason
        One of a few words, the same for the same kind of fault.
    """

    def __init__(self, reason: Reason, what: str, *, where: str = "", fix: str = "") -> None:
        self.reason: Reason = reason
        super().__init__(what, where=where, fix=fix)

    def __reduce__(self) -> tuple:
        return _rebuild, (self.reason, self.what, self.where, self.fix)


def _rebuild(reason: Reason, what: str, where: str, fix: str) -> Rejected:
    return Rejected(reason, what, where=where, fix=fix)
