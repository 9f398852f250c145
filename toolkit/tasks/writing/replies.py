"""Replies of a model, from text to rows, labels and descriptions of problems."""

from __future__ import annotations

import json
import re
from typing import Any, NoReturn, get_args

import numpy as np
from pydantic import ValidationError

from toolkit.data.bank import BankFeature, BankProblem
from toolkit.errors import Fault
from toolkit.tasks.writing.labels import judge_label
from toolkit.tasks.writing.parsing import LARGEST, Reason, Row, Unfit, number_of

_MARKED = re.compile(r"\s*(?:(\d{1,9})\s*(?::|[.)](?=\s))|[-*•](?=\s))\s*(.*)", re.ASCII)
"""A row's mark: a number with a colon, or with a full stop or bracket and a space; a dash, star or bullet."""

LEAST_SEPARATION = 0.15
"""Best difference of two categories in a feature, in standard deviations, that counts as telling them apart."""


def rows_of(text: str, *, truncated: bool = False) -> list[Row]:
    """The rows of a reply.

    A row is a line that begins with a number or a dash, or else a list with commas that begins with a
    number. Other lines (prose, headings, code fences) are passed over. Fields are what stands between
    commas. If the reply was truncated and its last line is a row, that one is marked as not whole.

    >>> rows_of("Here you are:\\n1: 12, 3.5, wine\\n2: 14, 3.1, beer")[1]
    Row(fields=('14', '3.1', 'beer'), number=2, whole=True)
    """
    lines = text.splitlines()
    found = [(place, row) for place, line in enumerate(lines) if (row := _row(line)) is not None]
    if truncated and found and found[-1][0] == len(lines) - 1 and not text.endswith("\n"):
        place, row = found.pop()
        found.append((place, row._replace(whole=False)))
    return [row for _, row in found]


def _row(line: str) -> Row | None:
    marked = _MARKED.fullmatch(line)
    if marked:
        number, rest = marked.groups()
        return Row(_fields(rest), int(number) if number else None)
    fields = _fields(line)
    return Row(fields) if len(fields) > 1 and _is_number(fields[0]) else None


def _fields(text: str) -> tuple[str, ...]:
    return tuple(field.strip() for field in text.split(","))


def _is_number(text: str) -> bool:
    try:
        number_of(text)
    except Unfit:
        return False
    return True


def description_of(text: str, id: str, n_features: int, n_categories: int) -> BankProblem:
    """The one problem that a reply describes in the format of the bank.

    Prose and code fences around the JSON object are passed over. Anything else that is wrong makes it
    unfit: the first invalid field, another number of features or categories than asked for, and
    distributions from which nothing can be drawn or learned.
    """
    start, end = text.find("{"), text.rfind("}")
    try:
        found = json.loads(text[start : end + 1], parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise Unfit(Reason.NOT_JSON, str(error)) from None
    try:
        problem = BankProblem(**{**found, "id": id})
    except ValidationError as error:
        fault = Fault.of(error)
        raise Unfit(Reason.FIELD, f"{fault.place}: {fault.what}".removeprefix(": ")) from None
    for what, names, wanted in (
        ("features", problem.features, n_features),
        ("categories", problem.categories, n_categories),
    ):
        if len(names) != wanted:
            raise Unfit(Reason.FIELD, f"{what}: {len(names)} instead of {wanted}")
    names = [feature.name for feature in problem.features]
    judge_label(id, names, problem.categories, n_features, n_categories)
    check_distributions(problem)
    return problem


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not a number")


def check_distributions(problem: BankProblem) -> None:
    """Nothing, if points can be drawn and the categories be learned; else the problem is unfit.

    Every mean has to lie in its feature's range, every standard deviation to be at most half of that range
    (more is impossible) and, but for binary features, above 0, the correlations to be possible together (their matrix positive definite), and every
    pair of categories to differ in some feature by :data:`LEAST_SEPARATION` standard deviations.
    """
    for feature in problem.features:
        low, high = feature.range
        if max(-low, high) > LARGEST:
            _degenerate(f"{feature.name}: the range {low:g} to {high:g} is endless")
        if trouble := feature.trouble(problem.categories):
            _degenerate(trouble)
        for category, sd in zip(problem.categories, feature.sds, strict=True):
            if sd > (high - low) / 2:
                _degenerate(f"{feature.name}: the standard deviation {sd:g} of {category} exceeds its range")
            if sd == 0 and feature.kind != "binary":
                _degenerate(f"{feature.name}: the standard deviation of {category} is 0")
    correlations = np.eye(len(problem.features))
    for i, j, r in problem.correlations:
        correlations[i, j] = correlations[j, i] = r
    if np.linalg.eigvalsh(correlations)[0] < 1e-6:
        _degenerate("the correlations contradict one another")
    separation = _separation(problem)
    if separation.min() < LEAST_SEPARATION:
        i, j = np.unravel_index(separation.argmin(), separation.shape)
        _degenerate(f"no feature separates {problem.categories[i]} from {problem.categories[j]}")


def _separation(problem: BankProblem) -> np.ndarray:
    """Largest difference in a feature in pooled standard deviations; infinite on the diagonal: (n, n)."""
    means = np.array([feature.means for feature in problem.features])
    sds = np.array(
        [
            np.sqrt(np.multiply(feature.means, np.subtract(1, feature.means)).clip(0))
            if feature.kind == "binary"
            else feature.sds
            for feature in problem.features
        ]
    )
    difference = np.abs(means[:, :, None] - means[:, None])
    pooled = np.sqrt((sds[:, :, None] ** 2 + sds[:, None] ** 2) / 2)
    separation = (difference / np.maximum(pooled, 1e-9)).max(0)
    np.fill_diagonal(separation, np.inf)
    return separation


def _degenerate(detail: str) -> NoReturn:
    raise Unfit(Reason.DEGENERATE, detail)


def format_schema() -> dict[str, Any]:
    """JSON schema of a description, plain enough for every provider that can force one."""
    text, number = {"type": "string"}, {"type": "number"}
    texts, numbers = {"type": "array", "items": text}, {"type": "array", "items": number}
    kinds = list(get_args(BankFeature.model_fields["kind"].annotation))
    feature = {
        "name": text,
        "unit": text,
        "kind": {"type": "string", "enum": kinds},
        "means": numbers,
        "sds": numbers,
        "range": numbers,
    }
    problem = {
        "domain": text,
        "question": text,
        "categories": texts,
        "base_rates": numbers,
        "features": {"type": "array", "items": _object(feature)},
        "correlations": {"type": "array", "items": numbers},
    }
    return _object(problem)


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }
