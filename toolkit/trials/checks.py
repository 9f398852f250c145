"""Refusals of arrays that cannot be trials: of another shape, codes without an option, features without a value."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from toolkit.errors import DataError
from toolkit.trials.schemas import MISSING, field_of

if TYPE_CHECKING:
    from toolkit.trials.core import Trials

_OPTIONS = ("choice", "category", "answer")
"""Arrays whose codes are numbers of options."""


def check_shapes(trials: Trials) -> None:
    """Refuse arrays that are not all (sequences, trials, …) of one table of sequences, or are not there."""
    mask = np.asarray(trials.mask)
    if mask.ndim != 2:
        raise DataError(f"the mask must be (sequences, trials), it has the shape {mask.shape}.")
    for column in ("participant", "problem", "condition"):
        if column not in trials.sequences:
            raise DataError(f"the table of sequences has no column '{column}'.")
    if len(trials.sequences) != len(mask):
        raise DataError(f"{len(trials.sequences)} rows describe {len(mask)} sequences.")
    for known in trials.schema.fields:
        if known.required and known.name not in trials.arrays:
            raise DataError(f"{trials.schema.name} trials need an array '{known.name}' ({known.meaning}).")
    for name, array in trials.arrays.items():
        axes = len(field_of(trials.schema, name, array).axes)
        if array.shape[:2] != mask.shape or array.ndim != 2 + axes:
            raise DataError(f"array '{name}' has the shape {array.shape}, the mask {mask.shape}.")


def check_values(trials: Trials) -> None:
    """Refuse codes that no option has, and numbers that are not there though something was shown.

    Compiled models index arrays by codes without looking, and predictions from a number that is none would
    be none or, where a rule asks whether it is large, an answer all the same.
    """
    for name in _OPTIONS:
        codes = trials.arrays.get(name)
        if codes is None or codes.dtype.kind != "i" or not codes.size:
            continue
        if codes.min() < MISSING or codes.max() >= trials.n_options:
            at = np.argwhere((codes < MISSING) | (codes >= trials.n_options))[0]
            raise DataError(
                f"'{name}' is {codes[tuple(at)]}, but there are {trials.n_options} options.",
                where=_place(trials, at),
                fix=f"Codes go from 0 to {trials.n_options - 1}, and {MISSING} is none; or give n_options.",
            )
    for known in trials.schema.fields:
        if known.kind == "number" and known.required and not known.may_miss:
            values = trials.arrays[known.name]
            shown = np.asarray(trials.mask, dtype=bool).reshape(values.shape[:2] + (1,) * len(known.axes))
            bad = ~np.isfinite(values) & shown
            if bad.any():
                at = np.argwhere(bad)[0]
                raise DataError(
                    f"'{known.name}' is {values[tuple(at)]} ({known.meaning}).",
                    where=_place(trials, at),
                    fix="Fill in what was shown, or leave the trial out.",
                )


def _place(trials: Trials, at: np.ndarray) -> str:
    """Where an entry (sequence, trial, …) of an array is, in words."""
    sequence = trials.sequences.iloc[at[0]]
    named = f"participant {sequence['participant']}, problem {sequence['problem']}, trial {at[1]}"
    return f"{named}, entry {', '.join(map(str, at[2:]))}" if len(at) > 2 else named
