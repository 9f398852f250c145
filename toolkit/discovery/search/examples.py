"""Trials of a few people told in words, as a language model is shown them."""

from __future__ import annotations

from collections.abc import Mapping
from string import Formatter
from typing import Any

import numpy as np

from toolkit.discovery.search.config import TextPart
from toolkit.discovery.task import TRIAL, Task, recorded, values_of
from toolkit.errors import UsageError, did_you_mean
from toolkit.trials import Trials


def tell(trials: Trials, task: Task, how: TextPart) -> str:
    """The first and the last trials of every sequence, a line each.

    Raises
    ------
    UsageError
        where the template names a column that there is not.
    """
    names = _fields(how.template, task) if how.template else [name for name in task.columns if name != TRIAL]
    values = {name: values_of(trials, name) for name in names}
    there = {name: recorded(array) for name, array in values.items()}
    lines: list[str] = []
    for number in range(len(trials)):
        about = trials.sequences.iloc[number]
        lines.append(f"Participant {about['participant']}, problem {about['problem']}:")
        shown = np.flatnonzero(trials.mask[number])
        for t in _chosen(shown, how.trials):
            known = all(array[number, t] for array in there.values())
            row = {name: array[number, t] for name, array in values.items()}
            lines.append(_sentence(row, int(t), how) if known else how.missing.format(trial=t + 1))
        if len(shown) > how.trials:
            lines.append(f"({len(shown)} trials in all)")
    return "\n".join(lines)


def _chosen(shown: np.ndarray, most: int) -> np.ndarray:
    """Trials from the beginning and, as many, from the end."""
    if len(shown) <= most:
        return shown
    early = (most + 1) // 2
    return np.concatenate([shown[:early], shown[len(shown) - (most - early) :]])


def _sentence(row: Mapping[str, Any], t: int, how: TextPart) -> str:
    if not how.template:
        told = ", ".join(f"{name} {_word(name, row, how)}" for name in row)
        return f"Trial {t + 1}: {told}."
    return how.template.format(**{TRIAL: t + 1}, **{name: _word(name, row, how) for name in row})


def _word(name: str, row: Mapping[str, Any], how: TextPart) -> str:
    """How a value is called, which may depend on another column's."""
    value = _plain(row[name])
    for key, words in how.words.items():
        own, _, other = key.partition("/")
        code = f"{value}/{_plain(row[other])}" if other in row else value
        if own == name and code in words:
            return words[code]
    return value


def _plain(value: Any) -> str:
    if np.ndim(value):
        return "[" + ", ".join(_plain(one) for one in value) + "]"
    return f"{value:g}" if isinstance(value, float | np.floating) else str(value)


def _fields(template: str, task: Task) -> list[str]:
    names = [name for _, name, _, _ in Formatter().parse(template) if name and name != TRIAL]
    for name in names:
        if name not in task.columns:
            raise UsageError(
                f"there is no column '{name}'.", where="text.template", fix=did_you_mean(name, task.columns)
            )
    return list(dict.fromkeys(names))
