"""Agents with typical numbers, whose choices have one free parameter that is set by part of people's results."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from toolkit.errors import UsageError
from toolkit.fitting.fitting import Fit
from toolkit.models import Model, Parameter, get_model_for
from toolkit.models.base import SMALLEST_PROBABILITY
from toolkit.seeds import Seeds
from toolkit.trials import Trials

ATTENTION = "attention_"
LAPSE = "lapse"
_LARGEST_EXPONENT = 50.0


class Agent(Protocol):
    """Whoever can be given a design."""

    def answers(self, design: Trials) -> Answers:
        """What it answers there."""


@dataclass(frozen=True)
class TypicalAgent:
    """An agent whose parameters of learning are those of typical people.

    Attributes
    ----------
    model
        Name in the registry.
    values
        Parameters by name. ``attention`` is the sum over features, all of which count alike, as which features
        matter is drawn anew for every problem.
    options
        Of the model, for instance a checkpoint.
    """

    model: str
    values: Mapping[str, float]
    options: Mapping[str, Any] = field(default_factory=dict)

    def model_for(self, trials: Trials) -> Model:
        """The model with as many features as the trials have."""
        return get_model_for(self.model, trials, **self.options)

    def theta(self, model: Model, n_participants: int, lapse: float = 0.0) -> np.ndarray:
        """(participants, parameters), everyone with the same; guesses are as many as ``lapse`` says."""
        n_features = sum(parameter.name.startswith(ATTENTION) for parameter in model.parameters)
        row = [self._value(parameter, n_features, lapse) for parameter in model.parameters]
        return np.tile(row, (n_participants, 1))

    def answers(self, design: Trials) -> Answers:
        """What it answers on a design without guessing, whatever its own choices happen to be."""
        design = design.unanswered()
        model = self.model_for(design)
        # The same learners whenever it is asked, if it has to be simulated.
        rng = Seeds(0).numpy(f"choices of {self.model}")
        p = model.marginal(self.theta(model, len(design.participants)), design, rng)
        return Answers(design, p, guessing=model.reads_choices, by_choices=model.reads_choices)

    def _value(self, parameter: Parameter, n_features: int, lapse: float) -> float:
        if parameter.name == LAPSE:
            value = lapse
        elif parameter.name.startswith(ATTENTION):
            value = self.values["attention"] / n_features
        else:
            value = self.values[parameter.name]
        return float(np.clip(value, parameter.lower, parameter.upper))


@dataclass(frozen=True)
class Answers:
    """Probabilities that one number turns into choices.

    Attributes
    ----------
    p
        (sequences, trials, options) without guesses.
    guessing
        How the number works: as the share of guesses for an agent that goes by rules or by its own earlier
        choices, whose probabilities no power describes; for all others as the exponent of the probabilities,
        so that 1 leaves them as they are and more makes choices more consistent.
    by_choices
        Whether what it answers on a trial hangs on what it answered before.
    """

    trials: Trials
    p: np.ndarray
    guessing: bool
    by_choices: bool = False

    @property
    def neutral(self) -> float:
        """The number that leaves answers as they are."""
        return 0.0 if self.guessing else 1.0

    def chosen(self, response: float) -> np.ndarray:
        """(sequences, trials, options) probability of every choice."""
        if self.guessing:
            return (1 - response) * self.p + response / self.p.shape[-1]
        logits = response * np.log(np.maximum(self.p, SMALLEST_PROBABILITY))
        raised = np.exp(logits - logits.max(-1, keepdims=True))
        return raised / raised.sum(-1, keepdims=True)

    def correct(self, response: float) -> np.ndarray:
        """(sequences, trials) probability of a right choice; NaN in padding and where nothing is right."""
        right = self.trials.right
        p = np.take_along_axis(self.chosen(response), np.maximum(right, 0)[..., None], -1)[..., 0]
        return np.where(self.trials.mask & (right >= 0), p, np.nan)

    def fit_response(self, distance: Callable[[float], float]) -> float:
        """The number at which a distance from people is smallest.

        Parameters
        ----------
        distance
            Of the choices with this number from people's.
        """
        from scipy.optimize import minimize_scalar

        def at(position: float) -> float:
            return distance(self._response(position))

        # A few steps first: the distance may have more than one valley.
        grid = np.linspace(0.0, 1.0, 15)
        best = int(np.argmin([at(position) for position in grid]))
        bounds = grid[max(best - 1, 0)], grid[min(best + 1, len(grid) - 1)]
        found = minimize_scalar(at, bounds=bounds, method="bounded", options={"xatol": 1e-4})
        return self._response(float(found.x))

    def _response(self, position: float) -> float:
        """The number at a place from 0 (guesses or nearly so) to 1."""
        if self.guessing:
            return 1 - position
        return float(_LARGEST_EXPONENT ** (2 * position - 1))


def typical_agents(fits: Mapping[str, Fit]) -> dict[str, TypicalAgent]:
    """Agents with the medians of what was fitted to people.

    Parameters
    ----------
    fits
        By name of the model.
    """
    return {name: TypicalAgent(name, _medians(found)) for name, found in fits.items()}


def _medians(found: Fit) -> dict[str, float]:
    estimates = found.table[list(found.parameters)].dropna()
    if estimates.empty:
        raise UsageError(f"model '{found.model}' was fitted to no one.", where="typical_agents")
    attention = [name for name in found.parameters if name.startswith(ATTENTION)]
    if attention:
        estimates = estimates.drop(columns=attention).assign(attention=estimates[attention].sum(axis=1))
    return estimates.median().to_dict()
