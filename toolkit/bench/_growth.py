"""Seconds and memory of fits of more and more simulated people."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

import numpy as np

from toolkit.bench.core import Row
from toolkit.fitting import fit
from toolkit.progress import track
from toolkit.trials import Trials

Result = TypeVar("Result")

NOISE = 0.2
"""How much more than is allowed a busy machine may make of a cost."""
ALLOWED_MEMORY = 600
"""Megabytes that a fit may need beside the trials, however many people there are."""
_SAME_LIKELIHOOD = 1e-4


@dataclass(frozen=True)
class Cost:
    """What a fit of some people took.

    Attributes
    ----------
    seconds
        Of processors, on which other work of the machine has less influence than on those of the wall.
    memory
        Megabytes that the fit needed at most.
    before
        Megabytes in use before it, trials included.
    log_likelihood
        (people,) of at most the first ten.
    """

    n_people: int
    seconds: float
    memory: float
    before: float
    log_likelihood: np.ndarray


def growth_rows(everyone: Trials, numbers: Sequence[int], model: str, **search: Any) -> list[Row]:
    """A row for all but the smallest of some numbers of people, beside the number before.

    Parameters
    ----------
    everyone
        As many people as the largest number.
    search
        As for :func:`toolkit.fitting.fit`.
    """
    with TemporaryDirectory() as folder:
        file = Path(folder) / "people.safetensors"
        everyone.save(file)
        work = partial(in_new_process, file, model, **search)
        costs = [work(number) for number in track(numbers, "simulated people")]
    about = f"{model}, {search['n_starts']} starts, {everyone.n_trials} trials"
    return [growth_row(few, many, about) for few, many in pairwise(costs)]


def growth_row(few: Cost, many: Cost, about: str) -> Row:
    """Seconds of many people beside those of few, times as many."""
    times = many.n_people / few.n_people
    exponent = math.log(many.seconds / few.seconds, times)
    same = np.allclose(many.log_likelihood[: few.n_people], few.log_likelihood, atol=_SAME_LIKELIHOOD)
    return Row(
        what=f"{about}, {many.n_people:,} simulated people, beside {times:g} × {few.n_people:,}",
        ours_s=many.seconds,
        reference_s=times * few.seconds,
        goal=f"at most × {times:g}, {NOISE:.0%} for noise, and ≤ {ALLOWED_MEMORY} MB",
        same_result=bool(same),
        met=many.seconds <= times * few.seconds * (1 + NOISE) and many.memory <= ALLOWED_MEMORY,
        note=(
            f"seconds of processors; they grow as people to the power {exponent:.2f}, "
            f"{1000 * many.seconds / many.n_people:.2f} ms a person; the fit needs at most {many.memory:.0f} MB, of "
            f"{few.n_people:,} people {few.memory:.0f} MB (in use before it {many.before:.0f} and {few.before:.0f} MB); "
            "compared: likelihoods of the first ten"
        ),
    )


def measure(file: Path, model: str, n_people: int, **search: Any) -> Cost:
    """Fit the first people of a file.

    They do not search from each other's optima, so that everyone's fit is the same in any company.
    """
    everyone = Trials.load(file)
    # Imports and compiling come before the clock starts.
    fit(model, everyone.take(range(2)), **search | {"n_starts": 1}, progress=False)
    trials, before = everyone.take(range(n_people)), _peak_memory()
    started = time.process_time()
    found = fit(model, trials, **search, exchange_rounds=0, progress=False)
    seconds = time.process_time() - started
    first = found.table["log_likelihood"].to_numpy()[:10]
    return Cost(n_people, seconds, _peak_memory() - before, before, first)


def timed(work: Callable[[], Result]) -> tuple[float, Result]:
    """Seconds that some work took, and its result."""
    started = time.perf_counter()
    result = work()
    return time.perf_counter() - started, result


def in_new_process(file: Path, model: str, n_people: int, **search: Any) -> Cost:
    """A process keeps the memory that it once had, so that every number needs one of its own."""
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(measure, file, model, n_people, **search).result()


def _peak_memory() -> float:
    """Most megabytes that this process has had so far."""
    status = Path("/proc/self/status")
    if status.exists():  # Where there is this file, the other number is also that of the process before.
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
