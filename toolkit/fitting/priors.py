"""What is believed of parameters before any choice: log densities and their exact derivatives."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from toolkit.errors import UsageError
from toolkit.models import Parameter

Slope = Callable[..., np.ndarray]

_SLOPES: dict[str, Slope] = {
    "norm": lambda x: -x,
    "halfnorm": lambda x: -x,
    "uniform": np.zeros_like,
    "expon": lambda x: -np.ones_like(x),
    "beta": lambda x, a, b: _ratio(a - 1, x) - _ratio(b - 1, 1 - x),
    "gamma": lambda x, a: _ratio(a - 1, x) - 1,
    "lognorm": lambda x, s: -(1 + np.log(x) / s**2) / x,
}
"""Derivatives of log densities with location 0 and scale 1, by scipy's name and shape parameters."""


def _ratio(power: float, x: np.ndarray) -> np.ndarray:
    """Derivative of power × log x, also where x is 0 and power is."""
    return power / x if power else np.zeros_like(x)


class Prior:
    """Independent priors of a model's parameters, cut off at the bounds.

    A parameter without a prior is uniform within its bounds; one that takes a few values takes each of
    them with the same probability.

    Parameters
    ----------
    informed
        False takes every parameter as uniform, whatever its prior.
    """

    def __init__(self, parameters: Sequence[Parameter], *, informed: bool = True) -> None:
        self._constant = 0.0
        self._informed: list[tuple[int, Any]] = []
        for number, parameter in enumerate(parameters):
            if parameter.values is not None:
                self._constant -= np.log(len(parameter.values))
            elif informed and parameter.prior is not None:
                self._constant -= np.log(_mass_within_bounds(parameter))
                self._informed.append((number, parameter.prior))
            else:
                self._constant -= np.log(parameter.upper - parameter.lower)

    def evaluate(self, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Log densities (…,) of ``theta`` (…, parameters) and their gradients (…, parameters)."""
        total, gradient = np.full(theta.shape[:-1], self._constant), np.zeros(theta.shape)
        with np.errstate(divide="ignore", invalid="ignore"):
            for number, prior in self._informed:
                total += prior.logpdf(theta[..., number])
                shapes, location, scale = prior.dist._parse_args(*prior.args, **prior.kwds)
                standard = (theta[..., number] - location) / scale
                gradient[..., number] = _SLOPES[prior.dist.name](standard, *shapes) / scale
        return total, gradient


def _mass_within_bounds(parameter: Parameter) -> float:
    """Probability of the bounds by the parameter's prior, once that is known to be usable."""
    name = getattr(getattr(parameter.prior, "dist", None), "name", type(parameter.prior).__name__)
    if name not in _SLOPES:
        raise UsageError(
            f"the prior of '{parameter.name}' is {name}.",
            where="Parameter.prior",
            fix=f"Use a frozen distribution of scipy.stats: {', '.join(_SLOPES)}.",
        )
    below, up_to = parameter.prior.cdf([parameter.lower, parameter.upper])
    if not up_to > below:
        raise UsageError(
            f"the prior of '{parameter.name}' has nothing between {parameter.lower} and {parameter.upper}.",
            where="Parameter.prior",
        )
    return float(up_to - below)
