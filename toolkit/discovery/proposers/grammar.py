"""The proposer that needs no language model: sketches of a grammar, varied and guided by what helped so far."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from toolkit.discovery.grammar import Grammar, Sketch, write
from toolkit.discovery.grammar.variation import cross, draw, mutate
from toolkit.discovery.proposers.base import Candidate, Proposal, Proposer, Situation, content_of
from toolkit.discovery.task import Task

N_IMAGINED = 100
"""Sketches that are thought of for every question …"""

N_PARENTS = 6
"""… from so many of the best candidates, the better ones more often."""

SHARE_CROSSED, SHARE_FRESH = 0.3, 0.1
"""Of them from two parents, and from none."""

SHARE_WITHOUT = 0.5
"""Of proposals, at the most, the best candidate without one of its mechanisms."""

SPREAD_OF_EFFECTS, LEAST_NOISE = 40.0, 3.0
"""What is expected of the criterion: a mechanism's effect, and what effects do not explain of the best candidate."""

SHARE_OF_NOISE = 0.5
"""How much more they leave unexplained of another, as a share of how far it is behind: what would make bad programs
good says little of what would make the best one better."""


class GrammarProposer(Proposer):
    """Varies the best sketches, and tries those that look best by the mechanisms in them.

    The best candidate is tried without each of its mechanisms, in every round some of them, and the rest when all
    rounds are over, so that nothing stays in a winner that it does better without.

    The effect of every mechanism on the criterion is estimated from all that was tried, by a Bayesian linear regression
    in which those count most that come close to the best; each proposal follows one draw from what is known of the
    effects, so that what is uncertain is tried as well. Without any history sketches are drawn at random. The same
    situation gives the same proposals.
    """

    name = "grammar"

    def __init__(self, grammar: Grammar, task: Task) -> None:
        self.grammar, self.task = grammar, task

    def propose(self, situation: Situation) -> list[Proposal]:
        """Sketches that were not tried before, written as programs."""
        rng = np.random.default_rng(situation.seed)
        known = {sketch: one for one in situation.history if (sketch := self._sketch(one)) is not None}
        parents = [one for one in situation.ranked if self._sketch(one) is not None][:N_PARENTS]
        simpler = self._without_one(parents[:1], set(known))[: int(np.ceil(SHARE_WITHOUT * situation.n))]
        tried = {*known, *(sketch for sketch, _ in simpler)}
        imagined = self._imagine(parents, tried, rng)
        chosen: list[Sketch] = []
        for _ in range(situation.n - len(simpler)):
            left = [sketch for sketch in imagined if sketch not in chosen]
            if not left:
                break
            effects = self._draw_effects(list(known.items()), situation.baselines, rng)
            chosen.append(min(left, key=lambda sketch: float(self._row(sketch) @ effects)))
        varied = [self._proposal(sketch, *imagined[sketch]) for sketch in chosen]
        return [*(self._ablated(*one) for one in simpler), *varied]

    def close(self, situation: Situation) -> list[Proposal]:
        """The best candidate without each of its mechanisms, where that was not tried before."""
        known = {sketch for one in situation.history if (sketch := self._sketch(one)) is not None}
        best = [one for one in situation.ranked if self._sketch(one) is not None][:1]
        return [self._ablated(*one) for one in self._without_one(best, known)[: situation.n]]

    def _without_one(
        self, candidates: Sequence[Candidate], known: set[Sketch]
    ) -> list[tuple[Sketch, Candidate]]:
        """New sketches of candidates without a mechanism, and without those that need it, in the grammar's order."""
        found: dict[Sketch, Candidate] = {}
        for one in candidates:
            genes = self._sketch(one).by_kind
            for kind in genes:
                left = self.grammar.sketch({name: value for name, value in genes.items() if name != kind})
                if left.genes and left not in known:
                    found.setdefault(left, one)
        return list(found.items())

    def _imagine(
        self, parents: Sequence[Candidate], known: set[Sketch], rng: np.random.Generator
    ) -> dict[Sketch, tuple[str, tuple[str, ...]]]:
        """New sketches, each with the operator and the parents that it comes from."""
        imagined: dict[Sketch, tuple[str, tuple[str, ...]]] = {}
        for _ in range(N_IMAGINED):
            sketch, *origin = self._vary(parents, rng)
            if sketch.genes and sketch not in known:
                imagined.setdefault(sketch, (origin[0], origin[1]))
        return imagined

    def _vary(
        self, parents: Sequence[Candidate], rng: np.random.Generator
    ) -> tuple[Sketch, str, tuple[str, ...]]:
        if not parents or rng.random() < SHARE_FRESH:
            return draw(self.grammar, rng), "draw", ()
        weights = 1.0 / np.arange(1, len(parents) + 1)
        weights /= weights.sum()
        if len(parents) > 1 and rng.random() < SHARE_CROSSED:
            one, other = (parents[i] for i in rng.choice(len(parents), 2, replace=False, p=weights))
            sketch = cross(self.grammar, self._sketch(one), self._sketch(other), rng)
            return sketch, "cross", (one.name, other.name)
        parent = parents[rng.choice(len(parents), p=weights)]
        sketch = self._sketch(parent)
        for _ in range(1 + rng.geometric(0.6) // 2):
            sketch = mutate(self.grammar, sketch, rng)
        return sketch, "mutate", (parent.name,)

    # -- what mechanisms do -------------------------------------------------------------------

    def _row(self, sketch: Sketch) -> np.ndarray:
        return np.append(1.0, self.grammar.features(sketch))

    def _draw_effects(
        self,
        tried: Sequence[tuple[Sketch, Candidate]],
        baselines: dict[str, float],
        rng: np.random.Generator,
    ) -> np.ndarray:
        """(1 + features,) one draw of the criterion of a sketch of nothing and of every mechanism's effect."""
        nothing = baselines.get("chance", 0.0)
        scored = [(sketch, one) for sketch, one in tried if one.accepted]
        n_effects = 1 + len(self.grammar.features(Sketch()))
        rows = np.array([self._row(sketch) for sketch, _ in scored]).reshape(len(scored), n_effects)
        # Sketches far worse than chance say no more than those that are as bad.
        score = np.minimum([one.score.mean for _, one in scored], nothing)
        behind = score - score.min(initial=nothing)
        noise = np.hypot(LEAST_NOISE, SHARE_OF_NOISE * behind)[:, None]
        weighted = rows / noise
        precision = np.eye(n_effects) / SPREAD_OF_EFFECTS**2 + weighted.T @ weighted
        mean = np.linalg.solve(precision, weighted.T @ (behind / noise[:, 0]))
        factor = np.linalg.cholesky(precision)
        return mean + np.linalg.solve(factor.T, rng.standard_normal(n_effects))

    # -- sketches and proposals ---------------------------------------------------------------

    def _sketch(self, candidate: Candidate) -> Sketch | None:
        genes = candidate.proposal.origin.get("genes")
        return None if genes is None else self.grammar.sketch(genes)

    def _ablated(self, sketch: Sketch, whole: Candidate) -> Proposal:
        genes = self._sketch(whole).by_kind
        removed = [f"{kind}: {value}" for kind, value in genes.items() if kind not in sketch.by_kind]
        proposal = self._proposal(sketch, "ablate", (whole.name,))
        return replace(proposal, origin={**proposal.origin, "removed": removed})

    def _proposal(self, sketch: Sketch, operator: str, parents: tuple[str, ...]) -> Proposal:
        name = " + ".join(value for _, value in sketch.genes)
        program = write(self.grammar, sketch, self.task, name)
        origin = {"operator": operator, "parents": list(parents), "genes": sketch.by_kind}
        return Proposal(content_of(program), origin)
