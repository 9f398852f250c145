"""Speekenbrink, Channon & Shanks (2008): weather prediction by amnesic patients and controls."""

from __future__ import annotations

import numpy as np

from toolkit.data.cache import locate_one
from toolkit.data.rdata import read_rdata
from toolkit.trials import Trials


def load() -> Trials:
    """One sequence a participant: 16 controls (C1-C16) and 9 amnesics (A1-A9), 200 trials each.

    Stimuli say which of four cards were shown; category 1 and choice 1 are rain. ``condition`` is the
    group, "control" or "amnesic". Outcomes are probabilistic.
    """
    path = locate_one("speekenbrink2008", "WPT.rda")
    table = read_rdata(path)["WPT"]
    table["condition"] = np.where(table["id"].str.startswith("C"), "control", "amnesic")
    for column in ("y", "r"):
        table[column] = table[column].astype(int)
    return Trials.from_table(
        table,
        "category_learning",
        columns={
            "participant": "id",
            "choice": "r",
            "category": "y",
            "stimulus": ["x1", "x2", "x3", "x4"],
        },
        source=path.name,
    )
