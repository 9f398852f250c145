"""Everything that a candidate's text may name: builtins, functions of NumPy and math, methods."""

from __future__ import annotations


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


BUILTINS = _words(
    "abs all any bool dict divmod enumerate filter float frozenset int isinstance len list map max min next "
    "pow range reversed round set slice sorted str sum tuple zip"
)
EXCEPTIONS = _words(
    "ArithmeticError AssertionError Exception FloatingPointError IndexError KeyError OverflowError "
    "RuntimeError StopIteration TypeError ValueError ZeroDivisionError"
)
GIVEN = frozenset({"softmax"})
"""Functions of the toolkit that every candidate has."""

CONSTANTS = frozenset({"True", "False", "None"})

NUMPY = _words(
    "abs absolute add all allclose amax amin any append arange arccos arcsin arctan arctan2 argmax argmin "
    "argsort argwhere array array_equal asarray ascontiguousarray atleast_1d atleast_2d average bincount bool_ "
    "broadcast_to ceil clip column_stack concatenate copy cos cosh count_nonzero cov cumprod cumsum diag diff "
    "divide dot e empty empty_like equal exp exp2 expand_dims expm1 eye fabs finfo flatnonzero flip float32 "
    "float64 floor floor_divide full full_like greater greater_equal hstack identity inf inner int32 int64 "
    "interp intp isclose isfinite isin isinf isnan isscalar less less_equal linspace log log10 log1p log2 "
    "logaddexp logical_and logical_not logical_or logical_xor max maximum mean median meshgrid min minimum mod "
    "moveaxis multiply nan nan_to_num nanmax nanmean nanmin nansum ndim negative newaxis nonzero not_equal "
    "ones ones_like outer pi power prod ptp ravel reciprocal repeat reshape roll round searchsorted shape sign "
    "sin sinh size sort sqrt square squeeze stack std subtract sum swapaxes take tan tanh tensordot tile trace "
    "transpose tril triu true_divide unique var vdot vstack where zeros zeros_like"
)
LINEAR_ALGEBRA = _words("det eigh inv norm pinv solve")
MATH = _words(
    "acos asin atan atan2 ceil comb copysign cos cosh dist e erf erfc exp expm1 fabs factorial floor fmod "
    "fsum gamma gcd hypot inf isclose isfinite isinf isnan lgamma log log10 log1p log2 nan pi pow prod sin "
    "sinh sqrt tan tanh tau trunc"
)
ATTRIBUTES = _words(
    "T add all any append argmax argmin argsort astype clip copy count cumprod cumsum dot eps extend fill flat "
    "flatten get index insert item items keys max mean min ndim nonzero pop prod ravel repeat reshape round "
    "setdefault shape size sort squeeze std sum take tolist transpose update values var"
)
"""Of arrays, lists and dictionaries. None of them reads a file, formats text, or leads to the interpreter."""

ALIASES = {"np": "numpy", "math": "math"}
"""The modules that are there, under their names in a text."""
