"""The stages of writing: labels, then points for each; or distributions at once."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from toolkit.data.bank import BankProblem
from toolkit.errors import UsageError
from toolkit.io import read_json, write_json, write_table
from toolkit.llm import Client, Request
from toolkit.tasks.bank import MOST_CLASSES as MOST_BANK_CLASSES
from toolkit.tasks.bank import N_FEATURES as BANK_FEATURES
from toolkit.tasks.writing.files import load_labels, save_bank, save_labels, save_problems
from toolkit.tasks.writing.harvest import Harvest, rejection_table, yield_table
from toolkit.tasks.writing.labels import Label, judge_label
from toolkit.tasks.writing.parsing import Reason, Unfit, WrittenProblem, parse_points
from toolkit.tasks.writing.prompts import (
    LABELS_PER_REQUEST,
    description_request,
    labels_request,
    points_request,
)
from toolkit.tasks.writing.replies import description_of, rows_of

Mode = Literal["points", "distributions"]
Stage = Literal["both", "labels", "data"]

MOST_ROUNDS = 3
"""How often more labels are asked for if too few can be used."""


class Settings(BaseModel):
    """What is to be written.

    Attributes
    ----------
    provider, model
        Who writes it.
    mode
        "points": labels, then rows of values for each; "distributions": the bank's format.
    n_points, least_points
        Points asked for in a problem, and how many of them have to be valid. In mode "points" only.
    domains
        Fields of life that problems are taken from in turn; none leaves the choice to the model.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    provider: str
    model: str
    mode: Mode = "points"
    n_problems: Annotated[int, Field(ge=1)] = 50
    n_features: Annotated[int, Field(ge=1, le=16)] = 4
    n_categories: Annotated[int, Field(ge=2, le=10)] = 2
    n_points: Annotated[int, Field(ge=2)] = 100
    least_points: Annotated[int, Field(ge=2)] = 50
    domains: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _fits_together(self) -> Settings:
        if self.least_points > self.n_points:
            raise ValueError(f"least_points is {self.least_points}, n_points only {self.n_points}")
        if self.mode == "distributions" and self.n_features != BANK_FEATURES:
            raise ValueError(f"problems given by distributions have {BANK_FEATURES} features")
        if self.mode == "distributions" and self.n_categories > MOST_BANK_CLASSES:
            raise ValueError(f"problems given by distributions have at most {MOST_BANK_CLASSES} categories")
        return self

    @property
    def constrained(self) -> bool:
        """Whether the provider can force a reply into a schema."""
        return self.provider != "local"


class Folder:
    """Where everything that is written with the same settings lies."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.journal = self.path / "journal.jsonl"
        self.labels = self.path / "labels.jsonl"
        self.problems = self.path / "problems.jsonl"
        self.bank = self.path / "bank.jsonl"
        self.yields = self.path / "yields.csv"
        self.rejections = self.path / "rejections.csv"
        self._settings = self.path / "settings.json"

    def check(self, settings: Settings) -> None:
        """Another number of problems continues what is here; other settings need another folder."""
        if not self._settings.is_file():
            return
        old = read_json(self._settings)
        for name, value in settings.model_dump(mode="json").items():
            if name != "n_problems" and old.get(name) != value:
                raise UsageError(
                    f"{name} is {value!s:.100}, but what is here was written with {old.get(name)!s:.100}.",
                    where=str(self.path),
                    fix="Use the same setting to continue, or another folder.",
                )

    def claim(self, settings: Settings) -> None:
        """Note the settings, unless there are others."""
        self.check(settings)
        write_json(self._settings, settings.model_dump(mode="json"))


def planned_requests(settings: Settings, folder: Folder, stage: Stage = "both") -> dict[str, list[Request]]:
    """What would be asked at each stage if everything could be used; labels not written yet are guessed."""
    folder.check(settings)
    if settings.mode == "distributions":
        return {"distributions": _description_requests(settings)}
    planned = {}
    if stage != "data":
        planned["labels"] = _labels_requests(settings, 0, settings.n_problems)
    if stage != "labels":
        labels = load_labels(folder.labels) if stage == "data" or folder.labels.is_file() else []
        if stage == "both":
            labels += [_guessed_label(settings, number) for number in range(1, settings.n_problems + 1)]
        planned["data"] = [
            points_request(label, settings.n_points) for label in labels[: settings.n_problems]
        ]
    return planned


def write_tasks(
    client: Client, settings: Settings, folder: Folder, stage: Stage = "both"
) -> list[Harvest[Label] | Harvest[WrittenProblem] | Harvest[BankProblem]]:
    """Ask, parse and save; done again with the same folder, it goes on where it stopped.

    Points are only asked for when no request for labels failed, since those still to come change which
    labels there are; stage "data" goes on with those that are there.
    """
    folder.claim(settings)
    harvests: list[Harvest] = []
    if settings.mode == "distributions":
        harvests.append(write_distributions(client, settings))
        save_bank(folder.bank, harvests[-1].kept)
    elif stage != "data":
        harvests.append(write_labels(client, settings))
        save_labels(folder.labels, _known_first(harvests[-1].kept, folder))
    complete = not any(n_failed(harvest) for harvest in harvests)
    if settings.mode == "points" and stage != "labels" and complete:
        labels = load_labels(folder.labels)[: settings.n_problems]
        harvests.append(write_points(client, labels, settings))
        save_problems(folder.problems, harvests[-1].kept)
    write_table(folder.yields, yield_table(harvests))
    write_table(folder.rejections, rejection_table(harvests))
    return harvests


def _known_first(labels: Sequence[Label], folder: Folder) -> list[Label]:
    """Labels in the order in which they got into the folder, so that points already paid for are used."""
    known = load_labels(folder.labels) if folder.labels.is_file() else []
    places = {label.id: place for place, label in enumerate(known)}
    return sorted(labels, key=lambda label: places.get(label.id, len(known)))


def n_failed(harvest: Harvest) -> int:
    """Requests without an answer: asking again can bring one."""
    return harvest.counts["request", str(Reason.FAILED)]


def write_labels(client: Client, settings: Settings) -> Harvest[Label]:
    """Labels of at least as many problems as wanted, if the model can think of them in three rounds."""
    harvest, n_asked = Harvest[Label]("labels"), 0
    for _ in range(MOST_ROUNDS):
        requests = _labels_requests(settings, n_asked, settings.n_problems - len(harvest.kept))
        for request, outcome in zip(requests, client.ask(requests, "labels"), strict=True):
            name = f"{request.sample:03d}"
            reply = harvest.add_outcome(name, outcome)
            if reply:
                _add_labels(harvest, name, reply.text, reply.stop == "length", settings)
        n_asked += len(requests)
        if n_failed(harvest) or len(harvest.kept) >= settings.n_problems:
            break
    return harvest


def _add_labels(
    harvest: Harvest[Label], request: str, text: str, truncated: bool, settings: Settings
) -> None:
    n_features, n_categories = settings.n_features, settings.n_categories
    for place, row in enumerate(rows_of(text, truncated=truncated), 1):
        name = f"{request}-{place:02d}"
        try:
            if not row.whole:
                raise Unfit(Reason.CUT_OFF, "the reply ends in this label")
            if len(row.fields) != n_features + n_categories:
                raise Unfit(Reason.COLUMNS, f"{len(row.fields)} instead of {n_features + n_categories}")
            names = row.fields[:n_features], row.fields[n_features:]
            label = judge_label(name, *names, n_features, n_categories)
        except Unfit as unfit:
            harvest.reject("label", name, unfit)
        else:
            harvest.add("label", label, name, label.content)


def write_points(client: Client, labels: Sequence[Label], settings: Settings) -> Harvest[WrittenProblem]:
    """Points for every label, as far as the parser takes them."""
    harvest = Harvest[WrittenProblem]("data")
    requests = [points_request(label, settings.n_points) for label in labels]
    for label, outcome in zip(labels, client.ask(requests, "points"), strict=True):
        reply = harvest.add_outcome(label.id, outcome)
        if reply:
            rows = rows_of(reply.text, truncated=reply.stop == "length")
            parsed = parse_points(
                rows, label.features, label.categories, name=label.id, least_points=settings.least_points
            )
            harvest.add_parsed(label.id, parsed)
    return harvest


def write_distributions(client: Client, settings: Settings) -> Harvest[BankProblem]:
    """Problems in the bank's format."""
    harvest = Harvest[BankProblem]("distributions")
    requests = _description_requests(settings)
    for request, outcome in zip(requests, client.ask(requests, "distributions"), strict=True):
        name = f"{request.sample:04d}"
        reply = harvest.add_outcome(name, outcome)
        if reply:
            try:
                problem = description_of(reply.text, name, settings.n_features, settings.n_categories)
            except Unfit as unfit:
                cut = reply.stop == "length"
                harvest.reject("problem", name, Unfit(Reason.CUT_OFF, unfit.detail) if cut else unfit)
            else:
                label = Label(name, tuple(one.name for one in problem.features), problem.categories)
                harvest.add("problem", problem, name, label.content)
    return harvest


def _labels_requests(settings: Settings, first: int, n_labels: int) -> list[Request]:
    n_requests = math.ceil(n_labels / LABELS_PER_REQUEST)
    return [
        labels_request(sample, settings.n_features, settings.n_categories, settings.domains)
        for sample in range(first, first + n_requests)
    ]


def _description_requests(settings: Settings) -> list[Request]:
    return [
        description_request(
            sample,
            settings.n_features,
            settings.n_categories,
            settings.domains,
            constrained=settings.constrained,
        )
        for sample in range(settings.n_problems)
    ]


def _guessed_label(settings: Settings, number: int) -> Label:
    """As long as a label usually is."""
    features = tuple(f"name of feature {k + 1} of problem {number}" for k in range(settings.n_features))
    return Label("", features, tuple(f"category {k + 1}" for k in range(settings.n_categories)))
