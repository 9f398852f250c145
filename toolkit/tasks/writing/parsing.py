"""The one strict parser of written problems: every row and problem is accepted or has a reason."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

import numpy as np

LEAST_POINTS = 5
MOST_DUPLICATES = 0.5
"""A problem is rejected if this share of its rows, or more, repeat earlier ones."""
MOST_MECHANICAL = 0.9
"""A problem is rejected if this share of its rows, or more, follow the one before by the same step."""
LARGEST = 1e30
"""Beyond it, differences of values do not fit into the single precision in which problems are drawn."""
MISSPELT = 0.75
"""Similarity (difflib's ratio) from which an unknown label counts as a misspelt category."""


class Reason(StrEnum):
    """Why something that a model wrote is not used."""

    # of rows
    COLUMNS = "wrong number of columns"
    NOT_A_NUMBER = "not a number"
    NOT_FINITE = "not finite"
    MISSPELT = "label misspelt"
    UNKNOWN = "label unknown"
    NUMBERING = "number skipped or repeated"
    DUPLICATE = "duplicate"
    CUT_OFF = "cut off"
    # of problems
    TOO_FEW = "too few points"
    ONE_CLASS = "one class"
    CLASS_MISSING = "class missing"
    DUPLICATES = "mostly duplicates"
    CONSTANT = "constant feature"
    MECHANICAL = "mechanical sequence"
    REPEATED = "same as another"
    # of proposals and descriptions
    NAMES = "unusable names"
    NOT_JSON = "not JSON"
    FIELD = "invalid field"
    DEGENERATE = "degenerate distribution"
    # of whole replies
    REFUSED = "refused"
    FAILED = "failed"


@dataclass(frozen=True)
class Rejection:
    """Something that is not used, and why.

    Attributes
    ----------
    problem
        Id of the problem or request.
    row
        Its place among the rows that were read, from 1; None if the whole problem is rejected.
    """

    problem: str
    row: int | None
    reason: Reason
    detail: str


class Row(NamedTuple):
    """One row as it was written: fields as text, the number before them if there was one.

    ``whole`` is False if the reply broke off in it.
    """

    fields: Sequence[str]
    number: int | None = None
    whole: bool = True


@dataclass(frozen=True, eq=False)
class WrittenProblem:
    """A category-learning problem given by its points.

    Attributes
    ----------
    x
        (points, features), in the units in which they were written and in that order.
    y
        (points,), places in ``categories``; each of them occurs.
    """

    id: str
    features: tuple[str, ...]
    categories: tuple[str, ...]
    x: np.ndarray
    y: np.ndarray

    @property
    def points(self) -> list[list[float | str]]:
        """One list a point: its values and the name of its category."""
        return [
            [*values, self.categories[label]]
            for values, label in zip(self.x.tolist(), self.y.tolist(), strict=True)
        ]

    def as_text(self) -> str:
        """Numbered rows, as a model is asked to write them."""
        return "\n".join(f"{i}: {', '.join(map(str, point))}" for i, point in enumerate(self.points, 1))


class Parsed(NamedTuple):
    """A problem, or None if it was rejected as a whole; all rejections; and how many rows were read."""

    problem: WrittenProblem | None
    rejections: list[Rejection]
    n_rows: int


class Unfit(Exception):
    """Something cannot be used."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.reason, self.detail = reason, detail


def parse_points(
    rows: Iterable[Row],
    features: Sequence[str],
    categories: Sequence[str],
    *,
    name: str,
    least_points: int = LEAST_POINTS,
) -> Parsed:
    """The points of one problem, as strictly as this:

    * A row has as many values as ``features`` and then a label. Values are plain decimal numbers, up to
      1e30; units, per cent signs and thousands separators are not stripped, since what they stand for
      cannot be checked.
    * A label is one of ``categories``; case, spaces and punctuation do not matter, spelling does.
    * Rows that are numbered are numbered 1, 2, 3 … (or from 0) without gaps and repetitions.
    * A row that repeats values and label of an earlier one is dropped.

    A problem is rejected if half of its rows or more are such repetitions, if fewer than ``least_points``
    remain, if a category has no point or a feature does not vary, or if the points follow one another
    mechanically: 90 % of the steps from row to row, in the whole list or within each category, are the
    same for all features at once. In which order labels come is not judged, as points are shuffled when
    they are drawn.
    """
    rows, numbering = list(rows), _Numbering()
    labels, seen = _Labels(categories), dict[Point, int]()
    rejections: list[Rejection] = []
    for place, row in enumerate(rows, 1):
        gap = numbering.trouble(row.number)
        try:
            point = _point(row, len(features), labels)
            if gap:
                raise Unfit(Reason.NUMBERING, gap)
            if point in seen:
                raise Unfit(Reason.DUPLICATE, f"repeats row {seen[point]}")
            seen[point] = place
        except Unfit as unfit:
            rejections.append(Rejection(name, place, unfit.reason, unfit.detail))
    n_duplicates = sum(rejection.reason is Reason.DUPLICATE for rejection in rejections)
    try:
        x, y = _check_points(list(seen), n_duplicates, len(categories), least_points)
    except Unfit as unfit:
        rejections.append(Rejection(name, None, unfit.reason, unfit.detail))
        return Parsed(None, rejections, len(rows))
    return Parsed(WrittenProblem(name, tuple(features), tuple(categories), x, y), rejections, len(rows))


def normalised(name: str) -> str:
    """A name without case, spaces and punctuation.

    >>> normalised(" Red-wine. ")
    'redwine'
    """
    return "".join(filter(str.isalnum, name.casefold()))


_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?", re.ASCII | re.IGNORECASE)
_NOT_FINITE = re.compile(r"[+-]?(?:nan|inf|infinity)", re.IGNORECASE)

Point = tuple[tuple[float, ...], int]
"""Values of the features, and place of the category."""


def number_of(text: str) -> float:
    """A plain decimal number; anything else is unfit."""
    text = text.strip()
    if _NUMBER.fullmatch(text):
        value = float(text)
        if abs(value) <= LARGEST:
            return value
    elif not _NOT_FINITE.fullmatch(text):
        raise Unfit(Reason.NOT_A_NUMBER, _shortened(text))
    raise Unfit(Reason.NOT_FINITE, _shortened(text))


def _point(row: Row, n_features: int, labels: _Labels) -> Point:
    if not row.whole:
        raise Unfit(Reason.CUT_OFF, "the reply ends in this row")
    if len(row.fields) != n_features + 1:
        raise Unfit(Reason.COLUMNS, f"{len(row.fields)} instead of {n_features + 1}")
    return tuple(map(number_of, row.fields[:-1])), labels.place(row.fields[-1])


class _Labels:
    """Finds the category that a label means."""

    def __init__(self, categories: Sequence[str]) -> None:
        self._categories = categories
        self._places: dict[str, int] = {}
        for place, category in enumerate(categories):
            self._places[category] = self._places[normalised(category)] = place
        self._unfit: dict[str, tuple[Reason, str]] = {}

    def place(self, label: str) -> int:
        known = self._places.get(label)
        if known is None:
            known = self._places.get(normalised(label))
        if known is not None:
            return known
        if label not in self._unfit:
            self._unfit[label] = self._explain(label)
        raise Unfit(*self._unfit[label])

    def _explain(self, label: str) -> tuple[Reason, str]:
        close = difflib.get_close_matches(normalised(label), self._places, n=1, cutoff=MISSPELT)
        if close:
            meant = self._categories[self._places[close[0]]]
            return Reason.MISSPELT, f"'{_shortened(label)}' is probably '{meant}'"
        return Reason.UNKNOWN, f"'{_shortened(label)}' is none of {', '.join(self._categories)}"


class _Numbering:
    """Rows count up by one; a list may begin at 0 or 1."""

    def __init__(self) -> None:
        self._highest: int | None = None

    def trouble(self, number: int | None) -> str:
        """What is wrong with the next number, if anything."""
        if number is None:
            return ""
        expected = min(1, number) if self._highest is None else self._highest + 1
        self._highest = number if self._highest is None else max(self._highest, number)
        return "" if number == expected else f"{number} instead of {expected}"


def _check_points(
    points: Sequence[Point], n_duplicates: int, n_classes: int, least_points: int
) -> tuple[np.ndarray, np.ndarray]:
    """Points as arrays, unless they make no problem."""
    if n_duplicates and n_duplicates >= MOST_DUPLICATES * (len(points) + n_duplicates):
        raise Unfit(Reason.DUPLICATES, f"{n_duplicates} of {len(points) + n_duplicates} valid rows")
    if len(points) < least_points:
        raise Unfit(Reason.TOO_FEW, f"{len(points)} instead of {least_points}")
    n_seen = len({label for _, label in points})
    if n_seen < n_classes:
        reason = Reason.ONE_CLASS if n_seen < 2 else Reason.CLASS_MISSING
        raise Unfit(reason, f"{n_seen} of {n_classes} categories occur")
    x, y = np.array([values for values, _ in points]), np.array([label for _, label in points])
    constant = (x == x[0]).all(0)
    if constant.any():
        raise Unfit(Reason.CONSTANT, f"feature {constant.argmax() + 1} is always {x[0, constant.argmax()]:g}")
    if _is_mechanical(x) or all(_is_mechanical(x[y == label]) for label in range(n_classes)):
        raise Unfit(Reason.MECHANICAL, "rows follow one another by a fixed step")
    return x, y


def _is_mechanical(x: np.ndarray) -> bool:
    """Whether most rows of (points, features) follow the one before by one and the same step."""
    if len(x) < 3:
        return False
    steps = x[1:] - x[:-1]
    # Whatever most steps are, the middle one of every feature is.
    usual = np.sort(steps, axis=0)[len(steps) // 2]
    same = (np.abs(steps - usual) <= 1e-9 * np.abs(x).max(0)).all(1)
    return np.count_nonzero(same) >= MOST_MECHANICAL * len(steps)


def _shortened(text: str, most: int = 60) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"
