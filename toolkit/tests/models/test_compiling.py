"""Compiled functions give the values of the plain ones and exact derivatives; everything else is refused."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from toolkit.errors import UsageError
from toolkit.models.compiling import Compiled, Sequences, compile_sequence, storage
from toolkit.tests.models import compiled_functions as functions

TWO = ("a", "b")
EVERY = [
    functions.branches_and_loops,
    functions.aliasing,
    functions.powers_and_functions,
    functions.selections,
    functions.helpers,
    functions.kinds,
    functions.all_parameters,
]


def data_of(function: Callable, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Values of the parameters and (trials, 2) data."""
    rng = np.random.default_rng(seed)
    x = rng.random((7, 2))
    if function is functions.kinds:
        x[[2, 5], 1] = np.nan
    return rng.uniform(0.2, 1.2, 3 if function is functions.all_parameters else 2), x


def compiled(function: Callable) -> Compiled:
    parameters = ("a", "b", "c") if function is functions.all_parameters else TWO
    return compile_sequence(function, parameters, per_trial={"x": np.zeros((1, 2))})


def values(function: Callable, original: Callable, theta: np.ndarray, x: np.ndarray) -> np.ndarray:
    """(trials, 2) what ``function`` fills in, called as ``original`` wants to be."""
    p = np.zeros(x.shape)
    function(*((theta,) if original is functions.all_parameters else theta), x, p)
    return p


def differences(function: Callable, theta: np.ndarray, x: np.ndarray) -> np.ndarray:
    """(trials, 2, parameters) central differences of the plain function."""
    step = 1e-5
    return np.stack(
        [
            (values(function, function, theta + e, x) - values(function, function, theta - e, x)) / (2 * step)
            for e in np.eye(len(theta)) * step
        ],
        -1,
    )


def check(result: Compiled, function: Callable, seeds: range) -> None:
    for seed in seeds:
        theta, x = data_of(function, seed)
        expected = values(function, function, theta, x)
        np.testing.assert_allclose(values(result.value, function, theta, x), expected, rtol=1e-12, atol=1e-12)
        tangents = np.full((*x.shape, len(theta)), 99.0)
        arguments = (theta,) if function is functions.all_parameters else tuple(theta)
        p = np.zeros(x.shape)
        result.tangent(*arguments, x, p, tangents)
        np.testing.assert_allclose(p, expected, rtol=1e-12, atol=1e-12)
        np.testing.assert_allclose(tangents, differences(function, theta, x), rtol=1e-6, atol=1e-6)


@pytest.fixture
def plain(monkeypatch: pytest.MonkeyPatch) -> Callable[[Compiled], Compiled]:
    """Lets generated functions run as they are written, without waiting for machine code."""

    def undo_jit(result: Compiled) -> Compiled:
        module = result.module.load()
        for name, thing in list(vars(module).items()):
            if hasattr(thing, "py_func"):
                monkeypatch.setattr(module, name, thing.py_func)
        return result

    return undo_jit


@pytest.mark.parametrize("function", EVERY)
def test_generated_code_has_the_values_and_their_derivatives(function, plain) -> None:
    with np.errstate(divide="ignore", invalid="ignore"):
        check(plain(compiled(function)), function, range(8))


@pytest.mark.parametrize("function", [functions.helpers, functions.selections])
def test_machine_code_has_the_values_and_their_derivatives(function) -> None:
    with np.errstate(divide="ignore", invalid="ignore"):
        check(compiled(function), function, range(8))


@pytest.mark.slow
@pytest.mark.parametrize("function", sorted(set(EVERY) - {functions.helpers, functions.selections}, key=str))
def test_machine_code_of_every_construct(function) -> None:
    check(compiled(function), function, range(8))


def test_derivatives_are_those_of_torch() -> None:
    rng = np.random.default_rng(1)
    choice, outcome = rng.integers(0, 2, 40), rng.normal(size=40)
    result = compile_sequence(functions.delta_rule, TWO, per_trial={"choice": choice, "outcome": outcome})
    p, tangents = np.zeros((40, 2)), np.zeros((40, 2, 2))
    result.tangent(0.3, 2.5, choice, outcome, p, tangents)

    def with_torch(theta: torch.Tensor) -> torch.Tensor:
        v, rows = torch.zeros(2, dtype=torch.float64), []
        for k, reward in zip(choice, outcome, strict=True):
            first = torch.sigmoid(theta[1] * (v[0] - v[1]))
            rows.append(torch.stack([first, 1 - first]))
            v = v + torch.eye(2, dtype=torch.float64)[k] * theta[0] * (reward - v[k])
        return torch.stack(rows)

    theta = torch.tensor([0.3, 2.5], dtype=torch.float64)
    np.testing.assert_allclose(p, with_torch(theta), atol=1e-12)
    np.testing.assert_allclose(tangents, torch.autograd.functional.jacobian(with_torch, theta), atol=1e-10)


def test_information_is_that_of_the_probabilities_and_nothing_is_left_to_numba() -> None:
    rng = np.random.default_rng(2)
    choice, outcome = rng.integers(0, 2, 30), rng.normal(size=30)
    result = compile_sequence(functions.delta_rule, TWO, per_trial={"choice": choice, "outcome": outcome})
    scored = np.where(np.arange(30) % 7 == 0, -1, choice)
    data = Sequences(np.array([0, 18, 30]), {"choice": choice, "outcome": outcome}, scored, 2)
    given = (rng.uniform(0.2, 0.9, (4, 2)), np.array([0, 1, 1, 0]), data, {})
    total, gradient, information = result.expand(*given, smallest=1e-12)
    p, tangents = result.probabilities_and_tangents(*given)
    for row, sequence in enumerate(given[1]):
        first, last = data.first[sequence : sequence + 2]
        shown = scored[first:last] >= 0
        own_p, own = p[row, : last - first][shown], tangents[row, : last - first][shown]
        expected = np.einsum("tk,tki,tkj->ij", 1 / own_p, own, own)
        np.testing.assert_allclose(information[row], expected, rtol=1e-10)
    for ours, theirs in zip(
        (total, gradient), result.log_likelihood_and_gradient(*given, 1e-12), strict=True
    ):
        np.testing.assert_array_equal(ours, theirs)
    assert result.quick is not None and not result._left_to_numba


def test_only_parameters_that_matter_are_carried() -> None:
    """The temperature of a choice rule changes nothing that is learned, so no array has a place for it."""
    per_trial = {"choice": np.zeros(1, dtype=int), "outcome": np.zeros(1)}
    text = compile_sequence(functions.delta_rule, TWO, per_trial=per_trial).path.read_text()
    assert "v__d = np.zeros((2, 1))" in text


def test_a_root_of_nothing_has_no_derivative_but_is_a_number(plain) -> None:
    text = "def learn(a, x, p):\n    p[0, 0] = (a * x[0]) ** 0.5 + np.sqrt(a * x[0]) + x[0] ** a"
    result = plain(compile_sequence(text, ("a",), per_trial={"x": np.zeros(1)}))
    p, tangents = np.ones((1, 1)), np.ones((1, 1, 1))
    result.tangent(0.7, np.zeros(1), p, tangents)
    assert p[0, 0] == 0 and tangents[0, 0, 0] == 0


# -- what is refused ----------------------------------------------------------------------------


def refused(text: str) -> str:
    with pytest.raises(UsageError) as caught:
        compile_sequence(text, TWO, per_trial={"x": np.zeros((1, 2)), "category": np.zeros(1, dtype=int)})
    return str(caught.value)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("p[0, 0] = a * x[0]", "this is a whole array. Write a loop over its elements."),
        ("w = x + 1.0", "this is a whole array. Write a loop"),
        ("w = x[:, 0]", "Slice is not in the subset that can be compiled. Write a loop"),
        ("w = [a, b]", "List is not in the subset that can be compiled. Make an array with np.zeros"),
        ("p[0, 0] = np.sum(x)", "the function np.sum is not known. For sums and other work on arrays write"),
        ("p[0, 0] = np.nosuch(a)", "the function np.nosuch is not known."),
        ("p[0, 0] = open(a)", "the function open is not known."),
        ("print(a)", "the function print is not known. Call functions defined beside this one."),
        ("for value in x: pass", "a for loop goes over a range. Write `for i in range(len(x))`"),
        ("p[0, 0] = len(x.T)", "this attribute is not known. There are .shape and np.inf"),
        ("p[0, 0] = a.real", "this attribute is not known."),
        ("p[0, 0] = a // b", "// and % are for whole numbers from the data."),
        ("p[0, 0] = a or b", "and/or between numbers has no derivative. Use `if`"),
        ("p[0, 0] = c", "'c' is not known here. Assign it first."),
        ("x[0, 0] = a", "data and parameters cannot be changed. Fill an array of your own."),
        ("row = x[0]\n    row[0] = a", "data and parameters cannot be changed."),
        ("p = np.zeros((2, 2))", "an array that is given can only be filled. Assign its elements."),
        ("n = np.zeros(3, dtype=np.int64)\n    n[0] = a", "an array of whole numbers cannot hold this."),
        (
            "w = 1.0\n    w = np.zeros(2)",
            "'w' is one kind of thing here and another elsewhere. Use two names.",
        ),
        ("p[0] = a", "the array has 2 axes. Assign one element"),
        ("p[0, 0] = x[a, 0]", "an index must be a whole number. Write int(…) around it."),
        ("c = d = a", "several names are assigned at once. Write one assignment a line."),
        ("c, d = a, b", "only a shape can be unpacked."),
        ("return a", "this function fills p and returns nothing. Write `return`."),
        ("c: float = a", "AnnAssign is not in the subset that can be compiled. Leave the annotation out."),
        ("import os", "Import is not in the subset that can be compiled. Only np and math are there"),
        ("assert a > 0", "Assert is not in the subset"),
        ("try:\n        c = a\n    except ValueError:\n        pass", "Try is not in the subset"),
        ("c = lambda: a", "Lambda is not in the subset"),
        ("p[0, 0] = 'text'", "only numbers can be written out. Use codes instead of text."),
        ("c = a if x is None else b", "only sizes can be compared."),
        ("t__1 = a", "the name 't__1' is taken."),
        ("np = a", "the name 'np' is taken."),
        ("c = np", "this is a function or a module, not a value."),
        ("p[0, 0] = ().__class__", "this attribute is not known."),
        ("while a > 0:\n        pass\n    else:\n        pass", "a loop has no else here."),
        ("p[0, 0] = helper(a, b)", "helper takes 1 arguments. Give all of them in order"),
        ("p[0, 0] = endless(a)", "a function cannot call itself. Write a loop."),
        ("p[0, 0] = both(a, p)", "it returns a number and also fills an array. Make two functions"),
        ("spoil(x)", "data and parameters cannot be changed."),
    ],
)
def test_what_cannot_be_compiled_is_named_with_what_to_write_instead(line: str, says: str) -> None:
    text = f"""import numpy as np

def learn(a, b, x, category, p):
    {line}

def helper(z):
    return z

def endless(z):
    return endless(z)

def both(z, out):
    out[0, 0] = z
    return z

def spoil(w):
    w[0, 0] = 0.0
"""
    message = refused(text)
    assert says in message
    assert ", line " in message and "the text given" in message


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("import os\ndef learn(a, p): pass", "only functions can be defined."),
        ("from numpy import load\ndef learn(a, p): pass", "only functions can be defined."),
        ("print(1)\ndef learn(a, p): pass", "only functions can be defined."),
        ("def other(a, p): pass", "the text defines no function 'learn'."),
        ("def learn(a, p:", "this is not Python: "),
        ("def learn(a, p, c=print(1)): pass", "it may only have plain arguments"),
        ("@print\ndef learn(a, p): pass", "it may only have plain arguments"),
        ("def learn(a, *p): pass", "it may only have plain arguments"),
        ("def learn(a, ctgry, p): pass", "'ctgry' is neither a parameter nor an array"),
        ("def learn(a, b): pass", "it has no argument 'p'."),
    ],
)
def test_a_text_holds_functions_and_nothing_else(text: str, says: str, capsys) -> None:
    assert says in refused(text)
    assert not capsys.readouterr().out


def test_annotations_of_a_text_are_not_executed(capsys, plain) -> None:
    text = "def learn(a: print(1), p: 'array') -> print(2):\n    'Text.'\n    p[0, 0] = a"
    result = plain(compile_sequence(text, TWO, per_trial={}))
    p = np.zeros((1, 1))
    result.value(0.5, p)
    assert p[0, 0] == 0.5
    assert not capsys.readouterr().out


def test_a_refusal_names_the_line_of_the_file() -> None:
    def learn(a, b, x, p):
        p[0, 0] = a
        p[0, 1] = np.linalg.norm(x)

    line = learn.__code__.co_firstlineno + 2
    with pytest.raises(UsageError, match=rf"learn in test_compiling.py, line {line}: `np.linalg.norm\(x\)`"):
        compile_sequence(learn, TWO, per_trial={"x": np.zeros((1, 2))})


def run_once(text: str, *, boundscheck: bool = False) -> None:
    """Compile a text and let it go through one sequence of one trial."""
    x = np.zeros(1)
    result = compile_sequence(text, ("a",), per_trial={"x": x}, boundscheck=boundscheck)
    result.probabilities(
        np.zeros((1, 1)), np.zeros(1, dtype=int), Sequences(np.array([0, 1]), {"x": x}, x, 2), {}
    )


def test_what_numba_refuses_is_said_in_one_paragraph() -> None:
    with pytest.raises(UsageError, match="numba cannot compile it: ") as caught:
        run_once("def learn(a, x, p):\n    p[0, 0] = x[x[0]]")
    assert len(str(caught.value)) < 700


def test_indices_are_checked_on_request() -> None:
    with pytest.raises(UsageError, match="an index lies outside its array. Compare every index with"):
        run_once("def learn(a, x, p):\n    p[0, 9] = a", boundscheck=True)


def test_two_helpers_of_one_name_are_refused() -> None:
    def make(number: float):
        def helper(z):
            return z * number

        return helper

    one, other = make(1.0), make(2.0)

    def learn(a, p):
        p[0, 0] = one(a) + other(a)

    with pytest.raises(UsageError, match=r"`other\(a\)`: two different helpers are called helper"):
        compile_sequence(learn, TWO, per_trial={})


# -- where it is kept ---------------------------------------------------------------------------

SCRIPT = """
import numpy as np
from toolkit.models.compiling import compile_sequence
text = "def learn(a, p):\\n    p[0, 0] = a * a * {number}"
result = compile_sequence(text, ("a",), per_trial={{}})
p, tangents = np.zeros((1, 1)), np.zeros((1, 1, 1))
result.tangent(3.0, p, tangents)
assert tangents[0, 0, 0] == 6.0 * {number}
print(result.path, result.tangent.stats.cache_hits.total())
"""


def start(cache: Path, number: int = 1) -> subprocess.Popen:
    environment = {**os.environ, "TOOLKIT_CACHE": str(cache)}
    command = [sys.executable, "-c", SCRIPT.format(number=number)]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)


@pytest.mark.slow
def test_a_machine_compiles_once_even_if_two_begin_at_once(tmp_path) -> None:
    together = [start(tmp_path) for _ in range(2)]
    paths = {process.communicate()[0].split()[0] for process in together}
    assert [process.returncode for process in together] == [0, 0]
    assert len(paths) == 1
    written = Path(paths.pop()).stat().st_mtime_ns
    again = start(tmp_path)
    path, hits = again.communicate()[0].split()
    assert (again.returncode, int(hits)) == (0, 1)
    assert Path(path).stat().st_mtime_ns == written


def test_the_file_is_named_by_what_is_in_it_and_restored_when_changed(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("TOOLKIT_CACHE", str(tmp_path))
    one, other = (storage.store_module("test", f"VALUE = {value}") for value in (1, 2))
    assert (one.VALUE, other.VALUE) == (1, 2)
    assert one.__file__ != other.__file__
    Path(one.__file__).write_text("VALUE = 3")
    storage._load.cache_clear()
    again = storage.store_module("test", "VALUE = 1")
    assert (again.VALUE, again.__file__) == (1, one.__file__)


def test_a_cache_that_cannot_be_written_says_what_to_do(tmp_path, monkeypatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("TOOLKIT_CACHE", str(tmp_path / "file"))
    with pytest.raises(UsageError, match="Set TOOLKIT_CACHE to a folder that can be written"):
        storage.store_module("test", "VALUE = 'nowhere'")
