"""The gate: ordinary models pass, everything that is not arithmetic is refused with what to write instead."""

from __future__ import annotations

import ast

import pytest

from toolkit.discovery.rejection import Rejected
from toolkit.discovery.sandbox import check_text
from toolkit.discovery.sandbox.gate import functions_of
from toolkit.tests.discovery.texts import ORDINARY


@pytest.mark.parametrize("name", ORDINARY)
def test_ordinary_models_pass(name: str) -> None:
    tree = check_text(ORDINARY[name])
    assert functions_of(tree)
    # What passes once passes again as it is written out for the worker.
    check_text(ast.unparse(tree))


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("import os", "nothing else can be imported"),
        ("from numpy import load", "nothing else can be imported"),
        ("open('x')", "`open`: this name is not known"),
        ("eval('1')", "`eval`: this name is not known"),
        ("getattr(np, 'load')", "`getattr`: this name is not known"),
        ("np.load('x')", "attribute 'load' is not allowed"),
        ("np.genfromtxt('x')", "attribute 'genfromtxt' is not allowed"),
        ("np.random.rand()", "attribute 'rand' is not allowed"),
        ("np.linalg.lapack_lite", "attribute 'lapack_lite' is not allowed"),
        ("x = np\n    x.load('y')", "attribute 'load' is not allowed"),
        ("np.zeros(1).tofile('x')", "attribute 'tofile' is not allowed"),
        ("np.zeros(1).ctypes", "attribute 'ctypes' is not allowed"),
        ("().__class__", "attribute '__class__' is not allowed"),
        ("'{0.__class__}'.format(1)", "attribute 'format' is not allowed"),
        ("f'{1:>9999999999}'", "text cannot be formatted"),
        ("__import__('os')", "`__import__`: this name is not known"),
        ("(lambda: 0).__globals__", "attribute '__globals__' is not allowed"),
        ("np.exp = 1", "attribute 'exp' is not allowed"),
        ("np = 1", "the name 'np' is taken"),
        ("minimize = 1\n    global minimize", "Global is not allowed"),
        ("_hidden = 1", "the name '_hidden' is taken"),
        ("a__b = 1", "the name 'a__b' is taken"),
        ("class A: pass", "ClassDef is not allowed"),
        ("with x: pass", "With is not allowed"),
        ("yield 1", "Yield is not allowed"),
        ("max(**{})", "arguments with stars"),
        ("x = b'1'", "bytes is not allowed"),
        ("x = " + "9" * 50, "this number is too long"),
        ("x = 0x" + "f" * 9000, "this number is too long"),
        ("x = -(0x" + "f" * 9000 + ").real", "attribute 'real' is not allowed"),
        ("x = y", "`y`: this name is not known"),
    ],
)
def test_what_is_refused_is_named(body: str, says: str) -> None:
    with pytest.raises(Rejected) as caught:
        check_text(f"def f(x=0):\n    {body}\n")
    assert caught.value.reason == "not allowed" and says in str(caught.value), caught.value
    assert caught.value.fix


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "defines no function"),
        ("def f(:", "line 1: this is not Python"),
        ("def f(): pass\nf()", "`f()`: only functions and numbers can be defined"),
        ("x = np.zeros(3)\ndef f(): pass", "only functions and numbers"),
        ("@staticmethod\ndef f(): pass", "decorators are not allowed"),
        ("def f(x=np.load('y')): pass", "defaults can only be constants"),
        ("def f(*x): pass", "arguments with stars"),
        ("async def f(): pass", "only functions and numbers"),
        ("def f(): return " + "+".join("1" * 300), "nested too deeply"),
        ("def f(): return " + "(" * 5000, "this is not Python"),
        ("def f(): return 1" + "#" * 30_000, "the text has"),
        ("def f():\n" + "".join("    " * i + f"for i{i} in range(9):\n" for i in range(1, 8)) + " " * 32 + "pass",
         "more than 5 loops"),
    ],
)  # fmt: skip
def test_whole_texts_that_are_refused(text: str, says: str) -> None:
    with pytest.raises(Rejected) as caught:
        check_text(text)
    assert caught.value.reason == "not allowed" and says in str(caught.value), caught.value


@pytest.mark.parametrize("value", ["not (SEEN := [])", "-sum([1])", "-(lambda: 1)()", "+[]", "not 1", "--1"])
def test_nothing_is_computed_outside_of_functions_and_so_nothing_is_remembered(value: str) -> None:
    with pytest.raises(Rejected, match="only functions and numbers"):
        check_text(f"X = {value}\ndef f():\n    return X")
    check_text("X = -0.5\nY = +1\nZ = 'text'\ndef f():\n    return X")


def test_arrays_begin_with_zeros_and_not_with_what_was_in_memory() -> None:
    text = "def f(x: np.empty):\n    y: int = np.empty_like(np.empty(3))\n    return y"
    assert ast.unparse(check_text(text)) == "def f(x):\n    y = np.zeros_like(np.zeros(3))\n    return y"


def test_annotations_are_left_out_since_they_would_run() -> None:
    text = "def f(x: np.load('y') = 1) -> np.load('y'):\n    y: np.load('z') = x\n    return y"
    assert ast.unparse(check_text(text)) == "def f(x=1):\n    y = x\n    return y"
