"""Which classifier is better: paired tests and ranks over tasks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import pandas as pd

from toolkit.benchmark.scores import LOWER_IS_BETTER
from toolkit.errors import UsageError
from toolkit.seeds import Seeds

Numbers = TypeVar("Numbers", pd.DataFrame, pd.Series)


@dataclass(frozen=True)
class Ranking:
    """Classifiers by their rank on each task, 1 the best.

    Attributes
    ----------
    table
        One row a model, the best first: ``mean`` of the metric, ``mean_rank`` with a 95 % interval
        ``low, high`` and ``first``, the share of bootstrap draws of tasks in which its rank is the lowest.
    p
        Of Friedman's test that all are alike.
    critical_difference
        Mean ranks that differ by less are not told apart by Nemenyi's test (5 % for all pairs together).
    groups
        Largest sets of neighbours in ``table`` that are not told apart.
    """

    metric: str
    n_tasks: int
    table: pd.DataFrame
    p: float
    critical_difference: float
    groups: list[list[str]]


def ranks_by_task(means: pd.DataFrame, metric: str) -> pd.DataFrame:
    """Rank of every model (column) on every task (row), 1 the best; equals share."""
    _check_complete(means, metric)
    return _without_rounding(means).rank(axis=1, ascending=metric in LOWER_IS_BETTER)


def rank_models(means: pd.DataFrame, metric: str, *, n_bootstrap: int = 10_000, seed: int = 0) -> Ranking:
    """Mean ranks over tasks, whether they differ at all, and which differ.

    Parameters
    ----------
    means
        One row a task, one column a model: :meth:`toolkit.benchmark.Results.means`.
    """
    from scipy.stats import friedmanchisquare

    n_tasks, n_models = means.shape
    if n_tasks < 2 or n_models < 3:
        raise UsageError(
            f"ranks of {n_models} models on {n_tasks} tasks cannot be tested.",
            fix="Three models and two tasks at least.",
        )
    ranks = ranks_by_task(means, metric)
    drawn = Seeds(seed).numpy("bootstrap of tasks").integers(n_tasks, size=(n_bootstrap, n_tasks))
    means_drawn = ranks.to_numpy()[drawn].mean(1)
    low, high = np.quantile(means_drawn, [0.025, 0.975], axis=0)
    lowest = np.isclose(means_drawn, means_drawn.min(1, keepdims=True))
    table = pd.DataFrame(
        {
            "model": means.columns,
            "mean": means.mean().to_numpy(),
            "mean_rank": ranks.mean().to_numpy(),
            "low": low,
            "high": high,
            "first": (lowest / lowest.sum(1, keepdims=True)).mean(0),
        }
    )
    table = table.sort_values("mean_rank", kind="stable").reset_index(drop=True)
    difference = nemenyi_difference(n_models, n_tasks)
    p = float(friedmanchisquare(*_without_rounding(means).to_numpy().T).pvalue)
    return Ranking(metric, n_tasks, table, p, difference, _groups(table, difference))


def nemenyi_difference(n_models: int, n_tasks: int, level: float = 0.05) -> float:
    """Smallest difference of two mean ranks that is significant among all pairs.

    >>> round(nemenyi_difference(4, 14), 2)
    1.25
    """
    from scipy.stats import studentized_range

    quantile = studentized_range.ppf(1 - level, n_models, np.inf) / np.sqrt(2)
    return float(quantile * np.sqrt(n_models * (n_models + 1) / (6 * n_tasks)))


def compare_with(model: str, means: pd.DataFrame, metric: str) -> pd.DataFrame:
    """One model beside each of the others, paired by task.

    Returns
    -------
    One row another model: ``difference`` (mean over tasks, positive where ``model`` is better), ``wins``
    and ``losses`` of ``model``, ``p`` of Wilcoxon's signed-rank test, and ``p_holm``, corrected for the
    number of comparisons.
    """
    from scipy.stats import wilcoxon

    if model not in means:
        raise UsageError(f"there is no model '{model}'.", fix=f"One of {', '.join(means.columns)}.")
    _check_complete(means, metric)
    sign = -1 if metric in LOWER_IS_BETTER else 1
    rows = []
    for other in means.columns.drop(model):
        better = sign * _without_rounding(means[model] - means[other]).to_numpy()
        p = float(wilcoxon(better).pvalue) if np.any(better != 0) else 1.0
        wins, losses = int((better > 0).sum()), int((better < 0).sum())
        rows.append({"other": other, "difference": better.mean(), "wins": wins, "losses": losses, "p": p})
    table = pd.DataFrame(rows)
    return table.assign(p_holm=holm(table["p"].to_numpy()))


def holm(p: np.ndarray) -> np.ndarray:
    """P-values (tests,) corrected for their number.

    >>> holm(np.array([0.01, 0.04, 0.03]))
    array([0.03, 0.06, 0.06])
    """
    order = p.argsort()
    corrected = np.empty_like(p)
    corrected[order] = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1)).clip(max=1)
    return corrected


def _check_complete(means: pd.DataFrame, metric: str) -> None:
    if means.isna().any(axis=None):
        missing = means.isna().sum().idxmax()
        raise UsageError(
            f"'{missing}' has no {metric} on some tasks.", fix="Compare models on tasks that all were run on."
        )


def _without_rounding(means: Numbers) -> Numbers:
    """Means of the same numbers in another order, and equal differences, have other last digits and are ties."""
    return means.round(12)


def _groups(table: pd.DataFrame, difference: float) -> list[list[str]]:
    names, ranks = table["model"].tolist(), table["mean_rank"].to_numpy()
    ends = [int(np.searchsorted(ranks, rank + difference, side="left")) for rank in ranks]
    groups = []
    for start, end in enumerate(ends):
        # One that lies within the group before it says nothing new.
        if end - start > 1 and (start == 0 or end > ends[start - 1]):
            groups.append(names[start:end])
    return groups
