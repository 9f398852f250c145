"""Fits of programs and of legacy functions in the sandbox, against a plain loop with scipy, person by person."""

from __future__ import annotations

import inspect
import os
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import pandas as pd

from toolkit.bench._plain_discovery import NAMES, fit_person, hybrid
from toolkit.bench.core import Row
from toolkit.discovery import LegacyProgram, Limits, Sandbox, Task
from toolkit.discovery.baselines import get_baseline
from toolkit.fitting import Fit, fit
from toolkit.fitting.starts import draw_starts
from toolkit.trials import SCHEMAS, Trials

if TYPE_CHECKING:
    from toolkit.discovery.sandboxed import SandboxedModel

PEOPLE, TRIALS, STARTS = 1_000, 200, 10
SOME, REFERENCE = 50, 1
"""People of the first two rows, and how many of them the plain loop is timed on."""

TOLERANCE = 1e-3
"""Nats by which a search of ours may end below one of the plain loop."""

_RATIOS = {"a program of the contract": 500.0, "a legacy function": 50.0}
_ALLOWED_S = 60.0

Result = TypeVar("Result")


def rows(people: int = PEOPLE, some: int = SOME, n_starts: int = STARTS) -> list[Row]:
    """Programs and legacy functions on a part of the people, and a program on all of them."""
    with Sandbox(limits=Limits(seconds=600, start_seconds=120)) as sandbox:
        design = _design(people)
        program = get_baseline("daw_hybrid", Task.of(design))
        model = program.model(sandbox)
        trials = model.simulate(_parameters(people), design, np.random.default_rng(1))
        legacy = LegacyProgram("legacy", inspect.getsource(hybrid), program.parameters, program.task)
        part = trials.take(range(some))
        reference, plain_s, plain_cpu = _timed(lambda: _plain(part, model, n_starts))
        found = []
        for (what, ratio), one in zip(_RATIOS.items(), (model, legacy.model(sandbox)), strict=True):
            _, compiling_s, _ = _timed(lambda one=one: one.totals(_parameters(some), part))
            fitted, seconds, cpu = _timed(lambda one=one: fit(one, part, n_starts=n_starts, progress=False))
            scale = some / REFERENCE
            found.append(
                Row(
                    what=f"{what}, {len(NAMES)} parameters: {some} people × {TRIALS} trials × {n_starts} starts",
                    ours_s=seconds,
                    reference_s=plain_s * scale,
                    goal=f"ratio ≥ {ratio:g}",
                    same_result=one.engine.why_interpreted == "" and _as_good(one, fitted, part, reference),
                    met=plain_s * scale / seconds >= ratio,
                    note=f"the loop was timed on {REFERENCE}; processor seconds {cpu:.3g} and {plain_cpu * scale:.4g}; "
                    f"started and compiled once in {compiling_s:.3g} s",
                )
            )
        fitted, seconds, cpu = _timed(lambda: fit(model, trials, n_starts=n_starts, progress=False))
        found.append(
            Row(
                what=f"a program of the contract: {people:,} people × {TRIALS} trials × {n_starts} starts",
                ours_s=seconds,
                reference_s=plain_s * people / REFERENCE,
                goal=f"< {_ALLOWED_S:g} s",
                same_result=_as_good(model, fitted, trials, reference),
                met=seconds < _ALLOWED_S,
                note=f"processor seconds {cpu:.3g}",
            )
        )
    return found


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
    return [fit_person(hybrid, [one[s] for one in columns], starts, bounds) for s in range(REFERENCE)]


def _as_good(
    model: SandboxedModel, fitted: Fit, trials: Trials, reference: list[tuple[np.ndarray, float]]
) -> bool:
    """Whether the likelihood is the same where the loop ended, and nobody's fit is worse."""
    ends = np.array([end for end, _ in reference])
    values = np.array([value for _, value in reference])
    same = model.totals(ends, trials.take(range(REFERENCE)))
    better = fitted.table["log_likelihood"].to_numpy()[:REFERENCE] >= values - TOLERANCE
    return bool(np.allclose(same, values, rtol=1e-8) and better.all())
