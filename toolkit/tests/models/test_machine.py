"""The toolkit's own compiler computes what Python computes, and refuses what it does not know."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from toolkit.models.compiling import MachineModule, NotTranslated
from toolkit.tests.models.test_compiling import EVERY, check, compiled


def machine(text: str, *, boundscheck: bool = False) -> MachineModule:
    head = f'SETTINGS = {{"boundscheck": {boundscheck}}}\n'
    return MachineModule(head + text, "text")


def both(text: str, *given: object) -> tuple[np.ndarray, np.ndarray]:
    """What ``f`` fills its argument ``out``, (8,), with: by Python, and by machine code."""
    namespace: dict[str, object] = {"np": np, "math": math}
    exec(text, namespace)
    by_python, by_machine = np.zeros(8), np.zeros(8)
    with np.errstate(all="ignore"):
        namespace["f"](*given, by_python)
    machine(text).f(*given, by_machine)
    return by_python, by_machine


@pytest.mark.parametrize("function", EVERY)
def test_every_construct_has_its_value_and_derivatives(function) -> None:
    result = compiled(function)
    check(replace(result, module=MachineModule(result.path.read_text(), "text")), function, range(8))


WHOLE_NUMBERS = """
def f(a, b, out):
    out[0] = a // b
    out[1] = a % b
    out[2] = a ** 3 - b * a + (a > b) + True
    out[3] = a / b
    out[4] = abs(a) + int(a / b) + max(a, b, -1) - min(a, 2)
    n = 0
    for k in range(a, b, -2):
        n += k
    for k in range(5):
        if k == 3:
            continue
        n = n * 2 + k
    out[5] = n
    out[-2] = k
    x = a
    x = x + 0.5
    out[7] = x
"""


@pytest.mark.parametrize("a, b", [(7, 3), (-7, 3), (7, -3), (-7, -3), (6, 3), (-6, 3), (0, 5)])
def test_whole_numbers_are_those_of_python(a: int, b: int) -> None:
    by_python, by_machine = both(WHOLE_NUMBERS, a, b)
    np.testing.assert_array_equal(by_machine, by_python)


NUMBERS = """
def g(x, y):
    if x > y and not (y == 0.0 or x != x):
        return x - y, 1.0
    return y, x

def f(x, y, out):
    out[0] = np.maximum(x, y) - np.minimum(x, y)
    out[1] = max(x, y) + min(x, y)
    out[2] = x ** y + (x if x > y else y)
    out[3] = np.isnan(x) + 2 * np.isinf(y) + 4 * np.isfinite(x)
    out[4] = np.log1p(x) + np.expm1(y) + math.tanh(x) - np.sqrt(y)
    first, second = g(x, y)
    out[5] = first + 10.0 * second
    out[6] = 0 < x < y <= 3.0
    out[7] = x / (y + 3.0) + np.exp(-np.abs(x)) - (-x)
"""


@pytest.mark.parametrize(
    "x, y", [(0.5, 2.0), (2.0, 0.5), (np.nan, 1.0), (1.0, np.nan), (np.inf, 1.0), (0.0, 0.0), (-0.5, np.inf)]
)
def test_numbers_are_those_of_numpy(x: float, y: float) -> None:
    by_python, by_machine = both(NUMBERS, x, y)
    np.testing.assert_allclose(by_machine, by_python, rtol=1e-14)


def test_division_by_nothing_is_that_of_numpy() -> None:
    out = np.zeros(3)
    machine("def f(x, n, out):\n    out[0] = x / n\n    out[1] = 0 / n\n    out[2] = 5 // n + 5 % n").f(
        1.0, 0, out
    )
    np.testing.assert_array_equal(out, [np.inf, np.nan, 0.0])


def test_arrays_are_parts_of_one_another_or_their_own() -> None:
    by_python, by_machine = both(
        """
def fill(row, value):
    for i in range(len(row)):
        row[i] += value * (i + 1)

def f(data, out):
    kept = np.zeros((3, 2))
    same = kept
    row = kept[1]
    for t in range(data.shape[0]):
        now = np.full(2, data[t, 0])
        if t == 1:
            before = now
        fill(now, 1.0)
        fill(same[t % 3], now[1])
    row[0] -= 100.0
    n, m = data.shape
    out[0] = kept[1, 0] + kept[0][1] + kept[-1, -1]
    out[1] = before[0] + 10.0 * n + m
    cut = data[1:3]
    out[2] = cut[0, 0] + len(cut)
    large = np.ones((n, 50))
    out[3] = large[n - 1, 49] + large.shape[1]
""",
        np.arange(12.0).reshape(6, 2),
    )
    np.testing.assert_array_equal(by_machine, by_python)


def test_an_index_outside_and_too_much_memory_are_errors_and_not_more() -> None:
    outside = machine("def f(x, k, out):\n    out[0] = x[k]", boundscheck=True)
    out = np.zeros(1)
    outside.f(np.arange(3.0), -1, out)
    assert out[0] == 2.0
    for k in (3, -4, 2**40):
        with pytest.raises(IndexError):
            outside.f(np.arange(3.0), k, out)
    late = "def g(x):\n    return x[5]\n\ndef f(x, out):\n    out[0] = g(x)"
    with pytest.raises(IndexError):
        machine(late, boundscheck=True).f(np.zeros(5), out)
    never = "def f(x, out):\n    if x[0] > 0:\n        w = np.ones(3)\n    out[0] = w[0]"
    with pytest.raises(IndexError):
        machine(never, boundscheck=True).f(np.zeros(5), out)
    greedy = machine("def f(n, out):\n    w = np.zeros(n)\n    out[0] = len(w)")
    square = machine(
        "def f(n, out):\n    w = np.zeros((n, n, 8))\n    w[n - 1, 5, 5] = 1.0\n    out[0] = len(w)"
    )
    for n in (2**40, -1, -(2**40)):
        with pytest.raises(MemoryError):
            greedy.f(n, out)
    with pytest.raises(MemoryError):
        square.f(2**32, out)  # As many elements as 64 bits count from 0 on.
    greedy.f(10**6, out)
    assert out[0] == 10**6


@pytest.mark.parametrize(
    "line",
    [
        "out[0] = np.sum(x)",
        "out[0] = x.mean()",
        "out[:] = x[0] + np.dot(x, x)",
        "out[0] = [1, 2][0]",
        "out[x[0]] = 1.0",
        "out[0] = 7.5 // 2",
        "out[0] = unknown + 1",
        "y = x\n    y = 1.0",
        "w = np.full(2, 1)",
        "out[0] = 2 ** int(x[0])",
        "out[0] = x",
    ],
)
def test_what_it_does_not_know_is_left_to_numba(line: str) -> None:
    with pytest.raises(NotTranslated):
        machine(f"def f(x, out):\n    {line}").f(np.ones(3), np.zeros(1))
    with pytest.raises(NotTranslated):
        machine("def f(x, out):\n    out[0] = 1.0").f(np.ones((3, 2)).T, np.zeros(1))


@pytest.mark.parametrize(
    ("lines", "given", "error"),
    [
        ("out[0] = a // b", (7, 0), ZeroDivisionError),
        ("out[0] = a % b", (7, 0), ZeroDivisionError),
        ("a %= b\n    out[0] = a", (7, 0), ZeroDivisionError),
        ("out[0] = 1.0 / b", (7, 0), ZeroDivisionError),
        ("out[0] = int(a / b)", (7.0, 0.0), (ValueError, OverflowError)),
        ("out[0] = int(b / b)", (7.0, 0.0), (ValueError, OverflowError)),
        ("out[0] = int(a)", (1e300, 0.0), OverflowError),
    ],
)
def test_where_indices_are_checked_what_has_no_whole_number_is_an_error(lines, given, error) -> None:
    text = f"def f(a, b, out):\n    {lines}\n"
    with pytest.raises(error):
        machine(text, boundscheck=True).f(*given, np.zeros(8))
    machine(text).f(*given, np.zeros(8))
    machine(text, boundscheck=True).f(7, 2, np.zeros(8))


def test_comparisons_and_decisions_end_at_the_first_that_decides() -> None:
    text = "def f(a, out):\n    out[0] = 1 < a < out[9]\n    out[1] = a > 1 and out[9] > 0\n"
    machine(text, boundscheck=True).f(1, np.zeros(8))
    with pytest.raises(IndexError):
        machine(text, boundscheck=True).f(2, np.zeros(8))


@pytest.mark.parametrize("value", ["a or 2", "a and 2", "3 or 0", "(a > 1) or 2", "not (a or 2) or 2.5"])
def test_and_or_between_numbers_is_left_to_numba(value: str) -> None:
    with pytest.raises(NotTranslated, match="and/or between numbers"):
        machine(f"def f(a, out):\n    out[0] = {value}\n").f(3, np.zeros(8))
    by_python, by_machine = both(f"def f(a, out):\n    if {value}:\n        out[0] = 1\n", 3)
    np.testing.assert_array_equal(by_machine, by_python)
