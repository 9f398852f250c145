"""What every agent is: parameters, the probability of every choice, and choices of its own."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any, ClassVar, Self, TypeVar

import numpy as np
import torch

from toolkit.errors import UsageError, did_you_mean
from toolkit.trials import Trials

Array = TypeVar("Array", np.ndarray, torch.Tensor)
Kept = TypeVar("Kept")

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
    values
        The only values there are, for a parameter that picks one of a few things; the bounds are the
        smallest and the largest. A model takes the nearest one, so its gradient there is 0.
    """

    name: str
    lower: float
    upper: float
    meaning: str
    prior: Any = None
    values: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        if not self.lower < self.upper:
            raise UsageError(f"parameter '{self.name}' has the bounds [{self.lower}, {self.upper}].")
        if self.values is not None and (min(self.values), max(self.values)) != (self.lower, self.upper):
            raise UsageError(
                f"parameter '{self.name}' has the bounds [{self.lower}, {self.upper}], "
                f"but its values go from {min(self.values)} to {max(self.values)}."
            )


class Model(ABC):
    """An agent that learns by trial and error.

    Parameters belong to participants; a participant's sequences share them. ``theta`` has the shape
    (…, participants, parameters), in the order of ``trials.participants``; leading axes are starts or
    samples, all evaluated at once. A numpy array in gives a numpy array out; a tensor in gives a tensor
    out through which gradients flow.

    Attributes
    ----------
    name
        How the registry calls it.
    schemas
        The families of trials it answers.
    parameters
        In the order of ``theta``'s last axis. An instance whose parameters depend on its options sets
        its own; those of the class are the ones of its default options.
    reads_choices
        Whether predictions depend on the choices made on earlier trials.
    sums_over_choices
        Whether predictions sum over those of its own choices that are not in the trials.
    needs_recordings
        Whether it cannot be made without what was recorded on the very trials it is to answer.
    """

    name: ClassVar[str]
    schemas: ClassVar[tuple[str, ...]]
    parameters: tuple[Parameter, ...]
    reads_choices: ClassVar[bool] = True
    sums_over_choices: ClassVar[bool] = False
    needs_recordings: ClassVar[bool] = False

    @classmethod
    def for_trials(cls, trials: Trials, **options: Any) -> Self:
        """The model for trials like these: with as many features and categories as they have."""
        return cls(**options)

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

    def log_likelihood_and_gradient(self, theta: np.ndarray, trials: Trials) -> tuple[np.ndarray, np.ndarray]:
        """Summed log-probability of each participant's choices, and its derivatives.

        Parameters
        ----------
        theta
            (…, participants, parameters).

        Returns
        -------
        (…, participants) and (…, participants, parameters), exact in double precision.
        """
        rows = torch.tensor(np.asarray(theta, dtype=float), requires_grad=True)
        participant = torch.as_tensor(trials.participant_index)
        with torch.enable_grad():
            by_sequence = self.log_likelihood(rows, trials).sum(-1)
            total = by_sequence.new_zeros(rows.shape[:-1]).index_add(-1, participant, by_sequence)
            (gradient,) = torch.autograd.grad(total.sum(), rows)
        return total.detach().numpy(), gradient.numpy()

    def simulate(self, theta: np.ndarray, design: Trials, rng: np.random.Generator) -> Trials:
        """The agent's own choices on a design, one row of ``theta`` a participant.

        Free choices in ``design`` are ignored, forced ones are kept. Bandits need an array ``payoff``:
        what each option would pay.
        """
        if np.ndim(theta) != 2:
            raise UsageError(f"simulate needs theta as (participants, parameters), not {np.shape(theta)}.")
        trials = design.unanswered()
        draws = rng.random(trials.mask.shape)
        if not self.reads_choices and trials.schema.name == "category_learning":
            choice = draw_options(self.predict(theta, trials), draws)
            forced = trials.arrays.get("forced", np.zeros_like(trials.mask))
            return trials.updated(choice=np.where(trials.mask & ~forced, choice, trials.choice))
        for t in range(trials.n_trials):
            p = self.predict(theta, trials.until(t + 1))[:, t]
            trials = trials.answered(t, draw_options(p, draws[:, t]))
        return trials

    def marginal(
        self, theta: np.ndarray, design: Trials, rng: np.random.Generator, *, n_learners: int = 20
    ) -> np.ndarray:
        """Probability of every option on every trial, whatever the agent itself may have chosen before.

        Exact for models that do not read choices or can sum over them; of others learners are simulated.

        Parameters
        ----------
        theta
            (participants, parameters).
        design
            Its choices are ignored.
        n_learners
            Simulated learners a participant whose probabilities are meaned.

        Returns
        -------
        (sequences, trials, options)
        """
        design = design.unanswered()
        if self.sums_over_choices or not self.reads_choices:
            return self.predict(theta, design)
        learners = (self.simulate(theta, design, rng) for _ in range(n_learners))
        return np.mean([self.predict(theta, learner) for learner in learners], axis=0)

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

    def _by_name(self, theta: torch.Tensor) -> dict[str, torch.Tensor]:
        """Each parameter's column of ``theta`` (…, sequences, parameters)."""
        names = [parameter.name for parameter in self.parameters]
        return dict(zip(names, theta.unbind(-1), strict=True))

    def _by_sequence(self, theta: torch.Tensor, trials: Trials) -> torch.Tensor:
        """Rows of participants -> rows of sequences, after checking that model, theta and trials fit."""
        self._check_fits(trials)
        expected = (len(trials.participants), len(self.parameters))
        if tuple(theta.shape[-2:]) != expected:
            raise UsageError(
                f"model '{self.name}' needs theta as (…, {expected[0]} participants, {expected[1]} parameters), "
                f"not {tuple(theta.shape)}."
            )
        return theta.index_select(-2, torch.as_tensor(trials.participant_index, device=theta.device))

    def _check_fits(self, trials: Trials) -> None:
        """Refuse trials of a family that the model cannot answer."""
        if trials.schema.name not in self.schemas:
            raise UsageError(
                f"model '{self.name}' cannot answer {trials.schema.name} trials.",
                fix=f"It answers: {', '.join(self.schemas)}.",
            )


def draw_options(p: Array, draws: Array) -> Array:
    """Options drawn from probabilities (…, options) by numbers between 0 and 1 (…)."""
    return (p.cumsum(-1)[..., :-1] < draws[..., None]).sum(-1)


class TrialTensors:
    """Trials as tensors on a device; arrays are attributes, for instance ``data.choice``.

    ``data.sequences`` is the table of sequences, for errors that say where they are.
    """

    def __init__(self, trials: Trials, device: torch.device, dtype: torch.dtype) -> None:
        self._remembered: dict[Hashable, Any] = {}
        self.schema = trials.schema.name
        self.n_options = trials.n_options
        self.sequences = trials.sequences
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

    def remember(self, key: Hashable, compute: Callable[[], Kept]) -> Kept:
        """What ``compute`` returned the first time it was asked for under this key.

        For what depends on the trials alone and is needed in every likelihood: counts of stimuli, the
        answers of a network. The key names the model and all options that the result depends on.
        """
        if key not in self._remembered:
            self._remembered[key] = compute()
        return self._remembered[key]
