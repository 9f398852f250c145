"""What is believed of parameters before any choice: log densities and their exact derivatives."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from toolkit.errors import UsageError
from toolkit.models import Parameter

Function = Callable[..., np.ndarray]


@dataclass(frozen=True)
class _Family:
    """Log densities, but for a constant, with location 0 and scale 1; their slopes, and their curvature where they are concave."""

    density: Function
    slope: Function
    bend: Function


def _none(x: np.ndarray, *shapes: float) -> np.ndarray:
    return np.zeros_like(x)


_FAMILIES: dict[str, _Family] = {
    "norm": _Family(lambda x: -(x**2) / 2, lambda x: -x, np.ones_like),
    "halfnorm": _Family(lambda x: -(x**2) / 2, lambda x: -x, np.ones_like),
    "uniform": _Family(_none, _none, _none),
    "expon": _Family(lambda x: -x, lambda x: -np.ones_like(x), _none),
    "beta": _Family(
        lambda x, a, b: _log(a - 1, x) + _log(b - 1, 1 - x),
        lambda x, a, b: _ratio(a - 1, x) - _ratio(b - 1, 1 - x),
        lambda x, a, b: _ratio(max(a - 1, 0), x**2) + _ratio(max(b - 1, 0), (1 - x) ** 2),
    ),
    "gamma": _Family(
        lambda x, a: _log(a - 1, x) - x,
        lambda x, a: _ratio(a - 1, x) - 1,
        lambda x, a: _ratio(max(a - 1, 0), x**2),
    ),
    "lognorm": _Family(
        lambda x, s: -np.log(x) - np.log(x) ** 2 / (2 * s**2),
        lambda x, s: -(1 + np.log(x) / s**2) / x,
        _none,
    ),
}
"""By scipy's name, with its shape parameters."""


def _log(power: float, x: np.ndarray) -> np.ndarray:
    """Power × log x, also where x is 0 and power is."""
    return power * np.log(x) if power else np.zeros_like(x)


def _ratio(power: float, x: np.ndarray) -> np.ndarray:
    """Derivative of power × log x, also where x is 0 and power is."""
    return power / x if power else np.zeros_like(x)


class _One:
    """The prior of one parameter, with what scipy needs long for worked out beforehand."""

    def __init__(self, number: int, prior: Any) -> None:
        self.number, self.family = number, _FAMILIES[prior.dist.name]
        self.shapes, self.location, self.scale = prior.dist._parse_args(*prior.args, **prior.kwds)
        self.support = prior.support()
        middle = prior.median()
        self.constant = float(prior.logpdf(middle) - self._apply(self.family.density, middle))

    def _apply(self, function: Function, values: np.ndarray) -> np.ndarray:
        return function((values - self.location) / self.scale, *self.shapes)

    def density(self, values: np.ndarray) -> np.ndarray:
        lowest, highest = self.support
        inside = (values >= lowest) & (values <= highest)
        return np.where(inside, self.constant + self._apply(self.family.density, values), -np.inf)

    def slope(self, values: np.ndarray) -> np.ndarray:
        return self._apply(self.family.slope, values) / self.scale

    def bend(self, values: np.ndarray) -> np.ndarray:
        return self._apply(self.family.bend, values) / self.scale**2


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
        self._informed: list[_One] = []
        for number, parameter in enumerate(parameters):
            if parameter.values is not None:
                self._constant -= np.log(len(parameter.values))
            elif informed and parameter.prior is not None:
                self._constant -= np.log(_mass_within_bounds(parameter))
                self._informed.append(_One(number, parameter.prior))
            else:
                self._constant -= np.log(parameter.upper - parameter.lower)

    def evaluate(self, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Log densities (…,) of ``theta`` (…, parameters) and their gradients (…, parameters)."""
        total, gradient = np.full(theta.shape[:-1], self._constant), np.zeros(theta.shape)
        with np.errstate(divide="ignore", invalid="ignore"):
            for one in self._informed:
                values = theta[..., one.number]
                total += one.density(values)
                gradient[..., one.number] = one.slope(values)
        return total, gradient

    def curvature(self, theta: np.ndarray) -> np.ndarray:
        """How much the log densities bend down along each parameter, at least 0: (…, parameters)."""
        bend = np.zeros(theta.shape)
        with np.errstate(divide="ignore", invalid="ignore"):
            for one in self._informed:
                bend[..., one.number] = one.bend(theta[..., one.number])
        return bend


def _mass_within_bounds(parameter: Parameter) -> float:
    """Probability of the bounds by the parameter's prior, once that is known to be usable."""
    name = getattr(getattr(parameter.prior, "dist", None), "name", type(parameter.prior).__name__)
    if name not in _FAMILIES:
        raise UsageError(
            f"the prior of '{parameter.name}' is {name}.",
            where="Parameter.prior",
            fix=f"Use a frozen distribution of scipy.stats: {', '.join(_FAMILIES)}.",
        )
    below, up_to = parameter.prior.cdf([parameter.lower, parameter.upper])
    if not up_to > below:
        raise UsageError(
            f"the prior of '{parameter.name}' has nothing between {parameter.lower} and {parameter.upper}.",
            where="Parameter.prior",
        )
    return float(up_to - below)
