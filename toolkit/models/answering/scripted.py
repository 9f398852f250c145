"""A learner that follows a script in place of a language model: for demonstrations that say so, and for tests."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import TYPE_CHECKING

from toolkit.io import write_table
from toolkit.llm import Budget, Client, Request, Usage
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


class ScriptedLearner:
    """Goes by the earlier descriptions that have most words in common with what is shown; a provider like any other."""

    model, secret, price = MODEL, "", FREE

    def ask(self, request: Request, timeout_s: float) -> Answer:
        """The letter that was right most often after these, and how sure it is."""
        found = reply_of(request.messages[-1][1])
        letter = max(found, key=found.__getitem__)
        return Answer(MODEL, letter, "end", "end_turn", Usage(), found)


def reply_of(question: str) -> dict[str, float]:
    """Log-probabilities of the letters that a question offers, read off its words alone.

    Every letter counts once more than it was right, so that nothing is ever certain.
    """
    letters = re.findall(r"\b[A-Z]\b", _OFFERED.search(question)[1])
    shown = _words(_SHOWN.search(question)[1])
    earlier = [(_in_common(_words(text), shown), letter) for text, letter in _TOLD.findall(question)]
    most = max((alike for alike, _ in earlier), default=0)
    nearest = [letter for alike, letter in earlier if alike == most]
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


def _words(description: str) -> list[str]:
    """The parts of a description: features with values, words, or the letters of a made-up word."""
    for joint in (", ", " "):
        if joint in description:
            return description.split(joint)
    return list(description)


def _in_common(one: list[str], other: list[str]) -> int:
    return sum(a == b for a, b in zip(one, other, strict=False))
