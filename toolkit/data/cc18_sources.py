"""CC18 tables from their public sources, for those who have no mirror."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pandas as pd

from toolkit.errors import DataError

_ATTRIBUTE = re.compile(r"""@attribute\s+('[^']*'|"[^"]*"|\S+)""", re.IGNORECASE)
# Identifiers, constants and columns that give the class away, which OpenML leaves out too.
_NASA = ["GLOBAL_DATA_COMPLEXITY", "GLOBAL_DATA_DENSITY", "PATHOLOGICAL_COMPLEXITY"]
_LEFT_OUT = {
    "splice": ["Instance_name"],
    "pc4": _NASA,
    "pc3": [*_NASA, "DECISION_DENSITY"],
    "MiceProtein": ["MouseID", "Genotype", "Treatment", "Behavior"],
}
_ADULT = [
    *("age", "workclass", "fnlwgt", "education", "education-num", "marital-status", "occupation"),
    *("relationship", "race", "sex", "capital-gain", "capital-loss", "hours-per-week"),
    *("native-country", "class"),
]


def convert(row: dict[str, str], paths: list[Path]) -> pd.DataFrame:
    """The table of one row of the index, target last, made from its source files and checked.

    Raises
    ------
    DataError
        If rows, features, classes or missing cells are not those of the index.
    """
    table = pd.concat([_read(path, row) for path in paths], ignore_index=True)
    table = table.drop(columns=[name for name in _LEFT_OUT.get(row["name"], []) if name in table])
    if row["target"] not in table:
        table = table.rename(columns={table.columns[-1]: row["target"]})
    table = table[[*table.columns.drop(row["target"]), row["target"]]]
    _check(table, row, paths[0])
    return table


def _read(path: Path, row: dict[str, str]) -> pd.DataFrame:
    name = row["name"]
    if name == "adult":
        text = re.sub(r"(?m)^\|.*$|\.$", "", path.read_text(encoding="utf-8"))
        return _csv(text, names=_ADULT)
    if name == "MiceProtein":
        return pd.read_csv(path, sep=";", decimal=",")
    if name == "madelon":
        from scipy.io import loadmat

        content = loadmat(path)
        features = pd.DataFrame(content["X"], columns=[f"V{i}" for i in range(1, content["X"].shape[1] + 1)])
        return features.assign(Class=content["Y"].ravel())
    if path.name.endswith(".tsv.gz"):
        return pd.read_csv(path, sep="\t")
    return read_arff(path)


def read_arff(path: Path) -> pd.DataFrame:
    """A dense ARFF file; "?" and empty cells are missing, types are those of the values.

    A file without a header gets the columns V1, V2, ….
    """
    text = path.read_text(encoding="utf-8", errors="replace")
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.lstrip().startswith("%")]
    header = [line for line in lines if line.startswith("@")]
    rows = [line for line in lines if not line.startswith("@")]
    if not rows or rows[0].startswith("{"):
        raise DataError("not a dense ARFF file.", where=str(path))
    names = [_ATTRIBUTE.match(line)[1].strip("'\"") for line in header if _ATTRIBUTE.match(line)]
    quote = '"' if '"' in rows[0] else "'"
    return _csv("\n".join(rows), names=names, quote=quote)


def _csv(text: str, *, names: list[str], quote: str = '"') -> pd.DataFrame:
    table = pd.read_csv(
        io.StringIO(text),
        header=None,
        quotechar=quote,
        skipinitialspace=True,
        keep_default_na=False,
        na_values=["", "?"],
        low_memory=False,
    )
    table.columns = names if len(names) == table.shape[1] else [f"V{i + 1}" for i in range(table.shape[1])]
    return table


def _check(table: pd.DataFrame, row: dict[str, str], path: Path) -> None:
    counts = table[row["target"]].value_counts()
    found = {
        "rows": len(table),
        "features": table.shape[1] - 1,
        "classes": len(counts),
        "missing": int(table.drop(columns=row["target"]).isna().sum().sum()),
        "minority": int(counts.min()),
        "majority": int(counts.max()),
    }
    for fact, value in found.items():
        if value != int(row[fact]):
            raise DataError(
                f"the table '{row['name']}' made from its source has {value} {fact}, not {row[fact]}.",
                where=str(path),
                fix="Set TOOLKIT_MIRROR to a folder that holds the converted table.",
            )
