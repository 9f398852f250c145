"""Who wins under which criterion, and among whom."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from toolkit.errors import UsageError
from toolkit.fitting.comparison import Comparison
from toolkit.seeds import Seeds
from toolkit.trials import Trials


def rank_by_criterion(comparisons: Mapping[str, Comparison | pd.DataFrame]) -> pd.DataFrame:
    """Place of every model under every criterion.

    Parameters
    ----------
    comparisons
        Of :func:`toolkit.fitting.compare`, by the name of the criterion; or a table with ``model`` and
        ``nats_per_trial``. They may be about different models.

    Returns
    -------
    One row a criterion and model, best first: ``criterion, model, place`` (1 is best, ties share the better
    place), and ``behind``, nats a choice behind the best.
    """
    parts = []
    for criterion, comparison in comparisons.items():
        table = comparison if isinstance(comparison, pd.DataFrame) else comparison.table
        part = table[["model", "nats_per_trial"]].dropna()
        part = part.assign(
            criterion=criterion,
            place=part["nats_per_trial"].rank(method="min").astype(int),
            behind=part["nats_per_trial"] - part["nats_per_trial"].min(),
        )
        parts.append(part.sort_values("place", kind="stable"))
    columns = ["criterion", "model", "place", "behind"]
    return pd.concat(parts, ignore_index=True)[columns]


def compare_groups(
    comparison: Comparison, trials: Trials, group: str, *, n_bootstrap: int = 2000, seed: int = 0
) -> pd.DataFrame:
    """What models explain in each group of participants.

    Parameters
    ----------
    group
        Column of ``trials.sequences`` that says which group a participant belongs to.
    n_bootstrap
        Draws of a group's participants behind the intervals.

    Returns
    -------
    One row a group and model: ``group, model, n_participants``; ``nats_per_trial``, -log evidence a choice,
    meaned over participants, with ``low`` and ``high`` (95 %); and ``share_best`` of the group's participants, ties shared.
    """
    people = comparison.participants
    members = trials.sequences.groupby("participant")[group].agg(["first", "nunique"])
    if (members["nunique"] > 1).any():
        raise UsageError(f"'{group}' differs between problems of one participant.", where="compare_groups")
    best = people["difference"] == 0
    people = people.assign(
        group=people["participant"].map(members["first"]),
        nats=-people["log_evidence"] / people["n_trials"],
        best=best / best.groupby(people["participant"]).transform("sum"),
    )
    rng = Seeds(seed).numpy("groups")
    rows = []
    for (name, model), own in people.groupby(["group", "model"], sort=False):
        draws = rng.choice(own["nats"].to_numpy(), (n_bootstrap, len(own))).mean(1)
        low, high = np.percentile(draws, [2.5, 97.5])
        rows.append((name, model, len(own), own["nats"].mean(), low, high, own["best"].mean()))
    columns = ["group", "model", "n_participants", "nats_per_trial", "low", "high", "share_best"]
    return pd.DataFrame(rows, columns=columns)
