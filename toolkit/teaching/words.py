"""What a self-check says: what is wrong with an answer, in words, or that it is right."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np

from toolkit.errors import ToolkitError

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


def expect_array(yours: object, shape: tuple[int, ...], what: str, hint: str = "") -> np.ndarray:
    """The numbers of an answer as an array of this shape, whether it is a list, a table or a tensor.

    >>> expect_array([1, 2], (2,), "The curve")
    array([1., 2.])
    >>> expect_array([1, 2], (3,), "The curve", "There are three trials.")
    Traceback (most recent call last):
    toolkit.teaching.words.NotYet: The curve has the shape (2,); (3,) is needed. There are three trials.
    """
    if yours is None:
        raise NotYet(f"{what} is missing: None came back. Does the function return it?")
    try:
        found = np.asarray(yours, dtype=float)
    except (TypeError, ValueError, RuntimeError):
        kind = type(yours).__name__
        raise NotYet(f"{what} cannot be read as numbers; its type is {kind}. {hint}".strip()) from None
    if found.shape != shape:
        raise NotYet(f"{what} has the shape {found.shape}; {shape} is needed. {hint}".strip())
    return found


@contextmanager
def in_words(hint: str = "") -> Iterator[None]:
    """Say why the toolkit or Python cannot use what an answer wrote, without a traceback."""
    try:
        yield
    except SyntaxError as error:
        line = (error.text or "").strip()
        raise NotYet(f"Python cannot read the line `{line}`: {error.msg}. {hint}".strip()) from None
    except ToolkitError as error:
        raise NotYet(f"{error} {hint}".strip()) from None


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
    right = np.asarray(wanted, dtype=float)
    found = expect_array(yours, right.shape, what, hint)
    differs = ~np.isclose(found, right, rtol=0, atol=tolerance, equal_nan=True)
    if differs.any():
        place = tuple(int(index) for index in np.argwhere(differs)[0])
        at = f" at [{', '.join(map(str, place))}]" if place else ""
        raise NotYet(f"{what}{at} is {found[place]:.4g} and should be {right[place]:.4g}. {hint}".strip())


def passed(said: str) -> Markdown:
    """What a self-check shows at its end, once nothing is wrong."""
    from IPython.display import Markdown

    return Markdown(f"✓ {said}")
