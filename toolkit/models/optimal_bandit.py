"""The best that can be earned in a bandit: planning over all beliefs that the remaining choices can lead to."""

from __future__ import annotations

from functools import cache

import numpy as np

from toolkit.models.reward_learning import range_of_outcomes
from toolkit.trials import Trials

Plan = list[np.ndarray]
"""For every number of visits: by how much the first option is better, (visits of it + 1, its wins + 1, wins of the
other + 1)."""


@cache
def plan_visits(n_visits: int, share_forced: float = 0.0) -> Plan:
    """Which of two options earns most, given what both have paid, at every point of ``n_visits``.

    Every chance of the larger payoff is at first equally likely, and only the outcome of the option that was
    taken is seen. Each coming visit is expected to be forced with probability ``share_forced``, to either option
    alike; what it teaches is foreseen, what it pays does not count.
    """
    ahead = np.zeros((n_visits + 1,) * 3)
    plan: Plan = []
    for n in reversed(range(n_visits)):
        first, wins_first, wins_other = np.ogrid[: n + 1, : n + 1, : n + 1]
        chance_first = (1 + wins_first) / (2 + first)
        chance_other = (1 + wins_other) / (2 + n - first)
        after_first = chance_first * ahead[1:, 1:, :-1] + (1 - chance_first) * ahead[1:, :-1, :-1]
        after_other = chance_other * ahead[:-1, :-1, 1:] + (1 - chance_other) * ahead[:-1, :-1, :-1]
        gain = chance_first + after_first - chance_other - after_other
        best = np.maximum(chance_first + after_first, chance_other + after_other)
        ahead = (1 - share_forced) * best + share_forced * (after_first + after_other) / 2
        plan.append(gain.astype(np.float32))
    return plan[::-1]


def play_optimally(design: Trials, *, thompson: np.random.Generator | None = None) -> Trials:
    """Choices of the Bayes-optimal learner on a design of two options that pay one of two amounts.

    It knows how often every set of options is visited and how many visits are forced, but not which. Where all
    outcomes are shown nothing has to be tried, so it takes the option that has paid more often.

    Parameters
    ----------
    thompson
        Choose by Thompson sampling instead, with these draws: every option as often as it is likely to be best.
    """
    design = design.unanswered()
    won = design.payoff > sum(range_of_outcomes(design)) / 2
    nowhere = np.zeros_like(design.mask)
    forced, full = (design.arrays.get(name, nowhere) for name in ("forced", "full_feedback"))
    n_contexts, row = int(design.context.max()) + 1, np.arange(len(design))
    visits, dictated = (
        np.stack([((design.context == c) & shown).sum(1) for c in range(n_contexts)], 1)
        for shown in (design.mask, design.mask & forced)
    )
    seen, wins = np.zeros((2, len(design), n_contexts, 2), int)
    choice, outcome = design.choice.copy(), design.outcome.copy()
    for t in range(design.n_trials):
        here = row, design.context[:, t]
        if thompson is None:
            ahead = _ahead(visits[here], dictated[here], full[:, t], seen[here], wins[here])
        else:
            ahead = -np.diff(thompson.beta(1 + wins[here], 1 + seen[here] - wins[here]), axis=1)[:, 0]
        free = design.mask[:, t] & ~forced[:, t]
        choice[free, t] = np.where(ahead[free] >= 0, 0, 1)
        shown = design.mask[:, t, None] & ((np.arange(2) == choice[:, t, None]) | full[:, t, None])
        outcome[:, t] = np.where(shown, design.payoff[:, t], np.nan)
        seen[here] += shown
        wins[here] += shown & won[:, t]
    return design.updated(choice=choice, outcome=outcome)


def _ahead(
    visits: np.ndarray, dictated: np.ndarray, full: np.ndarray, seen: np.ndarray, wins: np.ndarray
) -> np.ndarray:
    """(sequences,) by how much the first option is better."""
    mean = (wins + 1) / (seen + 2)
    ahead, n_seen = mean[:, 0] - mean[:, 1], seen.sum(1)
    planned = ~full & (n_seen < visits)
    for total, forced, n in set(zip(visits[planned], dictated[planned], n_seen[planned], strict=True)):
        rows = planned & (visits == total) & (dictated == forced) & (n_seen == n)
        gain = plan_visits(int(total), forced / total)[n]
        ahead[rows] = gain[seen[rows, 0], wins[rows, 0], wins[rows, 1]]
    return ahead
