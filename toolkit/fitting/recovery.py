"""What fits can find out about parameters: are those that simulated participants had recovered?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np
import pandas as pd

from toolkit.errors import UsageError, did_you_mean
from toolkit.fitting.fitting import Fit, Method, fit
from toolkit.fitting.likelihood import with_participants
from toolkit.models import get_model_for
from toolkit.seeds import Seeds
from toolkit.trials import Trials

if TYPE_CHECKING:
    from toolkit.models import Model, Parameter

IDENTIFIED = 0.8
"""Correlation of true and estimated values from which a parameter counts as identified."""

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

    def in_words(self, label: Mapping[str, str]) -> str:
        """Which parameters are found again and which are not, by the models' labels."""
        named = self.table.assign(model=self.table["model"].map(label))
        parts = {
            known: named[named["identified"] == known]
            .groupby("model", sort=False)["parameter"]
            .agg(", ".join)
            for known in (True, False)
        }
        found, lost = (
            "; ".join(f"{model}: {names.replace('_', ' ')}" for model, names in part.items()) or "none"
            for part in parts.values()
        )
        return f"Found again (correlation of at least {IDENTIFIED}): {found}. Not found again: {lost}."


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
    agent = made_for(model, trials)
    true = given_or_drawn(agent, len(trials.participants), theta, draw, seeds.numpy("parameters"))
    simulated = agent.simulate(true, trials, seeds.numpy("choices"))
    found = fit(agent, simulated, method=method, n_starts=n_starts, seed=seed, progress=progress)
    return joined_recovery([recovered_values(agent.name, found, true)])


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
    return with_participants(design.unanswered().take(np.concatenate(rows)), numbers)


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


def recovered_values(
    model: str, found: Fit, true: np.ndarray, participant: np.ndarray | None = None
) -> pd.DataFrame:
    """Rows of :attr:`Recovery.values` for all or some participants of a fit; ``true`` (participants, parameters)."""
    table = found.table.set_index("participant")
    estimated = table.loc[table.index if participant is None else participant, list(found.parameters)]
    return pd.DataFrame(
        {
            "model": model,
            "participant": np.repeat(estimated.index.to_numpy(), len(found.parameters)),
            "parameter": list(found.parameters) * len(true),
            "true": true.ravel(),
            "estimated": estimated.to_numpy(dtype=float).ravel(),
        }
    )


def joined_recovery(values: Sequence[pd.DataFrame]) -> Recovery:
    """Of the values of some models."""
    joined = pd.concat(values, ignore_index=True)
    return Recovery(summarise_recovery(joined), joined)


def made_for(model: str | Model, trials: Trials) -> Model:
    """The model itself, or the one of this name for these trials."""
    return get_model_for(model, trials) if isinstance(model, str) else model


def draw_theta(model: Model, n_participants: int, draw: Draw, rng: np.random.Generator) -> np.ndarray:
    """Parameters of made-up participants: (participants, parameters); ``draw`` as in :func:`recover`."""
    if draw not in get_args(Draw):
        raise UsageError(f"parameters cannot be drawn by '{draw}'.", fix=did_you_mean(draw, get_args(Draw)))
    return np.stack([_drawn(one, n_participants, draw, rng) for one in model.parameters], -1)


def given_or_drawn(
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
