"""What fits can find out: are parameters recovered, and is the model that made the choices recognised?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np
import pandas as pd

from toolkit.errors import UsageError, did_you_mean
from toolkit.fitting.comparison import Criterion, evidence_table, share_best, wide_evidence
from toolkit.fitting.fitting import Method, fit
from toolkit.models import get_model_for
from toolkit.seeds import Seeds
from toolkit.trials import Trials, concat

if TYPE_CHECKING:
    from toolkit.models import Model, Parameter

IDENTIFIED = 0.8
"""Correlation of true and estimated values from which a parameter counts as identified."""

SEPARABLE = 0.8
"""Share of simulated participants in which the right model of two must win for the two to be separable."""

Draw = Literal["uniform", "prior"]


@dataclass(frozen=True)
class Recovery:
    """Parameters that simulated participants had, and what a fit made of their choices.

    Attributes
    ----------
    table
        One row a parameter: ``model, parameter, correlation, rank_correlation, bias`` (mean of estimated -
        true), ``rmse, identified`` (whether the correlation is at least .8) and ``n_fitted`` participants.
    values
        One row a participant and parameter: ``model, participant, parameter, true, estimated``; estimates
        of a participant whose fit failed are NaN.
    """

    table: pd.DataFrame
    values: pd.DataFrame

    @property
    def unidentified(self) -> list[str]:
        """Names of the parameters that are not identified."""
        return self.table.loc[~self.table["identified"], "parameter"].tolist()


@dataclass(frozen=True)
class Confusion:
    """Which models win where another one, or they themselves, made the choices.

    Attributes
    ----------
    wins
        (simulated, fitted) share of simulated participants that each fitted model describes best, ties shared.
    pairs
        One row for each two models in each direction: ``simulated, rival``; ``right``, share of participants
        simulated with the first that it describes better than the rival; ``taken``, share that the
        rival wins against all; and ``separable``. Two models are not separable where ``right`` is
        below .8; and where a model wins fewer than .8 of its own, the rival that takes most is named.
    by
        Criterion that decided.
    n_participants
        Simulated participants a model.
    """

    wins: pd.DataFrame
    pairs: pd.DataFrame
    by: Criterion
    n_participants: int

    @property
    def not_separable(self) -> list[tuple[str, str]]:
        """Pairs (simulated, rival) in which the right model does not win often enough."""
        lost = self.pairs[~self.pairs["separable"]]
        return list(zip(lost["simulated"], lost["rival"], strict=True))


def recover(
    model: str | Model,
    design: Trials,
    *,
    theta: np.ndarray | None = None,
    draw: Draw = "uniform",
    n_participants: int | None = None,
    method: Method = "ml",
    n_starts: int = 10,
    seed: int = 0,
    progress: bool = True,
) -> Recovery:
    """Simulate participants with known parameters on a real design, fit them, and set one beside the other.

    Costs one simulation and one fit of ``n_participants``: seconds for models that are quick to fit.

    Parameters
    ----------
    design
        Trials of real participants; their choices are not used.
    theta
        (rows, parameters) values to simulate with, for instance those fitted to people: as they are if there
        is one row a participant, else rows are drawn with replacement.
    draw
        Where values come from without ``theta``: "uniform" within the bounds, or each parameter's "prior"
        (uniform for one that has none).
    n_participants
        How many to simulate; all of the design without it. When more than the design has are asked for, its
        participants are drawn with replacement.
    method, n_starts
        Of :func:`toolkit.fitting.fit`.
    """
    seeds = Seeds(seed)
    trials = draw_design(design, n_participants, seeds.numpy("design"))
    agent = _made(model, trials)
    true = _theta(agent, len(trials.participants), theta, draw, seeds.numpy("parameters"))
    simulated = agent.simulate(true, trials, seeds.numpy("choices"))
    found = fit(agent, simulated, method=method, n_starts=n_starts, seed=seed, progress=progress)
    names = [parameter.name for parameter in agent.parameters]
    values = pd.DataFrame(
        {
            "model": agent.name,
            "participant": np.repeat(found.table["participant"].to_numpy(), len(names)),
            "parameter": names * len(true),
            "true": true.ravel(),
            "estimated": found.theta.ravel(),
        }
    )
    return Recovery(summarise_recovery(values), values)


def confuse(
    models: Sequence[str] | Mapping[str, str | Model],
    design: Trials,
    *,
    theta: Mapping[str, np.ndarray] | None = None,
    draw: Draw = "uniform",
    n_participants: int | None = None,
    by: Criterion = "bic",
    method: Method = "ml",
    n_starts: int = 10,
    seed: int = 0,
    progress: bool = True,
) -> Confusion:
    """Simulate participants with each model on a real design, fit all models to all, and count who wins.

    Costs a simulation and a fit of ``n_participants`` times the number of models for each model, so it grows
    with the square of the number of models: five quick models on 95 participants with 352 trials each took 80
    seconds of one core. All models meet the same participants of the design.

    Parameters
    ----------
    models
        Names of models; or models, or their names, by the name they are to have in the result.
    theta
        Values to simulate with of any of the models, as in :func:`recover`. Those fitted to people show what can
        be told of people; uniform draws include people who guess, whom no model describes best.
    by
        Criterion that decides.
    draw, n_participants, method, n_starts
        As in :func:`recover`.
    """
    if by == "held_out":
        raise UsageError("simulated participants are compared by bic, aic or laplace.", where="confuse")
    named = dict(models) if isinstance(models, Mapping) else {name: name for name in models}
    theta = dict(theta or {})
    for name in theta:
        if name not in named:
            raise UsageError(f"there is no model '{name}'.", where="theta", fix=did_you_mean(name, named))
    seeds = Seeds(seed)
    trials = draw_design(design, n_participants, seeds.numpy("design"))
    people = len(trials.participants)
    parts = []
    for number, (name, model) in enumerate(named.items()):
        agent = _made(model, trials)
        true = _theta(agent, people, theta.get(name), draw, seeds.numpy(f"parameters of {name}"))
        part = agent.simulate(true, trials, seeds.numpy(f"choices of {name}"))
        parts.append(_renamed(part, part.sequences["participant"].to_numpy() + number * people))
    everyone = concat(parts)
    fits = {
        name: fit(
            _made(model, everyone), everyone, method=method, n_starts=n_starts, seed=seed, progress=progress
        )
        for name, model in named.items()
    }
    evidence = wide_evidence(evidence_table(fits, by=by)).sort_index().to_numpy()
    return _confusion(evidence.reshape(len(named), people, len(named)), list(named), by)


def draw_design(design: Trials, n_participants: int | None, rng: np.random.Generator) -> Trials:
    """Sequences of as many participants as asked for, numbered from 0, without their choices.

    All of the design, in order, without a number; else drawn from it, with replacement if it has fewer.
    """
    available = len(design.participants)
    if n_participants is not None and n_participants < 1:
        raise UsageError(f"{n_participants} participants cannot be simulated.", fix="Ask for 1 or more.")
    chosen = np.arange(available)
    if n_participants is not None:
        chosen = rng.choice(available, n_participants, replace=n_participants > available)
    rows = [np.flatnonzero(design.participant_index == one) for one in chosen]
    numbers = np.repeat(np.arange(len(chosen)), [len(own) for own in rows])
    return _renamed(design.unanswered().take(np.concatenate(rows)), numbers)


def summarise_recovery(values: pd.DataFrame) -> pd.DataFrame:
    """:attr:`Recovery.table` of :attr:`Recovery.values`."""
    rows = []
    for (model, parameter), group in values.groupby(["model", "parameter"], sort=False):
        both = group[["true", "estimated"]].dropna()
        error = both["estimated"] - both["true"]
        varies = bool((both.max() > both.min()).all())
        correlation = both["true"].corr(both["estimated"]) if varies else np.nan
        ranks = both.rank()
        rows.append(
            {
                "model": model,
                "parameter": parameter,
                "correlation": correlation,
                "rank_correlation": ranks["true"].corr(ranks["estimated"]) if varies else np.nan,
                "bias": error.mean(),
                "rmse": np.sqrt((error**2).mean()),
                "identified": bool(correlation >= IDENTIFIED),
                "n_fitted": len(both),
            }
        )
    return pd.DataFrame(rows)


def _made(model: str | Model, trials: Trials) -> Model:
    return get_model_for(model, trials) if isinstance(model, str) else model


def _renamed(trials: Trials, participant: np.ndarray) -> Trials:
    return replace(trials, sequences=trials.sequences.assign(participant=participant))


def draw_theta(model: Model, n_participants: int, draw: Draw, rng: np.random.Generator) -> np.ndarray:
    """Parameters of made-up participants: (participants, parameters); ``draw`` as in :func:`recover`."""
    if draw not in get_args(Draw):
        raise UsageError(f"parameters cannot be drawn by '{draw}'.", fix=did_you_mean(draw, get_args(Draw)))
    return np.stack([_drawn(one, n_participants, draw, rng) for one in model.parameters], -1)


def _theta(
    model: Model, n_participants: int, given: np.ndarray | None, draw: Draw, rng: np.random.Generator
) -> np.ndarray:
    """Values that participants are simulated with: (participants, parameters)."""
    if given is None:
        return draw_theta(model, n_participants, draw, rng)
    given = np.array(given, dtype=float)
    if given.ndim != 2 or given.shape[1] != len(model.parameters) or not len(given):
        raise UsageError(
            f"theta has the shape {given.shape}, model '{model.name}' needs (rows, {len(model.parameters)}).",
            where="theta",
        )
    if not np.isfinite(given).all():
        raise UsageError(
            f"row {np.argwhere(~np.isfinite(given))[0][0]} has a value that is no number.", where="theta"
        )
    return given if len(given) == n_participants else given[rng.integers(len(given), size=n_participants)]


def _drawn(parameter: Parameter, n: int, draw: Draw, rng: np.random.Generator) -> np.ndarray:
    if parameter.values is not None:
        return rng.choice(parameter.values, n)
    if draw == "prior" and parameter.prior is not None:
        # By quantiles, so that a prior wider than the bounds is cut off at them.
        return parameter.prior.ppf(rng.uniform(*parameter.prior.cdf([parameter.lower, parameter.upper]), n))
    return rng.uniform(parameter.lower, parameter.upper, n)


def _confusion(evidence: np.ndarray, names: list[str], by: Criterion) -> Confusion:
    """Counts of winners from log evidence (simulated models, participants, fitted models)."""
    wins = pd.DataFrame(
        [share_best(rows) for rows in evidence],
        index=pd.Index(names, name="simulated"),
        columns=pd.Index(names, name="fitted"),
    )
    rows = []
    for number, name in enumerate(names):
        rivals = wins.loc[name].drop(name)
        for rival in rivals.index:
            right = share_best(evidence[number][:, [number, names.index(rival)]])[0]
            named = wins.loc[name, name] < SEPARABLE and rival == rivals.idxmax()
            rows.append(
                {
                    "simulated": name,
                    "rival": rival,
                    "right": right,
                    "taken": rivals[rival],
                    "separable": bool(right >= SEPARABLE and not named),
                }
            )
    return Confusion(wins, pd.DataFrame(rows), by, evidence.shape[1])
