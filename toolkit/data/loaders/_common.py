"""What several loaders need."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from toolkit.trials import Trials, get_schema


def unpadded(
    schema: str,
    arrays: Mapping[str, np.ndarray],
    sequences: pd.DataFrame,
    labels: Mapping[str, tuple[str, ...]] | None = None,
    n_options: int = 0,
) -> Trials:
    """Trials of sequences that are all equally long: arrays are (sequences, trials, …)."""
    mask = np.ones(arrays["choice"].shape[:2], dtype=bool)
    return Trials(get_schema(schema), arrays, mask, sequences, labels or {}, n_options)


def read_mat(path: Path) -> dict[str, Any]:
    """Variables of a Matlab file (version 7 or older), structs as dicts."""
    from scipy.io import loadmat

    content = loadmat(path, simplify_cells=True)
    return {name: value for name, value in content.items() if not name.startswith("__")}
