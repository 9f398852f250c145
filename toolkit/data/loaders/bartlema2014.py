"""Bartlema, Lee, Wetzels & Vanpaemel (2014): criss-cross and diagonal structures."""

from __future__ import annotations

import pandas as pd

from toolkit.data.cache import locate_one
from toolkit.trials import Trials

_FILES = {
    "crisscross": ("bartlema-crisscross.csv", "bartlema-CrissCross-features.csv"),
    "diagonal": ("bartlema-diagonal.csv", "bartlema-Diagonal-features.csv"),
}


def load(structure: str) -> Trials:
    """One sequence a participant: 320 learning trials with feedback, then 112 transfer trials without.

    Stimuli are 16 points on two continuous dimensions, 8 of them trained. ``category`` is -1 where
    none was told (all of transfer); ``answer`` is the category of trained stimuli in both phases and
    -1 for the others. Extra arrays: ``transfer`` (flag) and ``stimulus_id`` (1-16).
    """
    trials_file, features_file = _FILES[structure]
    path = locate_one("bartlema2014", trials_file)
    features = pd.read_csv(locate_one("bartlema2014", features_file))
    table = pd.read_csv(path).merge(features, on="stimulus", how="left", validate="many_to_one")
    trained = {"A": 0, "B": 1}
    # The names in the file of features are right; the other file calls stimulus 10 of the diagonal "10A".
    table["answer"] = table["stimulus_name"].str[-1].map(trained)
    table["transfer"] = table["condition_char"] == "transfer"
    table = table.drop(columns="condition").assign(condition=structure)
    return Trials.from_table(
        table.rename(columns={"stimulus": "stimulus_id"}),
        "category_learning",
        columns={"participant": "id", "choice": "response", "stimulus": ["feature_1", "feature_2"]},
        extra=["transfer", "stimulus_id"],
        n_options=2,
        source=path.name,
    )
