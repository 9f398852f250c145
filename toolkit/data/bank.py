"""The ecological bank: 750 real-life category-learning problems with their distributions."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from toolkit.errors import DataError, Fault
from toolkit.io import read_lines
from toolkit.paths import data_dir

Index = Annotated[int, Field(ge=0)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class BankFeature(_Part):
    """One feature: mean and standard deviation in every category, in the feature's own unit.

    Attributes
    ----------
    kind
        ``continuous`` is normal; ``skewed`` log-normal, with mean and sd of the raw variable; ``count``,
        ``ordinal`` and ``proportion`` are what they say; for ``binary`` the mean is the chance of a 1.
    range
        Smallest and largest possible value.
    """

    name: str
    unit: str
    kind: Literal["continuous", "skewed", "count", "ordinal", "proportion", "binary"]
    means: tuple[float, ...]
    sds: tuple[Annotated[float, Field(ge=0)], ...]
    range: tuple[float, float]

    def trouble(self, categories: Iterable[str]) -> str:
        """What cannot be about its distributions: an empty range, or a mean outside it; "" if nothing."""
        low, high = self.range
        if not low < high:
            return f"{self.name}: the range {low:g} to {high:g} is empty"
        for category, mean in zip(categories, self.means, strict=True):
            if not low <= mean <= high:
                return f"{self.name}: the mean {mean:g} of {category} is outside its range"
        return ""


class BankProblem(_Part):
    """One problem of the bank.

    Attributes
    ----------
    base_rates
        Frequency of every category; they sum to 1.
    correlations
        (i, j, r): correlation of features i and j within a category; 0 for pairs left out.
    """

    id: str
    domain: str
    question: str
    categories: Annotated[tuple[str, ...], Field(min_length=2)]
    base_rates: tuple[Annotated[float, Field(gt=0, lt=1)], ...]
    features: Annotated[tuple[BankFeature, ...], Field(min_length=1)]
    correlations: tuple[tuple[Index, Index, Annotated[float, Field(gt=-1, lt=1)]], ...]

    @model_validator(mode="after")
    def _fits_together(self) -> BankProblem:
        n = len(self.categories)
        if len(self.base_rates) != n:
            raise ValueError(f"base_rates has {len(self.base_rates)} values for {n} categories")
        if abs(sum(self.base_rates) - 1) > 1e-6:
            raise ValueError(f"base_rates sum to {sum(self.base_rates):g}, not 1")
        for number, feature in enumerate(self.features):
            if len(feature.means) != n or len(feature.sds) != n:
                raise ValueError(
                    f"features.{number} ({feature.name}) needs as many means and sds as categories ({n})"
                )
        for i, j, _ in self.correlations:
            if i == j or max(i, j) >= len(self.features):
                raise ValueError(f"correlations name the pair {i}, {j} of {len(self.features)} features")
        return self


def load_bank(path: str | Path | None = None) -> list[BankProblem]:
    """All problems of the ecological bank, checked; ``data/ecological_tasks/README.md`` is its card.

    Parameters
    ----------
    path
        A bank of your own in the same format, one JSON object a line.
    """
    path = Path(path) if path else data_dir() / "ecological_tasks" / "bank.jsonl"
    if not path.is_file():
        raise DataError("the bank does not exist.", where=str(path), fix="Restore it from the repository.")
    problems: dict[str, BankProblem] = {}
    for number, line in enumerate(read_lines(path), start=1):
        if line.strip():
            where = f"{path}, line {number}"
            problem = _problem(line, where)
            if problem.id in problems:
                raise DataError(f"the id '{problem.id}' occurs twice.", where=where)
            _check_possible(problem, where)
            problems[problem.id] = problem
    return list(problems.values())


def _check_possible(problem: BankProblem, where: str) -> None:
    for feature in problem.features:
        if trouble := feature.trouble(problem.categories):
            raise DataError(f"{trouble}.", where=where, fix="Correct the range or the means.")
    if len(set(problem.categories)) < len(problem.categories):
        raise DataError(f"two of the categories {problem.categories} have one name.", where=where)


def _problem(line: str, where: str) -> BankProblem:
    try:
        return BankProblem(**json.loads(line))
    except (json.JSONDecodeError, TypeError) as error:
        raise DataError(f"not a JSON object ({error}).", where=where) from error
    except ValidationError as error:
        fault = Fault.of(error)
        place = f"{where}, field '{fault.place}'" if fault.place else where
        raise DataError(f"{fault.what}.", where=place) from error
