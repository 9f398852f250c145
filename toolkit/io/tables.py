"""Tables on disk: parquet for the machine, csv for people."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from toolkit.errors import DataError, UsageError
from toolkit.io.atomic import atomic_path

if TYPE_CHECKING:
    import pandas as pd


def write_table(path: str | Path, table: pd.DataFrame) -> None:
    """Write a table; the suffix (.parquet or .csv) chooses the format."""
    path = Path(path)
    if path.suffix not in (".parquet", ".csv"):
        raise UsageError(
            f"a table cannot be written as '{path.suffix}'.", where=str(path), fix="Use .parquet or .csv."
        )
    with atomic_path(path) as temporary:
        if path.suffix == ".parquet":
            table.to_parquet(temporary, index=False)
        else:
            table.to_csv(temporary, index=False)


def read_table(path: str | Path) -> pd.DataFrame:
    """Read a table written by :func:`write_table`."""
    import pandas as pd

    path = Path(path)
    if not path.is_file():
        raise DataError("the table does not exist.", where=str(path))
    try:
        return pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path)
    except (ValueError, OSError) as error:
        raise DataError(
            f"the table cannot be read ({error}).", where=str(path), fix="Delete or restore it."
        ) from error
