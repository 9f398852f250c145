"""Parameters of every section: the notebook's parameters cell has exactly these fields."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from toolkit.errors import Fault, UsageError, did_you_mean
from toolkit.paths import notebooks_dir

if TYPE_CHECKING:
    import pandas as pd


class SectionParams(BaseModel):
    """What every section has."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    profile: Literal["smoke", "workshop", "paper"] = Field("workshop", description="how much to compute")
    seed: int = Field(0, ge=0, description="root of all random streams")


class StartHere(SectionParams):
    """00_start_here."""

    problem: int = Field(0, ge=0, le=749, description="which of the bank's problems is drawn")
    problem_type: Literal["I", "II", "III", "IV"] = Field(
        "II", description="which of Shepard's problems people learned"
    )
    participant: int = Field(3, ge=0, le=94, description="whose learning curve is drawn")
    trials_per_point: int = Field(16, ge=4, le=48, description="trials a point of the curve stands for")
    n_simulated: int = Field(100, ge=2, le=10000, description="simulated learners")


class TaskStatistics(SectionParams):
    """01_task_statistics."""

    n_problems: int = Field(400, ge=20, le=10000, description="problems drawn from every source")
    n_points: int = Field(60, ge=20, le=650, description="points of a problem")
    n_features: int = Field(3, ge=2, le=6, description="features of a problem")
    n_bootstrap: int = Field(200, ge=20, le=10000, description="draws behind every interval")
    example: int = Field(130, ge=0, le=749, description="problem of the bank that is shown")


class Training(SectionParams):
    """02_training."""

    prior: Literal["ecological", "linear", "mlp", "rational"] = Field(
        "ecological", description="where the problems come from that the learner is trained on"
    )
    learner: Literal["smoke", "workshop", "shipped"] = Field(
        "workshop", description="size of the network and of its batches"
    )
    steps: int = Field(600, ge=2, le=200_000, description="steps of the training")
    n_problems: int = Field(200, ge=20, le=10_000, description="problems behind every test")


class HumanComparison(SectionParams):
    """03_human_comparison."""

    n_people: int = Field(10, ge=4, le=95, description="people of each study who are fitted; 95 are all")
    n_starts: int = Field(5, ge=1, le=1000, description="starts of every fit")
    n_simulated: int = Field(10, ge=2, le=10_000, description="people simulated with every model")


class Generalisation(SectionParams):
    """04_generalisation."""

    n_people: int = Field(8, ge=2, le=60, description="people of each study who are fitted")
    n_orders: int = Field(16, ge=2, le=1000, description="sequences that agents learn in every design")
    n_problems: int = Field(10, ge=2, le=1000, description="fresh problems of every size")
    n_trials: int = Field(1024, ge=16, le=4096, description="trials of each of them")
    limit_steps: int = Field(
        0,
        ge=0,
        le=200_000,
        description="steps of training limited learners anew; 0 takes those that are here",
    )


class Discovery(SectionParams):
    """05_discovery."""

    n_rounds: int = Field(2, ge=1, le=1000, description="rounds of the search")
    n_candidates: int = Field(4, ge=1, le=100, description="programs tried in a round")
    n_simulated: int = Field(5, ge=1, le=1000, description="times that every test participant is simulated")
    n_planted: int = Field(1, ge=1, le=6, description="planted programs that are searched for")
    n_searches: int = Field(1, ge=1, le=100, description="searches for each, among other people")


class Bandits(SectionParams):
    """06_bandits."""

    n_people: int = Field(24, ge=6, le=1000, description="most people of a study, and copies of each agent")
    n_starts: int = Field(4, ge=1, le=1000, description="starts of every fit")
    n_studies: int = Field(10, ge=1, le=1000, description="simulated studies behind the rate of false alarms")
    n_steps: int = Field(20000, ge=100, le=1_000_000, description="observations of a stream")


class Benchmark(SectionParams):
    """07_benchmark."""

    n_tasks: int = Field(
        22, ge=4, le=22, description="tasks of the published protocol; 22 are all that are here"
    )
    n_sets: int = Field(3, ge=1, le=1000, description="sets drawn from each of them")
    n_tables: int = Field(8, ge=1, le=47, description="tables of the fair protocol; 47 are all")
    n_draws: int = Field(1, ge=1, le=1000, description="sets drawn from each of them and mixture")
    most_rows: int = Field(300, ge=30, le=500, description="most rows to learn from")


SECTIONS: dict[str, type[SectionParams]] = {
    "00_start_here": StartHere,
    "01_task_statistics": TaskStatistics,
    "02_training": Training,
    "03_human_comparison": HumanComparison,
    "04_generalisation": Generalisation,
    "05_discovery": Discovery,
    "06_bandits": Bandits,
    "07_benchmark": Benchmark,
}

_MAP = {
    "00": ("Start here", "Is everything here, and what does learning by trial and error look like?"),
    "01": ("Task statistics", "Which source of learning problems is closest to the world's?"),
    "02": ("Training", "What does a learner become when it is trained on such problems?"),
    "03": ("Human comparison", "Which agent learns as people do?"),
    "04": ("Generalisation", "What is hard, how do strategies shift, what transfers?"),
    "05": ("Discovery", "Can models of the mind be found by a machine?"),
    "06": ("Bandits", "Do people, agents and language models update their beliefs alike?"),
    "07": ("Benchmark", "How good are in-context learners on real tables?"),
}


def list_sections() -> pd.DataFrame:
    """The map of the project, one row a section.

    Returns
    -------
    ``section`` (its notebook's name, or its number alone as long as there is none), ``title``,
    ``question`` and ``here``: whether the notebook exists.
    """
    import pandas as pd

    rows = []
    for number, (title, question) in _MAP.items():
        found = sorted(notebooks_dir().glob(f"{number}_*.ipynb"))
        rows.append((found[0].stem if found else number, title, question, bool(found)))
    return pd.DataFrame(rows, columns=["section", "title", "question", "here"])


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
        fault = Fault.of(error)
        meaning = model.model_fields[fault.place.partition(".")[0]].description
        raise UsageError(
            f"parameter '{fault.place}' ({meaning}) is {fault.given!r}: {fault.what}.", where=where
        ) from error
