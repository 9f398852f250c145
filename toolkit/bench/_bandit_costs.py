"""Seconds and memory of fits of more and more simulated people in a bandit."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import numpy as np

from toolkit.bench.core import Row
from toolkit.experiments.bandits import get_task
from toolkit.fitting import fit
from toolkit.models import get_model_for
from toolkit.progress import track
from toolkit.seeds import Seeds
from toolkit.trials import Trials

MODEL, N_STARTS = "rescorla_wagner_signed", 4
DIFFERENT_PEOPLE = 200
"""Smaller studies have some of them, larger ones all again and again."""
NOISE = 0.2
"""How much more than is allowed a busy machine may make of a cost."""
ALLOWED_MEMORY = 600
"""Megabytes that a fit may need beside the trials, however many people there are."""


@dataclass(frozen=True)
class Cost:
    """Seconds and megabytes beside the trials of a fit, and log-likelihoods of its first ten people."""

    n_people: int
    seconds: float
    memory: float
    log_likelihood: np.ndarray


def growth_rows(numbers: Sequence[int]) -> list[Row]:
    """A row for all but the smallest of some numbers of people, beside the number before."""
    costs = [_in_new_process(number) for number in track(numbers, "simulated people")]
    return [growth_row(few, many) for few, many in pairwise(costs)]


def growth_row(few: Cost, many: Cost) -> Row:
    """Seconds of many people beside those of few, times as many."""
    times = many.n_people / few.n_people
    exponent = math.log(many.seconds / few.seconds, times)
    same = np.allclose(many.log_likelihood[: few.n_people], few.log_likelihood, atol=1e-4)
    return Row(
        what=f"{MODEL}, {many.n_people:,} simulated people, beside {times:g} × {few.n_people:,}",
        ours_s=many.seconds,
        reference_s=times * few.seconds,
        goal=f"at most × {times:g}, {NOISE:.0%} for noise, and ≤ {ALLOWED_MEMORY} MB",
        same_result=bool(same),
        met=many.seconds <= times * few.seconds * (1 + NOISE) and many.memory <= ALLOWED_MEMORY,
        note=(
            f"{N_STARTS} starts, 96 trials; cost grows as people to the power {exponent:.2f}, "
            f"{1000 * many.seconds / many.n_people:.2f} ms a person; the fit needs at most {many.memory:.0f} MB, of "
            f"{few.n_people:,} people {few.memory:.0f} MB; compared: likelihoods of the first ten"
        ),
    )


def simulate(n_people: int) -> Trials:
    """People who learn the partial task, each from 96 trials."""
    seeds = Seeds(0)
    design = get_task("partial").draw(DIFFERENT_PEOPLE, rng=seeds.numpy("design"))
    model = get_model_for(MODEL, design)
    rng = seeds.numpy("parameters")
    rates = rng.uniform(0.05, 0.8, (2, len(design)))
    theta = np.stack([rng.uniform(3, 15, len(design)), *rates], -1)
    trials = model.simulate(theta, design, seeds.numpy("choices"))
    trials = trials.take(np.arange(n_people) % len(trials))
    return replace(trials, sequences=trials.sequences.assign(participant=range(n_people)))


def measure(n_people: int) -> Cost:
    """Fit so many people, who do not search from each other's optima, so that fits are the same in any company."""
    trials = simulate(n_people)
    fit(
        MODEL, trials.take(range(2)), method="map", n_starts=1, progress=False
    )  # Compiled before the clock starts.
    before, started = _peak_memory(), time.perf_counter()
    found = fit(MODEL, trials, method="map", n_starts=N_STARTS, exchange_rounds=0, progress=False)
    seconds = time.perf_counter() - started
    return Cost(n_people, seconds, _peak_memory() - before, found.table["log_likelihood"].to_numpy()[:10])


def _in_new_process(n_people: int) -> Cost:
    """A process keeps the memory that it once had, so that every number needs one of its own."""
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(measure, n_people).result()


def _peak_memory() -> float:
    """Most megabytes that this process has had so far."""
    status = Path("/proc/self/status")
    if status.exists():  # Where there is this file, the other number is also that of the process before.
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
