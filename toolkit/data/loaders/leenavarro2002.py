"""Lee & Navarro (2002): nine stimuli of three shapes and three colours."""

from __future__ import annotations

import pandas as pd

from toolkit.data.cache import locate_one
from toolkit.trials import MISSING, Trials

FEATURES = ("circle", "square", "triangle", "red", "green", "blue")
"""What the six binary features of a stimulus stand for, in order."""


def load() -> Trials:
    """One sequence a structure: 22 participants x 4 structures of the paper's own.

    ``condition`` is the structure ("1" to "4"; not Shepard's types), ``problem`` the position in the
    session. Stimuli are six indicators in the order of :data:`FEATURES`, made from the names of the
    stimuli: the file of features has two headers swapped. A response of 2 is a missed trial (14; choice
    -1), which the authors count as wrong. Extra array: ``stimulus_id`` (1-9).
    """
    path = locate_one("leenavarro2002", "lee-navarro-2002-all.csv")
    table = pd.read_csv(path)
    first = table.groupby(["id", "condition"])["trial"].transform("min")
    table["problem"] = (first.groupby(table["id"]).rank("dense") - 1).astype(int)
    table["condition"] = table["condition"].astype(str)
    table["response"] = table["response"].where(table["response"] < 2, MISSING)
    parts = table["stimulus_char"].str.split("-", expand=True)
    for name in FEATURES:
        table[name] = ((parts[0] == name) | (parts[1] == name)).astype(int)
    return Trials.from_table(
        table.rename(columns={"stimulus": "stimulus_id"}),
        "category_learning",
        columns={"participant": "id", "choice": "response", "stimulus": list(FEATURES)},
        extra=["stimulus_id"],
        source=path.name,
    )
