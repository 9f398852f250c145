"""Parameters of every section: the notebook's parameters cell has exactly these fields."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from toolkit.errors import UsageError, did_you_mean


class SectionParams(BaseModel):
    """What every section has."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    profile: Literal["smoke", "workshop", "paper"] = Field("workshop", description="how much to compute")
    seed: int = Field(0, ge=0, description="root of all random streams")


class StartHere(SectionParams):
    """00_start_here."""

    problem: int = Field(0, ge=0, description="position of the problem in the bank")
    participant: int = Field(0, ge=0, description="position of the person whose learning curve is drawn")
    n_points: int = Field(200, ge=10, le=5000, description="points drawn from the problem")


SECTIONS: dict[str, type[SectionParams]] = {"00_start_here": StartHere}


def validate_params(model: type[SectionParams], values: dict[str, Any], where: str = "") -> SectionParams:
    """Checked parameters of a section; a wrong name or type is an error that says what to do."""
    for name in values:
        if name not in model.model_fields:
            raise UsageError(
                f"there is no parameter '{name}'.", where=where, fix=did_you_mean(name, model.model_fields)
            )
    try:
        return model.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(map(str, first["loc"]))
        meaning = model.model_fields[str(first["loc"][0])].description
        raise UsageError(
            f"parameter '{field}' ({meaning}) is {first['input']!r}: {first['msg']}.", where=where
        ) from error
