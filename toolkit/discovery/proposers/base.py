"""What every proposer does: from what was tried so far, what to try next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from toolkit.discovery.priors import write_prior
from toolkit.discovery.program import Program
from toolkit.discovery.search.scoring import Score
from toolkit.discovery.task import Task


@dataclass(frozen=True)
class Proposal:
    """A program that was thought of, before anybody looked at it.

    Attributes
    ----------
    content
        Name, idea, parameters with bounds, prior and meaning, and code, as :meth:`Program.from_json` reads them.
    origin
        Where it comes from: ``operator``, ``parents`` (names of candidates), and whatever the proposer needs
        to know of it later.
    fault
        Why there is no program, as a word and as a sentence, where there is none.
    """

    content: Mapping[str, Any] = field(default_factory=dict)
    origin: Mapping[str, Any] = field(default_factory=dict)
    fault: tuple[str, str] | None = None

    def program(self, task: Task) -> Program:
        """The program; Rejected where its description is incomplete."""
        return Program.from_json(self.content, task)


@dataclass(frozen=True)
class Candidate:
    """A proposal that was tried.

    Attributes
    ----------
    name
        Of the candidate in its search: round, island and number.
    """

    name: str
    round: int
    island: int
    proposal: Proposal
    score: Score

    @property
    def accepted(self) -> bool:
        """Whether it has a score."""
        return self.score.mean is not None


@dataclass(frozen=True)
class Situation:
    """What a proposer knows when it is asked.

    Attributes
    ----------
    round, island
        Where it is asked.
    n
        How many proposals are wanted.
    history
        What this island has seen, in the order in which it came, migrants included.
    baselines
        Mean criterion of models of the literature and of chance.
    seed
        Of this question alone.
    """

    round: int
    island: int
    n: int
    history: Sequence[Candidate]
    baselines: Mapping[str, float]
    seed: int

    @property
    def ranked(self) -> list[Candidate]:
        """Candidates with a score, best first."""
        return sorted(
            (one for one in self.history if one.accepted), key=lambda one: (one.score.mean, one.name)
        )


class Proposer(Protocol):
    """Thinks of programs; those that inherit from it have nothing left to try when rounds are over.

    Attributes
    ----------
    name
        How it is called in the journal.
    """

    name: str

    def propose(self, situation: Situation) -> list[Proposal]:
        """At most ``situation.n`` proposals; none ends the search."""

    def close(self, situation: Situation) -> list[Proposal]:
        """What is left to try of the best when all rounds are over, asked until there is nothing left."""
        return []


def content_of(program: Program) -> dict[str, Any]:
    """A program as proposers write them."""
    return {
        "name": program.name,
        "idea": program.idea,
        "parameters": [
            {
                "name": one.name,
                "lower": one.lower,
                "upper": one.upper,
                **({"prior": write_prior(one)} if one.prior else {}),
                "meaning": one.meaning,
            }
            for one in program.parameters
        ],
        "code": program.text,
    }
