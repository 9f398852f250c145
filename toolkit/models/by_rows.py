"""Models whose likelihood is compiled, for any rows of parameters, each at the cost of its participant's trials."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from toolkit.models.base import SMALLEST_PROBABILITY, Model, TrialTensors
from toolkit.models.compiling import Compiled, Sequences
from toolkit.trials import MISSING, Trials


class CompiledModel(Model):
    """A model whose probabilities come from a compiled function over one sequence.

    Attributes
    ----------
    n_threads
        How many sequences are computed at once; 2 or more pay on an idle machine.
    """

    n_threads: int = 1

    @abstractmethod
    def _compiled_for(self, data: TrialTensors) -> tuple[Compiled, Sequences, dict[str, Any]]:
        """The compiled function, the trials as it reads them, and the values of its other arguments."""

    def log_likelihood_and_gradient(self, theta: np.ndarray, trials: Trials) -> tuple[np.ndarray, np.ndarray]:
        theta = np.asarray(theta, dtype=float)
        self._by_sequence(torch.as_tensor(theta), trials)  # Whether they fit.
        rows = theta.reshape(-1, theta.shape[-1])
        participant = np.broadcast_to(np.arange(theta.shape[-2]), theta.shape[:-1]).ravel()
        total, gradient = self.log_likelihood_and_gradient_of_rows(rows, participant, trials)
        return total.reshape(theta.shape[:-1]), gradient.reshape(theta.shape)

    def log_likelihood_and_gradient_of_rows(
        self, theta: np.ndarray, participant: np.ndarray, trials: Trials
    ) -> tuple[np.ndarray, np.ndarray]:
        """The same for any rows of parameters.

        Parameters
        ----------
        theta
            (rows, parameters).
        participant
            (rows,) number of the participant whose choices each row is to explain.

        Returns
        -------
        (rows,) and (rows, parameters)
        """
        given = torch.as_tensor(theta)
        self._by_sequence(given[:1].expand(len(trials.participants), -1), trials)  # Whether they fit.
        data = TrialTensors.of(trials, given)
        compiled, sequences, constants = self._compiled_for(data)
        order, first = data.remember("sequences of participants", lambda: _by_participant(trials))
        n_sequences = np.diff(first)[participant]
        row = np.repeat(np.arange(len(theta)), n_sequences)
        number = np.arange(len(row)) - np.repeat(n_sequences.cumsum() - n_sequences, n_sequences)
        each, slopes = compiled.log_likelihood_and_gradient(
            theta[row],
            order[first[participant][row] + number],
            sequences,
            constants,
            smallest=SMALLEST_PROBABILITY,
            n_threads=self.n_threads,
        )
        total, gradient = np.zeros(len(theta)), np.zeros(theta.shape)
        np.add.at(total, row, each)
        np.add.at(gradient, row, slopes)
        return total, gradient


def join_sequences(data: TrialTensors, arrays: Mapping[str, torch.Tensor]) -> Sequences:
    """The trials of ``arrays``, (sequences, trials, …), one behind the other, without padding, in types that are always the same."""
    mask = data.mask.cpu().numpy()
    flat = {name: array.cpu().numpy()[mask] for name, array in arrays.items()}
    flat = {name: array.astype(float) if array.dtype.kind == "f" else array for name, array in flat.items()}
    chosen = np.where(data.scored.cpu().numpy(), data.choice.cpu().numpy(), MISSING)[mask]
    first = np.concatenate([[0], mask.sum(1).cumsum()])
    return Sequences(first, flat, chosen, data.n_options)


def _by_participant(trials: Trials) -> tuple[np.ndarray, np.ndarray]:
    """Numbers of all sequences, (sequences,), by participant, and where each one's begin, (participants + 1,)."""
    participant = trials.participant_index
    n_sequences = np.bincount(participant, minlength=len(trials.participants))
    return np.argsort(participant, kind="stable"), np.concatenate([[0], n_sequences.cumsum()])
