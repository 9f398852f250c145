"""Badham, Sanborn & Maylor (2017): Shepard's Types I-IV in young and older adults."""

from __future__ import annotations

import numpy as np
import pandas as pd

from toolkit.data.cache import locate_one
from toolkit.errors import DataError, UsageError
from toolkit.trials import Trials

TYPES = ("I", "II", "III", "IV")
LONGEST = 96
_NAMES = {"I": "TYPEONE", "II": "TYPETWO", "III": "TYPETHREE", "IV": "TYPEFOUR"}


def load() -> Trials:
    """One sequence a problem: 95 participants x 4 types, 32-96 trials each.

    ``problem`` is the position of the problem in the session (0-3), ``condition`` its type ("I" to
    "IV"). Features are size (1 big), colour (1 black) and shape (1 square); choice f is category 0
    and j category 1. ``sequences`` also says ``n_trials``, ``stopped_at_criterion``, ``age`` and
    ``group`` (young or older; joined from the aggregate file by matching every single response).

    A problem that stopped at criterion lacks its easy last trials: compare types with
    :func:`correct_to_criterion`, not with raw means.
    """
    path = locate_one("badham2017", "badham2017deficits.csv")
    table = pd.read_csv(path).rename(columns={"block": "problem"})
    table["condition"] = np.array(TYPES)[table["condition"] - 1]
    table["n_trials"] = table.groupby(["participant", "problem"])["trial"].transform("size")
    table["stopped_at_criterion"] = table["n_trials"] < LONGEST
    trials = Trials.from_table(
        table,
        "category_learning",
        columns={"stimulus": ["feature1", "feature2", "feature3"]},
        about=["n_trials", "stopped_at_criterion"],
        labels={"choice": ["f", "j"]},
        source=path.name,
    )
    return _with_people(trials)


def correct_to_criterion(trials: Trials, n_trials: int = LONGEST) -> np.ndarray:
    """Correctness with trials after the criterion counted as right: (sequences, n_trials).

    This is how the authors score: a problem that stopped at criterion is taken as mastered.
    """
    if "stopped_at_criterion" not in trials.sequences:
        raise UsageError(
            "these trials do not say which problems stopped at criterion.",
            fix="Use load_data('badham2017').",
        )
    padded = trials.padded(max(n_trials, trials.n_trials)).until(n_trials)
    stopped = trials.sequences["stopped_at_criterion"].to_numpy()[:, None]
    return np.where(stopped & ~padded.mask, 1.0, padded.correct)


def _with_people(trials: Trials) -> Trials:
    """The same trials with age and group of every participant."""
    path = locate_one("badham2017", "*aggregate_data.csv")
    people = pd.read_csv(path, low_memory=False)
    columns = [f"{_NAMES[name]}_ACC_{trial}" for name in TYPES for trial in range(1, LONGEST + 1)]
    scores = people[columns].to_numpy(dtype=float)
    row_of = {row.tobytes(): number for number, row in enumerate(scores)}
    filled = correct_to_criterion(trials)
    rows = []
    for participant in trials.participants:
        mine = trials.sequences["participant"] == participant
        order = trials.sequences.loc[mine, "condition"].map(TYPES.index).to_numpy()
        answers = filled[mine.to_numpy()][np.argsort(order)].ravel()
        if answers.tobytes() not in row_of:
            raise DataError(f"participant {participant} is in no row.", where=path.name)
        rows.append(row_of[answers.tobytes()])
    row = np.asarray(rows)[trials.participant_index]
    sequences = trials.sequences.assign(
        age=people["AGE"].to_numpy()[row].astype(int),
        group=np.where(people["AGE_Y1_O0"].to_numpy()[row] == 1, "young", "older"),
    )
    return Trials(trials.schema, trials.arrays, trials.mask, sequences, trials.labels, trials.n_options)
