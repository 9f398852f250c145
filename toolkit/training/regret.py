"""What learners of bandits lose, beside the Bayes-optimal learner on the same bandits."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pandas as pd

from toolkit.experiments.bandits import Chances, Task, get_task
from toolkit.models.bandit_checkpoints import bandit_checkpoint
from toolkit.models.metarl import MetaRL
from toolkit.models.optimal_bandit import play_optimally
from toolkit.models.reward_learning import range_of_outcomes
from toolkit.seeds import Seeds

OPTIMAL, ACTS_AS_TRAINED = "optimal", {"inverse_temperature": 1.0, "lapse": 0.0}
"""Name of the best learner in tables; parameters with which a network follows its own policy."""


def measure_regret(
    task: Task,
    agents: Mapping[str, str | Path],
    *,
    n_participants: int = 200,
    chances: tuple[Chances, ...] = ("task", "uniform"),
    seed: int = 0,
) -> pd.DataFrame:
    """Regret of agents on the same bandits, with that of Thompson sampling, of chance and of the best learner.

    Parameters
    ----------
    agents
        Checkpoints of Meta-RL by name.
    chances
        The task's own, and fresh ones as in training.

    Returns
    -------
    One row an agent and kind of chances: ``chances, agent, regret`` (mean a free choice, in payoffs of the task),
    ``se`` (over participants) and ``excess`` over the best learner.
    """
    rows = []
    for kind in chances:
        bandit = get_task(task)
        design = bandit.draw(n_participants, rng=Seeds(seed).numpy(f"bandits {kind}"), chances=kind)
        played = {OPTIMAL: play_optimally(design)}
        for name, checkpoint in agents.items():
            agent = MetaRL(checkpoint=checkpoint, payoffs=range_of_outcomes(design))
            theta = agent.theta(n_participants, **ACTS_AS_TRAINED)
            played[name] = agent.simulate(theta, design, Seeds(seed).numpy("choices"))
        played["thompson"] = play_optimally(design, thompson=Seeds(seed).numpy("thompson"))
        chance = Seeds(seed).numpy("chance").integers(0, 2, design.mask.shape)
        played["random"] = design.updated(choice=np.where(design.forced, design.choice, chance))
        for name, trials in played.items():
            lost = pd.Series(np.nanmean(bandit.regret(trials), 1)).groupby(trials.participant_index).mean()
            rows.append((kind, name, lost.mean(), lost.sem()))
    table = pd.DataFrame(rows, columns=["chances", "agent", "regret", "se"])
    best = table[table["agent"] == OPTIMAL].set_index("chances")["regret"]
    return table.assign(excess=table["regret"] - table["chances"].map(best).to_numpy())


def measure_project_agents(n_seeds: int = 3, **options: Any) -> pd.DataFrame:
    """:func:`measure_regret` of the recurrent agents that come with the project, with a column ``task``."""
    parts = []
    for task in get_args(Task):
        agents = {f"seed {seed}": bandit_checkpoint(task, seed=seed) for seed in range(n_seeds)}
        parts.append(measure_regret(task, agents, **options).assign(task=task))
    return pd.concat(parts, ignore_index=True)
