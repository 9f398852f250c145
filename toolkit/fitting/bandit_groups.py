"""Who learns the three bandit tasks: people, or simulated ones, and agents; and the models that describe them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from toolkit.data.belief_updating import analysed, load_belief_updating
from toolkit.errors import DataError
from toolkit.experiments.bandits import Task, get_task
from toolkit.models import get_model_for
from toolkit.models.bandit_episodes import Visits
from toolkit.models.optimal_bandit import play_optimally
from toolkit.models.playing.scripted import replay_demo
from toolkit.seeds import Seeds
from toolkit.trials import Trials, concat

if TYPE_CHECKING:
    from toolkit.models import Model

TASKS: tuple[Task, ...] = ("partial", "full", "agency")
N_SEEDS = 3
"""Meta-RL agents of each task."""

RATES: Mapping[str, tuple[str, str]] = {
    "partial": ("learning_rate_positive", "learning_rate_negative"),
    "full": ("learning_rate_confirming", "learning_rate_disconfirming"),
    "agency": ("learning_rate_free_positive", "learning_rate_free_negative"),
}
"""The two rates that a task compares: of outcomes better and worse than expected; of outcomes that confirm the choice
and that speak against it; and of better and worse ones after free choices."""

_OPTIONS: Mapping[str, dict[str, Any]] = {
    "partial": {"rates": ("sign",)},
    "full": {"rates": ("confirmation",)},
    "agency": {"rates": ("sign",), "forced_rates": ()},
}
_PEOPLE = {
    "partial": (
        ("Lefebvre et al. (2017)", "partial"),
        ("Palminteri et al. (2017), 1", "palminteri2017_exp1"),
    ),
    "full": (("Chambon et al. (2020), 2", "full"), ("Palminteri et al. (2017), 2", "palminteri2017_exp2")),
    "agency": (("Chambon et al. (2020), 1", "agency"),),
}
_SIMULATED = {"inverse_temperature": 5.0, "trace_weight": 1.5, "trace_rate": 0.3}
_SIMULATED_RATES = (0.35, 0.2)
BOTH, ONE = "two rates", "one rate"
TRACE = " and a choice trace"
MODELS = (ONE, BOTH, ONE + TRACE, BOTH + TRACE)


@dataclass(frozen=True)
class Group:
    """Some people, or copies of an agent, on one task.

    Attributes
    ----------
    task, agent
        Agents are called as in figures: "people", "metarl", "scripted_player", "thompson_bandit".
    name
        Whose data they are, or what the agent is.
    trials
        The part that learning rates are estimated from.
    whole
        All trials.
    simulated
        Whether they are simulated people, since people's data are not here.
    """

    task: Task
    agent: str
    name: str
    trials: Trials
    whole: Trials
    simulated: bool = False


def load_groups(load: Callable[[str], Trials], seeds: Seeds, n_people: int) -> list[Group]:
    """Everyone who does the three tasks: people, Meta-RL, the recorded player, and an ideal learner.

    Parameters
    ----------
    load
        What gives Trials by name, such as ``run.load``; studies whose data are absent are simulated by learners
        with two rates and a choice trace.
    n_people
        Most people of a study; as many copies of Meta-RL, in equal parts of each of its seeds, and of the ideal
        learner by Thompson sampling.
    """
    groups = []
    for task in TASKS:
        groups += [_people(task, name, part, load, seeds, n_people) for name, part in _PEOPLE[task]]
        design = get_task(task).draw(n_people, rng=seeds.numpy(f"bandits of agents, {task}"))
        ideal = play_optimally(design, thompson=seeds.numpy(f"thompson, {task}"))
        players = {
            ("metarl", "Meta-RL"): act(task, design, seeds),
            ("scripted_player", "Scripted player (no LLM)"): replay_demo(task).trials,
            ("thompson_bandit", "Ideal learner, Thompson"): ideal,
        }
        groups += [
            Group(task, agent, name, analysed(task, trials), trials)
            for (agent, name), trials in players.items()
        ]
    return groups


def act(task: Task, design: Trials, seeds: Seeds) -> Trials:
    """Meta-RL on a design, the participants in equal parts copies of each of its seeds (``sequences.seed``)."""
    own, parts = design.participant_index % N_SEEDS, []
    for seed in sorted(set(own.tolist())):
        part = design.take(own == seed)
        agent = get_model_for("metarl", design, task=task, seed=seed)
        theta = agent.theta(len(part.participants), inverse_temperature=1.0, lapse=0.0)
        played = agent.simulate(theta, part, seeds.numpy(f"choices of Meta-RL {seed}, {task}"))
        parts.append(replace(played, sequences=played.sequences.assign(seed=seed)))
    return concat(parts)


def models_of(task: Task, trials: Trials) -> dict[str, Model]:
    """One rate or the task's two, each without and with a choice trace; forced choices have a rate of their own."""
    two = _OPTIONS[task]
    return {
        rates + trace: get_model_for(
            "rescorla_wagner",
            trials,
            **(two if rates == BOTH else {**two, "rates": ()}),
            choice_trace=bool(trace),
        )
        for trace in ("", TRACE)
        for rates in (ONE, BOTH)
    }


def follow_choices(groups: Sequence[Group], n_points: int = 8) -> pd.DataFrame:
    """How often the better option is taken over visits, by the first group of every agent.

    Returns
    -------
    One row a task, agent and part of the visits: ``task, agent, visit`` (the last of the part), ``share``.
    """
    parts, seen = [], set()
    for group in groups:
        if (group.task, group.agent) in seen:
            continue
        seen.add((group.task, group.agent))
        correct = Visits(group.trials.context, group.trials.mask).sort(group.trials.correct, np.nan)
        width = -(-correct.shape[1] // n_points)
        share = pd.DataFrame(correct).T.groupby(np.arange(correct.shape[1]) // width)
        means = share.sum().sum(axis=1) / share.count().sum(axis=1)
        visit = np.minimum((means.index + 1) * width, correct.shape[1])
        parts.append(pd.DataFrame({"task": group.task, "agent": group.agent, "visit": visit, "share": means}))
    return pd.concat(parts, ignore_index=True)


def _people(
    task: Task, name: str, part: str, load: Callable[[str], Trials], seeds: Seeds, n_people: int
) -> Group:
    try:
        whole = load(part) if part.startswith("palminteri") else load_belief_updating(part, load=load)
    except DataError:
        whole = _simulated(task, n_people, seeds, name)
        title = f"Simulated people, task of {name}"
        return Group(task, "people", title, analysed(task, whole), whole, simulated=True)
    some = whole.where(participant=whole.participants[:n_people])
    return Group(task, "people", name, some, some)


def _simulated(task: Task, n_people: int, seeds: Seeds, name: str) -> Trials:
    """Learners with the task's two rates and a choice trace, in the design of a study."""
    design = get_task(task).draw(n_people, rng=seeds.numpy(f"design of {name}"))
    model = models_of(task, design)[BOTH + TRACE]
    rates = dict(zip(RATES[task], _SIMULATED_RATES, strict=True))
    values = {one.name: {**_SIMULATED, **rates}.get(one.name, 0.2) for one in model.parameters}
    return model.simulate(model.theta(n_people, **values), design, seeds.numpy(f"choices of {name}"))
