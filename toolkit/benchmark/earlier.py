"""The table that earlier work published, beside the same classifiers here."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from toolkit.benchmark.tables import Table

_COLUMN_OF = {
    "logistic_regression_untuned": "Logistic Regression",
    "svm_untuned": "SVM",
    "xgboost_untuned": "XGBoost",
    "tabpfn": "TabPFN",
    "ermi": "ERMI",
}
PUBLISHED = tuple(_COLUMN_OF)
"""The models of the published table; TabPFN is there only if the user has installed it."""


def compare_with_published(
    accuracy: pd.DataFrame, tables: Sequence[Table], published: pd.DataFrame
) -> pd.DataFrame:
    """Accuracies under the published protocol beside the published ones, over the tasks that both have.

    Parameters
    ----------
    accuracy
        One row a task, one column a model: ``results.means("accuracy")``.
    published
        ``toolkit.data.load_table("ermi_benchmark_accuracy")``.

    Returns
    -------
    One row a published model: ``model``, ``n_tasks``; ``ours``, None where it was not run here, and
    ``published``, means over tasks; ``r``, the correlation over tasks.
    """
    number = {table.name: table.task for table in tables}
    here = accuracy.assign(task_id=accuracy.index.map(number)).dropna(subset=["task_id"])
    both = here.merge(published, on="task_id", suffixes=("", " published"))
    rows = []
    for model, column in _COLUMN_OF.items():
        theirs = both[column]
        row = {"model": model, "n_tasks": len(both), "published": theirs.mean()}
        if model in both:
            row |= {"ours": both[model].mean(), "r": both[model].corr(theirs)}
        rows.append(row)
    return pd.DataFrame(rows, columns=["model", "n_tasks", "ours", "published", "r"])
