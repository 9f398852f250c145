"""Models whose likelihood is compiled, for any rows of parameters, each at the cost of its participant's trials."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, Self

import numpy as np
import torch

from toolkit.errors import UsageError
from toolkit.models.base import SMALLEST_PROBABILITY, Model, TrialTensors
from toolkit.models.compiling import Compiled, Sequences
from toolkit.trials import MISSING, Trials


class ModelByRows(Model):
    """A model whose likelihood takes any rows of parameters, each at the cost of its participant's trials.

    Attributes
    ----------
    jumps
        Whether its likelihood can jump where parameters change what happens on a trial, so that a shorter step
        may lead nowhere.
    rugged
        Whether it has so many optima, with jumps between them, that searches from some starts miss the best by nats.
        Fits then look at many points first, and start from the best of these.
    """

    jumps: ClassVar[bool] = True
    rugged: ClassVar[bool] = False

    @abstractmethod
    def log_likelihood_and_gradient_of_rows(
        self, theta: np.ndarray, participant: np.ndarray, trials: Trials
    ) -> tuple[np.ndarray, np.ndarray]:
        """Summed log-probabilities of choices and their derivatives, for any rows of parameters.

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

    def expand_of_rows(
        self, theta: np.ndarray, participant: np.ndarray, trials: Trials
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
        """The same, and what searches can know of the curvature.

        Returns
        -------
        (rows,), (rows, parameters), and the Fisher information of the choices (rows, parameters, parameters), or
        None for a model that does not tell it.
        """
        return *self.log_likelihood_and_gradient_of_rows(theta, participant, trials), None

    def log_likelihood_and_gradient(self, theta: np.ndarray, trials: Trials) -> tuple[np.ndarray, np.ndarray]:
        theta = np.asarray(theta, dtype=float)
        self._by_sequence(torch.as_tensor(theta), trials)  # Whether they fit.
        rows = theta.reshape(-1, theta.shape[-1])
        participant = np.broadcast_to(np.arange(theta.shape[-2]), theta.shape[:-1]).ravel()
        total, gradient = self.log_likelihood_and_gradient_of_rows(rows, participant, trials)
        return total.reshape(theta.shape[:-1]), gradient.reshape(theta.shape)

    def _check_rows(self, theta: np.ndarray, trials: Trials) -> None:
        """Refuse rows or trials that do not fit the model; quickly, since searches ask again and again."""
        self._check_fits(trials)
        if theta.shape[1:] != (len(self.parameters),):
            raise UsageError(
                f"model '{self.name}' needs theta as (rows, {len(self.parameters)} parameters), not {theta.shape}."
            )


class ModelBySequences(ModelByRows):
    """One whose likelihood comes sequence by sequence from a compiled function."""

    @abstractmethod
    def _of_sequences(
        self, theta: np.ndarray, sequence: np.ndarray, data: TrialTensors
    ) -> tuple[np.ndarray, np.ndarray]:
        """Log-likelihoods (rows,) of one sequence a row and their gradients (rows, parameters)."""

    def log_likelihood_and_gradient_of_rows(
        self, theta: np.ndarray, participant: np.ndarray, trials: Trials
    ) -> tuple[np.ndarray, np.ndarray]:
        self._check_rows(theta, trials)
        data = TrialTensors.of(trials, torch.as_tensor(theta))
        row, sequence = SequencesOf.known(data, trials).of(participant)
        each, slopes = self._of_sequences(theta[row], sequence, data)
        return sum_by_row(row, len(theta), each), sum_by_row(row, len(theta), slopes)


class CompiledModel(ModelBySequences):
    """A model whose probabilities come from a compiled function over one sequence.

    Attributes
    ----------
    n_threads
        How many sequences are computed at once; 2 or more pay on an idle machine.
    guided
        Whether the Fisher information of its choices is a good guess of the likelihood's curvature, also far from the
        optimum. Searches then go by it and need half as many steps; where valleys are bent they would stop too early.
    """

    n_threads: int = 1
    guided: ClassVar[bool] = False

    @abstractmethod
    def _compiled_for(self, data: TrialTensors) -> tuple[Compiled, Sequences, dict[str, Any]]:
        """The compiled function, the trials as it reads them, and the values of its other arguments."""

    def _of_sequences(
        self, theta: np.ndarray, sequence: np.ndarray, data: TrialTensors
    ) -> tuple[np.ndarray, np.ndarray]:
        compiled, sequences, constants = self._compiled_for(data)
        return compiled.log_likelihood_and_gradient(
            theta, sequence, sequences, constants, smallest=SMALLEST_PROBABILITY, n_threads=self.n_threads
        )

    def expand_of_rows(
        self, theta: np.ndarray, participant: np.ndarray, trials: Trials
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
        if not self.guided:
            return super().expand_of_rows(theta, participant, trials)
        self._check_rows(theta, trials)
        data = TrialTensors.of(trials, torch.as_tensor(theta))
        row, sequence = SequencesOf.known(data, trials).of(participant)
        compiled, sequences, constants = self._compiled_for(data)
        total, gradient, information = compiled.expand(
            theta[row],
            sequence,
            sequences,
            constants,
            smallest=SMALLEST_PROBABILITY,
            n_threads=self.n_threads,
        )
        n_rows = len(theta)
        return (
            sum_by_row(row, n_rows, total),
            sum_by_row(row, n_rows, gradient),
            sum_by_row(row, n_rows, information),
        )


class SequencesOf:
    """Which sequences are whose."""

    def __init__(self, trials: Trials) -> None:
        participant = trials.participant_index
        self._order = np.argsort(participant, kind="stable")
        self._n_sequences = np.bincount(participant, minlength=len(trials.participants))
        self._first = self._n_sequences.cumsum() - self._n_sequences

    @classmethod
    def known(cls, data: TrialTensors, trials: Trials) -> Self:
        """Those of trials, found out once."""
        return data.remember("sequences of participants", lambda: cls(trials))

    def of(self, participant: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """All sequences of the participant of every row: the row's number and the sequence's, one behind the other."""
        counts = self._n_sequences[participant]
        row = np.repeat(np.arange(len(participant)), counts)
        number = np.arange(len(row)) - np.repeat(counts.cumsum() - counts, counts)
        return row, self._order[self._first[participant][row] + number]


def sum_by_row(row: np.ndarray, n_rows: int, each: np.ndarray) -> np.ndarray:
    """Values (sequences, …) summed over the sequences of each row, which come one behind the other: (rows, …)."""
    if len(row) == n_rows:
        return each  # Every row has one sequence.
    return np.add.reduceat(each, np.searchsorted(row, np.arange(n_rows)))


def join_sequences(data: TrialTensors, arrays: Mapping[str, torch.Tensor]) -> Sequences:
    """The trials of ``arrays``, (sequences, trials, …), one behind the other, without padding.

    Their types are always the same, whatever ``data`` was made for.
    """
    mask = data.mask.cpu().numpy()
    flat = {name: array.cpu().numpy()[mask] for name, array in arrays.items()}
    flat = {name: array.astype(float) if array.dtype.kind == "f" else array for name, array in flat.items()}
    chosen = np.where(data.scored.cpu().numpy(), data.choice.cpu().numpy(), MISSING)[mask]
    first = np.concatenate([[0], mask.sum(1).cumsum()])
    return Sequences(first, flat, chosen, data.n_options)
