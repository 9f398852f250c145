"""Which strategy the answers to the seven transfer items of the five-four structure follow."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from itertools import product

import numpy as np
import pandas as pd

from toolkit.errors import UsageError
from toolkit.experiments.five_four import CATEGORY, NAMES, STIMULI, TRANSFER
from toolkit.trials import MISSING, Trials

ATTENTION = (2.755, 1.295, 2.786, 1.747)
"""Sensitivity times attention to each feature that fits people's mean answers to the 16 items best (least squares)."""

EQUAL_ATTENTION = (2.0, 2.0, 2.0, 2.0)

OTHER = "other"
KINDS = ("rule", "exemplar")
"""How the names of strategies begin that are of one kind."""


@cache
def predicted_patterns() -> dict[str, str]:
    """Strategy of every pattern of answers to T1 to T7 that a strategy predicts.

    Rules look at one feature and remember the trained items that are exceptions to it; those with fewest
    exceptions are taken. Exemplar learners answer by summed similarity to the trained items (generalised
    context model), either with the attention that fits people or with equal attention to all features.

    Patterns tell rules from similarity, but not everything from everything: who compares with the two
    categories' averages answers as exemplar learners with people's attention do, and who has a rule on
    feature 4, with its three exceptions, as those with equal attention.

    >>> for pattern, strategy in predicted_patterns().items():
    ...     pattern, strategy
    ('AAABBBB', 'rule on feature 1')
    ('BBAABAB', 'rule on feature 3')
    ('ABABBAB', 'exemplar')
    ('ABABAAB', 'exemplar, equal attention')
    """
    trained = CATEGORY != MISSING
    agree = np.array([(STIMULI[trained, feature] == CATEGORY[trained]).sum() for feature in range(4)])
    right = np.maximum(agree, trained.sum() - agree)
    found = {}
    for feature in np.flatnonzero(right == right.max()):
        answers = STIMULI[:, feature] if agree[feature] == right[feature] else 1 - STIMULI[:, feature]
        found[_pattern(answers[~trained])] = f"rule on feature {feature + 1}"
    for name, attention in {"exemplar": ATTENTION, "exemplar, equal attention": EQUAL_ATTENTION}.items():
        found[_pattern(exemplar_share(attention)[~trained] < 0.5)] = name
    return found


def exemplar_share(attention: tuple[float, ...]) -> np.ndarray:
    """(16,) share of answers A for all items from similarity to those that are trained.

    Parameters
    ----------
    attention
        How far apart items are that differ on a feature; similarity is exp(-sum of these distances).
    """
    apart = np.abs(STIMULI[:, None] - STIMULI[None]) @ np.asarray(attention, dtype=float)
    similarity = np.exp(-apart)
    to_a, to_b = (similarity[:, category == CATEGORY].sum(1) for category in (0, 1))
    return to_a / (to_a + to_b)


def classify_transfer(trials: Trials, *, max_differences: int = 0) -> pd.DataFrame:
    """The strategy that every test of every participant follows.

    Parameters
    ----------
    trials
        Of the design "five_four", with choices. A test in which a transfer item was not answered is left out.
    max_differences
        Answers that may deviate from the strategy's pattern. Where two strategies are as close, and where none
        is close enough, the strategy is "other".

    Returns
    -------
    One row a test: ``participant, condition``, ``order`` where there is one, ``block`` (training blocks before
    it), ``pattern`` (answers to T1 to T7, for instance "ABABBAB"), ``strategy`` and ``differences`` from it
    (from the closest one for "other").
    """
    answers, table = _answers(trials)
    strategy, differences = _closest(answers, max_differences)
    pattern = [_pattern(row) for row in answers]
    return table.assign(pattern=pattern, strategy=strategy, differences=differences)


def chance_shares(*, max_differences: int = 0) -> pd.Series:
    """Share of tests that each strategy is found in when all answers are guesses, by strategy."""
    strategy, _ = _closest(np.array(list(product((0, 1), repeat=len(TRANSFER)))), max_differences)
    return pd.Series(strategy).value_counts(normalize=True).reindex(_names()).rename("share")


def expected_shares(p_b: np.ndarray) -> pd.Series:
    """Share of tests in which each strategy is followed when answers are drawn one by one, by strategy.

    Parameters
    ----------
    p_b
        (tests, 7) probabilities of answers B to T1 to T7.
    """
    patterns = predicted_patterns()
    is_b = _as_numbers(patterns)
    each = np.where(is_b, p_b[:, None], 1 - p_b[:, None]).prod(-1).mean(0)
    found = dict(zip(patterns.values(), each, strict=True))
    return pd.Series({**found, OTHER: 1 - each.sum()}, name="share")


def possible_shares(share_a: np.ndarray) -> pd.DataFrame:
    """How many people can have followed a rule, or exemplars, in all seven answers, if only means are known.

    Parameters
    ----------
    share_a
        (7,) share of people who answered A to each of T1 to T7.

    Returns
    -------
    One row a kind of strategy, "rule" and "exemplar": the ``least`` and the ``most`` people (shares) of whom that can
    be true, over all ways in which people's answers may have gone together, and ``independent``, of whom it
    is true if everyone's answers to the items were drawn one by one.
    """
    from scipy.optimize import linprog

    strategies = predicted_patterns()
    patterns = list(product("AB", repeat=len(TRANSFER)))
    known = np.vstack([np.ones(len(patterns)), np.array([[a == "A" for a in one] for one in patterns]).T])
    single = expected_shares(1 - share_a[None])
    rows = {}
    for kind in KINDS:
        follows = np.array(
            [strategies.get("".join(one), "").startswith(kind) for one in patterns], dtype=float
        )
        ends = [sign * linprog(sign * follows, A_eq=known, b_eq=[1, *share_a]).fun for sign in (1, -1)]
        rows[kind] = [*np.clip(ends, 0, 1), single.filter(like=kind).sum()]
    return pd.DataFrame.from_dict(rows, orient="index", columns=["least", "most", "independent"])


def strategy_shares(classified: pd.DataFrame) -> pd.DataFrame:
    """Which strategy each row of :func:`classify_transfer` has, as numbers that can be averaged.

    Returns
    -------
    One row a test and strategy, "other" included: ``share`` is 1 for the strategy that the test follows and 0
    otherwise. ``with_intervals(…, "share", by=("block", "strategy"))`` gives shares of participants.
    """
    names = _names()
    wide = {name: (classified["strategy"] == name).astype(float) for name in names}
    kept = [column for column in ("participant", "condition", "order", "block") if column in classified]
    table = pd.concat([classified[kept], pd.DataFrame(wide, index=classified.index)], axis=1)
    return table.melt(kept, names, "strategy", "share")


def _answers(trials: Trials) -> tuple[np.ndarray, pd.DataFrame]:
    """Whether T1 to T7 were called B (tests, 7), and whose test it was."""
    for name in ("test", "stimulus_id", "block"):
        if name not in trials.arrays:
            raise UsageError(
                f"these trials have no array '{name}'.", fix="Use get_design('five_four').draw()."
            )
    first, n_items = len(NAMES) - len(TRANSFER), len(TRANSFER)
    sequence, trial = np.nonzero(trials.test & trials.mask & (trials.stimulus_id >= first))
    if not len(sequence):
        raise UsageError(
            "these trials have no tests of transfer.", fix="Draw more blocks, or say tests_after."
        )
    shape = (len(trials), int(trials.block.max()) + 1, n_items)
    answers = np.full(shape, MISSING)
    shown = trials.block[sequence, trial], trials.stimulus_id[sequence, trial] - first
    answers[sequence, *shown] = trials.choice[sequence, trial]
    number, block = np.nonzero((answers != MISSING).all(-1))
    known = [column for column in ("participant", "condition", "order") if column in trials.sequences]
    table = trials.sequences[known].iloc[number].reset_index(drop=True)
    return answers[number, block], table.assign(block=block + 1)


def _closest(answers: np.ndarray, max_differences: int) -> tuple[np.ndarray, np.ndarray]:
    """Strategy of every row of answers (tests, 7), 1 is B, and how many answers differ from it."""
    patterns = predicted_patterns()
    apart = (answers[:, None] != _as_numbers(patterns)).sum(-1)
    best = apart.min(1)
    clear = ((apart == best[:, None]).sum(1) == 1) & (best <= max_differences)
    return np.where(clear, np.array(list(patterns.values()), dtype=object)[apart.argmin(1)], OTHER), best


def _as_numbers(patterns: Iterable[str]) -> np.ndarray:
    """(patterns, 7), whether answers are B."""
    return np.array([[answer == "B" for answer in pattern] for pattern in patterns])


def _names() -> list[str]:
    return [*predicted_patterns().values(), OTHER]


def _pattern(answers: np.ndarray) -> str:
    """Letters of answers (1 or true is B)."""
    return "".join("AB"[int(answer)] for answer in answers)
