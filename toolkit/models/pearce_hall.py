"""Pearce–Hall learner: outcomes teach more where they have been surprising of late."""

from __future__ import annotations

from typing import Any, Self

import numpy as np

from toolkit.models.base import Parameter
from toolkit.models.reward_learning import (
    INVERSE_TEMPERATURE,
    number_of_contexts,
    range_of_outcomes,
    with_priors,
)
from toolkit.models.sequential import SequentialModel, fill_softmax
from toolkit.trials import Trials


class PearceHall(SequentialModel):
    """A delta rule whose rate is the option's associability (Pearce & Hall, 1980; Li et al., 2011).

    An outcome moves the value of its option by ``learning_rate`` × associability × error, and after that the
    associability by ``associability_rate`` towards the error's size as a share of the outcomes' range. Every
    option of a context begins with an associability of 1. As in all models of values, only outcomes that were
    shown teach, and softmax chooses.

    Parameters
    ----------
    initial_value
        Where values begin; made for trials, the middle between the smallest and the largest outcome.
    span
        Largest minus smallest outcome.
    """

    name = "pearce_hall"
    schemas = ("bandit",)
    guided = True
    parameters = (
        INVERSE_TEMPERATURE,
        Parameter("learning_rate", 0.0, 1.0, "how far values move towards outcomes"),
        Parameter("associability_rate", 0.0, 1.0, "how fast associability follows the size of errors"),
    )

    def __init__(self, *, initial_value: float = 0.0, span: float = 2.0) -> None:
        self.initial_value, self.span = float(initial_value), float(span)
        self.parameters = with_priors(type(self).parameters)

    @classmethod
    def for_trials(cls, trials: Trials, **options: Any) -> Self:
        low, high = range_of_outcomes(trials)
        return cls(**{"initial_value": (low + high) / 2, "span": high - low or 1.0, **options})

    @staticmethod
    def learn(
        inverse_temperature,
        learning_rate,
        associability_rate,
        initial_value,
        span,
        context,
        outcome,
        p,
    ):
        n_contexts = number_of_contexts(context)
        n_options = p.shape[1]
        value = np.full((n_contexts, n_options), initial_value)
        associability = np.ones((n_contexts, n_options))
        for t in range(len(context)):
            here = context[t]
            fill_softmax(value[here], inverse_temperature, p[t])
            for k in range(n_options):
                if not np.isnan(outcome[t, k]):
                    error = outcome[t, k] - value[here, k]
                    value[here, k] += learning_rate * associability[here, k] * error
                    size = min(1.0, abs(error) / span)
                    associability[here, k] += associability_rate * (size - associability[here, k])
