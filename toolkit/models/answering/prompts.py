"""What a language model is asked on every trial: the story, all earlier trials, and what is shown now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from string import ascii_uppercase
from typing import Any, Literal, get_args

import numpy as np

from toolkit.errors import UsageError, did_you_mean
from toolkit.llm import Request
from toolkit.models.answering.stories import FEATURES, Story, listed
from toolkit.seeds import Seeds
from toolkit.trials import MISSING, Trials

Mode = Literal["human", "own", "labels"]

# A and I are words as well as letters, so a reply that contains them would be misread.
LETTERS = tuple(letter for letter in ascii_uppercase if letter not in "AI")

N_ALTERNATIVES = 20
"""Tokens whose log-probabilities are asked for; servers give no more."""


@dataclass(frozen=True)
class Procedure:
    """How a language model is asked.

    Attributes
    ----------
    story
        What it is told about the experiment.
    mode
        What it is told of an earlier trial, besides the stimulus and the right category: the choice of the
        person ("human"), its own answer ("own": it does the task itself), or nothing more ("labels").
    seed
        Decides the letters that stand for categories; drawn anew for every sequence.
    n_samples
        Replies for each trial.
    temperature
        0 gives the likeliest reply; None tells the model none, since some refuse to be told.
    log_probabilities
        Whether to ask how likely the letters are, with a single sample. Providers that do not know give
        the reply alone, but some servers refuse the question.
    max_tokens
        Of a reply.
    """

    story: Story = FEATURES
    mode: Mode = "human"
    seed: int = 0
    n_samples: int = 1
    temperature: float | None = 0.0
    log_probabilities: bool = True
    max_tokens: int = 8

    def __post_init__(self) -> None:
        if self.mode not in get_args(Mode):
            raise UsageError(f"there is no mode '{self.mode}'.", fix=did_you_mean(self.mode, get_args(Mode)))
        for name in ("n_samples", "max_tokens"):
            if getattr(self, name) < 1:
                raise UsageError(f"{name} is {getattr(self, name)}.", fix="Ask for 1 or more.")
        if self.n_samples > 1 and self.temperature == 0:
            raise UsageError(
                f"{self.n_samples} samples at temperature 0 would all be the same.",
                fix="Use temperature 1 (--temperature 1), or one sample.",
            )

    def letters(self, participant: Any, problem: Any, n_options: int) -> tuple[str, ...]:
        """Names of the categories of one sequence, the same whenever they are drawn."""
        if n_options > len(LETTERS):
            raise UsageError(f"there are {n_options} categories and only {len(LETTERS)} letters for them.")
        rng = Seeds(self.seed).numpy(f"letters of participant {participant}, problem {problem}")
        return tuple(map(str, rng.choice(LETTERS, n_options, replace=False)))


class Prompter:
    """Asks about the trials of one sequence.

    Attributes
    ----------
    letters
        Names of the categories.
    shown
        The stimulus of every trial in words.
    """

    def __init__(self, procedure: Procedure, trials: Trials, row: int) -> None:
        about = trials.sequences.iloc[row]
        self.procedure, self.row = procedure, row
        self.n_trials = int(trials.mask[row].sum())
        self.letters = procedure.letters(about["participant"], about["problem"], trials.n_options)
        self.shown = [procedure.story.describe(x) for x in trials.stimulus[row, : self.n_trials]]
        self._category = trials.category[row, : self.n_trials]
        self._choice = trials.choice[row, : self.n_trials]
        self._system = procedure.story.instructions(self.letters)

    def line(self, trial: int, choice: int) -> str:
        """An earlier trial, on which ``choice`` was made."""
        right, said = self._name(self._category[trial]), self._name(choice)
        if self.procedure.mode == "labels":
            return f"{self.shown[trial]}: {right or 'not told'}"
        told = f"right was {right}" if right else "the right one was not told"
        return f"{self.shown[trial]}: you said {said or 'nothing'}, {told}"

    def lines(self) -> list[str]:
        """All trials as lines, with the choices of the person."""
        return [self.line(trial, choice) for trial, choice in enumerate(self._choice)]

    def request(self, trial: int, lines: Sequence[str], sample: int = 0, repeat: int = 0) -> Request:
        """The question on a trial.

        Parameters
        ----------
        lines
            At least all earlier trials; later ones are left out.
        sample, repeat
            Numbers of the draw and of the attempts before this one, whose replies named no category.
        """
        past = "So far:\n" + "\n".join(lines[:trial]) if trial else "Nothing has been shown so far."
        groups = listed(self.letters, "or")
        reminder = f" Write nothing but {groups}." if repeat else ""
        text = (
            f"{past}\n\nNow: {self.shown[trial]}\n"
            f"Which group is it, {groups}? Answer with the letter alone.{reminder}\nAnswer:"
        )
        procedure = self.procedure
        alternatives = procedure.log_probabilities and procedure.n_samples == 1
        return Request.of(
            text,
            system=self._system,
            max_tokens=procedure.max_tokens,
            temperature=procedure.temperature,
            sample=sample + repeat * procedure.n_samples,
            top_logprobs=N_ALTERNATIVES if alternatives else 0,
        )

    def _name(self, category: int | np.integer) -> str:
        return "" if category == MISSING else self.letters[category]
