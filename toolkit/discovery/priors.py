"""What a program says of how its parameters are spread over people: a few distributions, as text that is never executed."""

from __future__ import annotations

import ast
import math
from collections.abc import Sequence
from typing import Any

from toolkit.discovery.rejection import Rejected
from toolkit.errors import UsageError, did_you_mean
from toolkit.models.base import Parameter
from toolkit.syntax import parse_expression

FORMS = {
    "normal": ("mean", "spread"),
    "half_normal": ("spread",),
    "exponential": ("mean",),
    "gamma": ("shape", "scale"),
    "beta": ("a", "b"),
    "lognormal": ("median", "spread"),
}
"""Names of distributions and of their numbers; ``beta`` is stretched over the bounds."""

LEAST_WITHIN = 0.01
"""Share of a prior that has to lie within the bounds."""

_LONGEST = 100
_AT_LEAST_ONE = ("shape", "a", "b")
"""Below 1 a density is infinite at a bound, where nothing else would count."""


def written_forms() -> str:
    """What can be written, for people and models to read."""
    *some, last = (f"{name}({', '.join(numbers)})" for name, numbers in FORMS.items())
    return f"{', '.join(some)} or {last}"


def read_prior(text: str, lower: float, upper: float) -> Any:
    """The frozen distribution that a text like "normal(0, 1)" names; None, uniform within the bounds, for an empty one.

    Raises
    ------
    Rejected
        with what is wrong, and what can be written.
    """
    if not text.strip():
        return None
    family, numbers = _parts(text)
    prior = _distribution(family, numbers, lower, upper)
    below, up_to = prior.cdf([lower, upper])
    if not up_to - below >= LEAST_WITHIN:
        raise _refused(text, f"less than {LEAST_WITHIN:.0%} of it lies between {lower:g} and {upper:g}.")
    return prior


def _parts(text: str) -> tuple[str, tuple[float, ...]]:
    """The name of a distribution and its numbers."""
    try:
        node = parse_expression(text.strip()) if len(text) <= _LONGEST else None
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        node = None
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name)) or node.keywords:
        raise _refused(text[:_LONGEST], "it is no distribution with its numbers.")
    family, numbers = node.func.id, tuple(map(_number, node.args))
    if family not in FORMS:
        raise _refused(text, f"there is no distribution '{family}'.", did_you_mean(family, FORMS))
    if len(numbers) != len(FORMS[family]):
        raise _refused(text, f"{family} has {len(FORMS[family])} numbers: {', '.join(FORMS[family])}.")
    for name, number in zip(FORMS[family], numbers, strict=True):
        wanted = "a number"
        if name in _AT_LEAST_ONE:
            wanted, fits = "a number of at least 1", number >= 1
        elif (family, name) != ("normal", "mean"):
            wanted, fits = "a number above 0", number > 0
        else:
            fits = True
        if not (fits and math.isfinite(number)):
            raise _refused(text, f"its {name} has to be {wanted}.")
    return family, numbers


def _number(node: ast.expr) -> float:
    """A number that is written out, not-a-number for anything else."""
    sign = -1.0 if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub) else 1.0
    value = node.operand if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub) else node
    known = isinstance(value, ast.Constant) and type(value.value) in (int, float)
    return sign * float(value.value) if known and abs(value.value) < 1e300 else math.nan


def _distribution(family: str, numbers: tuple[float, ...], lower: float, upper: float) -> Any:
    from scipy import stats

    match family, numbers:
        case "normal", (mean, spread):
            return stats.norm(loc=mean, scale=spread)
        case "half_normal", (spread,):
            return stats.halfnorm(scale=spread)
        case "exponential", (mean,):
            return stats.expon(scale=mean)
        case "gamma", (shape, scale):
            return stats.gamma(a=shape, scale=scale)
        case "beta", (a, b):
            return stats.beta(a=a, b=b, loc=lower, scale=upper - lower)
        case _, (median, spread):
            return stats.lognorm(s=spread, scale=median)


def write_prior(parameter: Parameter) -> str:
    """The text that :func:`read_prior` makes the prior of a parameter of; "" where it has none."""
    if parameter.prior is None:
        return ""
    name, shapes, location, scale = _by_scipy(parameter.prior)
    forms = {
        "norm": ("normal", (location, scale)),
        "halfnorm": ("half_normal", (scale,)),
        "expon": ("exponential", (scale,)),
        "gamma": ("gamma", (*shapes, scale)),
        "beta": ("beta", shapes),
        "lognorm": ("lognormal", (scale, *shapes)),
    }
    if name not in forms:
        raise UsageError(f"the prior of '{parameter.name}' is {name}.", fix=f"Use {written_forms()}.")
    family, numbers = forms[name]
    return f"{family}({', '.join(map(_shortest, numbers))})"


def _by_scipy(prior: Any) -> tuple[str, tuple[float, ...], float, float]:
    """Name, shapes, location and scale of a frozen distribution."""
    shapes, location, scale = prior.dist._parse_args(*prior.args, **prior.kwds)
    return prior.dist.name, tuple(map(float, shapes)), float(location), float(scale)


def _shortest(number: float) -> str:
    short = f"{number:g}"
    return short if float(short) == number else repr(number)


def told_apart(parameters: Sequence[Parameter]) -> list[tuple[Any, ...]]:
    """What decides what is computed of parameters, to be hashed."""
    return [
        (one.name, one.lower, one.upper, one.values, *([_by_scipy(one.prior)] if one.prior else []))
        for one in parameters
    ]


def describe_parameter(parameter: Parameter) -> str:
    """A parameter in words: its bounds, its prior if it has one, and what it means."""
    prior = write_prior(parameter)
    spread = f", prior {prior}" if prior else ""
    said = f": {parameter.meaning}" if parameter.meaning else ""
    return f"{parameter.name} from {parameter.lower:g} to {parameter.upper:g}{spread}{said}"


def _refused(text: str, what: str, hint: str = "") -> Rejected:
    return Rejected(
        "contract", f"the prior '{text}': {what}", fix=f"{hint} Write {written_forms()}, or nothing.".strip()
    )
