"""Models whose likelihood is computed by the sandbox, whatever kind of text it comes from."""

from __future__ import annotations

from abc import abstractmethod

import numpy as np
import torch

from toolkit.discovery.engine import Engine
from toolkit.discovery.sandbox.pool import Sandbox
from toolkit.discovery.tape import Tape
from toolkit.models.by_rows import ModelByRows, SequencesOf, sum_by_row
from toolkit.trials import Trials


class SandboxedModel(ModelByRows):
    """A model of unknown origin.

    Attributes
    ----------
    engine
        Runs it; ``engine.why_interpreted`` says why it is not compiled, or "".
    """

    engine: Engine

    @abstractmethod
    def in_sandbox(self, sandbox: Sandbox) -> SandboxedModel:
        """The same model, run by another sandbox."""

    @abstractmethod
    def tape(self, trials: Trials) -> Tape:
        """The trials as the text is given them."""

    def log_likelihood_and_gradient_of_rows(
        self, theta: np.ndarray, participant: np.ndarray, trials: Trials
    ) -> tuple[np.ndarray, np.ndarray]:
        self._check_rows(theta, trials)
        row, sequence = SequencesOf(trials).of(participant)
        rows = self._admitted(theta)[row]
        each, slopes = self.engine.gradient(rows, sequence, self.tape(trials))
        slopes[:, [one.values is not None for one in self.parameters]] = 0.0
        return sum_by_row(row, len(theta), each), sum_by_row(row, len(theta), slopes)

    def totals(self, theta: np.ndarray, trials: Trials, *, interpreted: bool = False) -> np.ndarray:
        """(sequences,) log-likelihoods, with a row of parameters (sequences, parameters) for each.

        Parameters
        ----------
        interpreted
            Execute the text as it is written, for a second opinion on compiled code.
        """
        sequence = np.arange(len(trials))
        return self.engine.log_likelihood(theta, sequence, self.tape(trials), interpreted=interpreted)

    def _rows(self, theta: np.ndarray, trials: Trials) -> np.ndarray:
        """(rows, parameters), the sequences in order for every start; of a few values the nearest one."""
        given = torch.as_tensor(np.asarray(theta, dtype=float))
        return self._admitted(self._by_sequence(given, trials).numpy().reshape(-1, given.shape[-1]))

    def _admitted(self, rows: np.ndarray) -> np.ndarray:
        """The same rows (rows, parameters), of a parameter of a few values the nearest one."""
        rows = rows.copy()
        for position, parameter in enumerate(self.parameters):
            if parameter.values is not None:
                values = np.array(parameter.values, dtype=float)
                nearest = np.abs(rows[:, position, None] - values).argmin(-1)
                rows[:, position] = values[nearest]
        return rows
