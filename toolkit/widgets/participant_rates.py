"""How often a verdict on a short task is right: measured among simulated players, whose agent is known."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from toolkit.fitting import fit
from toolkit.fitting.recovery import draw_theta
from toolkit.fitting.verdict import TOLD_APART, Verdict, list_candidates
from toolkit.models import get_model_for
from toolkit.seeds import Seeds
from toolkit.trials import Trials, concat
from toolkit.widgets.participant_tasks import Task

N_PROBLEMS, _FIRST_SEED = 8, 100
_ABOUT = ["participant", "problem", "condition"]


@dataclass(frozen=True)
class Rates:
    """What became of simulated players of one task.

    Attributes
    ----------
    players
        One for every agent but the guesser and every problem, with parameters from the agent's prior.
    foretold
        Those of whom the best agent, parameters paid for, foretold more than guessing.
    apart, apart_right
        Of these: whose best agent was told apart from all others, and where it was the one that played.
    close_right
        Of the rest: where the best agent was the one that played.
    """

    players: int
    foretold: int
    apart: int
    apart_right: int
    close_right: int

    @property
    def close(self) -> int:
        """Players whom an agent came closest to without being told apart."""
        return self.foretold - self.apart


MEASURED: dict[tuple[str, int], Rates] = {
    ("figures", 24): Rates(112, 53, 14, 12, 14),
    ("figures", 96): Rates(112, 67, 24, 22, 12),
    ("everyday", 24): Rates(112, 62, 12, 9, 12),
    ("casinos", 24): Rates(144, 72, 4, 2, 7),
    ("casinos", 96): Rates(144, 89, 12, 8, 18),
    ("casinos_full", 24): Rates(160, 78, 5, 2, 6),
}
"""By name of the task and number of trials, as ``measure(task, n_trials)`` gives them."""


def rates_for(task: Task) -> tuple[int, Rates]:
    """The length nearest to a task's at which its verdicts were tried, and what came of it."""
    lengths = [length for name, length in MEASURED if name == task.name]
    nearest = min(lengths, key=lambda length: abs(np.log(length / task.n_trials)))
    return nearest, MEASURED[task.name, nearest]


def rates_in_words(task: Task, verdict: Verdict) -> str:
    """How often a verdict like this one was right among simulated players of the task."""
    length, rates = rates_for(task)
    whom = f"simulated players of {length} trials of this task"
    if not verdict.beats_guessing:
        return f"So it was for {rates.players - rates.foretold} of {rates.players} {whom}."
    if verdict.rivals:
        return f"The best of several such agents was the right one for {rates.close_right} of {rates.close} {whom}."
    return f"An agent so far ahead was the right one for {rates.apart_right} of {rates.apart} {whom}."


def measure(task: type[Task], n_trials: int, *, n_problems: int = N_PROBLEMS) -> Rates:
    """Let every agent play ``n_problems`` problems of a task, fit all agents to all players, and count.

    Eight problems take minutes.
    """
    trials, played = _play(task, n_trials, n_problems)
    each = {name: fit(name, trials, progress=False).by_participant() for name in list_candidates(trials)}
    evidence = pd.DataFrame({name: -0.5 * found["bic"].to_numpy() for name, found in each.items()})
    ranked = np.sort(evidence.fillna(-np.inf).to_numpy(), axis=1)[:, ::-1]
    foretold = ranked[:, 0] > -n_trials * np.log(trials.n_options)
    right = (evidence.idxmax(axis=1) == pd.Series(played)).to_numpy()
    apart = foretold & (ranked[:, 0] - ranked[:, 1] >= TOLD_APART)
    close = foretold & ~apart
    counts = (foretold, apart, apart & right, close & right)
    return Rates(len(played), *(int(one.sum()) for one in counts))


def _play(task: type[Task], n_trials: int, n_problems: int) -> tuple[Trials, list[str]]:
    """Trials of all players, and the agent of each."""
    parts: list[Trials] = []
    played: list[str] = []
    for number in range(n_problems):
        design, seeds = task(n_trials, _FIRST_SEED + number).design, Seeds(number)
        for name in list_candidates(design):
            if name == "random":
                continue
            model = get_model_for(name, design)
            theta = draw_theta(model, 1, "prior", seeds.numpy(f"p{name}"))
            made = model.simulate(theta, design, seeds.numpy(f"c{name}"))
            # Everyday things keep their measures under names of their own, which differ from problem to problem.
            arrays = {key: values for key, values in made.arrays.items() if "(" not in key}
            about = made.sequences[_ABOUT].assign(participant=len(played))
            parts.append(replace(made, arrays=arrays, sequences=about))
            played.append(name)
    return concat(parts), played
