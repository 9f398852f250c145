"""Agents that need not learn: a rule that suits the problem is handed over, perhaps with its exceptions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from toolkit.errors import UsageError
from toolkit.fitting.typical import Answers
from toolkit.models.rule import Rule
from toolkit.trials import MISSING, Trials

N_EXCEPTIONS = 2
"""Stimuli that earlier work listed as exceptions to a rule."""


@dataclass(frozen=True)
class KnownRule:
    """Answers every problem by its best rule from the first trial on, as rules were fitted in earlier work.

    The best rule has the fewest of the problem's told trials against it: one feature, or two that are alike or
    unlike where that is better. Where several are as good, sequences take them in turn.

    Attributes
    ----------
    n_exceptions
        How many stimuli that go against the rule are known as well, those that come first.
    """

    n_exceptions: int = 0

    def answers(self, design: Trials) -> Answers:
        """Certain answers, to be mixed with guesses."""
        if design.n_options != 2:
            raise UsageError(f"rules are for two categories, not {design.n_options}.", where="KnownRule")
        design = design.unanswered()
        answer = np.empty(design.mask.shape, dtype=int)
        n_features = design.stimulus.shape[-1]
        by_rule = Rule(n_features, pairs=n_features > 1).answers(torch.tensor(design.stimulus)).numpy()
        for row, (rules, category) in enumerate(zip(by_rule, design.category, strict=True)):
            told = category != MISSING
            wrong = (rules[:, told] != category[told]).sum(-1)
            if wrong[: 2 * n_features].min() == wrong.min():
                wrong = wrong[: 2 * n_features]
            best = np.flatnonzero(wrong == wrong.min())
            answer[row] = rules[best[row % len(best)]]
            self._except(answer[row], category, design.stimulus[row])
        return Answers(design, np.stack([1.0 - answer, answer], -1), guessing=True)

    def _except(self, answer: np.ndarray, category: np.ndarray, stimulus: np.ndarray) -> None:
        """Turn round what the rule says of known exceptions: (trials,), (trials,) and (trials, features)."""
        against = (category != MISSING) & (answer != category)
        for _ in range(self.n_exceptions):
            if not against.any():
                return
            same = (stimulus == stimulus[against.argmax()]).all(-1)
            answer[same] = 1 - answer[same]
            against &= ~same


def known_rules() -> dict[str, KnownRule]:
    """Rules, and rules with as many exceptions as earlier work knew, by the names of their models."""
    return {"rule": KnownRule(), "rule_with_exceptions": KnownRule(N_EXCEPTIONS)}
