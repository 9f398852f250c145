"""Kalman filter: values with an uncertainty, which decides how much an outcome teaches."""

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


class Kalman(SequentialModel):
    """Takes each option's mean outcome as a number that drifts, and outcomes as noisy readings of it.

    Variances are counted in units of the variance that is believed in before the first outcome, which drops out:
    with a belief of variance v an outcome moves the value by v / (v + ``noise``) of the error and leaves
    v × ``noise`` / (v + ``noise``); every visit to a context adds ``drift`` to its options' variances. Without
    drift the learning rate falls as 1 / (n + noise), with drift it ends at a constant above 0.

    Parameters
    ----------
    initial_value
        Where values begin; made for trials, the middle between the smallest and the largest outcome.
    """

    name = "kalman"
    schemas = ("bandit",)
    guided = True
    parameters = (
        INVERSE_TEMPERATURE,
        Parameter("noise", 0.01, 20.0, "how little a single outcome says"),
        Parameter("drift", 0.0, 1.0, "how much the options are believed to change from visit to visit"),
    )

    def __init__(self, *, initial_value: float = 0.0) -> None:
        self.initial_value = float(initial_value)
        self.parameters = with_priors(type(self).parameters)

    @classmethod
    def for_trials(cls, trials: Trials, **options: Any) -> Self:
        return cls(**{"initial_value": sum(range_of_outcomes(trials)) / 2, **options})

    @staticmethod
    def learn(inverse_temperature, noise, drift, initial_value, context, outcome, p):
        n_contexts = number_of_contexts(context)
        n_options = p.shape[1]
        value = np.full((n_contexts, n_options), initial_value)
        variance = np.ones((n_contexts, n_options))
        for t in range(len(context)):
            here = context[t]
            fill_softmax(value[here], inverse_temperature, p[t])
            for k in range(n_options):
                if not np.isnan(outcome[t, k]):
                    gain = variance[here, k] / (variance[here, k] + noise)
                    value[here, k] += gain * (outcome[t, k] - value[here, k])
                    variance[here, k] *= 1.0 - gain
                variance[here, k] += drift
