"""Devraj, Griffiths & Zhang (2024): Smith and Minda's structure in two environments."""

from __future__ import annotations

import numpy as np
import pandas as pd

from toolkit.data.cache import locate, locate_one
from toolkit.data.loaders._common import unpadded
from toolkit.trials import Trials

N_TRIALS, SEGMENT = 616, 56
EXCLUDED = {1: (), 2: (163, 196, 448, 534)}
"""Stimulus lists that the authors left out, by experiment."""
_FEATURES = {0: "6dNLSStim_0.txt", 2: "6dNLSStim_2.txt", 4: "6DNLSStim_4.txt"}
# Number of the stimulus list modulo 6 -> exceptions, in experiment 2.
_EXCEPTIONS = {5: 0, 0: 0, 1: 2, 2: 2, 3: 4, 4: 4}


def load(experiment: int) -> Trials:
    """One sequence a participant: 616 trials, six binary features, two categories of seven stimuli.

    Experiment 1: 120 participants with 2 exceptions to the prototypes; experiment 2: 364 with 0, 2 or
    4. ``condition`` is the environment: "control" showed each stimulus exactly 44 times,
    "experimental" unequally often and clustered in time. ``sequences`` also says ``n_exceptions``,
    ``stim_list`` (460 and 478 were used by two participants each) and ``excluded_by_authors``.
    Extra arrays: ``stimulus_id`` (0-13, the rows of the table of stimuli) and ``segment`` (56 trials
    each, as ERMI reports). Category and choice 1 and 2 of the files are 0 and 1 here.
    """
    path = locate_one("devraj2022", f"experiment{experiment}_data.csv")
    answers = pd.read_csv(path, header=None).to_numpy(dtype=int)
    lists, choice = answers[:, 0], answers[:, 1:] - 1
    shown = _stimulus_lists()
    stimulus_id = np.stack([shown[number] for number in lists])
    n_exceptions = np.array([_EXCEPTIONS[number % 6] if experiment == 2 else 2 for number in lists])
    tables = {count: stimulus_table(count) for count in _FEATURES}
    counts = np.stack([(stimulus_id == stimulus).sum(1) for stimulus in range(14)], -1)
    sequences = pd.DataFrame(
        {
            "participant": np.arange(len(lists)),
            "problem": 0,
            "condition": np.where((counts == N_TRIALS // 14).all(1), "control", "experimental"),
            "n_exceptions": n_exceptions,
            "stim_list": lists,
            "excluded_by_authors": np.isin(lists, EXCLUDED[experiment]),
        }
    )
    arrays = {
        "stimulus": np.stack([tables[n][ids] for n, ids in zip(n_exceptions, stimulus_id, strict=True)]),
        "category": stimulus_id // 7,
        "choice": choice,
        "stimulus_id": stimulus_id,
        "segment": np.broadcast_to(np.arange(N_TRIALS) // SEGMENT, choice.shape),
    }
    return unpadded("category_learning", arrays, sequences)


def stimulus_table(n_exceptions: int = 2) -> np.ndarray:
    """(14, 6) binary features; rows 0-6 are the first category, 7-13 the second."""
    return np.loadtxt(locate_one("devraj2022", _FEATURES[n_exceptions]))


def _stimulus_lists() -> dict[int, np.ndarray]:
    """Stimuli in order of presentation, by the number of the list."""
    lists = {}
    for path in locate("devraj2022", "stim_list_*.csv"):
        lists[int(path.stem.rpartition("_")[2])] = np.loadtxt(path, dtype=int)
    return lists
