"""Everything that decides a training, and named profiles of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from toolkit.errors import DataError, Fault, UsageError, did_you_mean
from toolkit.models.metalearner import NetworkConfig

Chances = Annotated[dict[Annotated[int, Field(ge=1)], Annotated[float, Field(gt=0)]], Field(min_length=1)]
"""How often each value is drawn, relative to the others."""

COMMON_FEATURES: dict[int, float] = {1: 5, 2: 15, 3: 25, 4: 20, 5: 8, 6: 15, 7: 3, 8: 3, 9: 3, 10: 3}
COMMON_CLASSES: dict[int, float] = {2: 75, 3: 9, 4: 7, 5: 2, 6: 2, 7: 1.25, 8: 1.25, 9: 1.25, 10: 1.25}


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Component(_Frozen):
    """One source of a prior.

    Attributes
    ----------
    source, options
        As for :func:`toolkit.tasks.get_source`.
    weight
        Chance of this source relative to the others; at 0 it is not even opened.
    features, classes
        What it is asked for, where that is not the training's.
    """

    source: str
    weight: float = Field(default=1.0, ge=0)
    options: dict[str, Any] = {}
    features: Chances | None = None
    classes: Chances | None = None


class TwoNamings(_Frozen):
    """Training on problems that are shown twice, with other names of their labels the second time.

    Attributes
    ----------
    weight
        Price of the squared difference between the two log-probabilities of a label.
    from_step
        First step of it; before, problems are shown once.
    """

    weight: float = Field(gt=0)
    from_step: int = Field(default=0, ge=0)


class TrainingConfig(_Frozen):
    """A training, reproducible from this alone.

    Attributes
    ----------
    name
        What the learner is called.
    prior
        Where problems come from.
    features, classes
        Numbers of features and classes of problems; those that a source does not have are left out.
    lengths
        Trials a problem.
    trials_per_step
        Trials in the batch of one step, whatever the length of problems.
    groups
        Parts of a batch, each with its own source and numbers of features and classes.
    hidden_feedback
        Share of problems in which feedback is missing on a random share of trials.
    steps, learning_rate, warm_up, schedule
        The rate rises over ``warm_up`` steps, then falls as half a cosine, or stays until the last quarter
        of the steps and falls on a line ("plateau").
    two_namings
        None: nothing is paid for answers that depend on the names of labels.
    clip
        Largest norm of the gradient.
    seeds
        Trained in turn; the one with the lowest validation loss is kept.
    precision
        "auto" is bfloat16 where the device computes with it, otherwise float32.
    compiled
        Whether the step is compiled, for GPUs.
    threads
        CPU threads. Two on a machine that is busy are slower than one.
    validate_every, validation_problems
        Steps between validations, and problems each uses.
    patience
        Validations without a new best after which training stops; None: never.
    """

    name: str = Field(min_length=1, pattern=r"^[\w.-]+$")
    prior: tuple[Component, ...] = Field(min_length=1)
    network: NetworkConfig = NetworkConfig()
    features: Chances = COMMON_FEATURES
    classes: Chances = COMMON_CLASSES
    lengths: Chances = {100: 1.0}
    trials_per_step: int = Field(default=6400, ge=1)
    groups: int = Field(default=4, ge=1)
    hidden_feedback: float = Field(default=0.1, ge=0, le=1)
    steps: int = Field(ge=1)
    learning_rate: float = Field(default=1e-3, gt=0)
    warm_up: int = Field(default=200, ge=0)
    schedule: Literal["cosine", "plateau"] = "cosine"
    two_namings: TwoNamings | None = None
    clip: float = Field(default=1.0, gt=0)
    weight_decay: float = Field(default=0.01, ge=0)
    seeds: tuple[int, ...] = Field(default=(0,), min_length=1)
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    compiled: bool = False
    threads: int = Field(default=1, ge=1)
    validate_every: int = Field(default=250, ge=1)
    validation_problems: int = Field(default=256, ge=1)
    patience: int | None = Field(default=None, ge=1)

    @model_validator(mode="after")
    def _fits_together(self) -> TrainingConfig:
        if not any(component.weight for component in self.prior):
            raise ValueError("every source of the prior has the weight 0")
        if self.trials_per_step < self.groups * max(self.lengths):
            raise ValueError(
                f"trials_per_step {self.trials_per_step} is too few for {self.groups} groups of problems "
                f"with {max(self.lengths)} trials"
            )
        for what, asked, most in (
            ("features", self.features, self.network.n_features),
            ("classes", self.classes, self.network.n_classes),
        ):
            if max(asked) > most:
                raise ValueError(f"{what} go up to {max(asked)}, the network takes {most}")
        return self

    def mixed(self, weights: Mapping[str, float]) -> TrainingConfig:
        """The same with other weights of the prior's sources, by their names."""
        sources = [component.source for component in self.prior]
        for name in weights:
            if name not in sources:
                raise UsageError(f"the prior has no source '{name}'.", fix=did_you_mean(name, sources))
        return self.changed(
            prior=[
                {**component.model_dump(), "weight": weights.get(component.source, component.weight)}
                for component in self.prior
            ]
        )

    def changed(self, **changes: Any) -> TrainingConfig:
        """The same with other values, checked."""
        return parse_config({**self.model_dump(), **changes})


def parse_config(values: dict[str, Any], where: str = "") -> TrainingConfig:
    """A config from plain values; ``where`` names the file they come from."""
    try:
        return TrainingConfig.model_validate(values)
    except ValidationError as error:
        fault = Fault.of(error)
        said = f"{fault.place}: {fault.what}.".removeprefix(": ")
        raise (DataError(said, where=where) if where else UsageError(said, where="training")) from error


NAMES = {"ecological": "ermi", "linear": "mi", "mlp": "pfn", "rational": "rmc"}
"""Name of the learner trained on each prior, as in the literature."""

_PRIORS: dict[str, tuple[Component, ...]] = {
    "ecological": (
        Component(source="bank", weight=0.85),
        Component(
            source="written", weight=0.15, options={"resample": True}, features={3: 1.0}, classes={2: 1.0}
        ),
    ),
    "linear": (Component(source="linear"),),
    "mlp": (Component(source="mlp"),),
    "rational": (Component(source="rational"),),
}

_PROFILES: dict[str, dict[str, Any]] = {
    "smoke": {
        "network": NetworkConfig(width=16, n_layers=2, feed_forward=32),
        "lengths": {20: 1.0},
        "trials_per_step": 320,
        "groups": 2,
        "steps": 20,
        "warm_up": 5,
        "validate_every": 10,
        "validation_problems": 16,
    },
    "workshop": {
        "network": NetworkConfig(width=64, n_layers=2),
        "features": {3: 1.0},
        "classes": {2: 1.0},
        "trials_per_step": 3200,
        "groups": 2,
        "steps": 600,
        "warm_up": 50,
        "learning_rate": 2e-3,
        "validate_every": 50,
        "validation_problems": 128,
    },
    "shipped": {"steps": 30_000, "lengths": {100: 0.7, 200: 0.2, 400: 0.1}, "schedule": "plateau"},
    "paper": {
        "network": NetworkConfig(width=128, n_layers=6, n_heads=4, feed_forward=512),
        "lengths": {100: 0.4, 250: 0.4, 650: 0.2},
        "trials_per_step": 65_000,
        "groups": 16,
        "steps": 200_000,
        "warm_up": 1000,
        "seeds": (0, 1, 2),
        "compiled": True,
        "validate_every": 1000,
        "validation_problems": 1024,
        "patience": 40,
    },
}


def list_priors() -> list[str]:
    """Names of the priors that there are learners of."""
    return list(_PRIORS)


def list_profiles() -> list[str]:
    """Names of the profiles, the quickest first."""
    return list(_PROFILES)


def get_config(prior: str, profile: str = "workshop", /, **changes: Any) -> TrainingConfig:
    """The config of a profile for a prior, with ``changes`` to it."""
    for what, name, known in (("prior", prior, _PRIORS), ("profile", profile, _PROFILES)):
        if name not in known:
            raise UsageError(f"there is no {what} '{name}'.", fix=did_you_mean(name, known))
    return parse_config({"name": NAMES[prior], "prior": _PRIORS[prior], **_PROFILES[profile], **changes})
