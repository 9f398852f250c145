"""People who do what a program says: stand-ins for data that are not here, and searches that must find it again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from toolkit.discovery.grammar import Grammar, Sketch, grammar_for, write
from toolkit.discovery.program import Program
from toolkit.discovery.sandbox.pool import Sandbox
from toolkit.discovery.search.config import SearchConfig
from toolkit.discovery.search.loop import Search
from toolkit.discovery.search.reporting import WINNER, report
from toolkit.discovery.search.running import grammar_proposer
from toolkit.discovery.search.scoring import Scorer
from toolkit.discovery.task import Task
from toolkit.errors import DataError
from toolkit.models.base import Parameter
from toolkit.progress import track
from toolkit.seeds import Seeds
from toolkit.texts import counted
from toolkit.trials import MISSING, SCHEMAS, Trials

STAND_IN = {
    "planning": "with known transitions",
    "first values": "reward",
    "habit": "repeat",
    "second choices": "own steepness",
    "outcome values": "one rate",
}
"""Of people in the two-step task, where their data are not here."""

PLANTED: dict[str, Mapping[str, str]] = {
    "values": {"values": "one rate"},
    "values by sign": {"values": "by sign"},
    "values and repetition": {"values": "one rate", "habit": "repeat"},
    "values that fade": {"values": "one rate", "forgetting": "of other options"},
    "memory of what was right": {"memory": "of what was right"},
    "habit and bias": {"habit": "trace", "bias": "for the first option"},
}
"""Sketches of a bandit that a search should find again."""

_TYPICAL = {
    **{"rate": (0.2, 0.7), "rate_gain": (0.5, 0.8), "rate_loss": (0.05, 0.15), "forgetting": (0.3, 0.6)},
    **{"steepness": (3.0, 5.0), "beta_free": (1.5, 3.0), "beta_plan": (3.0, 6.0), "beta_2": (2.0, 5.0)},
    **{"beta_memory": (1.5, 3.0), "decay": (0.1, 0.4), "stay": (1.5, 2.5), "bias": (0.5, 1.2)},
    **{"rate_habit": (0.2, 0.4), "rate_first": (0.3, 0.7)},
}
"""Where planted parameters lie: what they do shows in the choices."""

ALIKE = 0.01
"""Mean difference of probabilities up to which two programs predict the same."""

N_PEOPLE = 16
"""Simulated people a planted program: ten to select on, and six to report on."""

N_TRIALS = 400
"""Of each of them: in half as many, habits and their traces could not be told apart by what they cost."""

_DRIFT, _LOW, _HIGH = 0.05, 0.2, 0.8


def load_people(load: Callable[[str], Trials], seeds: Seeds, sandbox: Sandbox) -> tuple[Trials, str]:
    """People in the two-step task, or simulated ones where the data are not here; and a title that says which.

    Parameters
    ----------
    load
        What gives Trials by name, such as ``run.load``.
    """
    try:
        return load("feher2020_two_step"), "Feher da Silva & Hare (2020)"
    except DataError:
        design = two_step_design(24, 150, seeds.numpy("design of the two-step task"))
        task = Task.of(design)
        program = write(grammar_for(task), grammar_for(task).sketch(STAND_IN), task, "stand-in")
        return simulate_planted(program, design, seeds, sandbox), "Simulated people, two-step task"


def two_step_design(n_people: int, n_trials: int, rng: np.random.Generator) -> Trials:
    """A two-step task without answers, with chances of rewards that drift."""
    shape = (n_people, n_trials)
    arrays = {name: np.full(shape, MISSING) for name in ("choice", "state", "choice_2")}
    chances = {f"reward_p_s{state}_{option}": _walk(shape, rng) for state in (0, 1) for option in (0, 1)}
    arrays |= {"outcome": np.full(shape, np.nan), **chances}
    return Trials(SCHEMAS["two_step"], arrays, np.ones(shape, dtype=bool), _sequences(n_people), n_options=2)


def bandit_design(n_people: int, n_trials: int, rng: np.random.Generator) -> Trials:
    """A bandit with two options without answers, whose chances of rewards drift."""
    shape = (n_people, n_trials)
    chance = np.stack([_walk(shape, rng) for _ in range(2)], -1)
    arrays = {
        "context": np.zeros(shape, dtype=int),
        "choice": np.full(shape, MISSING),
        "outcome": np.full((*shape, 2), np.nan),
        "payoff": (rng.random((*shape, 2)) < chance).astype(float),
    }
    return Trials(SCHEMAS["bandit"], arrays, np.ones(shape, dtype=bool), _sequences(n_people), n_options=2)


def _walk(shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """(people, trials) chances that drift between two walls."""
    width = _HIGH - _LOW
    steps = rng.normal(0, _DRIFT, shape)
    steps[:, 0] = rng.uniform(0, width, shape[0])
    place = steps.cumsum(1) % (2 * width)
    return _LOW + np.where(place > width, 2 * width - place, place)


def _sequences(n_people: int) -> pd.DataFrame:
    return pd.DataFrame({"participant": np.arange(n_people), "problem": 0, "condition": "all"})


def simulate_planted(program: Program, design: Trials, seeds: Seeds, sandbox: Sandbox) -> Trials:
    """Choices of people who do what a program says, each with parameters of their own."""
    rng = seeds.numpy(f"planted/{program.name}")
    ranges = np.array([_range(one) for one in program.parameters])
    theta = rng.uniform(*ranges.T, (len(design.participants), len(ranges)))
    return program.model(sandbox).simulate(theta, design, rng)


def _range(parameter: Parameter) -> tuple[float, float]:
    """Where a planted parameter lies: where it is typical, else in the middle of its bounds."""
    width = parameter.upper - parameter.lower
    return _TYPICAL.get(parameter.name, (parameter.lower + 0.3 * width, parameter.lower + 0.7 * width))


def find_again(
    config: SearchConfig,
    planted: Mapping[str, Mapping[str, str]],
    folder: Path,
    sandbox: Sandbox,
    n_searches: int = 1,
) -> pd.DataFrame:
    """Search for programs in the choices of simulated people who follow planted ones, at a bandit.

    Two programs can be written differently and predict the same: learning by the sign of surprises and by what
    confirms a choice are one thing where only the chosen option's outcome is seen. So winners are judged by what they
    predict, too.

    Parameters
    ----------
    config
        Of all searches; its splits are of ``N_PEOPLE`` people.
    planted
        Mechanisms of each planted program.
    n_searches
        Searches for each, with other seeds among other people.

    Returns
    -------
    One row a search: ``planted`` and ``search``, its number; ``found``, the winner's mechanisms; ``same``, whether
    they are those that were planted; ``apart``, how far the probabilities of choices lie apart on average that winner
    and planted program predict for test participants, each fitted to them; ``alike``, whether that is at most
    ``ALIKE``; ``verdict``: "same", "alike" or "other"; ``shared``, the share of all mechanisms in either that are in
    both; ``difference`` of the criterion on test participants, winner - planted; and ``n_tried``. Searches that ``folder``
    holds already are not made again.
    """
    rows = []
    searches = [(name, number) for name in planted for number in range(n_searches)]
    for name, number in track(searches, "finding planted programs", len(searches)):
        own = config if number == 0 else config.changed(seed=Seeds(config.seed).integer(f"{number}") % 2**32)
        seeds = Seeds(own.seed)
        design = bandit_design(N_PEOPLE, N_TRIALS, seeds.numpy(f"design for {name}"))
        task = Task.of(design)
        grammar = grammar_for(task)
        sketch = grammar.sketch(planted[name])
        people = simulate_planted(write(grammar, sketch, task, name), design, seeds, sandbox)
        place = folder / f"{name} {number}"
        search = Search(own, grammar_proposer, place, trials=people, sandbox=sandbox)
        search.run()
        rows.append({"planted": name, "search": number + 1, **_compared(search, grammar, sketch)})
    return pd.DataFrame(rows)


def _compared(search: Search, grammar: Grammar, planted: Sketch) -> dict[str, object]:
    found = report(search)
    sketch = grammar.sketch(found.winner.proposal.origin["genes"])
    one, other = set(planted.genes), set(sketch.genes)
    final = search.scorer.on(search.study.test)
    truth = write(grammar, planted, search.study.task, "planted")
    score = final.score(truth).mean
    own = found.table.loc[found.table["kind"] == WINNER, "test"].iloc[0]
    apart = how_far_apart(found.program, truth, final)
    same, alike = one == other, apart <= ALIKE
    return {
        "found": " + ".join(name for _, name in sketch.genes),
        "same": same,
        "apart": apart,
        "alike": alike,
        "verdict": "same" if same else "alike" if alike else "other",
        "shared": len(one & other) / len(one | other),
        "difference": own - score if score is not None else np.nan,
        "n_tried": len(search.journal.candidates()),
    }


def how_far_apart(one: Program, other: Program, final: Scorer) -> float:
    """Mean absolute difference of two programs' probabilities of choices, each fitted to the same people."""
    trials = final.trials
    first, second = (
        program.model(final.sandbox).predict_all(final.fit(program).theta, trials) for program in (one, other)
    )
    return float(np.abs(first - second)[trials.mask].mean())


def rate_of(table: pd.DataFrame) -> str:
    """A sentence on how many of the searches of :func:`find_again` found what was planted."""
    n_same, n_alike = ((table["verdict"] == verdict).sum() for verdict in ("same", "alike"))
    return (
        f"Of {counted(len(table), 'search', 'searches')} for {counted(table['planted'].nunique(), 'planted program')} "
        f"{n_same + n_alike} found what was planted "
        f"({(n_same + n_alike) / len(table):.0%}): {n_same} exactly their mechanisms, and {n_alike} a program of others "
        f"that predicts the same; on average {table['shared'].mean():.0%} of mechanisms are shared."
    )


PLANTED_SEARCH = SearchConfig.model_validate(
    {
        "name": "planted",
        "title": "Bandit with drifting chances",
        "description": "Simulated people choose between two options whose chances of a reward drift.",
        "data": {"name": "simulated"},
        "splits": {"prompt": "0:1", "evaluation": "0:10", "test": "10:"},
        "loop": {"rounds": 12, "candidates": 4},
        "fit": {"starts": 3, "exchange_rounds": 1, "final_starts": 4, "final_exchange_rounds": 1},
    }
)
"""Search for planted programs."""
