"""Small searches that the tests share: people at a bandit, and a proposer with a few texts up its sleeve."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from toolkit.discovery.proposers import Proposal, Proposer, Situation
from toolkit.discovery.sandbox import Sandbox
from toolkit.discovery.search import Search, SearchConfig
from toolkit.trials import SCHEMAS, Trials

# An expression that is returned is interpreted, which takes no time to compile.
VALUES = """
def init(n_options):
    value = np.zeros(n_options)
    return value

def predict(value, steepness):
    return softmax(steepness * value)

def update(value, choice, reward, rate):
    value[choice] += rate * (reward - value[choice])
    return value
"""
STAY = """
def init():
    last = -1
    return last

def predict(last, stay, n_options):
    return softmax(stay * (np.arange(n_options) == last))

def update(choice):
    return choice
"""
BIAS = """
def predict(bias, n_options):
    return softmax(bias * (np.arange(n_options) == 0))
"""
ENDLESS = """
def predict(bias, n_options):
    while bias < 10:
        pass
    return np.ones(n_options)
"""
PEEKS = """
def predict(bias, choice, n_options):
    return bias * (np.arange(n_options) == choice)
"""
_BOUNDS = {"steepness": (0.0, 20.0), "rate": (0.0, 1.0), "stay": (-5.0, 5.0), "bias": (-5.0, 5.0)}


def described(name: str, text: str, *parameters: str) -> dict[str, Any]:
    """A program as proposers write it."""
    bounds = [(one, *_BOUNDS[one]) for one in parameters]
    return {
        "name": name,
        "idea": f"People {name}.",
        "parameters": [
            {"name": one, "lower": lower, "upper": upper, "meaning": ""} for one, lower, upper in bounds
        ],
        "code": text,
    }


LEARN = described("learn", VALUES, "steepness", "rate")
REPEAT = described("repeat", STAY, "stay")
LIKE = described("like the first", BIAS, "bias")
LOOK = described("look at the answer", PEEKS, "bias")


def people(n: int = 6, n_trials: int = 24, seed: int = 0) -> Trials:
    """People who learn, by a delta rule, which of two options pays more often."""
    rng = np.random.default_rng(seed)
    shape = (n, n_trials)
    payoff = (rng.random((*shape, 2)) < (0.2, 0.8)).astype(float)
    choice = np.zeros(shape, dtype=int)
    for person in range(n):
        value = np.zeros(2)
        for t in range(n_trials):
            p = 1 / (1 + np.exp(-5 * (value[1] - value[0])))
            choice[person, t] = rng.random() < p
            chosen = choice[person, t]
            value[chosen] += 0.4 * (payoff[person, t, chosen] - value[chosen])
    outcome = np.where(np.arange(2) == choice[..., None], payoff, np.nan)
    arrays = {"context": np.zeros(shape, dtype=int), "choice": choice, "outcome": outcome, "payoff": payoff}
    sequences = {"participant": np.arange(n), "problem": 0, "condition": "all"}
    import pandas as pd

    return Trials(SCHEMAS["bandit"], arrays, np.ones(shape, dtype=bool), pd.DataFrame(sequences))


def config(**changes: Any) -> SearchConfig:
    """A search among people at a bandit."""
    content = {
        "name": "small",
        "title": "Two options",
        "description": "A person chooses between two options.",
        "data": {"name": "palminteri2017_exp2"},
        "splits": {"prompt": "0:1", "evaluation": "1:4", "test": "4:"},
        "loop": {"rounds": 2, "candidates": 2, "islands": 2, "exchange_every": 1},
        "fit": {"starts": 2, "exchange_rounds": 0, "final_starts": 2, "final_exchange_rounds": 0},
    }
    return SearchConfig.model_validate(content).changed(**changes)


class Listed(Proposer):
    """Proposes what it was given, in order: so many a round and island."""

    name = "listed"

    def __init__(self, contents: Sequence[dict[str, Any]]) -> None:
        self.contents = list(contents)
        self.asked: list[Situation] = []

    def propose(self, situation: Situation) -> list[Proposal]:
        self.asked.append(situation)
        first = (situation.round * 2 + situation.island) * situation.n
        chosen = self.contents[first : first + situation.n]
        parents = [one.name for one in situation.ranked[:1]]
        return [Proposal(one, {"operator": "listed", "parents": parents}) for one in chosen]


EIGHT = [LIKE, LOOK, REPEAT, LIKE, LEARN, REPEAT, LIKE, LEARN]
"""Two islands, two rounds, two candidates each."""


def search(folder: Path, workers: Sandbox, proposer: Any = None, **changes: Any) -> Search:
    """A search that is ready to run."""
    made = proposer if proposer is not None else Listed(EIGHT)
    return Search(config(**changes), lambda _: made, folder, trials=people(), sandbox=workers)
