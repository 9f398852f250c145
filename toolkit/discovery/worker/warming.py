"""Lets the compilers import what they need while files can still be read."""

from __future__ import annotations

import contextlib
from types import ModuleType

import numpy as np

_SPECIMEN = """
import numpy as np
from numba import njit

@njit(error_model="numpy", nogil=True, boundscheck=True)
def helper(values, rate):
    for k in range(len(values)):
        values[k] *= np.exp(-rate) + np.log(1.0 + rate) + np.sqrt(rate) + np.tanh(rate) + rate ** 0.5
    return max(values[0], rate)

@njit(error_model="numpy", nogil=True, boundscheck=True)
def specimen(theta, codes, numbers, p):
    w = np.zeros((2, 3))
    flat, deep = np.zeros(2), np.zeros((2, 3, 4))
    whole, even = np.full(2, 1, dtype=np.int64), np.full((2, 3), 0.5)
    flat[0] += deep[0, 0, 0] + np.ones(2)[0] + np.full(2, 0.5)[0] + whole[0] + even[0, 0]
    cell = np.full(1, -1, dtype=np.int64)
    for t in range(len(codes)):
        cell[0] = codes[t]
        p[t, 0] = helper(w[cell[0]], theta[0]) + numbers[t]
        if np.isnan(p[t, 0]) or abs(p[t, 1]) > 1.0:
            p[t, 1] = 0.0
"""


_SMALL_SPECIMEN = """
def specimen(numbers):
    numbers[0] = np.exp(-numbers[0])
"""


def warm_translator() -> None:
    """The same with the toolkit's own compiler, which takes a moment; without it there is numba."""
    from toolkit.models.compiling import MachineModule, NotTranslated

    with contextlib.suppress(NotTranslated):
        MachineModule(_SMALL_SPECIMEN, "specimen").specimen(np.ones(1))


def warm_compiler() -> None:
    """Compile and run a specimen of what is generated for programs."""
    module = ModuleType("specimen")
    exec(compile(_SPECIMEN, "<specimen>", "exec"), module.__dict__)
    module.specimen(np.ones(1), np.zeros(2, dtype=np.int64), np.ones(2), np.zeros((2, 2)))
