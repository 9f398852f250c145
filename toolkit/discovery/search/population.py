"""Candidates of a search: what an island sees of them, and which are worth keeping."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from toolkit.discovery.proposers.base import Candidate
from toolkit.discovery.search.config import LoopPart


def seen_by(island: int, round_: int, candidates: Sequence[Candidate], loop: LoopPart) -> list[Candidate]:
    """What an island knows before a round: its own candidates, and the best that its neighbour handed on."""
    own = [one for one in candidates if one.island == island and one.round < round_]
    if loop.islands == 1 or not loop.exchange_every:
        return own
    neighbour = (island - 1) % loop.islands
    migrants: dict[str, Candidate] = {}
    for end in range(loop.exchange_every, round_ + 1, loop.exchange_every):
        theirs = [one for one in candidates if one.island == neighbour and one.round < end and one.accepted]
        if theirs:
            best = min(theirs, key=_by_score)
            migrants[best.name] = best
    return [*own, *migrants.values()]


def best_of(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Candidates with a score, best first."""
    return sorted((one for one in candidates if one.accepted), key=_by_score)


def frontier(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Candidates that no other explains people better than with as few parameters; fewest first."""
    kept: list[Candidate] = []
    for one in sorted(best_of(candidates), key=lambda one: (one.score.n_parameters, -_fit(one))):
        if not kept or _fit(one) > _fit(kept[-1]):
            kept.append(one)
    return kept


def lineage(candidate: Candidate, candidates: Sequence[Candidate]) -> list[Candidate]:
    """A candidate and all it descends from, oldest first."""
    by_name = {one.name: one for one in candidates}
    found: dict[str, Candidate] = {}
    waiting = [candidate.name]
    while waiting:
        name = waiting.pop()
        if name in by_name and name not in found:
            found[name] = by_name[name]
            waiting += found[name].proposal.origin.get("parents", [])
    return sorted(found.values(), key=lambda one: one.name)


def _by_score(candidate: Candidate) -> tuple[float, str]:
    return candidate.score.mean, candidate.name


def _fit(candidate: Candidate) -> float:
    return sum(candidate.score.log_likelihood)


def table_of(candidates: Sequence[Candidate]) -> pd.DataFrame:
    """One row a candidate, in the order in which they were tried.

    Returns
    -------
    ``number``, ``name``, ``round``, ``island``; ``operator`` and ``parents`` that it comes from; ``program``, its
    name; ``mean`` of the criterion, NaN where it was rejected, ``n_parameters`` and ``reason``.
    """
    rows = [
        {
            "number": number,
            "name": one.name,
            "round": one.round,
            "island": one.island,
            "operator": one.proposal.origin.get("operator", ""),
            "parents": ", ".join(one.proposal.origin.get("parents", [])),
            "program": one.proposal.content.get("name", ""),
            "mean": float("nan") if one.score.mean is None else one.score.mean,
            "n_parameters": one.score.n_parameters,
            "reason": one.score.reason,
        }
        for number, one in enumerate(candidates, 1)
    ]
    return pd.DataFrame(rows)
