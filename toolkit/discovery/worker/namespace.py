"""The names that a candidate's text finds when it is executed, and the execution."""

from __future__ import annotations

import builtins
import math
from types import SimpleNamespace
from typing import Any

import numpy as np

from toolkit.discovery.sandbox.vocabulary import BUILTINS, EXCEPTIONS, LINEAR_ALGEBRA, MATH, NUMPY
from toolkit.discovery.worker.faults import CANDIDATE

_WITHOUT_OVERFLOW = ("exp", "expm1", "log1p", "sqrt", "sinh", "cosh", "tanh")
"""Functions of math that raise an error where NumPy, and compiled code, give infinity or not-a-number."""


def softmax(values: Any, steepness: float = 1.0) -> np.ndarray:
    """Probabilities in proportion to exp(``steepness`` × ``values``)."""
    scaled = steepness * np.asarray(values, dtype=float)
    powers = np.exp(scaled - scaled.max())
    return powers / powers.sum()


def load(text: str) -> dict[str, Any]:
    """Execute the definitions of a text that has passed the gate; returns what it defines."""
    namespace: dict[str, Any] = {"__builtins__": _BUILTINS, "np": _NUMPY, "math": _MATH, "softmax": softmax}
    before = set(namespace)
    exec(compile(text, CANDIDATE, "exec"), namespace)
    return {name: value for name, value in namespace.items() if name not in before}


def _log(x: float, base: float | None = None) -> float:
    return np.log(x) if base is None else np.log(x) / np.log(base)


def _import(name: str, *given: Any) -> Any:
    """For NumPy's own use: some of its methods look for a part of it when they are called."""
    if name.partition(".")[0] != "numpy":
        raise ImportError(f"'{name}' cannot be imported.")
    return builtins.__import__(name, *given)


_BUILTINS = {name: getattr(builtins, name) for name in BUILTINS | EXCEPTIONS} | {"__import__": _import}
_NUMPY = SimpleNamespace(
    **{name: getattr(np, name) for name in NUMPY if hasattr(np, name)},
    linalg=SimpleNamespace(**{name: getattr(np.linalg, name) for name in LINEAR_ALGEBRA}),
)
_MATH = SimpleNamespace(
    **{
        **{name: getattr(math, name) for name in MATH},
        **{name: getattr(np, name) for name in _WITHOUT_OVERFLOW},
        "log": _log,
    }
)
