"""The protocol by which earlier work fitted people, next to what it found."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from toolkit.errors import UsageError, did_you_mean
from toolkit.fitting.fitting import Fit, fit
from toolkit.fitting.likelihood import Share
from toolkit.models import get_model_for
from toolkit.models.checkpoints import absent_networks
from toolkit.trials import Trials

_PROTOTYPES = ((0,) * 6, (1,) * 6)


@dataclass(frozen=True)
class Entry:
    """How one model was fitted and counted.

    Attributes
    ----------
    file
        Its name in the table "ermi_fits".
    n_parameters
        Counted for every participant.
    bic
        Published total over all participants.
    share
        Whether every problem of a participant had parameters of its own.
    options
        Of the model.
    special
        Options that differ in problems of one condition.
    """

    file: str
    n_parameters: int
    bic: int
    share: Share = "participant"
    options: Mapping[str, Any] = field(default_factory=dict)
    special: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True)
class Protocol:
    """How one study was fitted: every model's entry, and the number of choices that BIC takes everyone to have made."""

    n_trials: int
    n_participants: int
    entries: Mapping[str, Entry]


def _network(file: str, bic: int) -> Entry:
    return Entry(file, 1, bic, options={"published": True})


PROTOCOLS = {
    "badham2017": Protocol(
        n_trials=384,
        n_participants=95,
        entries={
            "ermi": _network("ERMI", 38_722),
            # The figure gives these two the other's name: the files that it was drawn from say which is which.
            "mi": _network("MI", 42_390),
            "pfn": _network("PFN", 41_059),
            "rmc": _network("RMC", 38_625),
            "gcm": Entry("GCM", 20, 45_003, "problem"),
            "prototype": Entry("PM", 44, 63_100, "problem", {"prototypes": "learned", "shared_lapse": True}),
            "rule": Entry("Rule", 8, 48_791, "problem", special={"II": {"pairs": True}}),
            "rule_with_exceptions": Entry("Rulex", 8, 49_327, "problem", special={"II": {"pairs": True}}),
        },
    ),
    "devraj2022": Protocol(
        n_trials=616,
        n_participants=60,
        entries={
            "ermi": _network("ERMI", 41_207),
            "mi": _network("MI", 47_617),
            "pfn": _network("PFN", 41_413),
            "gcm": Entry("GCM", 8, 40_874),
            "prototype": Entry("PM", 8, 48_296, options={"prototypes": _PROTOTYPES, "shared_lapse": True}),
            "rule": Entry("Rule", 2, 43_201),
            "rule_with_exceptions": Entry("Rulex", 2, 44_925),
        },
    ),
}


def fit_published(
    study: str, trials: Trials, models: Iterable[str] | None = None, **options: Any
) -> dict[str, pd.DataFrame]:
    """Fit the models of earlier work as it fitted them, but keep the best of all searches.

    Parameters
    ----------
    study
        "badham2017" or "devraj2022".
    trials
        Of some or all of its participants, or of simulated ones.
    models
        Names of some of the study's entries; without it all but networks whose weights are not here.
    options
        Of :func:`toolkit.fitting.fit`: ``n_starts``, ``seed``, ``progress``.

    Returns
    -------
    For :func:`toolkit.fitting.compare`, by model: one row a participant with ``participant, log_likelihood,
    n_trials, n_parameters`` (as counted in earlier work) and ``converged``.
    """
    entries = _protocol(study).entries
    if models is None:
        models = [name for name in entries if name not in absent_networks()]
    tables = {}
    for model in models:
        if model not in entries:
            raise UsageError(f"{study} was not fitted by '{model}'.", fix=did_you_mean(model, entries))
        tables[model] = _fit_entry(model, entries[model], trials, options)
    return tables


def published_table(
    study: str, fits: Mapping[str, pd.DataFrame], earlier: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Totals under the published protocol, next to those of earlier work for the same participants.

    Parameters
    ----------
    study
        "badham2017" or "devraj2022".
    fits
        Of :func:`fit_published`.
    earlier
        Of :func:`earlier_fits`; without it these columns are empty.

    Returns
    -------
    One row a model, ours best first: ``model``; ``own_parameters``, who has parameters of their own;
    ``n_parameters`` counted for each participant; ``nll, bic`` ours; ``earlier_nll, earlier_bic`` of earlier work for
    these participants; and ``published_bic``, the total that its figure shows for all participants.
    """
    protocol = _protocol(study)
    rows = []
    for model, entry in protocol.entries.items():
        row = {
            "model": model,
            "own_parameters": "each problem" if entry.share == "problem" else "each person",
            "n_parameters": entry.n_parameters,
            "published_bic": entry.bic,
        }
        if model in fits:
            row["nll"] = -fits[model]["log_likelihood"].sum(skipna=False)
            row["bic"] = _bic(row["nll"], entry, protocol, len(fits[model]))
        if earlier is not None and model in fits:
            known = earlier.loc[earlier["model"] == model].set_index("participant")["nll"]
            row["earlier_nll"] = known[fits[model]["participant"]].sum()
            row["earlier_bic"] = _bic(row["earlier_nll"], entry, protocol, len(fits[model]))
        rows.append(row)
    columns = [
        "model", "own_parameters", "n_parameters", "nll", "bic", "earlier_nll", "earlier_bic", "published_bic"
    ]  # fmt: skip
    table = pd.DataFrame(rows).reindex(columns=columns)
    return table.sort_values(["bic", "published_bic"], ignore_index=True)


def earlier_fits(study: str, participants: Iterable[Any], fits: pd.DataFrame) -> pd.DataFrame:
    """Negative log-likelihood of every participant and model in earlier work.

    Some networks were fitted twice; the run is taken that the published total belongs to.

    Parameters
    ----------
    participants
        All of the study's participants, in order: earlier work numbered them from 0.
    fits
        ``toolkit.load_table("ermi_fits")``.

    Returns
    -------
    ``model, participant, nll``.
    """
    protocol, participants = _protocol(study), list(participants)
    if len(participants) != protocol.n_participants:
        raise UsageError(
            f"{len(participants)} participants are not the {protocol.n_participants} of {study}.",
            fix="Give all of them, in order; the table may be cut down afterwards.",
        )
    fits = fits[fits["dataset"] == study]
    parts = []
    for model, entry in protocol.entries.items():
        own = fits[fits["model"] == entry.file]
        nll = own.pivot_table(index="participant", columns="run", values="nll", aggfunc="sum")
        off = [abs(_bic(nll[run].sum(), entry, protocol, len(nll)) - entry.bic) for run in nll]
        person = [participants[number] for number in nll.index]
        parts.append(
            pd.DataFrame({"model": model, "participant": person, "nll": nll.iloc[:, np.argmin(off)].array})
        )
    return pd.concat(parts, ignore_index=True)


def _fit_entry(model: str, entry: Entry, trials: Trials, options: Mapping[str, Any]) -> pd.DataFrame:
    ordinary = ~trials.sequences["condition"].isin(list(entry.special)).to_numpy()
    parts = [(trials.take(ordinary), dict(entry.options))]
    for condition, changes in entry.special.items():
        parts.append(
            (
                trials.take(trials.sequences["condition"].eq(condition).to_numpy()),
                {**entry.options, **changes},
            )
        )
    found = [
        fit(get_model_for(model, part, **chosen), part, share=entry.share, **options)
        for part, chosen in parts
        if len(part)
    ]
    return _summed(found, trials.participants, entry.n_parameters)


def _summed(found: list[Fit], participants: list[Any], n_parameters: int) -> pd.DataFrame:
    together = pd.concat([one.by_participant() for one in found], ignore_index=True)
    by_participant = together.groupby("participant", sort=False)
    # Whoever could not be fitted in one part has no sum, instead of one that is too good.
    table = (
        by_participant[["log_likelihood", "n_trials"]]
        .sum(skipna=False)
        .join(by_participant["converged"].all())
    )
    return table.assign(n_parameters=n_parameters).loc[participants].reset_index()


def _bic(nll: float, entry: Entry, protocol: Protocol, n_participants: int) -> float:
    return 2 * nll + n_participants * entry.n_parameters * np.log(protocol.n_trials)


def _protocol(study: str) -> Protocol:
    if study not in PROTOCOLS:
        raise UsageError(f"there is no published protocol of '{study}'.", fix=did_you_mean(study, PROTOCOLS))
    return PROTOCOLS[study]
