"""What each family of experiments records on a trial."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from toolkit.errors import UsageError, did_you_mean

MISSING = -1
"""Code of a choice that was not made and of a category that was not told."""

FILL = {"code": MISSING, "number": np.nan, "flag": False}
DTYPES = {"code": np.int64, "number": np.float64, "flag": np.bool_}


@dataclass(frozen=True)
class Field:
    """One array of a family.

    Attributes
    ----------
    kind
        ``code`` is an integer (-1 where there was none), ``number`` a float (NaN where nothing
        was shown), ``flag`` a boolean.
    axes
        What the array has beyond (sequences, trials): ``()``, ``("feature",)``, ``("option",)`` or both.
    """

    name: str
    kind: Literal["code", "number", "flag"]
    axes: tuple[str, ...] = ()
    required: bool = True
    may_miss: bool = False
    meaning: str = ""


@dataclass(frozen=True)
class Schema:
    """The fields of one family and which of them are choices."""

    name: str
    fields: tuple[Field, ...]
    choices: tuple[str, ...] = ("choice",)

    def field(self, name: str) -> Field | None:
        """The field called ``name``, or None."""
        return next((field for field in self.fields if field.name == name), None)


_CHOICE = Field("choice", "code", may_miss=True, meaning="option chosen, -1 if the person missed the trial")
_FORCED = Field("forced", "flag", required=False, meaning="the choice was dictated, so it is not scored")

CATEGORY_LEARNING = Schema(
    "category_learning",
    (
        Field("stimulus", "number", ("feature",), meaning="features of the thing shown"),
        Field("category", "code", may_miss=True, meaning="category told afterwards, -1 if none was told"),
        _CHOICE,
        Field(
            "answer",
            "code",
            required=False,
            may_miss=True,
            meaning="right category, also where it was not told",
        ),
    ),
)

BANDIT = Schema(
    "bandit",
    (
        Field("context", "code", meaning="which set of options was on offer"),
        _CHOICE,
        Field(
            "outcome",
            "number",
            ("option",),
            may_miss=True,
            meaning="what each option was seen to pay, NaN if unseen",
        ),
        _FORCED,
        Field(
            "payoff",
            "number",
            ("option",),
            required=False,
            may_miss=True,
            meaning="what each option would have paid",
        ),
        Field(
            "full_feedback", "flag", required=False, meaning="outcomes of options not chosen were shown too"
        ),
        Field(
            "answer",
            "code",
            required=False,
            may_miss=True,
            meaning="option with the highest expected outcome",
        ),
    ),
)

TWO_STEP = Schema(
    "two_step",
    (
        _CHOICE,
        Field("state", "code", may_miss=True, meaning="second-stage state reached"),
        Field("choice_2", "code", may_miss=True, meaning="second-stage option chosen, -1 if missed"),
        Field("outcome", "number", may_miss=True, meaning="reward, NaN if the trial was missed"),
    ),
    choices=("choice", "choice_2"),
)

MULTI_ATTRIBUTE = Schema(
    "multi_attribute",
    (Field("attributes", "number", ("option", "feature"), meaning="attributes of every option"), _CHOICE),
)

FREE = Schema("free", (_CHOICE,))

SCHEMAS = {schema.name: schema for schema in (CATEGORY_LEARNING, BANDIT, TWO_STEP, MULTI_ATTRIBUTE, FREE)}


def get_schema(schema: str | Schema) -> Schema:
    """The schema itself, or the one called so."""
    if isinstance(schema, Schema):
        return schema
    if schema not in SCHEMAS:
        raise UsageError(f"there is no schema '{schema}'.", fix=did_you_mean(schema, SCHEMAS))
    return SCHEMAS[schema]


def kind_of(array: np.ndarray) -> Literal["code", "number", "flag"]:
    """Kind of field an array's type is that of."""
    return {"b": "flag", "i": "code", "u": "code"}.get(array.dtype.kind, "number")


def field_of(schema: Schema, name: str, array: np.ndarray) -> Field:
    """The schema's field of that name, or one made up for an extra column."""
    return schema.field(name) or Field(name, kind_of(array), required=False, may_miss=True)
