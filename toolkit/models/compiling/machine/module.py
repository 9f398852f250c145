"""A generated module as machine code: each function is translated when it is first called."""

from __future__ import annotations

import ast
import ctypes
import threading
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from toolkit.models.compiling.machine.functions import Function
from toolkit.models.compiling.machine.values import NUMBER, TRUTH, WHOLE, Kind, NotTranslated, kind_of
from toolkit.syntax import parse_module

_ROOM = 2**28
"""Bytes that are set aside for arrays; the system gives only those that are touched."""

_TYPES: dict[str, Any] = {WHOLE: ctypes.c_int64, NUMBER: ctypes.c_double, TRUTH: ctypes.c_bool}
_ERRORS = {
    1: (IndexError, "an index lies outside its array."),
    2: (MemoryError, "its arrays take too much memory."),
    3: (ZeroDivisionError, "a whole number is divided by 0."),
    4: (OverflowError, "int() of a number that is infinite, too large, or none."),
}
"""What the exits of functions stand for; the last two are only checked together with indices."""

_DECLARATIONS = """
declare double @exp(double) #0
declare double @expm1(double) #0
declare double @log(double) #0
declare double @log1p(double) #0
declare double @tanh(double) #0
declare double @pow(double, double) #0
declare double @llvm.fabs.f64(double)
declare double @llvm.sqrt.f64(double)
attributes #0 = { nounwind willreturn memory(none) }

define internal i64 @floor_divide(i64 %a, i64 %b) alwaysinline {
  %zero = icmp eq i64 %b, 0
  %by = select i1 %zero, i64 1, i64 %b
  %q = sdiv i64 %a, %by
  %r = srem i64 %a, %by
  %rest = icmp ne i64 %r, 0
  %x = xor i64 %r, %by
  %apart = icmp slt i64 %x, 0
  %down = and i1 %rest, %apart
  %less = zext i1 %down to i64
  %found = sub i64 %q, %less
  %result = select i1 %zero, i64 0, i64 %found
  ret i64 %result
}

define internal i64 @remainder(i64 %a, i64 %b) alwaysinline {
  %zero = icmp eq i64 %b, 0
  %by = select i1 %zero, i64 1, i64 %b
  %r = srem i64 %a, %by
  %rest = icmp ne i64 %r, 0
  %x = xor i64 %r, %by
  %apart = icmp slt i64 %x, 0
  %up = and i1 %rest, %apart
  %more = select i1 %up, i64 %by, i64 0
  %found = add i64 %r, %more
  %result = select i1 %zero, i64 0, i64 %found
  ret i64 %result
}
"""


class Translation:
    """One function and all that it calls, for arguments of certain kinds."""

    def __init__(
        self, definitions: dict[str, ast.FunctionDef], name: str, kinds: list[Kind], *, checks_bounds: bool
    ) -> None:
        self.definitions, self.checks_bounds = definitions, checks_bounds
        self.entry = "entry"
        self._functions: dict[tuple[str, tuple[Kind, ...]], Function] = {}
        entry = Function(self, definitions[name], kinds, self.entry)
        texts = [one.text for one in (*self._functions.values(), entry)]
        self.text = "\n\n".join([_DECLARATIONS, *texts])

    def function(self, name: str, kinds: list[Kind]) -> Function:
        """A function for such arguments, translated once."""
        key = (name, tuple(kinds))
        if key not in self._functions:
            number = len(self._functions)
            self._functions[key] = Function(self, self.definitions[name], kinds, f"{name}.{number}")
        return self._functions[key]


class MachineModule:
    """The functions of a module, by name, as attributes that can be called.

    Arguments are arrays of float64, int64 or bool without gaps, and numbers.

    Raises
    ------
    NotTranslated
        by a call, where something is left to numba.
    """

    def __init__(self, text: str, file: str) -> None:
        self.__file__ = file
        self._tree = parse_module(text)
        self._definitions = {one.name: one for one in self._tree.body if isinstance(one, ast.FunctionDef)}
        self._checks_bounds = '"boundscheck": True' in text
        self._translated: dict[tuple[Any, ...], _MachineFunction] = {}
        self._lock = threading.Lock()

    def __getattr__(self, name: str) -> Callable[..., None]:
        if name not in self._definitions:
            raise AttributeError(name)
        return lambda *given: self._call(name, given)

    def _call(self, name: str, given: tuple[Any, ...]) -> None:
        key = (name, *map(_form, given))
        if key not in self._translated:
            with self._lock:
                kinds = [kind_of(one) for one in given]
                written = Translation(self._definitions, name, kinds, checks_bounds=self._checks_bounds)
                self._translated[key] = _MachineFunction(written.text, written.entry, kinds)
        self._translated[key](given)


def _form(given: Any) -> tuple[Any, ...]:
    """What decides about the kind of an argument, found out quickly."""
    if isinstance(given, np.ndarray):
        return given.dtype.char, given.ndim, given.flags.c_contiguous
    return (type(given),)


class _MachineFunction:
    """Machine code that takes arrays and numbers."""

    def __init__(self, text: str, entry: str, kinds: list[Kind]) -> None:
        self._engine = _compile(text)
        types: list[Any] = [ctypes.c_void_p]
        for kind in kinds:
            known = _TYPES[kind] if isinstance(kind, str) else None
            types += [known] if known else [ctypes.c_void_p, *[ctypes.c_int64] * kind.n_axes]
        self._run = ctypes.CFUNCTYPE(ctypes.c_int32, *types)(self._engine.get_function_address(entry))

    def __call__(self, given: tuple[Any, ...]) -> None:
        arguments: list[Any] = []
        for one in given:
            if isinstance(one, np.ndarray):
                arguments += [one.__array_interface__["data"][0], *one.shape]
            else:
                arguments.append(one)
        status = self._run(_room().ctypes.data, *arguments)
        if status in _ERRORS:
            error, what = _ERRORS[status]
            raise error(what)


_own = threading.local()


def _room() -> np.ndarray:
    """Where this thread's code makes arrays: where the next one begins, and where none can any more."""
    if not hasattr(_own, "bounds"):
        _own.numbers = np.empty(_ROOM // 8)
        begin = _own.numbers.ctypes.data
        _own.bounds = np.array([-(-begin // 16) * 16, begin + _ROOM], dtype=np.int64)
        _own.begin = _own.bounds[0]
    _own.bounds[0] = _own.begin
    return _own.bounds


def _compile(text: str) -> Any:
    target = _target()
    from llvmlite import binding

    module = binding.parse_assembly(text)
    module.verify()
    options = binding.create_pipeline_tuning_options(speed_level=2)
    options.slp_vectorization = True
    machine = target.create_target_machine(
        cpu=binding.get_host_cpu_name(), features=binding.get_host_cpu_features().flatten(), opt=2
    )
    passes = binding.create_pass_builder(machine, options)
    passes.getModulePassManager().run(module, passes)
    engine = binding.create_mcjit_compiler(module, machine)  # To which both belong from here on.
    engine.finalize_object()
    return engine


@cache
def _target() -> Any:
    """This machine, as LLVM knows it."""
    try:
        from llvmlite import binding
    except ImportError as error:
        raise NotTranslated("there is no LLVM") from error
    if not hasattr(binding, "create_pass_builder"):
        raise NotTranslated("an older LLVM")
    binding.initialize_native_target()
    binding.initialize_native_asmprinter()
    return binding.Target.from_default_triple()
