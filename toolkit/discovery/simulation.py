"""Programs that choose for themselves: asked, drawn, answered by a world, and told, one trial at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np

from toolkit.discovery.engine import Engine
from toolkit.discovery.task import Task, recorded, values_of
from toolkit.errors import UsageError
from toolkit.trials import MISSING, Trials

COMMON = 0.7
"""Chance of the common transition in two-step tasks."""


class World(Protocol):
    """What follows from choices."""

    def __call__(self, trials: Trials, t: int, stage: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
        """Arrays (sequences, …) of trial ``t`` that a choice, which ``trials`` holds, has brought about."""


def simulate(
    engine: Engine,
    task: Task,
    arguments: Mapping[str, Sequence[str]],
    theta: np.ndarray,
    design: Trials,
    rng: np.random.Generator,
    world: World | None = None,
) -> Trials:
    """Choices of a program on a design.

    Parameters
    ----------
    arguments
        What each function of the program takes.
    theta
        (sequences, parameters).
    world
        What follows from a choice; by default what the design says would have followed.
    """
    world = world or world_of(design)
    trials = design.unanswered()
    draws = rng.random((task.n_stages, *design.mask.shape))
    forced = design.arrays.get("forced", np.zeros_like(design.mask))
    with engine.simulator() as worker:
        first = _columns(trials, 0, arguments.get("init", ()), task)
        content = {"program": engine.interpreted.key, "n_options": trials.n_options}
        worker.request("begin", content, {"theta": theta, **first})
        for t in range(trials.n_trials):
            for number, stage in enumerate(task.stages):
                here = trials.mask[:, t]
                columns, there = _known(trials, t, arguments[stage.function], task)
                given = {"which": here & there, **columns}
                p = worker.request("ask", {"stage": number}, given).arrays["p"]
                drawn = (p.cumsum(-1)[:, :-1] < draws[number, :, t, None]).sum(-1)
                free = here & ~forced[:, t]
                trials = _with(
                    trials, t, {stage.choice: np.where(free, drawn, trials.arrays[stage.choice][:, t])}
                )
                trials = _with(trials, t, world(trials, t, number, rng))
            if "update" in arguments:
                columns, there = _known(trials, t, arguments["update"], task)
                worker.request("tell", {}, {"which": trials.mask[:, t] & there, **columns})
    return trials


def _known(
    trials: Trials, t: int, names: Sequence[str], task: Task
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Columns of trial ``t`` that are asked for, and (sequences,) where all of them are there."""
    there = np.ones(len(trials), dtype=bool)
    columns = _columns(trials, t, names, task)
    for values in columns.values():
        there &= recorded(values[:, None])[:, 0]
    return columns, there


def _columns(trials: Trials, t: int, names: Sequence[str], task: Task) -> dict[str, np.ndarray]:
    found = {}
    for name in names:
        if name in task.columns:
            unset = name in ("forced", "full_feedback") and name not in trials.arrays
            found[name] = np.zeros(len(trials), dtype=bool) if unset else values_of(trials, name)[:, t]
    return found


def _with(trials: Trials, t: int, values: Mapping[str, np.ndarray]) -> Trials:
    arrays = {}
    for name, value in values.items():
        arrays[name] = trials.arrays[name].copy()
        arrays[name][:, t] = value
    return trials.updated(**arrays) if arrays else trials


# -- worlds ---------------------------------------------------------------------------------------


def world_of(design: Trials) -> World:
    """What a design says would have followed from every choice."""
    name = design.schema.name
    if name == "bandit":
        return _pay
    if name == "two_step":
        return TwoStepWorld()
    return _nothing


def _nothing(trials: Trials, t: int, stage: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
    return {}


def _pay(trials: Trials, t: int, stage: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
    return {"outcome": trials.answered(t, trials.choice[:, t]).outcome[:, t]}


class TwoStepWorld:
    """Chance transitions, and rewards with the drifting chances that a design holds.

    They are read from its arrays ``reward_p_s<state>_<option>``. The first choice leads to the state of its
    own number with the probability ``common``.
    """

    def __init__(self, common: float = COMMON) -> None:
        self.common = common

    def __call__(self, trials: Trials, t: int, stage: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
        draw = rng.random(len(trials))
        if stage == 0:
            choice = trials.choice[:, t]
            state = np.where(draw < self.common, choice, 1 - choice)
            return {"state": np.where(choice == MISSING, MISSING, state)}
        chance = self._chances(trials, t)
        state, choice = trials.state[:, t], trials.choice_2[:, t]
        there = trials.mask[:, t] & (choice != MISSING)
        p = chance[np.arange(len(trials)), np.maximum(state, 0), np.maximum(choice, 0)]
        return {"outcome": np.where(there, (draw < p).astype(float), np.nan)}

    @staticmethod
    def _chances(trials: Trials, t: int) -> np.ndarray:
        """(sequences, states, options)"""
        names = [[f"reward_p_s{state}_{option}" for option in (0, 1)] for state in (0, 1)]
        if names[0][0] not in trials.arrays:
            raise UsageError(
                "this two-step design does not hold the chances of rewards, so nothing can follow a choice.",
                fix=f"Add the arrays {', '.join(map(', '.join, names))}, or give a world.",
            )
        return np.stack([np.stack([trials.arrays[n][:, t] for n in row], -1) for row in names], 1)
