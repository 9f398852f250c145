"""Studies stored as participants x stimuli x blocks: the order of trials within a block is lost.

In the Trials, stimuli of a block stand in the order of the file. A model that learns from trial to
trial sees an order that nobody saw, so ``sequences`` says ``order_known = False``; what is safe are
statistics by block.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from toolkit.data.cache import locate_one
from toolkit.data.loaders._common import read_mat, unpadded
from toolkit.trials import Trials, concat

KRUSCHKE_CONDITIONS = ("filtration 1", "filtration 2", "condensation 1", "condensation 2")


def load_kruschke() -> Trials:
    """Kruschke (1993): 4 conditions x 40 participants, 8 stimuli on two dimensions, 8 blocks.

    Filtration needs one dimension, condensation both. Extra arrays: ``block`` and ``stimulus_id``.
    """
    study = read_mat(locate_one("kruschke1993", "Kruschke1993Data.mat"))["d"]
    return _study(
        study, KRUSCHKE_CONDITIONS, lambda c: study["p"], lambda c: study["cs"][c] - 1, lambda y: 1 - y
    )


def load_navarro() -> Trials:
    """Navarro, Lee & Nikkerud (2005): 4 ways to sort 25 faces x 10 participants, 8 blocks."""
    study = read_mat(locate_one("navarro2005", "Navarro2005Data.mat"))["d"]
    names = tuple(name.lower() for name in study["condname"])
    return _study(study, names, lambda c: study["p"], lambda c: study["cs"][c] - 1, lambda y: y - 1)


def load_zeithamova() -> Trials:
    """Zeithamova & Maddox (2006): 80 stimuli on two dimensions, 5 blocks, with or without a second task.

    ``condition`` is UDload (50 participants), UDnone (41), IIload (45) or IInone (34): unidimensional
    rule or information integration, with a working-memory load or none.
    """
    study = read_mat(locate_one("zeithamovamaddox2006", "ZM2006Data.mat"))["d"]
    return _study(
        study,
        tuple(study["condname"]),
        lambda c: study["p"][..., c],
        lambda c: study["cs"][:, c],
        lambda y: y,
    )


def _study(
    study: dict[str, Any], names: tuple[str, ...], features: Any, categories: Any, code: Any
) -> Trials:
    """All conditions below one another; the functions give what belongs to a condition's number."""
    parts, n_before = [], 0
    for number, name in enumerate(names):
        # (participants, stimuli, blocks) -> (participants, blocks, stimuli)
        choice = code(study[f"y{number + 1}"].astype(int)).transpose(0, 2, 1)
        participants = np.arange(n_before, n_before + len(choice))
        parts.append(_condition(name, participants, choice, features(number), categories(number)))
        n_before += len(choice)
    return concat(parts)


def _condition(
    name: str, participants: np.ndarray, choice: np.ndarray, features: np.ndarray, category: np.ndarray
) -> Trials:
    _, n_blocks, n_stimuli = choice.shape
    shape = (len(choice), n_blocks * n_stimuli)
    stimulus_id = np.tile(np.arange(n_stimuli), n_blocks)
    arrays = {
        "stimulus": np.broadcast_to(features[stimulus_id], (*shape, features.shape[1])),
        "category": np.broadcast_to(category.astype(int)[stimulus_id], shape),
        "choice": choice.reshape(shape),
        "block": np.broadcast_to(np.repeat(np.arange(n_blocks), n_stimuli), shape),
        "stimulus_id": np.broadcast_to(stimulus_id, shape),
    }
    sequences = pd.DataFrame(
        {"participant": participants, "problem": 0, "condition": name, "order_known": False}
    )
    return unpadded("category_learning", arrays, sequences, n_options=2)
