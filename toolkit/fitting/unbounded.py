"""Parameters without bounds, as groups of people are described: log odds of the share of the bounds' width."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from toolkit.errors import UsageError
from toolkit.fitting.starts import bounds_of
from toolkit.models import Parameter

LIMIT = 15.0
"""Log odds beyond which a value is as good as at its bound."""


class Unbounded:
    """The map between parameters within their bounds, ``theta``, and numbers of any size, ``x``.

    Far from the upper bound it is a logarithm and around the middle of the bounds a straight line, so that an
    inverse temperature with a high upper bound varies by factors and the weight of a trace by differences.

    Parameters
    ----------
    parameters
        Those of a model; none may take only a few values.
    """

    def __init__(self, parameters: Sequence[Parameter]) -> None:
        for one in parameters:
            if one.values is not None:
                raise UsageError(
                    f"parameter '{one.name}' takes only a few values, which are not spread in a group as a "
                    "normal distribution is.",
                    fix="Fit the model for each of them, and compare these.",
                )
        self.parameters = tuple(parameters)
        self.lower, self.upper = bounds_of(parameters)

    def theta(self, x: np.ndarray) -> np.ndarray:
        """(…, parameters) within the bounds."""
        from scipy.special import expit

        return self.lower + (self.upper - self.lower) * expit(x)

    def x(self, theta: np.ndarray) -> np.ndarray:
        """(…, parameters) without bounds, at most ``LIMIT`` from 0."""
        from scipy.special import logit

        return logit((theta - self.lower) / (self.upper - self.lower)).clip(-LIMIT, LIMIT)

    def slope(self, x: np.ndarray) -> np.ndarray:
        """(…, parameters) derivatives of theta."""
        from scipy.special import expit

        return (self.upper - self.lower) * expit(x) * expit(-x)

    def centre(self) -> np.ndarray:
        """(parameters,) x of each prior's median; 0, the middle of the bounds, where there is no prior."""
        medians = [
            (one.lower + one.upper) / 2 if one.prior is None else one.prior.median()
            for one in self.parameters
        ]
        return self.x(np.array(medians, dtype=float).clip(self.lower, self.upper))
