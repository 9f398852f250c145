"""What a search is to do, as one YAML file that is checked before anything happens."""

from __future__ import annotations

import importlib.resources
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from toolkit.errors import DataError, Fault, UsageError, did_you_mean

Positive = Annotated[int, Field(ge=1)]
People = str | tuple[str | int, ...]
"""Positions among all participants in order, "4:14", or a list of participants."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class DataPart(_Part):
    """Which trials, and what a program is told of them.

    Attributes
    ----------
    name
        Of a data set of the registry, or
    file, family, columns, labels
        a CSV file with one row a trial, the family of its trials, where a field has another name, and names
        of codes.
    shown, told
        Columns beyond those of the family that are known before a choice, and after it.
    about
        Numbers that describe a sequence.
    validities
        Of attributes, where people were told them.
    incomplete
        What becomes of trials on which a choice was missed: "leave out", or "keep" what was chosen.
    counted
        What the n of the criterion counts: "trials", or "choices" where a trial may have several.
    """

    name: str = ""
    file: str = ""
    family: str = ""
    columns: dict[str, str | list[str]] = {}
    labels: dict[str, list[str]] = {}
    shown: tuple[str, ...] = ()
    told: tuple[str, ...] = ()
    about: tuple[str, ...] = ()
    validities: tuple[float, ...] = ()
    incomplete: Literal["leave out", "keep"] = "leave out"
    counted: Literal["trials", "choices"] = "choices"

    @model_validator(mode="after")
    def _one_source(self) -> DataPart:
        if bool(self.name) == bool(self.file):
            raise ValueError("give either the name of a data set or a file")
        if self.file and not self.family:
            raise ValueError("say which family the trials of the file belong to")
        return self


class SplitPart(_Part):
    """Who is shown in prompts, on whom programs are selected, and on whom the winner is reported."""

    prompt: People = "0:2"
    evaluation: People = "2:12"
    test: People = "12:"


class LoopPart(_Part):
    """How many programs are tried.

    Attributes
    ----------
    rounds, candidates
        Rounds, and candidates that each island adds in a round.
    islands, exchange_every
        Populations that do not see one another, but for their best, handed on to the next one every so
        many rounds; 0 is never.
    """

    rounds: Positive = 5
    candidates: Positive = 3
    islands: Positive = 1
    exchange_every: Annotated[int, Field(ge=0)] = 0


class FitPart(_Part):
    """How programs are fitted and judged; ``final`` is for the report on test participants.

    ``seconds_a_request`` is how long one question to the sandbox may take, ``seconds_a_program`` all that a program is
    asked until it has a score.
    """

    criterion: Literal["bic", "aic"] = "bic"
    starts: Positive = 4
    exchange_rounds: Annotated[int, Field(ge=0)] = 1
    final_starts: Positive = 10
    final_exchange_rounds: Annotated[int, Field(ge=0)] = 2
    seconds_a_request: Annotated[float, Field(gt=0)] = 240.0
    seconds_a_program: Annotated[float, Field(gt=0)] = 1_200.0


class BudgetPart(_Part):
    """Where a search ends though rounds are left; None is no cap.

    Seconds are those of the wall clock, processor seconds those of all cores together, which do not depend on what
    else a machine is busy with.
    """

    seconds: float | None = None
    processor_seconds: float | None = None
    tokens: int | None = None
    usd: float | None = None


class TextPart(_Part):
    """How trials are told to a language model.

    Attributes
    ----------
    template
        A sentence a trial, with columns in braces; ``trial`` counts from 1.
    words
        For the values of a column, by their code. For a code whose meaning depends on another column, the
        key is "column/other", and codes are "value/other value".
    missing
        Instead of the sentence where something was not recorded.
    trials
        How many of each person: half from the beginning, half from the end.
    """

    template: str = ""
    words: dict[str, dict[str, str]] = {}
    missing: str = "Trial {trial}: no answer."
    trials: Positive = 10


class AskingPart(_Part):
    """What a language model is told beside the task and the data.

    Attributes
    ----------
    goal, system, guardrails
        Texts of the prompt.
    feedback
        "manual" names what was tried, "llm" lets the model judge that first, "structured" reports scores,
        distances to baselines, residuals and every error; "none" is none.
    repairs
        Rounds in which a reply with an error is sent back with it.
    """

    goal: str = ""
    system: str = ""
    guardrails: tuple[str, ...] = ()
    feedback: Literal["none", "manual", "llm", "structured"] = "structured"
    temperature: float | None = None
    max_tokens: Positive = 6000
    repairs: Annotated[int, Field(ge=0)] = 1


class SearchConfig(_Part):
    """A search, whole.

    Attributes
    ----------
    name, title, description
        Of the task.
    seed
        Decides everything that is drawn.
    runs
        Searches that share nothing, with other seeds.
    baselines
        Models of the literature that are always in the table, beside chance.
    """

    name: str
    title: str
    description: str
    data: DataPart
    splits: SplitPart = SplitPart()
    loop: LoopPart = LoopPart()
    fit: FitPart = FitPart()
    budget: BudgetPart = BudgetPart()
    text: TextPart = TextPart()
    asking: AskingPart = AskingPart()
    baselines: tuple[str, ...] = ()
    seed: int = 0
    runs: Positive = 1

    @field_validator("name")
    @classmethod
    def _a_folder(cls, name: str) -> str:
        if not name.replace("_", "").replace("-", "").isalnum():
            raise ValueError("it becomes the name of a folder: use letters, digits, _ and -")
        return name

    def changed(self, **parts: Any) -> SearchConfig:
        """The same with other values; those of a part are named "part.field"."""
        content = self.model_dump(mode="json")
        for name, value in parts.items():
            part, _, inner = name.rpartition(".")
            target = content[part] if part else content
            if inner not in target:
                raise UsageError(f"a search has no setting '{name}'.", fix=did_you_mean(inner, target))
            target[inner] = value
        return check_settings(content, "search")


def list_configs() -> list[str]:
    """Names of the searches that come with the toolkit."""
    folder = importlib.resources.files("toolkit.discovery.search") / "configs"
    return sorted(
        entry.name.removesuffix(".yaml") for entry in folder.iterdir() if entry.name.endswith(".yaml")
    )


def load_config(name: str | Path) -> SearchConfig:
    """A search by the name it comes with, or from a YAML file.

    Raises
    ------
    UsageError
        with the field, what is wrong with it, and what there is instead.
    """
    import yaml

    path = Path(name)
    if path.suffix in (".yaml", ".yml"):
        if not path.is_file():
            raise UsageError("there is no such file.", where=str(path), fix="Check the path.")
        text = path.read_text(encoding="utf-8")
    else:
        if str(name) not in list_configs():
            raise UsageError(
                f"there is no search '{name}'.", where="config", fix=did_you_mean(str(name), list_configs())
            )
        folder = importlib.resources.files("toolkit.discovery.search") / "configs"
        text = (folder / f"{name}.yaml").read_text(encoding="utf-8")
    try:
        content = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise DataError(f"this is not YAML: {error}", where=str(name)) from error
    if not isinstance(content, dict):
        raise DataError("a search is described by fields and their values.", where=str(name))
    return check_settings(content, str(name))


def check_settings(content: Any, where: str) -> SearchConfig:
    """A search from its fields and their values.

    Raises
    ------
    UsageError
        with ``where``, the field, what is wrong with it, and what there is instead.
    """
    try:
        return SearchConfig.model_validate(content)
    except ValidationError as error:
        fault = Fault.of(error)
        fix = "Look at a search that comes with the toolkit."
        if fault.unknown:
            *above, name = fault.place.split(".")
            fix = did_you_mean(name, _fields(above))
        raise UsageError(f"{fault.what}.", where=f"{where}: {fault.place}", fix=fix) from None


def _fields(place: Sequence[str]) -> list[str]:
    """Names of the fields of a part."""
    model: Any = SearchConfig
    for name in place:
        model = model.model_fields[name].annotation
    return list(model.model_fields)
