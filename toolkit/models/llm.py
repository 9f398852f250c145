"""A language model as a model of people: the answers it gave on their trials, with noise of choice."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import torch

from toolkit.errors import DataError, UsageError
from toolkit.models.base import Model, Parameter, TrialTensors
from toolkit.models.similarity import LAPSE, choice_probabilities
from toolkit.trials import Trials

if TYPE_CHECKING:
    import pandas as pd

_COMMAND = "toolkit ask-llm DATA_SET --out FOLDER"


class LanguageModel(Model):
    """Chooses what a language model answered, and guesses on a share of trials, ``lapse``.

    It asks nobody: the answers were recorded by ``toolkit ask-llm`` or
    :func:`toolkit.models.answering.answer`. Where no reply named a category, all are equally likely.

    Parameters
    ----------
    answers
        Table of answers to the trials, or its file.
    published
        Only the share of guesses, as people were fitted in earlier work. Otherwise, where the answers are
        probabilities, they count to the power of ``inverse_temperature``.

    Attributes
    ----------
    reads_choices
        Whether the language model was told what people chose (mode "human").
    """

    name = "llm"
    schemas = ("category_learning",)
    parameters = (LAPSE,)
    needs_recordings = True

    def __init__(self, answers: str | Path | pd.DataFrame | None = None, *, published: bool = False) -> None:
        if answers is None:
            raise _without_answers(f"`{_COMMAND} --dry-run` shows what they would cost")
        from toolkit.models.answering import AnswerBook

        self._book = AnswerBook(answers)
        self.reads_choices = self._book.mode == "human"
        if self._book.is_graded and not published:
            meaning = "choices follow the language model's answers more closely"
            self.parameters = (Parameter("inverse_temperature", 0.0, 10.0, meaning), LAPSE)

    @classmethod
    def for_trials(cls, trials: Trials, **options: Any) -> Self:
        """The model, once its answers are known to be those to these trials."""
        if options.get("answers") is None:
            raise _without_answers(_cost(trials))
        model = cls(**options)
        model.predict(np.full((len(trials.participants), len(model.parameters)), 0.5), trials)
        return model

    def probabilities(self, theta: torch.Tensor, data: TrialTensors) -> torch.Tensor:
        p = data.remember(("answers of a language model", self._book), lambda: self._recorded(data))
        values = self._by_name(theta)
        return choice_probabilities(
            p.transpose(-1, -2), values["lapse"], scaling=values.get("inverse_temperature")
        )

    def simulate(self, theta: np.ndarray, design: Trials, rng: np.random.Generator) -> Trials:
        if self.reads_choices:
            raise UsageError(
                "these answers were given knowing what people had chosen, so they say nothing about "
                "other choices.",
                fix="Simulate with answers of mode own or labels.",
            )
        return super().simulate(theta, design, rng)

    def _recorded(self, data: TrialTensors) -> torch.Tensor:
        """Probabilities as they were given: (sequences, trials, options)."""
        book = self._book
        if data.n_options != book.n_options:
            raise DataError(
                f"the answers are to {book.n_options} categories, these trials have {data.n_options}."
            )
        arrays = [array.cpu().numpy() for array in (data.stimulus, data.category, data.choice)]
        p = np.full((*data.mask.shape, data.n_options), 1 / data.n_options)
        lengths = data.mask.sum(1).cpu().numpy()
        for row in np.flatnonzero(lengths):
            n_trials = lengths[row]
            found, n_known = book.find(*(array[row, :n_trials] for array in arrays))
            if n_known < n_trials:
                about = data.sequences.iloc[row]
                raise DataError(
                    "the language model did not answer this trial, or was told something else before it.",
                    where=f"participant {about['participant']}, problem {about['problem']}, trial {n_known}",
                    fix=f"`{_COMMAND}` with the same folder asks what is absent.",
                )
            p[row, :n_trials] = found
        return torch.as_tensor(p, dtype=data.stimulus.dtype, device=data.stimulus.device)


def _without_answers(cost: str) -> UsageError:
    return UsageError(
        "the model 'llm' needs the recorded answers of a language model.",
        fix=f"`{_COMMAND}` asks for them ({cost}); then give the table: "
        "get_model('llm', answers='FOLDER/answers.parquet').",
    )


def _cost(trials: Trials) -> str:
    """What answers to the trials cost by the provider's usual model, in words."""
    from toolkit.llm import Usage
    from toolkit.llm.prices import price_of, prompt_tokens_likely
    from toolkit.llm.providers.anthropic import DEFAULT_MODEL
    from toolkit.models.answering import Procedure, first_requests, likely_story

    n_questions = int(trials.mask.sum())
    tokens = sum(map(prompt_tokens_likely, first_requests(trials, Procedure(likely_story(trials)))))
    words = f"{n_questions:,} questions with {tokens:,} tokens of prompts"
    price = price_of(DEFAULT_MODEL)
    if price is None:
        return words
    usd = price.of(Usage(input=tokens, output=n_questions))
    return f"{words}, about {usd:.2f} USD with {DEFAULT_MODEL}"
