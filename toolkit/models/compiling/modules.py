"""The module that is generated for a function: it as it was, with derivatives, and loops over sequences."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence

from toolkit.models.compiling.analysis import Analysis

OUTPUT = "p"
"""The argument that a compiled function fills."""

WHOLE_THETA = "theta"
"""The argument that stands for all parameters together."""

_TOP = '''"""Generated from a model's function by toolkit.models.compiling; not to be edited.

{about}
"""

import math

import numpy as np
from numba import njit as njit__

HELPER__ = {{"error_model": "numpy", "nogil": True, "boundscheck": {boundscheck}}}
CACHED__ = {{**HELPER__, "cache": {cache}}}
'''

_DRIVERS = """
@njit__(**CACHED__)
def fill_probabilities__({shared}, p__):
    for r__ in range(theta__.shape[0]):
        a__, b__ = first__[sequence__[r__]], first__[sequence__[r__] + 1]
        {name}({value_call})


@njit__(**CACHED__)
def fill_tangents__({shared}, p__, d__):
    for r__ in range(theta__.shape[0]):
        a__, b__ = first__[sequence__[r__]], first__[sequence__[r__] + 1]
        {name}__tangent({tangent_call}, d__[r__, : b__ - a__])


@njit__(**CACHED__)
def sum_log_likelihood__(
    {shared}, chosen__, smallest__, n_trials__, n_options__, total__, gradient__, information__
):
    scratch_p__ = np.empty((1, n_trials__, n_options__))
    scratch_d__ = np.empty((n_trials__, n_options__, {n_parameters}))
    for r__ in range(theta__.shape[0]):
        a__, b__ = first__[sequence__[r__]], first__[sequence__[r__] + 1]
        scratch_p__[:] = 0.0
        scratch_d__[:] = 0.0
        {name}__tangent({scratch_call}, scratch_d__[: b__ - a__])
        for t__ in range(b__ - a__):
            k__ = chosen__[a__ + t__]
            if k__ < 0:
                continue
            if information__.shape[0] > 0:
                for o__ in range(n_options__):
                    q__ = scratch_p__[0, t__, o__]
                    if q__ >= smallest__:
                        w__ = 1.0 / q__
                        for i__ in range({n_parameters}):
                            s__ = scratch_d__[t__, o__, i__] * w__
                            for j__ in range(i__ + 1):
                                information__[r__, i__, j__] += s__ * scratch_d__[t__, o__, j__]
            q__ = scratch_p__[0, t__, k__]
            if q__ < smallest__:
                total__[r__] += np.log(smallest__)
                continue
            total__[r__] += np.log(q__)
            for j__ in range({n_parameters}):
                gradient__[r__, j__] += scratch_d__[t__, k__, j__] / q__
"""


def write_module(
    analysis: Analysis,
    tangents: Sequence[str],
    parameters: Mapping[str, int],
    per_trial: Sequence[str],
    about: str,
    boundscheck: bool,
    cache: bool = True,
) -> str:
    """The text of the module.

    Parameters
    ----------
    analysis
        Of the function.
    tangents
        Functions with derivatives; the last one is that of the function itself, named ``…__tangent``.
    parameters
        Position in theta of every parameter, in order.
    per_trial
        Arguments that are arrays with one entry a trial.
    about
        What else the compiled code depends on.
    boundscheck
        Whether an index outside an array is an error.
    cache
        Whether numba keeps the machine code beside the file of the module.
    """
    library, name = analysis.library, analysis.name
    parts = [_TOP.format(about=about, boundscheck=boundscheck, cache=cache)]
    for function in library.functions:
        parts.append(_decorated(_plain(library.program.functions[function]), cached=function == name))
    parts += [_decorated(text, cached=text is tangents[-1]) for text in tangents]
    data = [one for one in analysis.arguments if one not in {*parameters, WHOLE_THETA, OUTPUT}]
    shared = ", ".join(["theta__", "sequence__", "first__", *data])

    def call(row: str) -> str:
        given = {one: f"theta__[r__, {position}]" for one, position in parameters.items()}
        given |= {WHOLE_THETA: "theta__[r__]", OUTPUT: f"{row}, : b__ - a__]"}
        given |= {one: f"{one}[a__:b__]" for one in per_trial}
        return ", ".join(given.get(argument, argument) for argument in analysis.arguments)

    parts.append(
        _DRIVERS.format(
            name=name,
            shared=shared,
            value_call=call("p__[r__"),
            tangent_call=call("p__[r__"),
            scratch_call=call("scratch_p__[0"),
            n_parameters=len(parameters),
        )
    )
    return "\n\n".join(part.strip("\n") for part in parts) + "\n"


def _decorated(text: str, *, cached: bool) -> str:
    # Helpers are a part of the cached code of whoever calls them. A cache file of their own would hold one
    # entry for each kind of arguments, and two processes that compile at once could mix these up.
    return f"@njit__(**{'CACHED__' if cached else 'HELPER__'})\n{text}"


def _plain(definition: ast.FunctionDef) -> str:
    """The function as it was written, without annotations, which nothing may execute."""
    arguments = [ast.arg(argument.arg) for argument in definition.args.args]
    plain = ast.FunctionDef(
        name=definition.name,
        args=ast.arguments(posonlyargs=[], args=arguments, kwonlyargs=[], kw_defaults=[], defaults=[]),
        body=[statement for statement in definition.body if not _is_text(statement)] or [ast.Pass()],
        decorator_list=[],
        type_params=[],
    )
    return ast.unparse(ast.fix_missing_locations(plain))


def _is_text(statement: ast.stmt) -> bool:
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    )
