"""Smith & Minda (1998): counts by participant, stimulus and block, expanded to trials."""

from __future__ import annotations

import numpy as np
import pandas as pd

from toolkit.data.cache import locate_one
from toolkit.data.loaders._common import read_mat, unpadded
from toolkit.data.loaders.devraj2022 import stimulus_table
from toolkit.trials import Trials, concat

N_STIMULI, TIMES = 14, 4
CONDITIONS = ("linearly separable", "not linearly separable")


def load(experiment: int, *, features: bool = False) -> Trials:
    """One sequence a participant; ``condition`` is "linearly separable" or "not linearly separable".

    Experiment 1 has 7 blocks, experiment 2 has 10, each with 4 presentations of 14 stimuli, 16
    participants a condition. The files only count how often category A (0) was chosen, so the
    order within a block is unknown: each count becomes 4 trials, A first, stimuli in the order of the
    file, and ``order_known`` is False. Use statistics by block, not models of trial by trial learning.
    Extra arrays: ``block`` and ``stimulus_id`` (0-13).

    Parameters
    ----------
    features
        By default ``stimulus`` is just the number of the stimulus, since the files have no features.
        True gives the not linearly separable participants alone, with six binary features; the order
        of stimuli within equals is not certain.
    """
    path = locate_one("smithminda1998", f"SmithMinda1998DataExp{experiment}.mat")
    study = read_mat(path)["d"]
    category = np.where(study["cs"] == 1, 0, 1)
    parts = [
        _condition(study[f"y{number + 1}"].astype(int), category, name, 16 * number, features=features)
        for number, name in enumerate(CONDITIONS)
        if number == 1 or not features
    ]
    return concat(parts)


def _condition(counts: np.ndarray, category: np.ndarray, name: str, first: int, *, features: bool) -> Trials:
    n_people, _, n_blocks = counts.shape
    shape = (n_people, n_blocks * N_STIMULI * TIMES)
    # (participants, blocks, stimuli, presentations): the first ones are A.
    chose_a = np.arange(TIMES) < counts.transpose(0, 2, 1)[..., None]
    stimulus_id = np.tile(np.repeat(np.arange(N_STIMULI), TIMES), n_blocks)
    table = stimulus_table(2) if features else np.arange(N_STIMULI, dtype=float)[:, None]
    arrays = {
        "stimulus": np.broadcast_to(table[stimulus_id], (*shape, table.shape[1])),
        "category": np.broadcast_to(category[stimulus_id], shape),
        "choice": np.where(chose_a, 0, 1).reshape(shape),
        "block": np.broadcast_to(np.repeat(np.arange(n_blocks), N_STIMULI * TIMES), shape),
        "stimulus_id": np.broadcast_to(stimulus_id, shape),
    }
    sequences = pd.DataFrame(
        {
            "participant": np.arange(first, first + n_people),
            "problem": 0,
            "condition": name,
            "order_known": False,
        }
    )
    return unpadded("category_learning", arrays, sequences, n_options=2)
