"""A language model that sorts things, as it is asked to by `toolkit.models.answering`."""

from __future__ import annotations

import re
import zlib

import numpy as np
import pandas as pd

from toolkit.tests.llm.behaviours import Asked
from toolkit.trials import Trials


def learning(lengths: tuple[int, ...] = (5, 3, 4), n_problems: int = 1, seed: int = 0, n: int = 2) -> Trials:
    """Problems of three binary features; some categories are not told, some choices not made."""
    rng = np.random.default_rng(seed)
    tables = []
    for number, length in enumerate(lengths):
        columns = {f"stimulus_{i}": rng.integers(0, 2, length) for i in range(3)}
        table = pd.DataFrame(columns).assign(
            participant=f"p{number // n_problems}",
            problem=number % n_problems,
            category=np.where(rng.random(length) < 0.9, rng.integers(0, n, length), -1),
            choice=np.where(rng.random(length) < 0.9, rng.integers(0, n, length), -1),
        )
        tables.append(table)
    return Trials.from_table(pd.concat(tables), "category_learning", n_options=n)


def letters_in(prompt: str) -> list[str]:
    """Letters that a question offers, in order."""
    return re.findall(r"\b[A-Z]\b", re.search(r"Which group is it, (.*?)\?", prompt)[1])


def sorted_as(prompt: str) -> int:
    """The category that :func:`sort` finds right: a whim, but always the same for one prompt."""
    return zlib.crc32(prompt.split("Write nothing but")[0].encode()) % len(letters_in(prompt))


def sort(asked: Asked) -> str:
    """Answers with a letter."""
    return letters_in(asked.prompt)[sorted_as(asked.prompt)]
