"""Fits of programs and of legacy functions in the sandbox, against a plain loop with scipy, person by person."""

from __future__ import annotations

import contextlib
import inspect
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import pandas as pd

from toolkit.bench._plain_discovery import NAMES, fit_person, hybrid
from toolkit.bench.core import Row
from toolkit.discovery import LegacyProgram, Limits, Sandbox, Task
from toolkit.discovery.baselines import get_baseline
from toolkit.discovery.search import Search, grammar_proposer, load_config
from toolkit.discovery.worker.data import Data
from toolkit.discovery.worker.evaluation import CompiledRows, Failures
from toolkit.fitting import Fit, fit
from toolkit.fitting.fitting import one_thread
from toolkit.fitting.starts import draw_starts
from toolkit.trials import SCHEMAS, Trials

if TYPE_CHECKING:
    from toolkit.discovery.program import ProgramModel
    from toolkit.discovery.sandboxed import SandboxedModel

PEOPLE, TRIALS, STARTS = 1_000, 200, 10
SOME, REFERENCE, SEARCHED = 100, 2, 11
"""People of the first two rows, how many of them the plain loop is timed on, and those of the search."""

TOLERANCE = 1e-3
"""Nats by which a search of ours may end below one of the plain loop."""

_RATIOS = {"a program of the contract": 500.0, "a legacy function": 50.0}
_ALLOWED_S = 60.0

Result = TypeVar("Result")


def rows(people: int = PEOPLE, some: int = SOME, n_starts: int = STARTS) -> list[Row]:
    """Programs and legacy functions on a part of the people, a program on all of them, and a whole search."""
    with Sandbox(limits=Limits(seconds=600, start_seconds=120)) as sandbox:
        design = _design(people)
        program = get_baseline("daw_hybrid", Task.of(design))
        model = program.model(sandbox)
        trials = model.simulate(_parameters(people), design, np.random.default_rng(1))
        part = trials.take(range(some))
        loop = _Loop(part, model, n_starts)
        legacy = LegacyProgram("legacy", inspect.getsource(hybrid), program.parameters, program.task)
        found = [
            _against_loop(what, ratio, one, part, loop)
            for (what, ratio), one in zip(_RATIOS.items(), (model, legacy.model(sandbox)), strict=True)
        ]
        return [*found, _everyone(model, trials, loop), _search(trials.take(range(SEARCHED)), loop)]


class _Loop:
    """What the plain loop needs and finds: timed on a few people, its searches made for all.

    For all but those few the same searches of scipy, with the same finite differences, run on a compiled
    likelihood, which is only here to know where the loop would end.
    """

    def __init__(self, part: Trials, model: ProgramModel, n_starts: int) -> None:
        self.n_starts = n_starts
        self.timed, seconds, cpu = _timed(lambda: _plain(part, model, n_starts))
        self.seconds, self.cpu = seconds / REFERENCE, cpu / REFERENCE
        self.ends = _ends_of_loop(part, model, n_starts)
        differ = [abs(value - end) for (_, value), end in zip(self.timed, self.ends, strict=False)]
        assert max(differ) < TOLERANCE, "the loop and its compiled stand-in ended apart"


def _against_loop(what: str, ratio: float, model: SandboxedModel, part: Trials, loop: _Loop) -> Row:
    """A fit of some people, and what the plain loop would take for them."""
    n = len(part)
    _, compiling_s, _ = _timed(lambda: _compile_everywhere(model, part))
    fitted, seconds, cpu = _timed(lambda: fit(model, part, n_starts=loop.n_starts, progress=False))
    short = loop.ends - fitted.table["log_likelihood"].to_numpy()
    return Row(
        what=f"{what}, {len(NAMES)} parameters: {n} people × {TRIALS} trials × {loop.n_starts} starts",
        ours_s=seconds,
        reference_s=loop.seconds * n,
        goal=f"ratio ≥ {ratio:g}",
        same_result=model.engine.why_interpreted == "" and _as_good(model, fitted, part, loop.timed),
        met=loop.seconds * n / seconds >= ratio and bool((short <= TOLERANCE).all()),
        note=f"the loop was timed on {REFERENCE}; processor seconds {cpu:.3g} and {loop.cpu * n:.4g}, "
        f"{loop.cpu * n / cpu:.0f} ×; started and compiled in every worker in {compiling_s:.3g} s; of all {n} people, "
        f"{(short > TOLERANCE).sum()} have a fit below the loop's, the worst by {max(short.max(), 0):.2g} nats",
    )


def _compile_everywhere(model: SandboxedModel, part: Trials) -> None:
    """Ask as much at the same time as there are workers, since each compiles what it is asked first."""
    cores = os.cpu_count() or 1
    with ThreadPoolExecutor(cores) as pool:
        list(pool.map(lambda _: model.totals(_parameters(len(part)), part), range(cores)))


def _everyone(model: ProgramModel, trials: Trials, loop: _Loop) -> Row:
    """A fit of very many people."""
    fitted, seconds, cpu = _timed(lambda: fit(model, trials, n_starts=loop.n_starts, progress=False))
    return Row(
        what=f"a program of the contract: {len(trials):,} people × {TRIALS} trials × {loop.n_starts} starts",
        ours_s=seconds,
        reference_s=loop.seconds * len(trials),
        goal=f"< {_ALLOWED_S:g} s",
        same_result=_as_good(model, fitted, trials, loop.timed),
        met=seconds < _ALLOWED_S,
        note=f"processor seconds {cpu:.3g}",
    )


def _search(trials: Trials, loop: _Loop) -> Row:
    """Rounds of a search by the grammar: thinking, compiling, probing and fitting, in empty caches."""
    rounds, candidates, people = 5, 3, len(trials)
    config = load_config("two_step").changed(
        **{"loop.rounds": rounds, "loop.candidates": candidates, "loop.islands": 1},
        **{"splits.prompt": "0:1", "splits.evaluation": f"0:{people - 1}", "splits.test": f"{people - 1}:"},
    )
    with tempfile.TemporaryDirectory() as folder, Sandbox() as sandbox, _empty_cache(folder):
        search = Search(config, grammar_proposer, Path(folder), trials=trials, sandbox=sandbox)
        tried, seconds, cpu = _timed(search.run)
    accepted = [one for one in tried if one.accepted]
    return Row(
        what=f"a {rounds} × {candidates} search in the two-step task, {people - 1} people × {TRIALS} trials",
        ours_s=seconds,
        reference_s=loop.seconds * len(tried) * (people - 1),
        goal=f"< {_ALLOWED_S:g} s",
        same_result=len(accepted) == len(tried) >= rounds * candidates,
        met=seconds < _ALLOWED_S,
        note=f"processor seconds {cpu:.3g}; {len(accepted)} of {len(tried)} programs could be fitted; workers are started "
        f"and baselines fitted in this time; the loop's is that of the hybrid model for each, {loop.n_starts} starts",
    )


@contextlib.contextmanager
def _empty_cache(folder: str) -> Iterator[None]:
    """No fits of earlier runs."""
    before = os.environ.get("TOOLKIT_CACHE")
    os.environ["TOOLKIT_CACHE"] = folder
    try:
        yield
    finally:
        os.environ.pop("TOOLKIT_CACHE")
        if before is not None:
            os.environ["TOOLKIT_CACHE"] = before


def _timed(work: Callable[[], Result]) -> tuple[Result, float, float]:
    """What it returns, its seconds, and the processor's, those of workers included."""
    started, used = time.perf_counter(), _processor_seconds()
    result = work()
    return result, time.perf_counter() - started, _processor_seconds() - used


def _processor_seconds() -> float:
    import psutil

    processes = [psutil.Process(os.getpid()), *psutil.Process(os.getpid()).children()]
    times = [one.cpu_times() for one in processes]
    return sum(one.user + one.system for one in times)


def _design(people: int) -> Trials:
    """Two-step tasks in which chances of rewards drift."""
    rng = np.random.default_rng(0)
    shape = (people, TRIALS)
    drift = rng.normal(0, 0.025, (*shape, 4)).cumsum(1) + rng.uniform(0.3, 0.7, (people, 1, 4))
    chances = {f"reward_p_s{k // 2}_{k % 2}": drift[..., k].clip(0.25, 0.75) for k in range(4)}
    codes = {name: np.zeros(shape, dtype=int) for name in ("choice", "state", "choice_2")}
    about = pd.DataFrame({"participant": np.arange(people), "problem": 0, "condition": "all"})
    codes["state"][:, ::2] = 1
    arrays = {**codes, "outcome": np.zeros(shape), **chances}
    return Trials(SCHEMAS["two_step"], arrays, np.ones(shape, dtype=bool), about, n_options=2)


def _parameters(people: int) -> np.ndarray:
    """(people, parameters) of a wide range of people."""
    lower, upper = np.array([[0.1, 0.1, 1, 1, 0, 0, 0], [0.9, 0.9, 6, 6, 1, 1, 1.0]])
    return lower + (upper - lower) * np.random.default_rng(2).random((people, len(NAMES)))


def _plain(part: Trials, model: SandboxedModel, n_starts: int) -> list[tuple[np.ndarray, float]]:
    starts = draw_starts(model.parameters, n_starts, seed=0)
    bounds = [(one.lower, one.upper) for one in model.parameters]
    columns = (part.choice, part.state, part.choice_2, part.outcome)
    with one_thread():
        return [fit_person(hybrid, [one[s] for one in columns], starts, bounds) for s in range(REFERENCE)]


def _ends_of_loop(part: Trials, model: ProgramModel, n_starts: int) -> np.ndarray:
    """(people,) log-likelihoods that scipy's searches end with."""
    written = model.engine.compiled.content
    names = ("text", "entry", "arguments", "n_parameters", "smallest", "by_numba")
    compiled = CompiledRows(**{name: written[name] for name in names})
    tape = model.tape(part)
    data, failures = Data.received(tape.arrays, tape.n_options), Failures()
    starts = draw_starts(model.parameters, n_starts, seed=0)
    bounds = [(one.lower, one.upper) for one in model.parameters]

    def of_person(person: int) -> Callable[[np.ndarray], float]:
        sequence = np.array([person])
        return lambda x: -float(compiled.log_likelihood(x[None], sequence, data, failures)[0])

    return np.array([fit_person(of_person(s), [], starts, bounds)[1] for s in range(len(part))])


def _as_good(
    model: SandboxedModel, fitted: Fit, trials: Trials, reference: list[tuple[np.ndarray, float]]
) -> bool:
    """Whether the likelihood is the same where the loop ended, and nobody's fit is worse."""
    ends = np.array([end for end, _ in reference])
    values = np.array([value for _, value in reference])
    same = model.totals(ends, trials.take(range(REFERENCE)))
    better = fitted.table["log_likelihood"].to_numpy()[:REFERENCE] >= values - TOLERANCE
    return bool(np.allclose(same, values, rtol=1e-8) and better.all())
