"""Tables that classifiers are compared on, and those that they may be chosen on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import combinations
from typing import Literal, NamedTuple

import pandas as pd

from toolkit.data import list_cc18, load_cc18
from toolkit.data.cc18 import DATASET
from toolkit.data.fetching import holdings
from toolkit.errors import DataError, UsageError
from toolkit.paths import mirror_dir
from toolkit.seeds import Seeds

Suite = Literal["published", "binary", "all"]
Origin = Literal["auto", "files", "openml", "sklearn"]

PUBLISHED_TASKS = (
    *(3, 31, 37, 43, 49, 219, 3902, 3903, 3913, 3917, 3918, 9946, 9952, 9957, 9971, 9978),
    *(10093, 10101, 14952, 14965, 146820, 167120, 167141),
)
"""OpenML tasks of the published benchmark: two classes of more than 50 rows, fewer than 100 features, no gaps."""


class Table(NamedTuple):
    """Features (rows x features) and the class of every row; ``task`` is OpenML's number, or None.

    ``origin`` is that of :func:`benchmark_tables`, "" for a table of your own.
    """

    name: str
    features: pd.DataFrame
    target: pd.Series
    task: int | None = None
    origin: str = ""

    @property
    def n_classes(self) -> int:
        """How many classes there are."""
        return self.target.nunique()


def benchmark_tables(suite: Suite = "published", origin: Origin = "auto") -> list[Table]:
    """Tables of the OpenML-CC18 suite, or scikit-learn's where the suite cannot be had.

    Parameters
    ----------
    suite
        "published": the binary tables of the published benchmark; "binary": all of two classes; "all".
    origin
        "files": the project's own cache or mirror. "openml": the openml package, from its cache or the
        network. "sklearn": the tables that scikit-learn brings. "auto": the first of these that is there.
    """
    if suite not in ("published", "binary", "all"):
        raise UsageError(f"there is no suite '{suite}'.", fix="published, binary or all.")
    readers = {"files": _from_files, "openml": _from_openml, "sklearn": _from_sklearn}
    if origin != "auto":
        if origin not in readers:
            raise UsageError(f"tables cannot come from '{origin}'.", fix="auto, files, openml or sklearn.")
        return readers[origin](suite)
    if mirror_dir() or holdings([DATASET])[0].state == "here":
        return _from_files(suite)
    try:
        return _from_openml(suite)
    except DataError:
        return _from_sklearn(suite)


def describe_tables(tables: Sequence[Table]) -> str:
    """How many tables there are and where they come from, as the title of a figure says it.

    >>> describe_tables(sklearn_tables())
    "4 of scikit-learn's tables, not CC18"
    """
    cc18 = "of OpenML-CC18's tables"
    known = {"files": cc18, "openml": cc18, "sklearn": "of scikit-learn's tables, not CC18"}
    known["bank"] = "problems of the ecological bank"
    kinds = dict.fromkeys(known.get(table.origin, "of your own") for table in tables)
    return f"{len(tables)} {' and '.join(kinds)}"


def sklearn_tables() -> list[Table]:
    """What scikit-learn brings: iris, wine, breast cancer and digits."""
    from sklearn import datasets

    tables = []
    for name in ("iris", "wine", "breast_cancer", "digits"):
        table = getattr(datasets, f"load_{name}")(as_frame=True)
        tables.append(Table(name.replace("_", " "), table.data, table.target, origin="sklearn"))
    return tables


def sklearn_pairs() -> list[Table]:
    """Two classes at a time of scikit-learn's tables, and diabetes that gets worse or not.

    Of the digits only neighbours are paired, so that they do not outnumber the rest.
    """
    from sklearn import datasets

    diabetes = datasets.load_diabetes(as_frame=True)
    worse = (diabetes.target > diabetes.target.median()).map({True: "worse", False: "better"})
    tables = [Table("diabetes", diabetes.data, worse, origin="sklearn")]
    for table in sklearn_tables():
        classes = sorted(table.target.unique())
        pairs: Iterable = combinations(classes, 2)
        if table.name == "digits":
            pairs = zip(classes, classes[1:] + classes[:1], strict=True)
        for pair in pairs:
            rows = table.target.isin(pair)
            name = table.name if len(classes) == 2 else f"{table.name} {pair[0]} or {pair[1]}"
            tables.append(table._replace(name=name, features=table.features[rows], target=table.target[rows]))
    return tables


def bank_tables(
    part: Literal["train", "validation", "test"] = "validation", n_rows: int = 400, n_classes: int | None = 2
) -> list[Table]:
    """Rows of problems of the ecological bank, always the same; of the parts that nobody trains on by default.

    Parameters
    ----------
    n_classes
        Only problems of so many categories; None: all.
    """
    from toolkit.tasks.bank import Bank
    from toolkit.training.splits import bank_part

    problems = [one for one in bank_part(part) if n_classes in (None, len(one.categories))]
    generator = Seeds(0).torch(f"tables of the bank, {part}")
    x, y = Bank(problems).draw_named(range(len(problems)), n_rows, generator=generator)
    tables = []
    for problem, values, classes in zip(problems, x.numpy(), y.numpy(), strict=True):
        names = [feature.name for feature in problem.features]
        target = pd.Series(classes).map(dict(enumerate(problem.categories)))
        tables.append(Table(problem.id, pd.DataFrame(values, columns=names), target, origin="bank"))
    return tables


def _from_files(suite: Suite) -> list[Table]:
    facts = list_cc18()
    chosen = {
        "published": facts["in_ermi_benchmark"],
        "binary": facts["classes"] == 2,
        "all": facts["classes"] >= 2,
    }[suite]
    rows = facts[chosen].sort_values("task_id")
    return [
        Table(name, *load_cc18(name)[:2], task, "files")
        for name, task in zip(rows["name"], rows["task_id"].tolist(), strict=True)
    ]


def _from_openml(suite: Suite) -> list[Table]:
    import openml

    config = openml.config
    policy, n_retries = config.retry_policy, config.connection_n_retries
    config.set_retry_policy(policy, 1)  # Without a network the package would try again and again.
    try:
        numbers = PUBLISHED_TASKS if suite == "published" else _suite_tasks()
        tables = [_openml_table(openml.tasks.get_task(one, download_splits=False)) for one in numbers]
    except (OSError, openml.exceptions.PyOpenMLError) as error:
        raise DataError(
            f"the tables cannot be had from OpenML ({error}).",
            fix="Fetch them once: toolkit fetch openml_cc18. Or use origin='sklearn'.",
        ) from error
    finally:
        config.set_retry_policy(policy, n_retries)
    return [table for table in tables if suite != "binary" or table.n_classes == 2]


def _suite_tasks() -> list[int]:
    """All tasks; the package keeps no list of them for when there is no network, so then those known here."""
    import openml

    try:
        return openml.study.get_suite("OpenML-CC18").tasks
    except (OSError, openml.exceptions.PyOpenMLError):
        return sorted(list_cc18()["task_id"].tolist())


def _openml_table(task: object) -> Table:
    dataset = task.get_dataset()
    features, target, _, _ = dataset.get_data(target=task.target_name)
    return Table(dataset.name, features, target, task.task_id, "openml")


def _from_sklearn(suite: Suite) -> list[Table]:
    return sklearn_tables() if suite == "all" else sklearn_pairs()
