"""Programs that the tests share."""

from __future__ import annotations

from typing import TypeVar

import numpy as np

from toolkit.discovery.baselines import get_baseline
from toolkit.discovery.program import Program, ProgramModel
from toolkit.discovery.sandboxed import SandboxedModel
from toolkit.discovery.task import Task
from toolkit.models import Parameter
from toolkit.tests.discovery import texts
from toolkit.tests.strategies import random_trials
from toolkit.trials import Trials

Sandboxed = TypeVar("Sandboxed", bound=SandboxedModel)

BOUNDS = {
    "rate": (0, 1),
    "steepness": (0, 10),
    "stickiness": (-2, 2),
    "beta": (0, 10),
    "w": (0, 1),
    "trace": (0, 1),
    "bias": (-1, 1),
    "forgetting": (0, 1),
    "learning_rate": (0, 1),
}


def parameters(*names: str) -> tuple[Parameter, ...]:
    """Parameters with the bounds of their names."""
    return tuple(Parameter(name, *BOUNDS[name], "") for name in names)


def delta_rule(trials: Trials, text: str = texts.DELTA_RULE, name: str = "delta_rule") -> Program:
    """Two-armed bandit: one learning rate, a choice trace of one trial."""
    names = ("rate", "steepness", "stickiness") if "stickiness" in text else ("rate", "steepness")
    return Program(name, text, parameters(*names), Task.of(trials))


def two_step(trials: Trials) -> Program:
    """A model with two choices a trial."""
    return get_baseline("daw_hybrid", Task.of(trials))


def bandit(lengths: tuple[int, ...] = (40, 25, 40), seed: int = 0) -> Trials:
    """A two-armed bandit with missed and forced choices."""
    return random_trials("bandit", lengths, seed=seed)


def inside(model: ProgramModel, n: int, seed: int = 0, **shape: int) -> np.ndarray:
    """(n, participants, parameters) well inside the bounds; without participants (n, parameters)."""
    rng = np.random.default_rng(seed)
    lower = np.array([one.lower for one in model.parameters])
    upper = np.array([one.upper for one in model.parameters])
    share = rng.uniform(0.1, 0.9, (n, *shape.values(), len(lower)))
    return lower + share * (upper - lower)


def interpreted(model: Sandboxed) -> Sandboxed:
    """The same model, never compiled."""
    model.engine.compiled = None
    return model
