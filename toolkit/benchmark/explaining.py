"""On which tables a classifier is ahead, and which properties of the problems go with that."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import torch

from toolkit.benchmark.protocols import Prepared, Protocol, prepare_sets
from toolkit.benchmark.scores import LOWER_IS_BETTER
from toolkit.benchmark.statistics import holm
from toolkit.benchmark.tables import Table
from toolkit.errors import UsageError

_FEW = 6
"""Tasks of whose 720 pairings all can be tried in no time."""

PROPERTIES = {
    "rows": "Rows of the table",
    "columns": "Columns of the table",
    "rarest_class": "Share of the rarest class in the table",
    "distinct_values": "Share of values that are distinct",
    "pearson_mean_size": "Correlation of features (size)",
    "gini": "Sparsity (Gini)",
    "linear_against_quadratic": "Linear (posterior)",
    "held_out_gain_quadratic": "Gain by squares and products",
    "logistic_accuracy": "Logistic regression, trial by trial",
    "neighbour_accuracy": "Neighbours, trial by trial",
    "separability_linear": "Separability by a line",
    "separability_best_feature": "Separability by one feature",
}
"""What is asked of tables, and of the sets drawn from them by :mod:`toolkit.tasks.statistics`."""
_OF_SETS = tuple(PROPERTIES)[4:]


def leads(means: pd.DataFrame, metric: str, model: str, rivals: Sequence[str]) -> pd.DataFrame:
    """How far one classifier is ahead of others on every task.

    Parameters
    ----------
    means
        One row a task, one column a model: :meth:`toolkit.benchmark.Results.means`.

    Returns
    -------
    One row a task, the largest lead first: ``task``; ``lead`` over the mean of the rivals and
    ``lead_over_best`` over the best of them, positive where ``model`` is better; ``best``, its name.
    """
    unknown = [name for name in (model, *rivals) if name not in means]
    if unknown:
        raise UsageError(f"there is no model '{unknown[0]}'.", fix=f"Of {', '.join(means.columns)}.")
    better = -means if metric in LOWER_IS_BETTER else means
    others = better[list(rivals)]
    table = pd.DataFrame(
        {
            "lead": better[model] - others.mean(axis=1),
            "lead_over_best": better[model] - others.max(axis=1),
            "best": others.idxmax(axis=1),
        }
    )
    return table.sort_values("lead", ascending=False).rename_axis("task").reset_index()


def problem_properties(protocol: Protocol, tables: Sequence[Table], seed: int = 0) -> pd.DataFrame:
    """Properties of the problems that a protocol makes of tables, means over its sets.

    Rows to learn from and rows of the test are taken together, since a property of the problem is asked
    about and not what a learner could know.

    Returns
    -------
    One row a task, one column each of ``PROPERTIES``; NaN where one is not defined.
    """
    rows = {table.name: _properties(table, list(prepare_sets(protocol, table, seed))) for table in tables}
    return pd.DataFrame.from_dict(rows, orient="index", columns=list(PROPERTIES)).rename_axis("task")


def explain_leads(
    leads: pd.DataFrame, properties: pd.DataFrame, *, rng: np.random.Generator, n_bootstrap: int = 2000
) -> pd.DataFrame:
    """Rank correlations of leads and properties over tasks.

    Parameters
    ----------
    leads, properties
        Of :func:`leads` and :func:`problem_properties`.

    Returns
    -------
    One row a property that varies, the strongest first: ``property``, ``n`` tasks, Spearman's ``rho`` with
    a 95 % bootstrap interval ``low, high``, ``p`` (of few tasks over all pairings), and ``p_holm``, corrected for the number of properties.
    """
    joined = leads.set_index("task")[["lead"]].join(properties, how="inner")
    rows = []
    for name in properties:
        pair = joined[["lead", name]].dropna()
        if len(pair) < 4 or pair[name].nunique() < 2:
            continue
        rho, p = _rank_test(pair["lead"].to_numpy(), pair[name].to_numpy())
        drawn = rng.integers(len(pair), size=(n_bootstrap, len(pair)))
        low, high = np.nanquantile(_rank_correlations(pair.to_numpy()[drawn]), [0.025, 0.975])
        rows.append({"property": name, "n": len(pair), "rho": rho, "low": low, "high": high, "p": p})
    if not rows:
        raise UsageError(
            f"{len(joined)} tasks cannot explain anything.", fix="Four or more, with leads that vary."
        )
    table = pd.DataFrame(rows)
    table["p_holm"] = holm(table["p"].to_numpy())
    return table.sort_values("rho", key=np.abs, ascending=False).reset_index(drop=True)


def _rank_test(x: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    """Spearman's correlation and its p, exact where the usual approximation would be far off."""
    from scipy.stats import permutation_test, spearmanr

    rho, p = spearmanr(x, y)
    if len(x) <= _FEW:
        p = permutation_test(
            (x,), lambda order: spearmanr(order, y)[0], permutation_type="pairings", n_resamples=np.inf
        ).pvalue
    return float(rho), float(p)


def _properties(table: Table, sets: Sequence[Prepared]) -> dict[str, float]:
    from toolkit.tasks.problems import Problems
    from toolkit.tasks.statistics import measure

    found: dict[str, float] = {
        "rows": len(table.target),
        "columns": table.features.shape[1],
        "rarest_class": table.target.value_counts(normalize=True).min(),
    }
    groups: dict[tuple[int, ...], list[tuple[np.ndarray, np.ndarray]]] = {}
    for one in sets:
        x, y = np.concatenate([one.x, one.test_x]), np.concatenate([one.y, one.test_y])
        groups.setdefault(x.shape, []).append((x, y))
    measured, distinct = [], []
    for group in groups.values():
        x, y = (torch.as_tensor(np.stack(part)) for part in zip(*group, strict=True))
        measured.append(measure(Problems(x, y, table.n_classes)).table())
        distinct += [np.mean([len(np.unique(column)) / len(part) for column in part.T]) for part in x.numpy()]
    if measured:
        found["distinct_values"] = float(np.mean(distinct))
        found |= pd.concat(measured)[list(_OF_SETS)].mean().to_dict()
    return found


def _rank_correlations(pairs: np.ndarray) -> np.ndarray:
    """Spearman's correlation in every draw: (draws,) from (draws, tasks, 2)."""
    from scipy.stats import rankdata

    ranks = rankdata(pairs, axis=1)
    centred = ranks - ranks.mean(1, keepdims=True)
    with np.errstate(invalid="ignore"):
        return (centred[..., 0] * centred[..., 1]).sum(1) / np.sqrt((centred**2).sum(1).prod(-1))
