"""Trials as a program goes through them: its columns, where it is asked, what counts, and where it is told."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from toolkit.discovery.task import Task, recorded, values_of
from toolkit.discovery.worker.data import COLUMN
from toolkit.errors import UsageError
from toolkit.trials import MISSING, Trials


@dataclass(frozen=True)
class Tape:
    """Trials one behind the other, without padding, and without any that a program must not see.

    Attributes
    ----------
    key
        Hash of everything below: the same trials have the same key.
    arrays
        As a worker takes them: ``first``, ``asked``, ``chosen``, ``told``, and the columns.
    """

    key: str
    arrays: Mapping[str, np.ndarray]
    n_options: int

    @property
    def n_sequences(self) -> int:
        """How many there are."""
        return len(self.arrays["first"]) - 1


def tape_of(trials: Trials, task: Task, arguments: Mapping[str, Sequence[str]]) -> Tape:
    """The tape of a program, made once for the same trials.

    Parameters
    ----------
    arguments
        What each function of the program takes.
    """
    check_fits(trials, task)
    kept = trials.__dict__.setdefault("_tapes", {})
    wanted = tuple((name, tuple(names)) for name, names in arguments.items())
    if wanted not in kept:
        kept[wanted] = _record(trials, task, dict(wanted))
    return kept[wanted]


def check_fits(trials: Trials, task: Task) -> None:
    """Refuse trials of another family or size than the task's."""
    if trials.schema.name != task.schema:
        raise UsageError(
            f"a program for {task.schema} trials cannot answer {trials.schema.name} trials.",
            fix="Make a Task of these trials and a program for it.",
        )
    if trials.n_options != task.sizes["n_options"]:
        raise UsageError(
            f"a program for {task.sizes['n_options']} options cannot choose between {trials.n_options}.",
            fix="Make the Task of all trials that the program is to answer.",
        )


def _record(trials: Trials, task: Task, arguments: Mapping[str, Sequence[str]]) -> Tape:
    mask = trials.mask
    columns = {name for names in arguments.values() for name in names if name in task.columns}
    values = {name: _values(trials, name) for name in task.columns if name in columns}
    present = {name: recorded(array) for name, array in values.items()}

    def all_there(function: str) -> np.ndarray:
        there = mask.copy()
        for name in arguments.get(function, ()):
            there = there & present.get(name, True)
        return there

    asked = np.stack([all_there(stage.function)[mask] for stage in task.stages])
    chosen = np.stack(
        [
            np.where(trials.scored_for(stage.choice), trials.arrays[stage.choice], MISSING)[mask]
            for stage in task.stages
        ]
    )
    arrays = {
        "first": np.concatenate([[0], mask.sum(1).cumsum()]),
        "asked": asked,
        "chosen": chosen,
        "told": all_there("update")[mask],
        **{COLUMN + name: array[mask] for name, array in values.items()},
    }
    return Tape(_hash(arrays, trials.n_options), arrays, trials.n_options)


def _values(trials: Trials, name: str) -> np.ndarray:
    if name not in trials.arrays and name in ("forced", "full_feedback"):
        return np.zeros_like(trials.mask)  # A flag that was not recorded was nowhere set.
    return values_of(trials, name)


def _hash(arrays: Mapping[str, np.ndarray], n_options: int) -> str:
    digest = hashlib.sha256(str(n_options).encode())
    for name, array in sorted(arrays.items()):
        digest.update(f"{name} {array.dtype.str} {array.shape}".encode())
        digest.update(np.ascontiguousarray(array))
    return digest.hexdigest()
