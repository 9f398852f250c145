"""The recorded search that comes with the project: simulated people at a bandit, a grammar, and slips on purpose."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from toolkit.discovery.grammar import grammar_for, write
from toolkit.discovery.planted import N_PEOPLE, PLANTED, PLANTED_SEARCH, bandit_design, simulate_planted
from toolkit.discovery.proposers.base import Proposal, Proposer, Situation
from toolkit.discovery.sandbox.pool import Sandbox
from toolkit.discovery.search.loop import JOURNAL, Search
from toolkit.discovery.search.running import grammar_proposer
from toolkit.discovery.task import Task
from toolkit.io import write_text
from toolkit.paths import data_dir
from toolkit.seeds import Seeds

DEMO = "the recorded search that comes with the project"
FOLLOWED = "values and repetition"
"""Planted program that the simulated people of the recording follow."""
ROUNDS, CANDIDATES, ISLANDS, EXCHANGE_EVERY = 5, 4, 2, 2
_PEOPLE_SEED = 0

_LEARNS = """\
def init(n_options):
    value = np.zeros(n_options)
    return value

def predict(value, steepness, n_options):
    {predict}

def update(value, choice, reward, rate):
    {update}
    return value
"""
_DELTA = "value[choice] += rate * (reward - value[choice])"
_SOFTMAX = "return softmax(steepness * value)"
_BOUNDS = {"steepness": (0.0, 20.0), "rate": (0.0, 1.0), "boredom": (0.0, 1.0)}


@dataclass(frozen=True)
class _Slip:
    """A program that a writer might hand in by mistake."""

    name: str
    idea: str
    predict: str = _SOFTMAX
    update: str = _DELTA
    parameters: tuple[str, ...] = ("steepness", "rate")

    @property
    def content(self) -> dict[str, Any]:
        """As proposers write it."""
        bounds = [(one, *_BOUNDS[one]) for one in self.parameters]
        return {
            "name": self.name,
            "idea": self.idea,
            "parameters": [
                {"name": name, "lower": low, "upper": high, "meaning": ""} for name, low, high in bounds
            ],
            "code": _LEARNS.format(predict=self.predict, update=self.update),
        }


_SLIPS = {
    (0, 0): _Slip("reads a file", "Somebody keeps notes.", predict="return open('choices.csv').read()"),
    (1, 1): _Slip(
        "knows the answer", "People know.", predict="return 1.0 * (np.arange(n_options) == choice)"
    ),
    (2, 0): _Slip(
        "negative weights", "Options are worth what they paid.", predict="return steepness * value - 1.0"
    ),
    (2, 1): _Slip("idle parameter", "Boredom, forgotten.", parameters=("steepness", "rate", "boredom")),
    (3, 0): _Slip("divides by zero", "Values explode.", update="value[choice] += rate / (reward * 0.0)"),
    (4, 1): _Slip("never ends", "Thinks for ever.", predict="while True:\n        steepness += 1.0"),
}
"""By round and island: each takes the last place there."""


class WithSlips(Proposer):
    """A proposer that hands in a faulty program now and then, written by hand to be turned down.

    Parameters
    ----------
    proposer
        Proposes everything else.
    """

    name = "grammar"

    def __init__(self, proposer: Proposer) -> None:
        self._proposer = proposer

    def propose(self, situation: Situation) -> list[Proposal]:
        """What the other one proposes, but for the last where a slip has its place."""
        proposed = self._proposer.propose(situation)
        slip = _SLIPS.get((situation.round, situation.island))
        if slip is None:
            return proposed
        parents = [one.name for one in situation.ranked[:1]]
        return [*proposed[:-1], Proposal(slip.content, {"operator": "slip on purpose", "parents": parents})]


def demo_path() -> Path:
    """The recording that comes with the project."""
    return data_dir() / "recorded_search" / JOURNAL


def demo_search(folder: str | Path, sandbox: Sandbox) -> Search:
    """The search of the recording, ready to run."""
    seeds = Seeds(_PEOPLE_SEED)
    design = bandit_design(N_PEOPLE, 200, seeds.numpy(f"design for {FOLLOWED}"))
    task = Task.of(design)
    grammar = grammar_for(task)
    program = write(grammar, grammar.sketch(PLANTED[FOLLOWED]), task, FOLLOWED)
    people = simulate_planted(program, design, seeds, sandbox)
    loop = {"rounds": ROUNDS, "candidates": CANDIDATES, "islands": ISLANDS, "exchange_every": EXCHANGE_EVERY}
    config = PLANTED_SEARCH.changed(**{f"loop.{name}": value for name, value in loop.items()})
    return Search(
        config, lambda search: WithSlips(grammar_proposer(search)), folder, trials=people, sandbox=sandbox
    )


def record_demo(path: str | Path, sandbox: Sandbox) -> None:
    """Make the recording again."""
    with tempfile.TemporaryDirectory() as folder:
        demo_search(folder, sandbox).run()
        write_text(path, (Path(folder) / JOURNAL).read_text(encoding="utf-8"))
