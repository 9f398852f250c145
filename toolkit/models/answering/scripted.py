"""A learner that follows a script in place of a language model: for demonstrations that say so, and for tests."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from toolkit.io import write_table
from toolkit.llm import Budget, Client, Reply, Request, Usage
from toolkit.llm.journal import Journal
from toolkit.llm.prices import FREE
from toolkit.llm.providers.base import Answer
from toolkit.models.answering.asking import answer
from toolkit.models.answering.designs import design_to_answer
from toolkit.models.answering.prompts import Procedure
from toolkit.models.answering.stories import story_of
from toolkit.paths import data_dir
from toolkit.trials import Trials

if TYPE_CHECKING:
    import pandas as pd

MODEL = "scripted learner (no language model)"

_TOLD = re.compile(r"^(.+?): (?:you said \w+, right was )?([A-Z])$", re.MULTILINE)
_SHOWN = re.compile(r"^Now: (.+)$", re.MULTILINE)
_OFFERED = re.compile(r"Which group is it, (.+?)\?")
_NUMBER = re.compile(r"(?<== )\S+$")


class ScriptedLearner:
    """Goes by the earlier descriptions that are most like what is shown; a provider like any other."""

    model, secret, price = MODEL, "", FREE

    def ask(self, request: Request, timeout_s: float) -> Answer:
        """The letter that was right most often after these, and how sure it is."""
        found = reply_of(request.messages[-1][1])
        letter = max(found, key=found.__getitem__)
        return Answer(MODEL, letter, "end", "end_turn", Usage(), found)


def ask_script(requests: Sequence[Request], what: str = "") -> list[Reply]:
    """What the script says to each request, without a journal, since asking it again costs nothing."""
    answers = ((request, ScriptedLearner().ask(request, math.inf)) for request in requests)
    return [
        Reply(request.key(MODEL), MODEL, answer.text, answer.stop, logprobs=answer.logprobs)
        for request, answer in answers
    ]


def reply_of(question: str) -> dict[str, float]:
    """Log-probabilities of the letters that a question offers, read off its words and numbers alone.

    Every letter counts once more than it was right, so that nothing is ever certain.
    """
    letters = re.findall(r"\b[A-Z]\b", _OFFERED.search(question)[1])
    told = _TOLD.findall(question)
    *earlier, shown = [_parts(text) for text in [*(text for text, _ in told), _SHOWN.search(question)[1]]]
    alike = _likeness(earlier, shown)
    nearest = [
        letter for (_, letter), likeness in zip(told, alike, strict=True) if likeness > max(alike) - 1e-9
    ]
    n = len(nearest) + len(letters)
    return {letter: math.log((nearest.count(letter) + 1) / n) for letter in letters}


def scripted_answers_path(design: str) -> Path:
    """The answers to a design that come with the project."""
    return data_dir() / "scripted_player" / f"{design}.parquet"


def record_answers(design: str, path: Path, journal: Path) -> pd.DataFrame:
    """Make the answers to a design again, with the words and letters that a language model would get.

    Parameters
    ----------
    journal
        File for the replies; those that are in it already are not asked for again.
    """
    table = answer_by_script(design_to_answer(design), design, journal)
    write_table(path, table)
    return table


def answer_by_script(trials: Trials, design: str, journal: Path) -> pd.DataFrame:
    """Answers of the script to trials of a design, which it learns by its own choices."""
    client = Client(ScriptedLearner(), Journal(journal), Budget(), workers=1)
    return answer(trials, client, Procedure(story=story_of(design), mode="own"))


def _parts(description: str) -> list[str]:
    """What a description says one after the other: features with values, words, or the letters of a made-up word."""
    if _NUMBER.search(description):
        return description.split(", ")
    for joint in (", ", " "):
        if joint in description:
            return description.split(joint)
    return list(description)


def _likeness(earlier: Sequence[Sequence[str]], shown: Sequence[str]) -> list[float]:
    """Of every earlier description with the one shown: 1 for a part that is the same.

    Numbers that differ count by how near they are, in units of the range that has been seen.
    """
    total = [0.0] * len(earlier)
    for position, now in enumerate(shown):
        column = [parts[position] if position < len(parts) else "" for parts in earlier]
        numbers = [_NUMBER.search(part) for part in [*column, now]]
        if all(numbers):
            *values, here = (float(found[0]) for found in numbers)
            span = max([*values, here]) - min([*values, here]) or 1.0
            near = [1 - abs(value - here) / span for value in values]
        else:
            near = [float(part == now) for part in column]
        total = [sum(both) for both in zip(total, near, strict=True)]
    return total
