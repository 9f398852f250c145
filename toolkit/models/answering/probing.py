"""What a language model would answer to new things after it was told about some: one question for each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from toolkit.errors import UsageError
from toolkit.llm import Request
from toolkit.models.after_learning import in_a_row
from toolkit.models.answering.asking import Ask, Question, ask_until_named
from toolkit.models.answering.prompts import Procedure, Prompter
from toolkit.models.answering.stories import FEATURES

SIGNIFICANT = 3
"""Digits of the numbers that are told."""


class Probing:
    """Questions about new things, each as if it came next.

    Parameters
    ----------
    shown
        (trials, features) things shown first, at least one.
    told
        (trials,) their categories.
    probes
        (probes, features) things asked about afterwards.
    features
        Names under which features are told, with units; numbered by default.
    seed
        Decides the letters that stand for categories.

    Attributes
    ----------
    questions
        One for each probe.
    """

    def __init__(
        self,
        shown: np.ndarray,
        told: np.ndarray,
        probes: np.ndarray,
        n_categories: int,
        *,
        features: Sequence[str] = (),
        seed: int = 0,
    ) -> None:
        if not len(shown):
            raise UsageError("nothing is told before the questions.", fix="Show one thing or more.")
        procedure = Procedure(replace(FEATURES, features=tuple(features)), mode="labels", seed=seed)
        trials = in_a_row(_rounded(shown), told, _rounded(probes), n_categories)
        procedure.story.check(trials)
        prompter = Prompter(procedure, trials, row=0)
        lines = prompter.lines()[: len(shown)]
        self.questions = [
            Question(prompter, trial, lines) for trial in range(len(shown), len(shown) + len(probes))
        ]

    @property
    def requests(self) -> list[Request]:
        """The questions as they are sent first."""
        return [question.request() for question in self.questions]

    def answers(self, ask: Ask) -> np.ndarray:
        """Probabilities (probes, categories), NaN where a question has no answer.

        Parameters
        ----------
        ask
            A client's ``ask``; or :func:`toolkit.models.answering.asking.recall` of a client, which sends nothing.
        """
        given = ask_until_named(self.questions, ask, "new things")
        return np.stack([given[question.place].judgement.p for question in self.questions])


def _rounded(values: np.ndarray) -> np.ndarray:
    """Numbers as somebody would tell them."""
    return np.vectorize(lambda value: float(f"{value:.{SIGNIFICANT}g}"), otypes=[float])(values)
