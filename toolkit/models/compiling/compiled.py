"""``compile_sequence``: from a plain function over one sequence to machine code with exact derivatives."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from toolkit.errors import UsageError
from toolkit.models.compiling.machine import MachineModule, NotTranslated
from toolkit.models.compiling.storage import StoredModule, store_module
from toolkit.models.compiling.written import write_sequence


@dataclass(frozen=True)
class Sequences:
    """Trials of many sequences, one behind the other.

    Attributes
    ----------
    first
        (sequences + 1,) where each sequence begins; the last entry is the number of all trials.
    arrays
        Arrays by name, each (all trials, …).
    chosen
        (all trials,) the option whose probability is counted, -1 where none is.
    n_options
        Number of options to choose from.
    """

    first: np.ndarray
    arrays: Mapping[str, np.ndarray]
    chosen: np.ndarray
    n_options: int

    @property
    def n_trials(self) -> int:
        """Length of the longest sequence."""
        return int(np.diff(self.first).max(initial=0))


@dataclass(frozen=True)
class Compiled:
    """A compiled function and its loops over rows of theta.

    Attributes
    ----------
    module
        Where the functions are.
    quick
        The same functions by the toolkit's own compiler, which is quicker and does not know everything.
    value
        The function as it was written, compiled.
    tangent
        The same with one more argument behind: derivatives of ``p``, (trials, options, parameters).
    path
        The generated source.
    """

    module: ModuleType | StoredModule | MachineModule
    name: str
    arguments: tuple[str, ...]
    n_parameters: int
    quick: MachineModule | None = None
    _left_to_numba: set[str] = field(default_factory=set, compare=False)

    @property
    def value(self) -> Callable:
        return getattr(self.module, self.name)

    @property
    def tangent(self) -> Callable:
        return getattr(self.module, f"{self.name}__tangent")

    @property
    def path(self) -> Path:
        return Path(self.module.__file__)

    def probabilities(
        self,
        theta: np.ndarray,
        sequence: np.ndarray,
        data: Sequences,
        constants: Mapping[str, Any],
        n_threads: int = 1,
    ) -> np.ndarray:
        """Probabilities of every row: (rows, trials, options), 0 behind the end of a sequence.

        Parameters
        ----------
        theta
            (rows, parameters).
        sequence
            (rows,) which sequence each row is for.
        constants
            Values of the arguments that are neither parameters nor trials.
        n_threads
            How many parts of the rows are computed at once.
        """
        p = np.zeros((len(theta), data.n_trials, data.n_options))
        self._run("fill_probabilities__", theta, sequence, data, constants, (), (p,), n_threads)
        return p

    def probabilities_and_tangents(
        self,
        theta: np.ndarray,
        sequence: np.ndarray,
        data: Sequences,
        constants: Mapping[str, Any],
        n_threads: int = 1,
    ) -> tuple[np.ndarray, np.ndarray]:
        """The same, and its derivatives: (rows, trials, options, parameters)."""
        p = np.zeros((len(theta), data.n_trials, data.n_options))
        tangents = np.zeros((*p.shape, self.n_parameters))
        self._run("fill_tangents__", theta, sequence, data, constants, (), (p, tangents), n_threads)
        return p, tangents

    def log_likelihood_and_gradient(self, *given: Any, **options: Any) -> tuple[np.ndarray, np.ndarray]:
        """The first two of what :meth:`expand` returns, which need less time alone."""
        total, gradient, _ = self.expand(*given, **options, informed=False)
        return total, gradient

    def expand(
        self,
        theta: np.ndarray,
        sequence: np.ndarray,
        data: Sequences,
        constants: Mapping[str, Any],
        smallest: float,
        n_threads: int = 1,
        *,
        informed: bool = True,
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Summed log-probability of the choices, (rows,), its gradient, (rows, parameters), and their Fisher information.

        The information is (rows, parameters, parameters), without any rows unless ``informed``. Probabilities below
        ``smallest`` count as ``smallest`` and have no gradient.
        """
        n_rows, n = len(theta), self.n_parameters
        outputs = np.zeros(n_rows), np.zeros((n_rows, n)), np.zeros((n_rows * informed, n, n))
        settings = (data.chosen, smallest, data.n_trials, data.n_options)
        self._run("sum_log_likelihood__", theta, sequence, data, constants, settings, outputs, n_threads)
        total, gradient, lower = outputs
        return total, gradient, lower + np.tril(lower, -1).transpose(0, 2, 1)

    def _run(
        self,
        driver: str,
        theta: np.ndarray,
        sequence: np.ndarray,
        data: Sequences,
        constants: Mapping[str, Any],
        settings: Sequence[Any],
        outputs: Sequence[np.ndarray],
        n_threads: int,
    ) -> None:
        given = {**data.arrays, **constants}
        arguments = [given[name] for name in self.arguments if name in given]
        theta = np.ascontiguousarray(theta, dtype=np.float64)

        def run(rows: slice) -> None:
            parts = (output[rows] for output in outputs)
            self._call(driver, theta[rows], sequence[rows], data.first, *arguments, *settings, *parts)

        try:
            if n_threads == 1:
                run(slice(None))
                return
            edges = np.linspace(0, len(theta), n_threads + 1).astype(int)
            with ThreadPoolExecutor(n_threads) as pool:
                list(pool.map(run, map(slice, edges[:-1], edges[1:])))
        except (IndexError, ArithmeticError) as error:
            outside = isinstance(error, IndexError)
            raise UsageError(
                "an index lies outside its array." if outside else str(error),
                where=f"{self.name} in {self.path}",
                fix="Compare every index with the array's shape." if outside else "Guard it with an if.",
            ) from error
        except Exception as error:
            if not type(error).__module__.startswith("numba."):  # Which need not be there at all.
                raise
            raise UsageError(
                f"numba cannot compile it: {_in_short(error)}", where=f"{self.name} in {self.path}"
            ) from error

    def _call(self, driver: str, *given: Any) -> None:
        if self.quick is not None and driver not in self._left_to_numba:
            try:
                return getattr(self.quick, driver)(*given)
            except NotTranslated:
                self._left_to_numba.add(driver)
        return getattr(self.module, driver)(*given)


def _in_short(error: Exception) -> str:
    """What numba says, without the passes it was in."""
    lines = [line.strip() for line in str(error).splitlines()]
    kept = " ".join(line for line in lines if line and not line.startswith("Failed in"))
    return kept if len(kept) <= 300 else kept[:300] + "…"


def compile_sequence(
    function: Callable | str,
    parameters: Sequence[str],
    *,
    per_trial: Mapping[str, np.ndarray],
    constants: Mapping[str, Any] | None = None,
    entry: str = "learn",
    boundscheck: bool = False,
) -> Compiled:
    """Compile a function over one sequence, once as it is and once with derivatives.

    Parameters
    ----------
    function
        A plain function of the subset, or a text that defines it (which is never executed). It fills its
        argument ``p``, (trials, options).
    parameters
        Names of all parameters in the order of theta. An argument of such a name is that number;
        the argument ``theta`` is all of them.
    per_trial
        The arrays that arguments of these names are, of any number of trials; only their type matters.
    constants
        Values of all other arguments: whole numbers, numbers or arrays; only their type matters.
    entry
        Name of the function in a text.
    boundscheck
        Let an index outside an array be an error, at some cost in speed. The toolkit's own compiler then checks as well
        that no whole number is divided by 0, which otherwise is 0, and that ``int`` is given one that it can hold.

    Notes
    -----
    The subset: assignments to names and to elements of arrays, also augmented; for over range, while, if,
    elif, else, break, continue and return; + - * / **, // and % of whole numbers, comparisons, and, or, not,
    ``a if test else b``; min, max, abs, exp, log, log1p, expm1, sqrt, tanh, isnan, int, float, len and
    ``.shape``; arrays from np.zeros, np.ones, np.full and np.empty, of numbers or of ``dtype=np.int64``; a
    row of an array (``w[i]``) under a name or as an argument; other functions of the subset that return one
    number or fill an array. Where a root or a power is taken of exactly 0, its derivative counts as 0.
    """
    written = write_sequence(
        function, parameters, per_trial=per_trial, constants=constants, entry=entry, boundscheck=boundscheck
    )
    file = Path(written.file)
    name = file.stem if file.suffix == ".py" and file.stem.isidentifier() else written.entry
    module = store_module(name, written.text)
    quick = MachineModule(written.text, module.__file__)
    return Compiled(module, written.entry, written.arguments, len(parameters), quick)
