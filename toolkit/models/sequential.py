"""Models that go through trials in order: one plain function over a sequence, compiled with its derivatives."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, ClassVar

import numpy as np
import torch

from toolkit.errors import UsageError, did_you_mean
from toolkit.models.base import TrialTensors
from toolkit.models.by_rows import CompiledModel, join_sequences
from toolkit.models.compiling import Compiled, Sequences, compile_sequence
from toolkit.models.compiling.modules import OUTPUT, WHOLE_THETA
from toolkit.trials import get_schema

HIDDEN = ("answer", "payoff")
"""Arrays that no learner sees."""


class SequentialModel(CompiledModel):
    """A model whose ``learn`` fills in the probabilities of one sequence, trial by trial.

    ``learn`` is a static method. What it is given follows from the names of its arguments: a parameter's
    name is that parameter, ``theta`` all of them; a trial array's name (stimulus, category, choice, …) is
    that array of one sequence, without padding; ``p`` is what it fills, (trials, options); any other name
    is an attribute of the model, a number or an array. It may use numbers and arrays, loops, conditions and
    the functions that ``toolkit.models.compiling`` knows; anything else is refused with what to write
    instead. Without an argument ``choice`` the model does not depend on the person's choices.
    """

    learn: ClassVar[Callable[..., None]]

    def __init_subclass__(cls, **keywords: Any) -> None:
        super().__init_subclass__(**keywords)
        if "learn" in vars(cls):
            cls.reads_choices = "choice" in _arguments(cls)

    def probabilities(self, theta: torch.Tensor, data: TrialTensors) -> torch.Tensor:
        rows = theta.reshape(-1, theta.shape[-1]).to("cpu", torch.float64)
        p = _Probabilities.apply(rows, self, data)
        return p.reshape(*theta.shape[:-1], *p.shape[1:]).to(theta)

    def _compiled_for(self, data: TrialTensors) -> tuple[Compiled, Sequences, dict[str, Any]]:
        fields = self._fields(data.schema)
        sequences = data.remember(("sequences", *fields), lambda: _read(data, fields))
        constants = self._constants(fields)
        compiled = _compile(
            type(self).learn,
            tuple(parameter.name for parameter in self.parameters),
            _kinds(sequences.arrays),
            _kinds(constants),
        )
        return compiled, sequences, constants

    def _fields(self, schema: str) -> list[str]:
        """Arguments of ``learn`` that are arrays of the trials."""
        names = [field.name for field in get_schema(schema).fields if field.name not in HIDDEN]
        return [name for name in _arguments(type(self)) if name in names]

    def _constants(self, fields: list[str]) -> dict[str, Any]:
        parameters = [parameter.name for parameter in self.parameters]
        known = {*parameters, *fields, WHOLE_THETA, OUTPUT}
        return {name: self._constant(name, known) for name in _arguments(type(self)) if name not in known}

    def _constant(self, name: str, known: set[str]) -> Any:
        if name in HIDDEN:
            raise UsageError(
                f"model '{self.name}' asks for '{name}', which no learner sees.",
                where="learn",
                fix="A learner is told the category or the outcome of earlier trials.",
            )
        value = getattr(self, name, None)
        if isinstance(value, bool | int | float):
            return value
        if isinstance(value, np.ndarray) and value.dtype.kind in "bif":
            return np.ascontiguousarray(value, dtype=float if value.dtype.kind == "f" else np.int64)
        raise UsageError(
            f"the argument '{name}' of model '{self.name}' is neither a parameter nor an array of the trials, "
            "nor a number or an array that the model has as an attribute.",
            where="learn",
            fix=did_you_mean(name, known),
        )


def fill_softmax(values, steepness, p):
    """Fill ``p`` in proportion to exp(``steepness`` × ``values``), (options,) each; for use inside ``learn``."""
    largest = values[0]
    for k in range(1, len(values)):
        largest = max(largest, values[k])
    total = 0.0
    for k in range(len(values)):
        p[k] = np.exp(steepness * (values[k] - largest))
        total += p[k]
    for k in range(len(values)):
        p[k] /= total


class _Probabilities(torch.autograd.Function):
    """Compiled probabilities of rows of theta (starts × sequences, parameters) as an operation of torch."""

    @staticmethod
    def forward(ctx: Any, rows: torch.Tensor, model: SequentialModel, data: TrialTensors) -> torch.Tensor:
        compiled, sequences, constants = model._compiled_for(data)
        theta = rows.detach().numpy()
        given = (theta, _sequence_of(theta, sequences), sequences, constants, model.n_threads)
        if not ctx.needs_input_grad[0]:
            return torch.from_numpy(_padded(compiled.probabilities(*given), data))
        p, tangents = compiled.probabilities_and_tangents(*given)
        ctx.save_for_backward(torch.from_numpy(tangents))
        return torch.from_numpy(_padded(p, data))

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor, None, None]:
        (tangents,) = ctx.saved_tensors
        return torch.einsum("rtk,rtkq->rq", gradient[:, : tangents.shape[1]], tangents), None, None


Kinds = tuple[tuple[str, str, int], ...]
"""Name, type and number of axes of some arrays."""


def _kinds(arrays: Mapping[str, Any]) -> Kinds:
    return tuple((name, np.asarray(array).dtype.str, np.ndim(array)) for name, array in arrays.items())


@cache
def _compile(
    learn: Callable[..., None], parameters: tuple[str, ...], per_trial: Kinds, constants: Kinds
) -> Compiled:
    """What all models with this function and arguments of these kinds share."""
    return compile_sequence(learn, parameters, per_trial=_examples(per_trial), constants=_examples(constants))


def _examples(kinds: Kinds) -> dict[str, np.ndarray]:
    return {name: np.empty((0,) * n_axes, dtype) for name, dtype, n_axes in kinds}


def _arguments(model: type[SequentialModel]) -> Mapping[str, inspect.Parameter]:
    return _signature(model.learn).parameters


_signature = cache(inspect.signature)


def _sequence_of(rows: np.ndarray, sequences: Sequences) -> np.ndarray:
    """(rows,) the sequence of each row, the sequences repeated in order for every start."""
    return np.arange(len(rows)) % (len(sequences.first) - 1)


def _padded(p: np.ndarray, data: TrialTensors) -> np.ndarray:
    return np.pad(p, ((0, 0), (0, data.mask.shape[1] - p.shape[1]), (0, 0)))


def _read(data: TrialTensors, fields: list[str]) -> Sequences:
    return join_sequences(data, {name: _array(data, name) for name in fields})


def _array(data: TrialTensors, name: str) -> torch.Tensor:
    if hasattr(data, name):
        return getattr(data, name)
    if get_schema(data.schema).field(name).kind == "flag":
        return torch.zeros_like(data.mask)  # A flag that was not recorded was nowhere set.
    raise UsageError(f"these {data.schema} trials have no '{name}'.", fix="Add it, or use another model.")
