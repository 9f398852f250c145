"""Chambon et al. (2020): free and forced choices, from the raw file of every participant."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd

from toolkit.data.cache import locate
from toolkit.data.loaders._common import read_mat
from toolkit.errors import DataError
from toolkit.trials import Trials

_COLUMNS = (
    "session",
    "condition_code",
    "trial_in_block",
    "payoff_1",
    "payoff_0",
    "choice",
    "column_7",
    "response_time",
    "confirmation_time",
    "column_10",
    "column_11",
)
_HIGH, _LOW = ("high", 0.9, 0.6), ("low", 0.4, 0.1)
_EQUAL, _UNEQUAL = ("equal", 0.5, 0.5), ("unequal", 0.7, 0.3)
# Experiment -> condition code -> label, rewards (name, chance of the better and of the worse option).
_CONDITIONS = {
    1: {1: ("high/free", _HIGH), 2: ("high/mixed", _HIGH), 3: ("low/free", _LOW), 4: ("low/mixed", _LOW)},
    2: {1: ("high/partial", _HIGH), 2: ("high/full", _HIGH), 3: ("low/partial", _LOW), 4: ("low/full", _LOW)},
    3: {
        1: ("equal/free", _EQUAL),
        2: ("equal/mixed", _EQUAL),
        3: ("unequal/free", _UNEQUAL),
        4: ("unequal/mixed", _UNEQUAL),
    },
    4: {1: ("equal", _EQUAL), 2: ("unequal", _UNEQUAL)},
}


def load(experiment: int) -> Trials:
    """One sequence a block, since every block has a new pair of options and blocks never interleave.

    Participants x trials: 24 x 720, 24 x 640, 30 x 360 and 17 x 600. ``problem`` is the position of
    the block in the experiment and ``condition`` its true label, from the condition in the file:

    1. "high/free", "high/mixed", "low/free", "low/mixed": rewards of .9/.6 or .4/.1; only free choices,
       or free and forced ones mixed. Chosen outcome only.
    2. "high/partial", "high/full", "low/partial", "low/full": the same rewards, half of the choices
       forced; the chosen outcome alone, or both (``full_feedback``).
    3. "equal/free", "equal/mixed", "unequal/free", "unequal/mixed": rewards of .5/.5 or .7/.3.
    4. "equal", "unequal": choices by acting (array ``go``) or not; two columns that the authors do
       not explain are ``column_10`` and ``column_11``.

    Options are coded by quality, left and right are lost: 1 is the better one (``answer``; -1 where
    both are equal). ``context`` numbers the pairs of a participant. ``outcome`` is -1 or +1, NaN where
    it was not shown; ``payoff`` is what each option would have given where the file stores it. Further
    arrays: ``forced``, ``session``, ``trial_in_block``, ``response_time`` and ``confirmation_time``
    (seconds); ``sequences`` has ``rewards``, ``p_better``, ``p_worse``, ``choices`` ("free" or
    "mixed") and ``block_session``, the session in which the block began.
    """
    paths = locate("chambon2020", f"Experiment{experiment}/*.mat")
    table = pd.concat([_participant(path, experiment) for path in paths], ignore_index=True)
    times = ["response_time", "confirmation_time"] if experiment != 3 else ["response_time"]
    return Trials.from_table(
        table,
        "bandit",
        columns={"trial": "position"},
        about=["block_session", "rewards", "p_better", "p_worse", "choices"],
        extra=["session", "trial_in_block", *times, *_FOURTH[: 3 * (experiment == 4)]],
        n_options=2,
        source=f"Experiment{experiment}",
    )


_FOURTH = ("go", "column_10", "column_11")


def _participant(path: Path, experiment: int) -> pd.DataFrame:
    matrix = read_mat(path)["M"]
    table = pd.DataFrame(matrix, columns=list(_COLUMNS[: matrix.shape[1]]))
    whole = [name for name in table if not name.endswith("_time")]
    table[whole] = table[whole].astype(int)
    table["participant"] = int(re.findall(r"\d+", path.stem)[-1])
    # Session numbers change within some blocks of experiment 3; the trial in the block does not lie.
    table["problem"] = (table["trial_in_block"] == 1).cumsum() - 1
    table["position"] = np.arange(len(table))
    if table.groupby("problem")["condition_code"].nunique().max() > 1:
        raise DataError("the condition changes within a block.", where=str(path))
    return _with_outcomes(_with_labels(table, experiment), experiment)


def _with_labels(table: pd.DataFrame, experiment: int) -> pd.DataFrame:
    labels = _CONDITIONS[experiment]
    known = [labels[code] for code in table["condition_code"]]
    table["condition"] = [label for label, _ in known]
    table["rewards"], table["p_better"], table["p_worse"] = zip(
        *(rewards for _, rewards in known), strict=True
    )
    table["context"] = table["problem"]
    table["block_session"] = table.groupby("problem")["session"].transform("first")
    if experiment == 4:
        table["forced"], table["go"], table["choices"] = False, table["column_7"] == -1, "free"
    else:
        table["forced"] = table["column_7"] == 0
        mixed = table.groupby("problem")["forced"].transform("any")
        table["choices"] = np.where(mixed, "mixed", "free")
    return table


def _with_outcomes(table: pd.DataFrame, experiment: int) -> pd.DataFrame:
    full = table["condition"].str.endswith("/full")
    for option in (0, 1):
        # A zero is an outcome that was neither shown nor stored.
        payoff = table[f"payoff_{option}"].where(table[f"payoff_{option}"] != 0).astype(float)
        table[f"payoff_{option}"] = payoff
        table[f"outcome_{option}"] = payoff.where((table["choice"] == option) | full)
    if experiment == 2:
        table["full_feedback"] = full
    table["answer"] = np.where(table["p_better"] > table["p_worse"], 1, -1)
    return table
