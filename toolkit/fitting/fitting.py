"""Fit models to people: bounded maximum likelihood or posterior density, all people and starts at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Literal, Self, get_args

import numpy as np
import pandas as pd

from toolkit.errors import UsageError, did_you_mean
from toolkit.fitting.estimates import RESULTS, Estimates, criteria
from toolkit.fitting.likelihood import Share, units_of
from toolkit.fitting.multistart import N_EXCHANGED, N_FINISHED, MultiStart
from toolkit.fitting.priors import Prior
from toolkit.fitting.ridges import N_LEAVING
from toolkit.fitting.starts import draw_starts
from toolkit.io import read_table, write_table
from toolkit.models import Model, get_model_for
from toolkit.models.by_rows import ModelByRows
from toolkit.progress import track
from toolkit.trials import Trials

Method = Literal["ml", "map"]
_METHODS = get_args(Method)

_POINTS_A_START = 200
"""Points of which a start is the best where likelihoods are rugged: fits take up to 2.4 times as long, and miss half of the nats or fewer."""

_KEYS = ("participant", "problem")
_ABOUT = ("model", "method", "share")
_SUMMED = ("log_likelihood", "n_trials", "n_parameters", "log_posterior", "laplace")


@dataclass(frozen=True)
class Fit:
    """Estimates of a model's parameters, and how well it explains the choices with them.

    Attributes
    ----------
    model
        Its name.
    parameters
        Names in the order of :attr:`theta`.
    share
        Who has the same parameters: all problems of a "participant", a participant's "problem", "everyone".
    method
        "ml", "map" or "hierarchical".
    table
        One row a unit, which has parameters of its own: ``participant`` (and ``problem``); each parameter;
        ``log_likelihood``, ``n_trials`` scored, ``n_parameters``, ``aic``, ``bic``; ``log_posterior``
        density and ``laplace``, the log evidence by Laplace's approximation (with "ml" priors are uniform
        within the bounds); ``n_starts``, and ``starts_agreed``, how many of them ended within 0.1
        nats of the best; ``converged``; ``at_bound``, names of the parameters at a bound; and ``reason``,
        why the unit has no estimate, did not converge, or has no Laplace evidence.
    """

    model: str
    parameters: tuple[str, ...]
    share: Share
    method: Method | Literal["hierarchical"]
    table: pd.DataFrame

    @property
    def theta(self) -> np.ndarray:
        """(units, parameters) estimates, NaN where a fit failed."""
        return self.table[list(self.parameters)].to_numpy(dtype=float, copy=True)

    def by_participant(self) -> pd.DataFrame:
        """One row a participant: what the fits of all the participant's units say together.

        Log-likelihoods, trials and parameters are summed, AIC and BIC computed from the sums. It has
        converged where all units have.
        """
        code, participants = pd.factorize(self.table["participant"])
        # Unlike a sum of a group, that of bincount is NaN where a unit has no estimate.
        sums = {name: np.bincount(code, self.table[name].to_numpy(dtype=float)) for name in _SUMMED}
        whole = pd.DataFrame({"participant": participants, **sums})
        whole = whole.astype({"n_trials": int, "n_parameters": int})
        whole = whole.assign(**criteria(whole["log_likelihood"], whole["n_parameters"], whole["n_trials"]))
        whole["converged"] = np.bincount(code, ~self.table["converged"]) == 0
        reasons = self.table["reason"].groupby(code).unique()
        whole["reason"] = ["; ".join(filter(None, several)) for several in reasons]
        return whole

    def save(self, path: str | Path) -> None:
        """Write everything as one table, .parquet or .csv."""
        about = {name: getattr(self, name) for name in _ABOUT}
        write_table(path, pd.concat([self.table, pd.DataFrame(about, self.table.index)], axis=1))

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read what :meth:`save` wrote."""
        table = read_table(path)
        about = {name: table.pop(name).iloc[0] for name in _ABOUT}
        for column in ("at_bound", "reason"):
            table[column] = table[column].astype(object).where(table[column].notna(), "")
        parameters = tuple(name for name in table if name not in (*_KEYS, *RESULTS))
        return cls(parameters=parameters, table=table, **about)


def fit(
    model: str | Model,
    trials: Trials,
    *,
    method: Method = "ml",
    n_starts: int = 10,
    share: Share = "participant",
    seed: int = 0,
    exchange_rounds: int = 1,
    company: Sequence[int] | None = None,
    progress: bool = True,
) -> Fit:
    """Fit a model to every participant.

    Each search goes downhill from one start within the bounds by exact gradients; the best of all is kept.
    After the searches from starts spread evenly, everyone also starts from some very different optima of
    other people, and from more of them whose best optimum was found from fewer than three starts. Where the
    likelihood has many optima with jumps between them, starts are for everyone the best of 200 times as many.

    Parameters
    ----------
    model
        Its name, or a model made with options.
    method
        "ml" maximises the likelihood; "map" the likelihood times the parameters' priors.
    n_starts
        Starts of every unit, besides those exchanged; more where parameters of a few values have more
        combinations.
    share
        Who has the same parameters: all problems of a "participant", the trials of one "problem" of a
        participant, or "everyone".
    exchange_rounds
        How often optima of others are tried.
    company
        A number for every unit: optima are exchanged by those who have the same. By default by all.
    progress
        Whether to show how many searches are done.
    """
    _check(method, n_starts, exchange_rounds)
    model = get_model_for(model, trials) if isinstance(model, str) else model
    grouped, units = units_of(trials, share)
    if company is not None and len(company) != len(units):
        raise UsageError(f"company has {len(company)} numbers for {len(units)} units.", where="fit")
    prior = Prior(model.parameters, informed=method == "map")
    rugged = isinstance(model, ModelByRows) and model.rugged
    starts = draw_starts(model.parameters, n_starts * (_POINTS_A_START if rugged else 1), seed=seed)
    n_used = n_starts if rugged else len(starts)
    estimates = Estimates(model.parameters, grouped.n_scored)
    scored = np.flatnonzero(grouped.n_scored > 0)
    if len(scored):
        some = grouped.take(np.isin(grouped.participant_index, scored))
        n_each = n_used + 2 * N_EXCHANGED * exchange_rounds + N_LEAVING + N_FINISHED + 1
        n_searches = len(scored) * n_each
        with one_thread(), _counter(n_searches, f"fitting {model.name}", show=progress) as finished:
            groups = None if company is None else np.asarray(company)[scored]
            search = MultiStart(model, some, prior, starts, finished, groups, n_used=n_used)
            estimates.add(scored, search.run(exchange_rounds), search)
    names = tuple(parameter.name for parameter in model.parameters)
    return Fit(model.name, names, share, method, pd.concat([units, estimates.table()], axis=1))


@contextmanager
def one_thread() -> Iterator[None]:
    """One thread for linear algebra: arrays of fits are small, and threads would wait for each other."""
    import torch
    from threadpoolctl import threadpool_limits

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with threadpool_limits(limits=1, user_api="blas"):
            yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def _counter(total: int, what: str, *, show: bool) -> Iterator[Callable[[int], None]]:
    """A function that takes how many more of ``total`` are done, and shows it."""
    ticks, lock = iter(track(range(total), what) if show else ()), Lock()

    def count(n_done: int) -> None:
        with lock:
            for _ in range(n_done):
                next(ticks, None)

    yield count
    count(total)


def _check(method: str, n_starts: int, exchange_rounds: int) -> None:
    if method not in _METHODS:
        raise UsageError(f"there is no method '{method}'.", fix=did_you_mean(method, _METHODS))
    if n_starts < 1 or exchange_rounds < 0:
        raise UsageError(
            f"{n_starts} starts and {exchange_rounds} rounds of exchange make no search.",
            fix="Use at least 1 start and 0 rounds.",
        )
