"""Likelihoods of many rows of parameters at once, each row a start of one unit, in pieces of bounded size."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import Literal, get_args

import numpy as np
import pandas as pd

from toolkit.errors import UsageError, did_you_mean
from toolkit.models import Model
from toolkit.models.by_rows import ModelByRows
from toolkit.trials import Trials

Share = Literal["participant", "problem", "everyone"]
_SHARES = get_args(Share)

NUMBERS_AT_ONCE = 1_000_000
"""Rows × trials × options that a model works on at once, unless a single sequence has more."""

EVERYONE = "everyone"


def units_of(trials: Trials, share: Share) -> tuple[Trials, pd.DataFrame]:
    """Trials whose participants are the units that have parameters of their own, and a table of the units.

    Parameters
    ----------
    share
        Whose sequences have the same parameters: those of a "participant", those of one "problem" of a
        participant, or those of "everyone".

    Returns
    -------
    The trials with the numbers of the units as participants; and one row a unit with its ``participant``
    (and ``problem``).
    """
    if share not in _SHARES:
        raise UsageError(f"parameters cannot be shared by '{share}'.", fix=did_you_mean(share, _SHARES))
    columns = ["participant", "problem"] if share == "problem" else ["participant"]
    keys = trials.sequences[columns]
    if share == "everyone":
        keys = keys.assign(participant=EVERYONE)
    unit = keys.groupby(columns, sort=False, dropna=False).ngroup().to_numpy()
    units = keys.iloc[np.unique(unit, return_index=True)[1]].reset_index(drop=True)
    return with_participants(trials, unit), units


def with_participants(trials: Trials, participant: np.ndarray) -> Trials:
    """The same trials of other ``participant`` (sequences,)."""
    return replace(trials, sequences=trials.sequences.assign(participant=participant))


class Likelihood:
    """Summed log-likelihoods of a model and their gradients, for any rows of parameters of any units.

    A row costs the trials of its unit. Models that are compiled, or run in the sandbox, take rows as they are.
    For others, which work on arrays, rows are put into lanes, copies of a unit's sequences, so that all lanes
    have about equally many; when only half as many rows are left, they get lanes of their own, and what the
    model knows about the trials is looked up for these alone.

    Parameters
    ----------
    trials
        Its participants are the units.
    """

    def __init__(self, model: Model, trials: Trials) -> None:
        self.model, self.trials = model, trials
        self._layout: _Layout | None = None

    def evaluate(self, theta: np.ndarray, unit: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Log-likelihoods (rows,) and gradients (rows, parameters).

        Parameters
        ----------
        theta
            (rows, parameters).
        unit
            (rows,) whose trials.
        """
        total, gradient, _ = self.expand(theta, unit)
        return total, gradient

    def expand(self, theta: np.ndarray, unit: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
        """The same, and the Fisher information (rows, parameters, parameters), or None if the model does not tell it."""
        if not len(unit):
            return np.zeros(0), np.zeros(theta.shape), None
        if isinstance(self.model, ModelByRows):
            return self.model.expand_of_rows(theta, unit, self.trials)
        counts = np.bincount(unit, minlength=len(self.trials.participants))
        layout = self._layout_for(counts)
        lane, slot = layout.place(unit)
        placed = np.broadcast_to(theta[:1], (int(slot.max()) + 1, layout.n_lanes, theta.shape[1])).copy()
        placed[slot, lane] = theta
        total, gradient = layout.evaluate(self.model, placed)
        return total[slot, lane], gradient[slot, lane], None

    @cached_property
    def _whole(self) -> _Layout:
        """Every unit once."""
        counts = np.ones(len(self.trials.participants), dtype=int)
        return _Layout(self.trials, counts)

    def _layout_for(self, counts: np.ndarray) -> _Layout:
        """The layout in use or the whole one, unless one of its own costs these rows half as much."""
        known = [layout for layout in (self._layout, self._whole) if layout is not None]
        layout = min(known, key=lambda layout: layout.cost(counts))
        n_slots = -(-counts.sum() // np.count_nonzero(counts))
        n_lanes = -(-counts // n_slots)
        if 2 * n_slots * n_lanes.sum() <= layout.cost(counts):
            layout = self._layout = _Layout(self.trials, n_lanes)
        return layout


class _Layout:
    """Lanes for rows: each is a copy of one unit's sequences and takes one row at a time.

    Parameters
    ----------
    n_lanes_of
        (units,).
    """

    def __init__(self, trials: Trials, n_lanes_of: np.ndarray) -> None:
        self.trials, self.n_lanes_of = trials, n_lanes_of
        self.first_lane = np.cumsum(n_lanes_of) - n_lanes_of
        self.n_lanes = int(n_lanes_of.sum())
        self._pieces: list[Trials] = []

    def cost(self, counts: np.ndarray) -> float:
        """Lanes times rows in the fullest lane; infinite where a unit has rows but no lane."""
        if (counts[self.n_lanes_of == 0] > 0).any():
            return np.inf
        return float(self.n_lanes * (-(-counts // np.maximum(self.n_lanes_of, 1))).max())

    def place(self, unit: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Lane and place in the lane of every row."""
        order = np.argsort(unit, kind="stable")
        first = np.searchsorted(unit[order], unit[order])
        number = np.empty(len(unit), dtype=int)
        number[order] = np.arange(len(unit)) - first
        slot, lane = np.divmod(number, self.n_lanes_of[unit])
        return self.first_lane[unit] + lane, slot

    def evaluate(self, model: Model, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Log-likelihoods (slots, lanes) and gradients of ``theta`` (slots, lanes, parameters)."""
        total, gradient = np.zeros(theta.shape[:2]), np.zeros(theta.shape)
        for piece in self._cut(len(theta)):
            lanes = np.array(piece.participants)
            at_once = max(1, NUMBERS_AT_ONCE // (piece.mask.size * piece.n_options))
            for start in range(0, len(theta), at_once):
                slots = slice(start, start + at_once)
                value, slope = model.log_likelihood_and_gradient(theta[slots][:, lanes], piece)
                total[slots, lanes] += value
                gradient[slots, lanes] += slope
        return total, gradient

    def _cut(self, n_slots: int) -> list[Trials]:
        """The lanes' trials in pieces for about so many rows a lane, made once."""
        if not self._pieces:
            sequence, lane = self._sequences()
            size = n_slots * self.trials.n_trials * self.trials.n_options * len(sequence)
            n_pieces = min(len(sequence), -(-size // NUMBERS_AT_ONCE))
            self._pieces = [
                with_participants(self.trials.take(sequence[part]), lane[part])
                for part in np.array_split(np.arange(len(sequence)), n_pieces)
            ]
        return self._pieces

    def _sequences(self) -> tuple[np.ndarray, np.ndarray]:
        """Sequences of all lanes and the lane of each, by lane."""
        unit = self.trials.participant_index
        copies = self.n_lanes_of[unit]
        sequence = np.repeat(np.arange(len(unit)), copies)
        copy = np.arange(len(sequence)) - np.repeat(np.cumsum(copies) - copies, copies)
        lane = self.first_lane[unit[sequence]] + copy
        order = np.argsort(lane, kind="stable")
        return sequence[order], lane[order]
