"""What models of reward learning have in common: parameters, their priors, and where values begin."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from toolkit.models.base import Parameter
from toolkit.models.sequential import fill_softmax
from toolkit.trials import Trials

INVERSE_TEMPERATURE = Parameter(
    "inverse_temperature", 0.0, 100.0, "how surely the option with the larger value is chosen"
)
TRACE_WEIGHT = Parameter(
    "trace_weight", -25.0, 25.0, "how much options chosen lately attract (below 0: repel), whatever they paid"
)
TRACE_RATE = Parameter(
    "trace_rate", 0.0, 1.0, "how fast the trace of earlier choices gives way to later ones"
)
LAPSE = Parameter("lapse", 0.0, 1.0, "share of choices made at random")


def with_priors(parameters: Sequence[Parameter]) -> tuple[Parameter, ...]:
    """The parameters with the priors that studies of two-armed bandits use.

    Gamma(1.2, scale 5) for the inverse temperature, a normal around 0 with a deviation of 5 for the weight of
    the trace, and Beta(1.1, 1.1) for rates and shares between 0 and 1; uniform within the bounds for others.
    """
    from scipy.stats import beta, gamma, norm

    named = {INVERSE_TEMPERATURE.name: gamma(1.2, scale=5), TRACE_WEIGHT.name: norm(0, 5)}
    of_shares = beta(1.1, 1.1)
    return tuple(
        replace(one, prior=of_shares if (one.lower, one.upper) == (0, 1) else named.get(one.name))
        for one in parameters
    )


def range_of_outcomes(trials: Trials) -> tuple[float, float]:
    """The smallest and the largest outcome that any option has or would have; 0 and 0 where none is known."""
    known = [trials.arrays[name] for name in ("payoff", "outcome") if name in trials.arrays]
    numbers = np.concatenate([array[~np.isnan(array)] for array in known])
    return (float(numbers.min()), float(numbers.max())) if len(numbers) else (0.0, 0.0)


def number_of_contexts(context):
    """Contexts of one sequence, numbered from 0; for use inside ``learn``."""
    largest = 0
    for t in range(len(context)):
        largest = max(largest, context[t])
    return largest + 1


def fill_choice(drive, lapse, p):
    """Fill ``p`` by softmax over ``drive``, (options,) each, with random lapses; for use inside ``learn``."""
    fill_softmax(drive, 1.0, p)
    for k in range(len(drive)):
        p[k] = (1.0 - lapse) * p[k] + lapse / len(drive)
