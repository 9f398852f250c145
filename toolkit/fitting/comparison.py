"""Models beside one another: totals, intervals over people, and how many people follow each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
import pandas as pd

from toolkit.errors import UsageError, did_you_mean
from toolkit.fitting.bayesian_selection import ModelFrequencies, Prior, estimate_frequencies
from toolkit.seeds import Seeds

if TYPE_CHECKING:
    from toolkit.fitting.cross_validation import CrossValidation
    from toolkit.fitting.fitting import Fit

Criterion = Literal["bic", "aic", "laplace", "held_out"]
_CRITERIA = get_args(Criterion)

_COUNTED = ("participant", "log_likelihood", "n_trials", "n_parameters")
_NUMBERS_AT_ONCE = 4_000_000


@dataclass(frozen=True)
class Comparison:
    """What several models explain of the same people's choices.

    Attributes
    ----------
    by
        The criterion. Log evidence is -BIC / 2, -AIC / 2, Laplace's approximation of the marginal
        likelihood, or the log-likelihood of choices that the fit did not see, in nats.
    table
        One row a model, best first: ``model``; totals ``log_likelihood, n_trials, n_parameters, aic, bic,
        log_evidence``; ``not_converged``, the number of participants whose fit stopped early, so that the
        model may do better; ``nats_per_trial`` (-log_evidence per choice; guessing between two options is .693);
        ``difference`` (log evidence behind the best model) with ``difference_low`` and ``difference_high``
        (95 % over people); ``share_best`` of people, ties shared; ``probability_best``, over bootstrap
        draws; and ``frequency, frequency_sd, exceedance, protected_exceedance``.
    participants
        One row a model and participant: ``model, participant, log_likelihood, n_trials, n_parameters, aic,
        bic, log_evidence, converged``, ``difference`` to the participant's best model and ``responsibility``, the
        probability that the model is the participant's.
    frequencies
        Random-effects model selection, with the families if there are any.
    n_bootstrap
        Draws behind the intervals.
    """

    by: Criterion
    table: pd.DataFrame
    participants: pd.DataFrame
    frequencies: ModelFrequencies
    n_bootstrap: int

    @property
    def bor(self) -> float:
        """Bayes omnibus risk: the probability that all models are equally frequent."""
        return self.frequencies.bor


def compare(
    fits: Mapping[str, Fit | pd.DataFrame],
    *,
    by: Criterion = "bic",
    held_out: Mapping[str, CrossValidation | pd.DataFrame] | None = None,
    n_trials: int | None = None,
    prior: Prior = "one_each",
    families: Mapping[str, str] | None = None,
    n_bootstrap: int = 10_000,
    seed: int = 0,
) -> Comparison:
    """Compare models that were fitted to the same choices of the same people.

    Parameters
    ----------
    fits
        Of every model, by the name that tables and figures show. Instead of a fit, a table with the columns
        ``participant, log_likelihood, n_trials, n_parameters`` (and ``laplace`` to compare by it), one row
        a participant, so that other people's fits can stand beside one's own.
    by
        Criterion that models are compared by.
    held_out
        For ``by="held_out"``: of every model, what :func:`toolkit.fitting.cross_validate` found, or a table
        with ``participant, log_likelihood, n_trials`` of the choices that were left out.
    n_trials
        Number of choices that BIC takes everyone to have made, to reproduce tables that fixed it; without
        it, the number each participant made.
    prior, families
        Of :func:`toolkit.fitting.estimate_frequencies`.
    n_bootstrap
        Draws of participants with replacement.
    """
    if n_bootstrap < 1:
        raise UsageError(f"{n_bootstrap} bootstrap draws give no interval.", fix="Use 10,000.")
    people = evidence_table(fits, by=by, held_out=held_out, n_trials=n_trials)
    evidence = wide_evidence(people)
    frequencies = estimate_frequencies(evidence, prior=prior, families=families)
    people["difference"] = people["participant"].map(evidence.max(axis=1)) - people["log_evidence"]
    people["responsibility"] = frequencies.responsibility.to_numpy().T.ravel()
    by_model = people.groupby("model", sort=False)
    table = by_model[[*_COUNTED[1:], "aic", "bic", "log_evidence"]].sum().reset_index()
    table["not_converged"] = by_model["converged"].agg(lambda known: (~known).sum()).to_numpy()
    table["nats_per_trial"] = -table["log_evidence"] / by_model["n_judged"].sum().to_numpy()
    rng = Seeds(seed).numpy("bootstrap")
    table = table.join(_over_people(evidence.to_numpy(), n_bootstrap, rng))
    table = table.merge(frequencies.table.drop(columns="alpha"), on="model")
    table = table.sort_values("log_evidence", ascending=False, kind="stable", ignore_index=True)
    return Comparison(by, table, people.drop(columns="n_judged"), frequencies, n_bootstrap)


def evidence_table(
    fits: Mapping[str, Fit | pd.DataFrame],
    *,
    by: Criterion = "bic",
    held_out: Mapping[str, CrossValidation | pd.DataFrame] | None = None,
    n_trials: int | None = None,
) -> pd.DataFrame:
    """Log evidence of every model for every participant; the parameters are those of :func:`compare`.

    Returns
    -------
    One row a model and participant, models in the order given, participants in that of the first model:
    ``model, participant, log_likelihood, n_trials, n_parameters, aic, bic, log_evidence``; ``n_judged``, the
    number of choices that log evidence is about; and ``converged``, true where a table does not say.
    """
    if by not in _CRITERIA:
        raise UsageError(f"models cannot be compared by '{by}'.", fix=did_you_mean(by, _CRITERIA))
    if len(fits) < 2:
        raise UsageError(f"there are {len(fits)} models to compare.", fix="Give two or more.")
    tables = _aligned(fits, (*_COUNTED, "laplace") if by == "laplace" else _COUNTED)
    if by == "held_out":
        left_out = _left_out(fits, held_out, next(iter(tables.values())).index)
    parts = []
    for model, table in tables.items():
        part = table[list(_COUNTED[1:])].copy()
        counted = part["n_trials"] if n_trials is None else n_trials
        part["aic"] = 2 * part["n_parameters"] - 2 * part["log_likelihood"]
        part["bic"] = part["n_parameters"] * np.log(counted) - 2 * part["log_likelihood"]
        judged = left_out[model] if by == "held_out" else part
        evidence = {"laplace": table.get("laplace"), "held_out": judged["log_likelihood"]}
        part["log_evidence"] = evidence[by] if by in evidence else -part[by] / 2
        part["n_judged"] = judged["n_trials"]
        part["converged"] = table.get("converged", True)
        part = part.reset_index()
        part.insert(0, "model", model)
        parts.append(part)
    return pd.concat(parts, ignore_index=True)


def wide_evidence(table: pd.DataFrame) -> pd.DataFrame:
    """Log evidence of :func:`evidence_table` as (participants, models), in the same order."""
    evidence = table.set_index("participant").groupby("model", sort=False)["log_evidence"]
    return pd.DataFrame(dict(iter(evidence)))


def _aligned(fits: Mapping[str, Fit | pd.DataFrame], needed: Sequence[str]) -> dict[str, pd.DataFrame]:
    """Table of every model with the same participants as index, in the order of the first."""
    tables = {model: _by_participant(model, fit, needed) for model, fit in fits.items()}
    everyone = list(dict.fromkeys(one for table in tables.values() for one in table.index))
    for model, table in tables.items():
        absent = [one for one in everyone if one not in table.index]
        if absent:
            raise UsageError(
                f"it has no participant {_some(absent)}, whom another model has.",
                where=f"model '{model}'",
                fix="Fit all models to the same trials.",
            )
    tables = {model: table.loc[everyone] for model, table in tables.items()}
    first_model, first = next(iter(tables.items()))
    for model, table in tables.items():
        differ = table.index[(table["n_trials"] != first["n_trials"]).to_numpy()]
        if len(differ):
            raise UsageError(
                f"it scores {table['n_trials'][differ[0]]} choices of participant {differ[0]!r} and model "
                f"'{first_model}' {first['n_trials'][differ[0]]} ({len(differ)} participants differ).",
                where=f"model '{model}'",
                fix="Only likelihoods of the same choices can be compared.",
            )
    return tables


def _by_participant(model: str, fit: Fit | pd.DataFrame, needed: Sequence[str]) -> pd.DataFrame:
    """Checked table of one model, participants as index."""
    where = f"model '{model}'"
    table = fit if isinstance(fit, pd.DataFrame) else fit.by_participant()
    absent = [column for column in needed if column not in table]
    if absent:
        raise UsageError(
            f"there is no column '{absent[0]}'.", where=where, fix=f"It needs {', '.join(needed)}."
        )
    twice = table["participant"][table["participant"].duplicated()]
    if len(twice):
        raise UsageError(
            f"participant {twice.iloc[0]!r} has several rows.",
            where=where,
            fix="Sum log_likelihood, n_trials and n_parameters over each participant's rows.",
        )
    for column in needed[1:]:
        bad = table[~np.isfinite(table[column].to_numpy(dtype=float))]
        if len(bad):
            reason = f" ({bad['reason'].iloc[0]})" if "reason" in bad and bad["reason"].iloc[0] else ""
            raise UsageError(
                f"{column} is {bad[column].iloc[0]} for participant {bad['participant'].iloc[0]!r}{reason}, "
                f"{len(bad)} such rows in all.",
                where=where,
                fix="Fit again, or leave these participants out of all models.",
            )
    return table.set_index("participant")


def _left_out(
    fits: Mapping[str, Any], held_out: Mapping[str, CrossValidation | pd.DataFrame] | None, everyone: pd.Index
) -> dict[str, pd.DataFrame]:
    """Checked tables of held-out likelihoods, participants as index in the order of the fits."""
    if held_out is None or set(held_out) != set(fits):
        absent = sorted(set(fits) ^ set(held_out or ()))
        raise UsageError(
            f"held-out likelihoods and fits are not of the same models ({', '.join(absent)}).",
            where="held_out",
            fix="Give held_out={name: cross_validate(…), …} with the names of the fits.",
        )
    schemes = {found.scheme for found in held_out.values() if not isinstance(found, pd.DataFrame)}
    if len(schemes) > 1:
        raise UsageError(
            f"models left out different choices: {', '.join(sorted(schemes))}.", where="held_out"
        )
    tables = _aligned(
        {
            model: found if isinstance(found, pd.DataFrame) else found.table
            for model, found in held_out.items()
        },
        ("participant", "log_likelihood", "n_trials"),
    )
    unlike = sorted(map(str, set(everyone) ^ set(next(iter(tables.values())).index)))
    if unlike:
        raise UsageError(f"only one of fits and held_out has participant {_some(unlike)}.", where="held_out")
    return {model: table.loc[everyone] for model, table in tables.items()}


def _over_people(evidence: np.ndarray, n_bootstrap: int, rng: np.random.Generator) -> pd.DataFrame:
    """What participants, and draws of them, say of every model: (participants, models) -> one row a model."""
    totals = evidence.sum(0)
    drawn = _bootstrap_totals(evidence, n_bootstrap, rng)
    behind = drawn[:, [totals.argmax()]] - drawn
    low, high = np.percentile(behind, [2.5, 97.5], axis=0)
    return pd.DataFrame(
        {
            "difference": totals.max() - totals,
            "difference_low": low,
            "difference_high": high,
            "share_best": share_best(evidence),
            "probability_best": share_best(drawn),
        }
    )


def _bootstrap_totals(evidence: np.ndarray, n_draws: int, rng: np.random.Generator) -> np.ndarray:
    """Sums of log evidence over participants drawn with replacement: (draws, models)."""
    n_people = len(evidence)
    even, size = np.full(n_people, 1 / n_people), max(1, _NUMBERS_AT_ONCE // n_people)
    sizes = [min(size, n_draws - start) for start in range(0, n_draws, size)]
    return np.concatenate([rng.multinomial(n_people, even, size) @ evidence for size in sizes])


def share_best(evidence: np.ndarray) -> np.ndarray:
    """Share of rows in which each column is the largest; equals share a row."""
    best = evidence == evidence.max(1, keepdims=True)
    return (best / best.sum(1, keepdims=True)).mean(0)


def _some(names: Sequence[Any], most: int = 5) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(str(name) for name in names[:most]) + more
