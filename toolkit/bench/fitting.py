"""Fits of all people beside loops over people, starts and trials; every model on both studies; cost over people."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd

from toolkit.bench._growth import growth_rows, timed
from toolkit.bench._plain_fitting import (
    Counted,
    Objective,
    evolve,
    gcm_objective,
    network_objective,
    search_from,
)
from toolkit.bench.core import Row, median_seconds
from toolkit.data import load_data
from toolkit.experiments import get_design
from toolkit.fitting import fit
from toolkit.fitting.fitting import one_thread
from toolkit.fitting.people import STUDIES, Study, list_agents, load_study
from toolkit.fitting.recovery import draw_theta
from toolkit.fitting.starts import draw_starts
from toolkit.models import Model, get_model_for
from toolkit.models.checkpoints import PRIOR_OF, find_checkpoint, list_checkpoints
from toolkit.progress import track
from toolkit.seeds import Seeds
from toolkit.trials import Trials

N_STARTS = 10
PLAIN_PEOPLE, PLAIN_STARTS = 3, 3
"""As many people, spread evenly over the study, and starts are timed with plain loops, which take seconds a start."""
RESTARTS = 5
"""Of differential evolution, as in earlier work."""
TIMED_CALLS, REPEATS = 5, 3
PEOPLE, STARTS_OF_MANY, BLOCKS = (10, 100, 1_000, 10_000), 2, 6
WANTED_RATIO, WANTED_RATIO_OF_NETWORK, ALLOWED_S = 100, 1_000, 300

_SAME_OPTIMUM = 1e-4
"""Nats by which ends of two searches for one optimum may differ."""


def rows() -> list[Row]:
    """The exemplar model, a network, every model on both studies, and cost over simulated people."""
    studies = [load_study(name, load_data, Seeds(0)) for name in STUDIES]
    return [
        gcm_row(studies[0]),
        network_row(studies[0], "ermi"),
        all_models_row(studies),
        *growth_rows(simulate(max(PEOPLE)), PEOPLE, "gcm", n_starts=STARTS_OF_MANY),
    ]


def simulate(n_people: int) -> Trials:
    """People who learn one of Shepard's problems of type IV like the exemplar model, 96 trials each."""
    rng = Seeds(0).numpy("design")
    design = get_design("shepard").draw(n_people, rng=rng, conditions=("IV",), n_blocks=BLOCKS)
    model = get_model_for("gcm", design)
    theta = draw_theta(model, n_people, "prior", Seeds(0).numpy("parameters"))
    return model.simulate(theta, design, Seeds(0).numpy("choices"))


def gcm_row(study: Study, n_people: int = PLAIN_PEOPLE, n_starts: int = PLAIN_STARTS) -> Row:
    """Everyone from ten starts, beside plain loops for some people from some of the starts."""
    some, everyone = study.some(n_people), study.everyone
    model = get_model_for("gcm", everyone)
    starts = draw_starts(model.parameters, N_STARTS)[:n_starts]
    ours_s, plain_s, lowest = [], [], []
    fit(model, some, n_starts=1, progress=False)  # Imports come before the clock starts.
    for person in track(some.participants, "plain fits"):
        ours_s.append(timed(partial(fit, model, everyone, n_starts=N_STARTS, progress=False))[0])
        with one_thread():
            objective = gcm_objective(some.where(participant=person))
            taken, end = timed(partial(search_from, objective, starts, model.parameters))
        plain_s.append(taken)
        lowest.append(end)
    compared = Likelihoods.of(fit(model, some, n_starts=n_starts, progress=False).table, lowest)
    seconds, factor = float(np.median(ours_s)), len(everyone.participants) * N_STARTS / n_starts
    reference_s = float(np.mean(plain_s) * factor)
    return Row(
        what=f"GCM, {people_of(study)}, {N_STARTS} starts",
        ours_s=seconds,
        reference_s=reference_s,
        goal=f"ratio ≥ {WANTED_RATIO}, nobody's likelihood worse",
        same_result=compared.none_worse,
        met=reference_s / seconds >= WANTED_RATIO,
        note=(
            f"ours on {cores()}; reference: scipy's L-BFGS-B with finite differences over loops, one thread, "
            f"extrapolated from {len(lowest)} people and {n_starts} of the starts; compared: fits of these people "
            f"from {n_starts} starts, {compared}"
        ),
    )


def network_row(study: Study, name: str, n_people: int = PLAIN_PEOPLE, n_restarts: int = RESTARTS) -> Row:
    """Everyone, the network run once, beside searches for some people that run it for every likelihood."""
    some, everyone = study.some(n_people), study.everyone
    model = get_model_for(name, everyone)
    found = fit(model, some, progress=False).table
    with one_thread():
        people = (some.where(participant=person) for person in track(some.participants, "plain searches"))
        searches = [_Search.of(trials, model, find_checkpoint(name), n_restarts) for trials in people]
    with TemporaryDirectory() as folder, one_thread():
        copies = _Copies(find_checkpoint(name), Path(folder))
        seconds, *calls_s = median_seconds(
            lambda: fit(get_model_for(name, everyone, checkpoint=copies.another()), everyone, progress=False),
            *(search.make_calls for search in searches),
            repeats=REPEATS,
        )
    call_s, n_people = np.array(calls_s) / TIMED_CALLS, len(everyone.participants)
    evolving, descending = (
        n_people * float(np.mean(call_s * [getattr(search, calls) for search in searches]))
        for calls in ("n_evolving", "n_descending")
    )
    compared = Likelihoods.of(found, [search.lowest for search in searches])
    return Row(
        what=f"{name.upper()} with inverse temperature and lapse, {people_of(study)}",
        ours_s=seconds,
        reference_s=evolving,
        goal=f"ratio ≥ {WANTED_RATIO_OF_NETWORK:,}",
        same_result=compared.none_worse and all(search.agrees for search in searches),
        met=evolving / seconds >= WANTED_RATIO_OF_NETWORK,
        note=(
            f"ours on {cores()}, with the one pass of the network; reference: one thread, the network is run in "
            f"every call, {1000 * call_s.mean():.0f} ms, and scipy's differential evolution with {n_restarts} "
            f"restarts makes {np.mean([search.n_evolving for search in searches]):,.0f} calls a person (L-BFGS-B "
            f"from {N_STARTS} starts {np.mean([search.n_descending for search in searches]):,.0f}, by which the "
            f"ratio is {descending / seconds:,.0f}), counted for {len(searches)} people and extrapolated; compared: "
            f"their fits, {compared}"
        ),
    )


def all_models_row(studies: Sequence[Study], n_starts: int = N_STARTS) -> Row:
    """Every model on every study, one fit after the other."""
    work = [(study, name) for study in studies for name in list_agents(study.everyone, fixed_rules=True)]
    taken: dict[str, list[float]] = {}
    n_failed, processor_s = 0, time.process_time()
    for study, name in track(work, "all models"):
        seconds, found = timed(partial(fit, name, study.everyone, n_starts=n_starts))
        taken.setdefault(name, []).append(seconds)
        n_failed += int(found.table["log_likelihood"].isna().sum())
    processor_s, total = time.process_time() - processor_s, sum(map(sum, taken.values()))
    n_networks = len(set(PRIOR_OF) & set(list_checkpoints()))
    each = ", ".join(
        f"{name} {' + '.join(f'{one:.1f}' for one in several)}" for name, several in taken.items()
    )
    return Row(
        what=(
            f"all {len(taken)} models ({n_networks} of {len(PRIOR_OF)} networks), "
            f"{' and '.join(map(people_of, studies))}, {n_starts} starts"
        ),
        ours_s=total,
        reference_s=ALLOWED_S,
        goal=f"< {ALLOWED_S} s on two cores, which is the reference",
        same_result=not n_failed,
        met=total < ALLOWED_S,
        note=(
            f"on {cores()}, of which {processor_s / total:.1f} were free for it: {processor_s:.0f} s of processors; "
            f"seconds: {each}; checked: people without an estimate ({n_failed})"
        ),
    )


@dataclass(frozen=True)
class Likelihoods:
    """Nats by which our log-likelihoods of some people are higher than those of plain searches: (people,)."""

    gained: np.ndarray

    @classmethod
    def of(cls, table: pd.DataFrame, lowest: Sequence[float]) -> Likelihoods:
        """From a fit's table and the negative log-likelihoods at which plain searches ended."""
        return cls(table["log_likelihood"].to_numpy() + np.asarray(lowest))

    @property
    def none_worse(self) -> bool:
        """Whether everyone's is as good."""
        return bool((self.gained >= -_SAME_OPTIMUM).all())

    def __str__(self) -> str:
        return f"ours higher by {self.gained.min():.6f} (smallest gain) to {self.gained.max():.6f} nats"


@dataclass(frozen=True)
class _Search:
    """A plain search for one person's parameters.

    Attributes
    ----------
    objective
        Runs the network in every call.
    lowest
        Negative log-likelihood where it ended.
    n_evolving, n_descending
        Calls of differential evolution, and of L-BFGS-B with finite differences from all starts.
    agrees
        Whether the objective is the likelihood of our model.
    """

    objective: Objective
    lowest: float
    n_evolving: int
    n_descending: int
    agrees: bool

    @classmethod
    def of(cls, trials: Trials, model: Model, checkpoint: Path, n_restarts: int) -> _Search:
        objective = network_objective(trials, checkpoint)
        theta = draw_starts(model.parameters, N_STARTS)
        ours = -model.log_likelihood(theta[:, None], trials).sum((1, 2))
        # Calls are counted with answers that are kept: running the network each time would take an hour.
        evolving, descending = (Counted(network_objective(trials, checkpoint, rerun=False)) for _ in range(2))
        ends = (
            evolve(evolving, model.parameters, n_restarts),
            search_from(descending, theta, model.parameters),
        )
        agrees = np.isclose(ours[0], objective(theta[0])) and np.allclose(
            ours, list(map(evolving.objective, theta))
        )
        return cls(objective, min(ends), evolving.n_calls, descending.n_calls, bool(agrees))

    def make_calls(self) -> None:
        """Some calls, to be timed."""
        for temperature in range(TIMED_CALLS):
            self.objective(np.array([temperature, 0.1]))


class _Copies:
    """Copies of a checkpoint: answers to one that was read before are known."""

    def __init__(self, file: Path, folder: Path) -> None:
        self.file, self.folder, self.n_copies = file, folder, 0

    def another(self) -> Path:
        self.n_copies += 1
        return Path(shutil.copy(self.file, self.folder / f"{self.n_copies}.safetensors"))


def people_of(study: Study) -> str:
    """Who they are and how many, in words."""
    who = "simulated people in the design of" if study.simulated else "people of"
    return f"{len(study.everyone.participants)} {who} {STUDIES[study.name]}"


def cores() -> str:
    """How many cores there are, in words."""
    return f"{os.cpu_count()} cores"
