"""What a self-check says: what is wrong with an answer, in words, or that it is right."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from IPython.display import Markdown
    from numpy.typing import ArrayLike


class NotYet(AssertionError):
    """An answer is not right yet; a notebook shows the sentence that says why, and no traceback."""

    def _render_traceback_(self) -> list[str]:
        return [f"Not yet: {self}"]


def expect(right: object, otherwise: str) -> None:
    """Say ``otherwise`` unless ``right`` holds, everywhere if it is an array.

    >>> expect(1 + 1 == 3, "One and one make two.")
    Traceback (most recent call last):
    toolkit.teaching.words.NotYet: One and one make two.
    """
    if not np.all(np.asarray(right)):
        raise NotYet(otherwise)


def expect_close(
    yours: ArrayLike, wanted: ArrayLike, what: str, hint: str = "", *, tolerance: float = 1e-6
) -> None:
    """Say where numbers differ from those wanted, with both of them there.

    Parameters
    ----------
    what
        What the numbers are, as the beginning of a sentence.
    hint
        What may be the reason.

    >>> expect_close([0.5, 0.2], [0.5, 0.3], "The probability", "Is the lapse in it?")
    Traceback (most recent call last):
    toolkit.teaching.words.NotYet: The probability at [1] is 0.2 and should be 0.3. Is the lapse in it?
    """
    if yours is None:
        raise NotYet(f"{what} is missing: None came back. Does the function return it?")
    try:
        found = np.asarray(yours, dtype=float)
    except (TypeError, ValueError):
        raise NotYet(f"{what} is {type(yours).__name__}, no numbers. {hint}".strip()) from None
    right = np.asarray(wanted, dtype=float)
    if found.shape != right.shape:
        raise NotYet(f"{what} has the shape {found.shape}; {right.shape} is needed. {hint}".strip())
    differs = ~np.isclose(found, right, rtol=0, atol=tolerance, equal_nan=True)
    if differs.any():
        place = tuple(int(index) for index in np.argwhere(differs)[0])
        at = f" at [{', '.join(map(str, place))}]" if place else ""
        raise NotYet(f"{what}{at} is {found[place]:.4g} and should be {right[place]:.4g}. {hint}".strip())


def passed(said: str) -> Markdown:
    """What a self-check shows at its end, once nothing is wrong."""
    from IPython.display import Markdown

    return Markdown(f"✓ {said}")
