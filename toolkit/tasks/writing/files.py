"""Written problems and labels on disk: JSON Lines, one problem a line."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from toolkit.data.bank import BankProblem
from toolkit.errors import DataError, Fault
from toolkit.io import read_lines, write_text
from toolkit.tasks.writing.labels import Label, judge_label
from toolkit.tasks.writing.parsing import Row, Unfit, WrittenProblem, parse_points


class _LabelLine(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    features: tuple[str, ...]
    categories: tuple[str, ...]


class _ProblemLine(_LabelLine):
    points: tuple[tuple[float | str, ...], ...]


Line = TypeVar("Line", bound=_LabelLine)


def save_labels(path: str | Path, labels: Iterable[Label]) -> None:
    """Write labels: ``id``, ``features`` and ``categories``."""
    _save(path, (_names(label) for label in labels))


def save_problems(path: str | Path, problems: Iterable[WrittenProblem]) -> None:
    """Write problems: ``id``, ``features``, ``categories`` and ``points``, each its values and its category."""
    _save(path, ({**_names(problem), "points": problem.points} for problem in problems))


def save_bank(path: str | Path, problems: Iterable[BankProblem]) -> None:
    """Write problems given by distributions, as :func:`toolkit.data.load_bank` reads them."""
    _save(path, (problem.model_dump(mode="json") for problem in problems))


def load_labels(path: str | Path) -> list[Label]:
    """Labels written by :func:`save_labels`."""
    labels = []
    for line, where in _lines(path, _LabelLine):
        try:
            n_names = len(line.features), len(line.categories)
            labels.append(judge_label(line.id, line.features, line.categories, *n_names))
        except Unfit as unfit:
            raise DataError(f"{unfit.reason} ({unfit.detail}).", where=where) from None
    return labels


def load_problems(path: str | Path) -> list[WrittenProblem]:
    """Problems written by :func:`save_problems`, or by hand; one that the parser does not take is an error."""
    problems = []
    for line, where in _lines(path, _ProblemLine):
        rows = [Row([str(field) for field in point]) for point in line.points]
        parsed = parse_points(rows, line.features, line.categories, name=line.id, least_points=2)
        for rejection in parsed.rejections:
            row = "" if rejection.row is None else f", point {rejection.row}"
            raise DataError(f"{rejection.reason} ({rejection.detail}).", where=f"{where}{row}")
        problems.append(parsed.problem)
    return problems


def _names(one: Label | WrittenProblem) -> dict[str, Any]:
    return {"id": one.id, "features": one.features, "categories": one.categories}


def _save(path: str | Path, lines: Iterable[dict[str, Any]]) -> None:
    write_text(path, "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines))


def _lines(path: str | Path, kind: type[Line]) -> Sequence[tuple[Line, str]]:
    """Checked lines of a file, and where each is."""
    path = Path(path)
    if not path.is_file():
        raise DataError("the file does not exist.", where=str(path), fix="`toolkit write-tasks` writes it.")
    found = []
    for number, text in enumerate(read_lines(path), 1):
        where = f"{path}, line {number}"
        try:
            found.append((kind.model_validate_json(text), where))
        except ValidationError as error:
            fault = Fault.of(error)
            place = f"{where}, {fault.place}" if fault.place else where
            raise DataError(f"{fault.what}.", where=place) from error
    return found
