"""The trials of a search: read, cleaned, and divided into people to show, to select on and to report on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from toolkit.discovery.search.config import DataPart, People, SearchConfig
from toolkit.discovery.task import Task
from toolkit.errors import UsageError
from toolkit.trials import MISSING, Trials


@dataclass(frozen=True)
class Study:
    """What programs are asked about.

    Attributes
    ----------
    task
        What they are told, and when.
    prompt, evaluation, test
        Trials of the people who are shown to a language model, of those on whom programs are selected, and
        of those on whom the winner is reported.
    """

    task: Task
    prompt: Trials
    evaluation: Trials
    test: Trials


def prepare(config: SearchConfig, trials: Trials | None = None) -> Study:
    """The study of a search.

    Parameters
    ----------
    trials
        Instead of those that the configuration names.
    """
    trials = trials if trials is not None else read_trials(config.data)
    if config.data.incomplete == "leave out":
        trials = without_incomplete(trials)
    data, splits = config.data, config.splits
    task = Task.of(trials, shown=data.shown, told=data.told, about=data.about)
    parts = {name: select(trials, getattr(splits, name), name) for name in ("prompt", "evaluation", "test")}
    both = set(parts["evaluation"].participants) & set(parts["test"].participants)
    if both:
        raise UsageError(
            f"participants {sorted(both)[:5]} are to be selected on and reported on.",
            where="splits",
            fix="Leave them out of one of the two.",
        )
    return Study(task, **parts)


def read_trials(data: DataPart) -> Trials:
    """The trials that a configuration names."""
    if data.name:
        from toolkit.data import load_data

        return load_data(data.name)
    import pandas as pd

    path = Path(data.file)
    if not path.is_file():
        raise UsageError("there is no such file.", where=str(path), fix="Check data.file.")
    return Trials.from_table(
        pd.read_csv(path),
        data.family,
        columns=data.columns,
        labels=data.labels,
        extra=(*data.shown, *data.told),
        about=data.about,
        source=path.name,
    )


def without_incomplete(trials: Trials) -> Trials:
    """The trials on which every choice was made; the others are taken out, and later ones move up."""
    complete = trials.mask.copy()
    for name in trials.schema.choices:
        complete &= trials.arrays[name] != MISSING
    if (complete == trials.mask).all():
        return trials
    order = np.argsort(~complete, 1, kind="stable")
    arrays = {}
    for name, array in trials.arrays.items():
        place = order.reshape(*order.shape, *([1] * (array.ndim - 2)))
        arrays[name] = np.take_along_axis(array, place, 1)
    moved = replace(trials, arrays=arrays, mask=np.take_along_axis(complete, order, 1))
    return moved.take(moved.mask.any(1))


def select(trials: Trials, people: People, what: str) -> Trials:
    """The trials of some people."""
    ordered = sorted(trials.participants)
    chosen = _slice(ordered, people, what) if isinstance(people, str) else list(people)
    unknown = [one for one in chosen if one not in ordered]
    if unknown or not chosen:
        raise UsageError(
            f"there is no participant {unknown[0]}." if unknown else "it names nobody.",
            where=f"splits.{what}",
            fix=f"There are {len(ordered)}: {', '.join(map(str, ordered[:5]))}, …",
        )
    return trials.where(participant=chosen)


def _slice(ordered: Sequence, people: str, what: str) -> list:
    first, colon, last = people.partition(":")
    try:
        begin, end = int(first or 0), int(last) if last else len(ordered)
    except ValueError:
        colon = ""
    if not colon:
        raise UsageError(
            f"'{people}' says nothing about positions.", where=f"splits.{what}", fix='Write, say, "4:14".'
        )
    return list(ordered[begin:end])
