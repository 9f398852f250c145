"""How the options of in-context classifiers were chosen: on problems that nobody is compared on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from toolkit.benchmark.classifier import InContextClassifier
from toolkit.benchmark.protocols import fair, published
from toolkit.benchmark.running import run_protocol
from toolkit.benchmark.statistics import compare_with
from toolkit.benchmark.tables import bank_tables, sklearn_pairs

CANDIDATES: tuple[dict[str, object], ...] = (
    {"n_members": 1, "scalings": ("range",)},
    {"n_members": 16, "scalings": ("range",)},
    {"n_members": 16, "scalings": ("rank",)},
    {"n_members": 16, "scalings": ("spread",)},
    {"n_members": 8, "scalings": ("range", "rank")},
    {"n_members": 16, "scalings": ("range", "rank")},
    {"n_members": 12, "scalings": ("range", "rank", "spread")},
    {"n_members": 24, "scalings": ("range", "rank", "spread")},
)
"""Options that were tried."""

BEYOND_CHANCE = 0.05
"""More readings are paid for where the best is better by a paired test at this level."""


def choose_options(
    checkpoint: str | Path = "ermi",
    candidates: Sequence[dict[str, object]] = CANDIDATES,
    *,
    n_sets: int = 8,
    seeds: Sequence[int] = (0, 1, 2),
    n_jobs: int = 1,
    folder: str | Path | None = None,
) -> pd.DataFrame:
    """Options of :class:`InContextClassifier` by how well they do where nobody was trained or is compared.

    The published protocol runs on rows of the bank's validation problems and on scikit-learn's tables, never
    on CC18. The criterion is the mean of accuracy and area under the curve, over tables of each kind and
    then over both kinds. Chosen are the fewest readings to which the best are not superior beyond chance.

    Parameters
    ----------
    seeds
        Of draws from tables and of the orders of readings; orders are shared by all tables, so that what a
        few lucky ones gain is found everywhere and only other seeds show that it is luck.

    Returns
    -------
    One row a candidate: its options, ``accuracy`` and ``auc`` on either kind of tables, the ``criterion``,
    ``p`` of Wilcoxon's test over tables that the best is no better, and whether it is ``chosen``.
    """
    kinds = {"bank": bank_tables("validation"), "sklearn": sklearn_pairs()}
    columns, by_table = {}, []
    for kind, tables in kinds.items():
        runs = []
        for seed in seeds:
            classifiers = {
                str(number): InContextClassifier(checkpoint, random_state=seed, **options)
                for number, options in enumerate(candidates)
            }
            runs.append(
                run_protocol(published(n_sets), tables, classifiers, seed=seed, n_jobs=n_jobs, folder=folder)
            )
        means = {
            metric: sum(run.means(metric)[list(classifiers)] for run in runs) / len(runs)
            for metric in ("accuracy", "auc")
        }
        columns |= {f"{metric}_{kind}": table.mean().to_numpy() for metric, table in means.items()}
        by_table.append(sum(means.values()) / len(means))
    table = pd.concat([pd.DataFrame(candidates), pd.DataFrame(columns)], axis=1)
    table["criterion"] = table[list(columns)].mean(axis=1)
    best = str(table["criterion"].idxmax())
    tests = compare_with(best, pd.concat(by_table), "criterion").set_index("other")["p"]
    table["p"] = [tests.get(str(number), 1.0) for number in table.index]
    good = table[table["p"] >= BEYOND_CHANCE].sort_values(["n_members", "criterion"], ascending=[True, False])
    table["chosen"] = table.index == good.index[0]
    return table


def choose_features(
    checkpoint: str | Path = "ermi",
    numbers: Sequence[int] = (4, 6, 10),
    *,
    n_sets: int = 8,
    seed: int = 0,
    n_jobs: int = 1,
    folder: str | Path | None = None,
) -> pd.DataFrame:
    """How many features of scikit-learn's larger tables are read best, and whether selected or projected.

    With all columns to choose from and contexts of 30 and 60 rows; pairs of one table count together.

    Returns
    -------
    One row a ``reduction`` and ``n_features``: ``accuracy``, ``auc`` and ``log_loss``, the best first by
    their sum with that of the loss taken off.
    """
    ways = [(reduction, number) for reduction in ("select", "project") for number in numbers]
    classifiers = {
        f"{reduction} {number}": InContextClassifier(
            checkpoint, n_features=number, reduction=reduction, random_state=seed
        )
        for reduction, number in ways
    }
    tables = [table for table in sklearn_pairs() if table.features.shape[1] >= max(numbers)]
    protocol = fair(n_sets, (30, 60), 30, ("balanced",), n_features=None)
    results = run_protocol(protocol, tables, classifiers, seed=seed, n_jobs=n_jobs, folder=folder)
    table = pd.DataFrame(ways, columns=["reduction", "n_features"])
    for metric in ("accuracy", "auc", "log_loss"):
        means = results.means(metric)[list(classifiers)]
        table[metric] = means.groupby(means.index.str.split().str[0]).mean().mean().to_numpy()
    order = (table["accuracy"] + table["auc"] - table["log_loss"]).sort_values(ascending=False).index
    return table.loc[order].reset_index(drop=True)
