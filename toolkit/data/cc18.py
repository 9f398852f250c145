"""Tables of the OpenML-CC18 suite, with what is known of each."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pandas as pd

from toolkit.data.cache import Cache, locate_file
from toolkit.data.registry import DataFile, describe, read_index
from toolkit.errors import UsageError, did_you_mean

DATASET = "openml_cc18"


class CC18Table(NamedTuple):
    """Features (rows x features), the class of every row, and facts about the table."""

    features: pd.DataFrame
    target: pd.Series
    info: dict[str, str]


def list_cc18() -> pd.DataFrame:
    """One row a table: OpenML and task id, name, rows, features, classes, missing cells, and notes.

    ``in_ermi_benchmark`` marks the tasks of ERMI's benchmark (22 of its 23 are here).
    """
    table = pd.DataFrame(read_index(describe(DATASET).index))
    whole = ["openml_id", "task_id", "rows", "features", "classes", "missing", "minority", "majority"]
    table[whole] = table[whole].astype(int)
    table["in_ermi_benchmark"] = table["in_ermi_benchmark"] == "yes"
    return table.drop(columns=["path", "bytes", "sha256", "source_urls", "source_sha256"])


def load_cc18(name: str | int) -> CC18Table:
    """One table of the suite by its name or OpenML id.

    Empty cells are missing; nothing else is: a class called "None" stays a class. Without a mirror the
    table is made from its public source and checked against rows, classes and missing cells.
    """
    rows = {row["name"]: row for row in read_index(describe(DATASET).index)}
    by_id = {row["openml_id"]: row for row in rows.values()}
    row = rows.get(str(name)) or by_id.get(str(name))
    if row is None:
        raise UsageError(f"there is no CC18 table '{name}' here.", fix=did_you_mean(str(name), rows))
    table = _table(row)
    return CC18Table(table.drop(columns=row["target"]), table[row["target"]], row)


def read_cc18_csv(path: Path) -> pd.DataFrame:
    """A table as the mirror holds it."""
    return pd.read_csv(path, keep_default_na=False, na_values=[""], low_memory=False)


def _table(row: dict[str, str]) -> pd.DataFrame:
    dataset = describe(DATASET)
    file = next(file for file in dataset.files if file.path == row["path"])
    with Cache() as cache:
        if _only_sources_here(cache, file):
            from toolkit.data.cc18_sources import convert

            return convert(row, [cache.path(source) for source in file.sources])
        return read_cc18_csv(locate_file(cache, dataset, file))


def _only_sources_here(cache: Cache, file: DataFile) -> bool:
    if cache.holds(file) or not all(map(cache.holds, file.sources)):
        return False
    return not cache.copy_from_mirror(file)
