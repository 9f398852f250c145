"""What went wrong in a candidate, in a form that can be sent to the parent."""

from __future__ import annotations

import traceback

from toolkit.discovery.rejection import Reason
from toolkit.texts import encodable

CANDIDATE = "<candidate>"
"""Name of the file that a candidate's text is said to come from."""

_LONGEST = 500


class Fault(Exception):
    """A candidate is at fault."""

    def __init__(self, reason: Reason, what: str) -> None:
        self.reason, self.what = reason, what
        super().__init__(what)


def describe(error: BaseException) -> dict[str, str]:
    """The fault that an exception stands for, with the candidate's line."""
    if isinstance(error, Fault):
        reason, what = error.reason, error.what
    elif isinstance(error, MemoryError):
        reason, what = "memory", "it asked for more memory than there is for a candidate."
    else:
        reason, what = "error", f"{type(error).__name__}: {error}"
    return {"reason": reason, "what": encodable(what[:_LONGEST]), "where": _line_of(error.__cause__ or error)}


def _line_of(error: BaseException) -> str:
    frames = [one for one in traceback.extract_tb(error.__traceback__) if one.filename == CANDIDATE]
    return f"{frames[-1].name}, line {frames[-1].lineno}" if frames else ""
