"""Problems that other people's language models wrote: the registered files, through the one parser."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import pandas as pd

from toolkit.data import load_table
from toolkit.errors import UsageError, did_you_mean
from toolkit.tasks.writing.harvest import Harvest
from toolkit.tasks.writing.labels import Label, judge_label
from toolkit.tasks.writing.parsing import LEAST_POINTS, Row, Unfit, WrittenProblem, normalised, parse_points

DATASET = "llm_tasks"

LEAST_SHARE = 0.1
"""Where a file does not declare categories, a problem's are the labels of at least this share of its rows."""


class _File(NamedTuple):
    table: str
    categories: tuple[str, ...] | None = ("A", "B")


PUBLISHED = {
    "claude": _File("llm_tasks_claude"),
    "claude_named": _File("llm_tasks_claude_named", None),
    "gpt4": _File("llm_tasks_gpt4"),
    "gpt3": _File("llm_tasks_gpt3"),
    "llama": _File("llm_tasks_llama"),
}
"""Files of problems with three features; models were asked for categories A and B, but in one of them."""


def read_published(name: str, least_points: int = LEAST_POINTS) -> Harvest[WrittenProblem]:
    """The problems of a registered file, one of :data:`PUBLISHED`; needs `toolkit fetch llm_tasks`."""
    if name not in PUBLISHED:
        raise UsageError(f"there are no written problems '{name}'.", fix=did_you_mean(name, PUBLISHED))
    file, harvest = PUBLISHED[name], Harvest[WrittenProblem](name)
    features = ("feature 1", "feature 2", "feature 3")
    for task, rows in _rows_by_task(load_table(file.table)):
        categories = file.categories or _labels_in_use(rows)
        one = f"{name}/{task}"
        harvest.add_parsed(one, parse_points(rows, features, categories, name=one, least_points=least_points))
    return harvest


def read_published_labels(n_features: int) -> Harvest[Label]:
    """Proposed problems with 3, 4 or 6 features and two categories; needs `toolkit fetch llm_tasks`."""
    if n_features not in (3, 4, 6):
        raise UsageError(f"there are no published labels with {n_features} features.", fix="3, 4 or 6.")
    table = load_table(f"llm_labels_dim{n_features}")
    harvest = Harvest[Label](f"labels_dim{n_features}")
    for task, features, categories in zip(
        table["task_id"], table["feature_names"], table["category_names"], strict=True
    ):
        name = f"{harvest.stage}/{task}"
        try:
            label = judge_label(name, _items(features), _items(categories), n_features, 2)
            harvest.add("label", label, name, label.content)
        except Unfit as unfit:
            harvest.reject("label", name, unfit)
    return harvest


def _rows_by_task(table: pd.DataFrame) -> Iterable[tuple[int, list[Row]]]:
    rows: dict[int, list[Row]] = {}
    columns = (table[name].tolist() for name in ("task_id", "trial_id", "input", "target"))
    for task, trial, values, label in zip(*columns, strict=True):
        rows.setdefault(int(task), []).append(Row((*_items(values), str(label)), int(trial)))
    return rows.items()


def _items(text: str) -> list[str]:
    """Items of a list as text: "['1', '2']" or "[1, 2]". Items contain no commas, as rows were split there."""
    return [item.strip().strip("'\"") for item in text.strip().removeprefix("[").removesuffix("]").split(",")]


def _labels_in_use(rows: Sequence[Row]) -> tuple[str, ...]:
    """Labels of a tenth of the rows or more, the first spelling of each."""
    spelling: dict[str, str] = {}
    counts: Counter[str] = Counter()
    for row in rows:
        key = normalised(row.fields[-1])
        spelling.setdefault(key, row.fields[-1])
        counts[key] += 1
    return tuple(spelling[key] for key, n in counts.items() if n >= LEAST_SHARE * len(rows))
