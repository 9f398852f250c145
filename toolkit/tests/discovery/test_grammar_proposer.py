"""The proposer that follows what helped: tried without fitting anything, on effects that are known."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from toolkit.discovery.grammar import Sketch, grammar_for
from toolkit.discovery.proposers import Candidate, GrammarProposer, Proposal, Situation
from toolkit.discovery.search.journal import name_of
from toolkit.discovery.search.scoring import Score
from toolkit.discovery.task import Task
from toolkit.seeds import Seeds
from toolkit.tests.strategies import random_trials

TASK = Task.of(random_trials("two_step", (6,)))
GRAMMAR = grammar_for(TASK)
EFFECTS = {
    "with known transitions": -60.0,
    "repeat": -30.0,
    "repeat there": -20.0,
    "steepness of planning": -25.0,
    "win-stay lose-shift": 4.0,
    "at random": 6.0,
}
"""What these mechanisms do to the criterion; any other costs 5."""

BEST = 500 - 60 - 30 - 20 - 25 + 5
"""With outcome values, which planning needs."""


def criterion(sketch: Sketch) -> float:
    return 500.0 + sum(EFFECTS.get(name, 5.0) for _, name in sketch.genes)


def asked(round_: int, history: Sequence[Candidate], seed: int = 0) -> Situation:
    return Situation(round_, 0, 4, tuple(history), {"chance": 500.0}, Seeds(seed).integer(f"{round_}"))


def tried(round_: int, proposals: Sequence[Proposal]) -> list[Candidate]:
    scores = [Score(criterion(GRAMMAR.sketch(one.origin["genes"]))) for one in proposals]
    return [
        Candidate(name_of(round_, 0, number), round_, 0, *pair)
        for number, pair in enumerate(zip(proposals, scores, strict=True))
    ]


def play(proposer: GrammarProposer, n_rounds: int, seed: int = 0) -> list[Candidate]:
    """A search of one island whose scores are known at once."""
    history: list[Candidate] = []
    for round_ in range(n_rounds):
        history += tried(round_, proposer.propose(asked(round_, history, seed)))
    return history


def test_what_helps_is_found_in_far_fewer_tries_than_there_are_sketches() -> None:
    assert GRAMMAR.n_sketches > 100_000
    for seed in range(3):
        history = play(GrammarProposer(GRAMMAR, TASK), 15, seed)
        assert min(one.score.mean for one in history) <= BEST + 5
        first, last = history[:4], history[-4:]
        assert np.mean([one.score.mean for one in last]) < np.mean([one.score.mean for one in first]) - 40


def test_nothing_is_proposed_twice_and_every_child_names_its_parents() -> None:
    history = play(GrammarProposer(GRAMMAR, TASK), 10)
    assert len({one.proposal.content["code"] for one in history}) == len(history) == 40
    names = {one.name for one in history}
    n_parents = {"draw": 0, "mutate": 1, "cross": 2, "ablate": 1}
    for one in history:
        parents = one.proposal.origin["parents"]
        assert len(parents) == n_parents[one.proposal.origin["operator"]] and set(parents) <= names
        assert all(parent < one.name for parent in parents)


def test_the_best_is_tried_without_each_of_its_mechanisms_until_nothing_is_left_that_costs_more() -> None:
    proposer = GrammarProposer(GRAMMAR, TASK)
    bloated = GRAMMAR.sketch(
        {"planning": "with known transitions", "outcome values": "one rate", "bias": "of first choices"}
        | {"lapses": "at random", "heuristic": "win-stay lose-shift", "habit": "repeat"}
    )
    history = tried(0, [proposer._proposal(bloated, "draw", ())])
    first = proposer.propose(asked(1, history))
    assert [one.origin["operator"] == "ablate" for one in first] == [True, True, False, False]
    # Without the values of outcomes there is nothing to plan with.
    (removed,) = (one for one in proposer.close(asked(1, history)) if len(one.origin["removed"]) > 1)
    assert removed.origin["removed"] == ["planning: with known transitions", "outcome values: one rate"]
    for round_ in itertools.count(1):
        proposals = proposer.close(asked(round_, history))
        if not proposals:
            break
        history += tried(round_, proposals)
    ablated = [one.proposal.origin for one in history[1:]]
    assert all(one["operator"] == "ablate" and len(one["parents"]) == 1 for one in ablated)
    best = min(history, key=lambda one: one.score.mean)
    assert set(best.proposal.origin["genes"].values()) == {"with known transitions", "one rate", "repeat"}
    assert len({one.proposal.content["code"] for one in history}) == len(history) < 20


def test_the_same_situation_gives_the_same_proposals() -> None:
    one, other = (play(GrammarProposer(GRAMMAR, TASK), 3, seed=4) for _ in range(2))
    assert one == other
    assert play(GrammarProposer(GRAMMAR, TASK), 3, seed=5) != one


def test_candidates_that_were_refused_are_no_parents() -> None:
    proposer = GrammarProposer(GRAMMAR, TASK)
    proposals = proposer.propose(Situation(0, 0, 3, (), {"chance": 500.0}, 0))
    refused = [
        Candidate(name_of(0, 0, n), 0, 0, one, Score(None, reason="time", what="it took too long."))
        for n, one in enumerate(proposals)
    ]
    again = proposer.propose(Situation(1, 0, 3, refused, {"chance": 500.0}, 1))
    assert again and all(one.origin["operator"] == "draw" for one in again)
    assert not {str(one.origin["genes"]) for one in again} & {str(one.origin["genes"]) for one in proposals}
