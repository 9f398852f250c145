"""What every agent is: parameters, the probability of every choice, and choices of its own."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar

import numpy as np
import torch

from toolkit.errors import UsageError, did_you_mean
from toolkit.trials import Trials

Array = TypeVar("Array", np.ndarray, torch.Tensor)

SMALLEST_PROBABILITY = 1e-12


@dataclass(frozen=True)
class Parameter:
    """A free parameter of a model.

    Attributes
    ----------
    lower, upper
        Bounds of the search.
    meaning
        What a larger value does, in words.
    prior
        A frozen scipy distribution over the value; None is uniform within the bounds.
    """

    name: str
    lower: float
    upper: float
    meaning: str
    prior: Any = None

    def __post_init__(self) -> None:
        if not self.lower < self.upper:
            raise UsageError(f"parameter '{self.name}' has the bounds [{self.lower}, {self.upper}].")


class Model(ABC):
    """An agent that learns by trial and error.

    Parameters belong to participants; a participant's sequences share them. ``theta`` has the shape
    (…, participants, parameters), in the order of ``trials.participants``; leading axes are starts or
    samples, all evaluated at once. A numpy array in gives a numpy array out; a tensor in gives a tensor
    out through which gradients flow.
    """

    name: ClassVar[str]
    schemas: ClassVar[tuple[str, ...]]
    parameters: ClassVar[tuple[Parameter, ...]]

    @abstractmethod
    def probabilities(self, theta: torch.Tensor, data: TrialTensors) -> torch.Tensor:
        """Probability of every option on every trial, given only what came before it.

        Parameters
        ----------
        theta
            (…, sequences, parameters), one row a sequence.
        data
            The trials, as tensors on theta's device.

        Returns
        -------
        (…, sequences, trials, options)
        """

    def predict(self, theta: Array, trials: Trials) -> Array:
        """Probability of every option on every trial: (…, sequences, trials, options)."""
        if not isinstance(theta, torch.Tensor):
            with torch.no_grad():
                return self.predict(torch.as_tensor(np.asarray(theta, dtype=float)), trials).numpy()
        return self.probabilities(self._by_sequence(theta, trials), TrialTensors.of(trials, theta))

    def log_likelihood(self, theta: Array, trials: Trials) -> Array:
        """Log-probability of every choice: (…, sequences, trials), 0 where no choice is scored."""
        if not isinstance(theta, torch.Tensor):
            with torch.no_grad():
                return self.log_likelihood(torch.as_tensor(np.asarray(theta, dtype=float)), trials).numpy()
        data = TrialTensors.of(trials, theta)
        p = self.predict(theta, trials)
        chosen = data.choice.clamp(min=0).expand(p.shape[:-1]).unsqueeze(-1)
        log_p = p.gather(-1, chosen).squeeze(-1).clamp(min=SMALLEST_PROBABILITY).log()
        return torch.where(data.scored, log_p, 0.0)

    def simulate(self, theta: np.ndarray, design: Trials, rng: np.random.Generator) -> Trials:
        """The agent's own choices on a design, one row of ``theta`` a participant.

        Free choices in ``design`` are ignored, forced ones are kept. Bandits need an array ``payoff``:
        what each option would pay.
        """
        if np.ndim(theta) != 2:
            raise UsageError(f"simulate needs theta as (participants, parameters), not {np.shape(theta)}.")
        trials = design.unanswered()
        draws = rng.random(trials.mask.shape)
        for t in range(trials.n_trials):
            cumulated = self.predict(theta, trials.until(t + 1))[:, t].cumsum(-1)
            choice = (cumulated[:, :-1] < draws[:, t, None]).sum(-1)
            trials = trials.answered(t, choice)
        return trials

    def theta(self, n_participants: int = 1, **values: Any) -> np.ndarray:
        """Parameters by name as the array that the other methods take: (participants, parameters)."""
        names = [parameter.name for parameter in self.parameters]
        for name in values:
            if name not in names:
                raise UsageError(
                    f"model '{self.name}' has no parameter '{name}'.", fix=did_you_mean(name, names)
                )
        absent = [name for name in names if name not in values]
        if absent:
            raise UsageError(f"model '{self.name}' also needs {', '.join(absent)}.")
        return np.stack(
            [np.broadcast_to(np.asarray(values[name], float), n_participants) for name in names], -1
        )

    def _by_sequence(self, theta: torch.Tensor, trials: Trials) -> torch.Tensor:
        """Rows of participants -> rows of sequences, after checking that model, theta and trials fit."""
        if trials.schema.name not in self.schemas:
            raise UsageError(
                f"model '{self.name}' cannot answer {trials.schema.name} trials.",
                fix=f"It answers: {', '.join(self.schemas)}.",
            )
        expected = (len(trials.participants), len(self.parameters))
        if tuple(theta.shape[-2:]) != expected:
            raise UsageError(
                f"model '{self.name}' needs theta as (…, {expected[0]} participants, {expected[1]} parameters), "
                f"not {tuple(theta.shape)}."
            )
        return theta.index_select(-2, torch.as_tensor(trials.participant_index, device=theta.device))


class TrialTensors:
    """Trials as tensors on a device; arrays are attributes, for instance ``data.choice``."""

    def __init__(self, trials: Trials, device: torch.device, dtype: torch.dtype) -> None:
        self.schema = trials.schema.name
        self.n_options = trials.n_options
        arrays = {**trials.arrays, "mask": trials.mask, "scored": trials.scored}
        for name, array in arrays.items():
            tensor = torch.as_tensor(array.copy(), device=device)
            setattr(self, name, tensor.to(dtype) if tensor.is_floating_point() else tensor)

    @classmethod
    def of(cls, trials: Trials, like: torch.Tensor) -> TrialTensors:
        """Tensors of ``trials`` with the type and on the device of ``like``, kept for the next call."""
        cache = trials.__dict__.setdefault("_tensors", {})
        key = (str(like.device), like.dtype)
        if key not in cache:
            cache[key] = cls(trials, like.device, like.dtype)
        return cache[key]
