"""What learners did: errors by block, answers by item, and how sure their order is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from toolkit.errors import UsageError, did_you_mean
from toolkit.trials import Trials

N_RESAMPLES = 1000
_NUMBERS_AT_ONCE = 4_000_000


def error_by_block(
    trials: Trials, *, block: int | None = None, correct: np.ndarray | None = None
) -> pd.DataFrame:
    """Share of wrong choices of every sequence in every block.

    Parameters
    ----------
    trials
        Of people or of agents.
    block
        Trials of a block; by default blocks are those of the array ``block``, tests left out.
    correct
        (sequences, trials) what counts as right instead of ``trials.correct``, for instance
        ``toolkit.data.correct_to_criterion(trials)``.

    Returns
    -------
    One row a sequence and block that has a scored trial: ``participant, problem, condition``, ``order`` where
    there is one, ``block`` (from 1), ``trials`` (how many count) and ``error``.
    """
    right = np.asarray(trials.correct if correct is None else correct, dtype=float)
    if len(right) != len(trials) or right.ndim != 2:
        raise UsageError(f"'correct' has the shape {right.shape}, for {len(trials)} sequences.")
    counts = ~np.isnan(right)
    if block is None:
        number = _blocks(trials)
        counts = counts & ~trials.arrays.get("test", np.zeros_like(counts))
    else:
        if block < 1:
            raise UsageError(f"a block of {block} trials cannot be.", fix="Use 8 or 16, for instance.")
        number = np.broadcast_to(np.arange(right.shape[1]) // block, right.shape)
    return _shares(trials, {"block": number}, counts, 1 - right, "error")


def choices_by_item(trials: Trials, *, option: int = 0, tests: bool = False) -> pd.DataFrame:
    """How often every sequence chose an option for every stimulus in every block.

    Parameters
    ----------
    option
        The choice that is counted, category A by default.
    tests
        Count tests alone; by default training alone.

    Returns
    -------
    One row a sequence, block and stimulus shown in it: ``participant, problem, condition``, ``order`` where
    there is one, ``block`` (from 1; of a test the block of training before it), ``stimulus_id`` (as in
    ``trials``), ``trials`` and ``share``.
    """
    if "stimulus_id" not in trials.arrays:
        raise UsageError("these trials have no array 'stimulus_id'.", fix="Add it with trials.updated().")
    is_test = trials.arrays.get("test", np.zeros_like(trials.mask))
    counts = trials.scored & (is_test if tests else ~is_test)
    by = {"block": _blocks(trials), "stimulus_id": trials.stimulus_id}
    return _shares(trials, by, counts, trials.choice == option, "share")


def with_intervals(
    table: pd.DataFrame,
    value: str = "error",
    *,
    by: Sequence[str] = ("condition", "block"),
    rng: np.random.Generator,
    unit: str = "participant",
    n_resamples: int = N_RESAMPLES,
    level: float = 0.95,
) -> pd.DataFrame:
    """Means with bootstrap intervals over participants.

    Participants are drawn with replacement, with all their rows, among those who learned the same
    conditions. Each participant counts once in a mean, however many rows it has.

    Parameters
    ----------
    table
        For instance that of :func:`error_by_block`.
    by
        Columns; there is one mean for each of their combinations.
    unit
        Column of what is drawn. Simulated learners who share sequences are no independent sample of them:
        then it is "order".

    Returns
    -------
    One row a combination: ``by``, ``mean``, ``low``, ``high`` and ``units`` (how many the mean is of).
    """
    samples = _Samples.draw(table, value, by, unit, n_resamples, rng)
    low, high = np.nanquantile(samples.means, [(1 - level) / 2, (1 + level) / 2], axis=0)
    return samples.cells.assign(mean=samples.mean, low=low, high=high, units=samples.units)


@dataclass(frozen=True)
class ConditionOrder:
    """How conditions are ordered, and how sure that is.

    Attributes
    ----------
    means
        One row a condition, from the smallest mean: ``condition, mean, low, high, units``.
    pairs
        One row two neighbours of the order that was asked for: ``smaller``, ``larger``, their ``difference``
        with ``low`` and ``high``, and the ``probability`` that it is above 0.
    probability
        That the whole order holds: the share of bootstrap samples in which it does. Equal means count half
        in a pair and not at all here.
    """

    means: pd.DataFrame
    pairs: pd.DataFrame
    probability: float


def order_of_conditions(
    table: pd.DataFrame,
    value: str = "error",
    *,
    expected: Sequence[str] | None = None,
    rng: np.random.Generator,
    unit: str = "participant",
    n_resamples: int = N_RESAMPLES,
    level: float = 0.95,
) -> ConditionOrder:
    """Conditions ordered by their means, with bootstrap intervals over participants.

    Parameters
    ----------
    table
        For instance that of :func:`error_by_block`; rows of a participant and condition are averaged.
    expected
        Conditions from the smallest to the largest mean; by default as they are in the table's means, and
        then the probability is that the same order is found again.
    """
    samples = _Samples.draw(table, value, ("condition",), unit, n_resamples, rng)
    found = samples.cells["condition"].tolist()
    names = (
        [found[i] for i in np.argsort(samples.mean, kind="stable")] if expected is None else list(expected)
    )
    for name in names:
        if name not in found:
            raise UsageError(f"the table has no condition '{name}'.", fix=did_you_mean(name, found))
    columns = [found.index(name) for name in names]
    tails = [(1 - level) / 2, (1 + level) / 2]
    steps = np.diff(samples.means[:, columns], axis=1)
    low, high = np.quantile(steps, tails, axis=0)
    pairs = pd.DataFrame(
        {
            "smaller": names[:-1],
            "larger": names[1:],
            "difference": np.diff(samples.mean[columns]),
            "low": low,
            "high": high,
            "probability": ((steps > 0) + 0.5 * (steps == 0)).mean(0),
        }
    )
    low, high = np.quantile(samples.means, tails, axis=0)
    means = samples.cells.assign(mean=samples.mean, low=low, high=high, units=samples.units)
    means = means.sort_values("mean", kind="stable", ignore_index=True)
    return ConditionOrder(means, pairs, float((steps > 0).all(1).mean()))


@dataclass(frozen=True)
class _Samples:
    """Means over units of every cell, as they are (cells,) and in bootstrap samples (samples, cells)."""

    cells: pd.DataFrame
    mean: np.ndarray
    units: np.ndarray
    means: np.ndarray

    @classmethod
    def draw(
        cls,
        table: pd.DataFrame,
        value: str,
        by: Sequence[str],
        unit: str,
        n_resamples: int,
        rng: np.random.Generator,
    ) -> _Samples:
        for column in (value, unit, *by):
            if column not in table:
                raise UsageError(
                    f"the table has no column '{column}'.", fix=did_you_mean(column, table.columns)
                )
        by = list(by)
        wide = table.pivot_table(value, unit, by, aggfunc="mean", sort=False, observed=True)
        cells = wide.columns.to_frame(index=False)
        cells.columns = by
        values = wide.to_numpy(dtype=float)
        there = ~np.isnan(values)
        condition = cells["condition"].to_numpy() if "condition" in cells else np.zeros(len(cells))
        learned = np.stack([there[:, condition == name].any(1) for name in pd.unique(condition)], 1)
        group = np.unique(learned, axis=0, return_inverse=True)[1].ravel()
        filled = np.where(there, values, 0.0)
        with np.errstate(invalid="ignore"):
            parts = [
                (weights @ filled) / (weights @ there) for weights in _resampled(group, n_resamples, rng)
            ]
        return cls(cells, filled.sum(0) / there.sum(0), there.sum(0), np.concatenate(parts))


def _resampled(group: np.ndarray, n_resamples: int, rng: np.random.Generator) -> Iterator[np.ndarray]:
    """How often each unit is in bootstrap samples, drawn within groups: (some samples, units) at a time."""
    members = [np.flatnonzero(group == number) for number in range(group.max() + 1)]
    size = max(1, _NUMBERS_AT_ONCE // len(group))
    for first in range(0, n_resamples, size):
        n_samples = min(size, n_resamples - first)
        weights = np.zeros((n_samples, len(group)))
        for units in members:
            drawn = rng.integers(len(units), size=(n_samples, len(units)))
            flat = drawn + len(units) * np.arange(n_samples)[:, None]
            counts = np.bincount(flat.ravel(), minlength=n_samples * len(units))
            weights[:, units] = counts.reshape(n_samples, len(units))
        yield weights


def _blocks(trials: Trials) -> np.ndarray:
    if "block" not in trials.arrays:
        raise UsageError("these trials have no array 'block'.", fix="Say how many trials a block has.")
    return trials.block


def _shares(
    trials: Trials, by: dict[str, np.ndarray], counts: np.ndarray, values: np.ndarray, name: str
) -> pd.DataFrame:
    """Mean of ``values`` where ``counts``, by sequence and codes (all sequences x trials), as a table."""
    sequence = np.repeat(np.arange(len(trials)), counts.sum(1))
    codes = {column: array[counts] for column, array in by.items()}
    sizes = [len(trials)] + [int(code.max(initial=0)) + 1 for code in codes.values()]
    cell = np.ravel_multi_index((sequence, *codes.values()), sizes)
    number = np.bincount(cell, minlength=int(np.prod(sizes)))
    total = np.bincount(cell, values[counts], len(number))
    there = np.flatnonzero(number)
    row, *places = np.unravel_index(there, sizes)
    known = [c for c in ("participant", "problem", "condition", "order") if c in trials.sequences]
    table = trials.sequences[known].iloc[row].reset_index(drop=True)
    for column, place in zip(codes, places, strict=True):
        table[column] = place + 1 if column == "block" else place
    return table.assign(trials=number[there], **{name: total[there] / number[there]})
