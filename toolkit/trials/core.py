"""Trials: what was shown, chosen and told, as padded arrays.

A *sequence* is one problem learned from scratch by one participant. Arrays have the shape
(sequences, trials, …); ``mask`` is false where a shorter sequence is padded.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from toolkit.errors import DataError, UsageError, did_you_mean
from toolkit.io import load_arrays, save_arrays
from toolkit.trials.checks import check_shapes, check_values
from toolkit.trials.schemas import DTYPES, FILL, MISSING, Schema, get_schema, kind_of
from toolkit.trials.tables import read_trials, table_of

LEFT_OUT = "left_out"
"""Array of the choices that are history but not scored."""


@dataclass(frozen=True, eq=False)
class Trials:
    """Trials of many sequences.

    Attributes
    ----------
    schema
        Which family of experiments this is, and so which arrays there are.
    arrays
        Arrays by name, each (sequences, trials, …): the schema's fields and any extra column.
    mask
        (sequences, trials), true where there was a trial.
    sequences
        One row a sequence: ``participant``, ``problem``, ``condition`` and what else is known of it.
    labels
        Names of the codes of an array, for instance ``{"choice": ("left", "right")}``.
    n_options
        Number of options to choose from; 0 reads it off the labels or the arrays.
    """

    schema: Schema
    arrays: Mapping[str, np.ndarray]
    mask: np.ndarray
    sequences: pd.DataFrame
    labels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    n_options: int = 0

    def __post_init__(self) -> None:
        check_shapes(self)
        frozen = {name: _frozen(_with_fill(array, self.mask)) for name, array in self.arrays.items()}
        object.__setattr__(self, "arrays", frozen)
        object.__setattr__(self, "mask", _frozen(np.asarray(self.mask, dtype=bool)))
        object.__setattr__(self, "labels", {key: tuple(value) for key, value in self.labels.items()})
        object.__setattr__(self, "sequences", self.sequences.reset_index(drop=True))
        object.__setattr__(self, "n_options", self.n_options or self._count_options())
        check_values(self)

    def __getattr__(self, name: str) -> np.ndarray:
        arrays = self.__dict__.get("arrays", {})
        if name in arrays:
            return arrays[name]
        raise AttributeError(f"Trials has no array '{name}'. It has: {', '.join(arrays)}.")

    def __len__(self) -> int:
        return len(self.mask)

    def __repr__(self) -> str:
        return (
            f"Trials({self.schema.name}: {self.mask.sum():,} trials, {len(self)} sequences, "
            f"{len(self.participants)} participants)"
        )

    def _count_options(self) -> int:
        if "choice" in self.labels:
            return len(self.labels["choice"])
        for name in ("outcome", "attributes"):
            if name in self.arrays and self.arrays[name].ndim > 2:
                return self.arrays[name].shape[2]
        codes = [self.arrays[name] for name in ("choice", "category", "answer") if name in self.arrays]
        return max(2, *(int(array.max(initial=0)) + 1 for array in codes))

    # -- what is in it ------------------------------------------------------------------------

    @property
    def n_trials(self) -> int:
        """Length of the longest sequence, padding included."""
        return self.mask.shape[1]

    @cached_property
    def participants(self) -> list:
        """Participants in order of first appearance."""
        return list(pd.unique(self.sequences["participant"]))

    @cached_property
    def participant_index(self) -> np.ndarray:
        """(sequences,) position of each sequence's participant in :attr:`participants`."""
        return pd.factorize(self.sequences["participant"])[0]

    @cached_property
    def scored(self) -> np.ndarray:
        """(sequences, trials) true where the participant freely made a choice that is not left out."""
        return self.scored_for("choice")

    def scored_for(self, choice: str) -> np.ndarray:
        """The same for one of the choices that a trial has, by its name."""
        scored = self.mask & (self.arrays[choice] != MISSING)
        for flag in ("forced", LEFT_OUT):
            if flag in self.arrays:
                scored = scored & ~self.arrays[flag]
        return scored

    @cached_property
    def missed(self) -> np.ndarray:
        """(sequences, trials) true where there was a trial but no choice."""
        return self.mask & (self.arrays["choice"] == MISSING)

    @cached_property
    def n_scored(self) -> np.ndarray:
        """(participants,) choices that a likelihood counts, over all choices a trial has."""
        per_sequence = sum(self.scored_for(name).sum(1) for name in self.schema.choices)
        return np.bincount(self.participant_index, per_sequence, len(self.participants)).astype(int)

    @cached_property
    def correct(self) -> np.ndarray:
        """(sequences, trials) 1 right, 0 wrong, NaN where not scored or where nothing is right."""
        judged = self.scored & (self.right != MISSING)
        return np.where(judged, self.arrays["choice"] == self.right, np.nan)

    @property
    def right(self) -> np.ndarray:
        """(sequences, trials) the choice that is right, -1 where none is; the category told unless an answer is given."""
        right = self.arrays.get("answer", self.arrays.get("category"))
        if right is None:
            raise UsageError(
                f"these {self.schema.name} trials do not say what is right.", fix="Give an 'answer' column."
            )
        return right

    # -- making others ------------------------------------------------------------------------

    def take(self, rows: Sequence[int] | np.ndarray) -> Trials:
        """The sequences at ``rows`` (positions or a boolean row mask), padding trimmed."""
        rows = np.flatnonzero(rows) if np.asarray(rows).dtype == bool else np.asarray(rows, dtype=int)
        mask = self.mask[rows]
        longest = int(np.flatnonzero(mask.any(0)).max(initial=-1)) + 1
        arrays = {name: array[rows, :longest] for name, array in self.arrays.items()}
        return replace(self, arrays=arrays, mask=mask[:, :longest], sequences=self.sequences.iloc[rows])

    def where(self, **values: Any) -> Trials:
        """The sequences whose columns have these values (one, or a list of allowed ones)."""
        keep = np.ones(len(self), dtype=bool)
        for column, value in values.items():
            if column not in self.sequences:
                raise UsageError(
                    f"there is no column '{column}'.", fix=did_you_mean(column, self.sequences.columns)
                )
            allowed = list(value) if isinstance(value, list | tuple | set | np.ndarray) else [value]
            keep &= self.sequences[column].isin(allowed).to_numpy()
        if not keep.any():
            seen = {column: sorted(map(str, self.sequences[column].unique()))[:8] for column in values}
            raise UsageError(f"no sequence has {values}.", fix=f"Values that occur: {seen}.")
        return self.take(keep)

    def until(self, n_trials: int) -> Trials:
        """The first ``n_trials`` trials of every sequence."""
        arrays = {name: array[:, :n_trials] for name, array in self.arrays.items()}
        return replace(self, arrays=arrays, mask=self.mask[:, :n_trials])

    def padded(self, n_trials: int) -> Trials:
        """The same trials in arrays of ``n_trials`` columns."""
        if n_trials < self.n_trials:
            raise UsageError(f"{self.n_trials} trials cannot be padded to {n_trials}.", fix="Use until().")
        arrays = {name: _pad(array, n_trials) for name, array in self.arrays.items()}
        mask = np.pad(self.mask, ((0, 0), (0, n_trials - self.n_trials)))
        return replace(self, arrays=arrays, mask=mask)

    def updated(self, **arrays: np.ndarray) -> Trials:
        """The same trials with some arrays replaced or added."""
        return replace(self, arrays={**self.arrays, **arrays})

    def leaving_out(self, trials: np.ndarray) -> Trials:
        """The same trials, where some choices happened, and models know them, but no likelihood counts them.

        Parameters
        ----------
        trials
            (sequences, trials) where choices are left out, besides those that are so already.
        """
        return self.updated(**{LEFT_OUT: trials | self.arrays.get(LEFT_OUT, np.zeros_like(self.mask))})

    def unanswered(self) -> Trials:
        """The design alone: free choices and what followed from them are taken out."""
        free = ~self.arrays.get("forced", np.zeros_like(self.mask))
        arrays = dict(self.arrays)
        for name in self.schema.choices:
            arrays[name] = np.where(free, MISSING, arrays[name])
        if self.schema.name == "bandit" and "payoff" in arrays:
            arrays["outcome"] = np.where(free[..., None], np.nan, arrays["outcome"])
        return replace(self, arrays=arrays)

    def answered(self, t: int, choice: np.ndarray) -> Trials:
        """Trial ``t`` answered with ``choice`` (sequences,), forced choices kept, outcomes revealed."""
        free = self.mask[:, t] & ~self.arrays.get("forced", np.zeros_like(self.mask))[:, t]
        choices = self.arrays["choice"].copy()
        choices[:, t] = np.where(free, choice, choices[:, t])
        if self.schema.name != "bandit":
            return self.updated(choice=choices)
        if "payoff" not in self.arrays:
            raise UsageError("this bandit has no array 'payoff', so it cannot answer a simulated choice.")
        seen = np.arange(self.n_options) == choices[:, t, None]
        seen |= self.arrays.get("full_feedback", np.zeros_like(self.mask))[:, t, None]
        outcome = self.arrays["outcome"].copy()
        outcome[:, t] = np.where(seen, self.arrays["payoff"][:, t], np.nan)
        return self.updated(choice=choices, outcome=outcome)

    # -- tables and files ---------------------------------------------------------------------

    @classmethod
    def from_table(
        cls,
        table: pd.DataFrame,
        schema: str | Schema,
        *,
        columns: Mapping[str, str | Sequence] | None = None,
        about: Sequence[str] = (),
        extra: Sequence[str] = (),
        labels: Mapping[str, Sequence[str]] | None = None,
        n_options: int = 0,
        source: str = "table",
    ) -> Trials:
        """Trials from a table with one row a trial, in order of presentation within a sequence.

        Parameters
        ----------
        table
            Needs ``participant``; ``problem`` and ``condition`` are 0 and "all" where absent. Rows of a
            sequence are sorted by a column ``trial`` if there is one.
        schema
            Name of the family, for instance "category_learning".
        columns
            Where a field is called otherwise: ``{"choice": "resp", "stimulus": ["size", "colour"]}``.
            By default fields with features or options are read from ``stimulus_0, stimulus_1, …``.
        about
            Columns that describe a sequence (age, group) and go to ``Trials.sequences``.
        extra
            Columns that describe a trial (block, response_time) and become arrays of their own.
        labels
            Names of codes: ``{"choice": ["f", "j"]}`` reads f as 0 and j as 1.
        n_options
            Number of options to choose from, where labels and data do not show all of them.
        source
            Name of the file, for error messages.
        """
        schema = get_schema(schema)
        labels = {name: tuple(map(str, values)) for name, values in (labels or {}).items()}
        arrays, mask, sequences = read_trials(
            table, schema, dict(columns or {}), about, extra, labels, source
        )
        return cls(schema, arrays, mask, sequences, labels, n_options)

    def to_table(self) -> pd.DataFrame:
        """One row a trial: the sequence's columns, ``trial``, and every array; inverse of :meth:`from_table`."""
        return table_of(self.schema, self.arrays, self.mask, self.sequences, self.labels)

    def save(self, path: str | Path) -> None:
        """Write everything as one safetensors file."""
        columns = {name: _column_as_json(self.sequences[name]) for name in self.sequences}
        header = {
            "kind": "trials",
            "schema": self.schema.name,
            "sequences": columns,
            "labels": {key: list(value) for key, value in self.labels.items()},
            "n_options": self.n_options,
        }
        save_arrays(path, {**self.arrays, "mask": self.mask}, header)

    @classmethod
    def load(cls, path: str | Path) -> Trials:
        """Read what :meth:`save` wrote."""
        arrays, header = load_arrays(path)
        if header.get("kind") != "trials":
            raise DataError(
                "this file holds no trials.", where=str(path), fix="It must come from Trials.save()."
            )
        mask = arrays.pop("mask")
        sequences = pd.DataFrame(header["sequences"])
        return cls(
            get_schema(header["schema"]), arrays, mask, sequences, header["labels"], header["n_options"]
        )

    def equals(self, other: Trials) -> bool:
        """Whether both hold the same schema, arrays, sequences and labels."""
        return (
            self.schema == other.schema
            and self.labels == other.labels
            and self.n_options == other.n_options
            and np.array_equal(self.mask, other.mask)
            and self.arrays.keys() == other.arrays.keys()
            and all(
                np.array_equal(array, other.arrays[name], equal_nan=array.dtype.kind == "f")
                for name, array in self.arrays.items()
            )
            and self.sequences.equals(other.sequences)
        )


def concat(parts: Iterable[Trials]) -> Trials:
    """All sequences of several Trials of one schema, below one another."""
    parts = list(parts)
    first = parts[0]
    if any(part.schema != first.schema or part.labels != first.labels for part in parts):
        raise UsageError("only trials of one schema with the same labels can be joined.")
    if any(part.arrays.keys() != first.arrays.keys() for part in parts):
        raise UsageError("only trials with the same arrays can be joined.")
    longest = max(part.n_trials for part in parts)
    parts = [part.padded(longest) for part in parts]
    return Trials(
        first.schema,
        {name: np.concatenate([part.arrays[name] for part in parts]) for name in first.arrays},
        np.concatenate([part.mask for part in parts]),
        pd.concat([part.sequences for part in parts], ignore_index=True),
        first.labels,
        max(part.n_options for part in parts),
    )


def _with_fill(array: np.ndarray, mask: np.ndarray) -> np.ndarray:
    kind = kind_of(np.asarray(array))
    filled = np.array(array, dtype=DTYPES[kind])
    filled[~np.asarray(mask, dtype=bool)] = FILL[kind]
    return filled


def _frozen(array: np.ndarray) -> np.ndarray:
    array = array.view()
    array.flags.writeable = False
    return array


def _pad(array: np.ndarray, n_trials: int) -> np.ndarray:
    widths = [(0, 0), (0, n_trials - array.shape[1])] + [(0, 0)] * (array.ndim - 2)
    return np.pad(array, widths)


def _column_as_json(column: pd.Series) -> list:
    return [None if pd.isna(value) else value for value in column.tolist()]
