"""Errors that say what is wrong, where, and what to do next."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from pydantic import ValidationError


class ToolkitError(Exception):
    """Base of every error the toolkit raises on purpose.

    Parameters
    ----------
    what
        What went wrong, with the offending value.
    where
        File, row, column, field or section concerned.
    fix
        What the reader can do about it.
    """

    exit_code = 1

    def __init__(self, what: str, *, where: str = "", fix: str = "") -> None:
        self.what, self.where, self.fix = what, where, fix
        super().__init__(str(self))

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        advice = f" {self.fix}" if self.fix else ""
        return f"{place}{self.what}{advice}"

    def __reduce__(self) -> tuple:
        return _rebuild, (type(self), self.what, self.where, self.fix)


def _rebuild(cls: type[ToolkitError], what: str, where: str, fix: str) -> ToolkitError:
    return cls(what, where=where, fix=fix)


class UsageError(ToolkitError):
    """A command or a parameter was asked for in a way that cannot work."""

    exit_code = 2


class DataError(ToolkitError):
    """A file, table or download is not what it should be."""

    exit_code = 3


class SectionError(ToolkitError):
    """A notebook section failed."""

    exit_code = 4


class InterruptedRunError(ToolkitError):
    """Work was stopped from outside and can be continued."""

    exit_code = 75


class Fault(NamedTuple):
    """What is wrong first with values that a pydantic model refuses.

    Attributes
    ----------
    place
        Fields on the way to it, joined by points; "" for the whole.
    what
        The reason, without a full stop.
    given
        The value.
    unknown
        Whether there is no such field.
    """

    place: str
    what: str
    given: Any
    unknown: bool

    @classmethod
    def of(cls, error: ValidationError) -> Fault:
        """The first fault of an error."""
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        return cls(place, first["msg"], first["input"], first["type"] == "extra_forbidden")


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Sentence that suggests the closest known name, or lists what is known.

    >>> did_you_mean("partcipant", ["participant", "seed"])
    "Did you mean 'participant'?"
    >>> did_you_mean("zzz", ["participant", "seed"])
    'Known: participant, seed.'
    """
    names = sorted(set(known))
    close = difflib.get_close_matches(name, names, n=1) or [one for one in names if one.startswith(name)]
    return f"Did you mean '{close[0]}'?" if close else f"Known: {', '.join(names)}."


def check_options(options: Iterable[str], known: Iterable[str], what: str) -> None:
    """Refuse an option that ``what`` (for instance "design 'shepard'") does not have, with a suggestion."""
    known = list(known)
    for option in options:
        if option not in known:
            fix = did_you_mean(option, known) if known else "It has none."
            raise UsageError(f"{what} has no option '{option}'.", fix=fix)
