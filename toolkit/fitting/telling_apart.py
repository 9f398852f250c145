"""Whether the models of the bandit tasks, and their parameters, can be told from the choices that people made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from toolkit.experiments.bandits import get_task
from toolkit.fitting.bandit_groups import BOTH, ONE, TRACE, models_of
from toolkit.fitting.confusion import Confusion, confuse
from toolkit.fitting.updating import Updating
from toolkit.seeds import Seeds


def confuse_tasks(
    found: Sequence[Updating],
    *,
    n_participants: int,
    n_starts: int,
    seed: int,
    times: int = 1,
) -> dict[str, Confusion]:
    """Simulate people of each task with each of its models, and fit all of them to all.

    Bandits and dictated choices are drawn anew; parameters are those of the task's first group of people.

    Parameters
    ----------
    times
        How many times as many sessions as people had.

    Returns
    -------
    By task.
    """
    first: dict[str, Updating] = {}
    for one in found:
        if one.group.agent == "people":
            first.setdefault(one.group.task, one)
    seeds, told = Seeds(seed), {}
    for task, one in first.items():
        drawn, rng = get_task(task), seeds.numpy(f"bandits of {task}")
        design = drawn.draw(n_participants, rng=rng, n_sessions=times * drawn.n_sessions)
        told[task] = confuse(
            models_of(task, design),
            design,
            theta={name: fitted.theta for name, fitted in one.fits.items()},
            method="map",
            n_starts=n_starts,
            seed=seed,
            progress=False,
        )
    return told


def short_wins(told: Mapping[str, Confusion]) -> dict[str, pd.DataFrame]:
    """Who wins where, by task, with models' names that fit beside each other."""
    short = {ONE: "1 rate", BOTH: "2 rates", ONE + TRACE: "1 and trace", BOTH + TRACE: "2 and trace"}
    return {
        f"{task} task": confusion.wins.rename(index=short, columns=short) for task, confusion in told.items()
    }


def tabulate_recovered(told: Mapping[str, Confusion], model: str = BOTH + TRACE) -> pd.DataFrame:
    """What is found again of a model's parameters: ``task, parameter, correlation, bias, identified``."""
    parts = []
    for task, confusion in told.items():
        table = confusion.recovery.table
        own = table[table["model"] == model]
        parts.append(own[["parameter", "correlation", "bias", "identified"]].assign(task=task))
    return pd.concat(parts, ignore_index=True)[["task", "parameter", "correlation", "bias", "identified"]]
