"""Lefebvre et al. (2017) and Palminteri et al. (2017): interleaved pairs of options.

Outcomes keep the coding of the files, -1 or +1, also where the experiment paid 0 or half a euro.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from toolkit.data.cache import locate_one
from toolkit.data.loaders._common import read_mat, unpadded
from toolkit.trials import MISSING, Trials

MISSED = 1.5
"""How the files code a missed choice."""
# Better option of each condition (-1: none); Lefebvre: 25/25, 75/25, 25/75, 75/75 per cent.
_LEFEBVRE_BEST = np.array([-1, 0, 1, -1])
_PALMINTERI_BEST = np.array([-1, 1, 1, 1])
_REVERSING, _REVERSAL = 3, 12
_PER_SESSION = 96


def load_lefebvre(experiment: int) -> Trials:
    """One sequence a participant: 4 pairs of options, 24 visits each, interleaved; chosen outcome only.

    Experiment 1 has 50 participants (20 choices missed), experiment 2 has 35 (55 missed). ``context``
    is the pair: rewards with 25/25, 75/25, 25/75 and 75/75 per cent. ``answer`` is the better option,
    -1 where both are equal. A missed choice is -1 and has no outcome.
    """
    study = read_mat(locate_one("lefebvre2017", f"L2017{'ab'[experiment - 1]}.mat"))
    state, raw, won = (np.stack(study[name]) for name in ("sta", "cho", "out"))
    choice = np.where(raw == MISSED, MISSING, raw - 1).astype(int)
    context = state.astype(int) - 1
    arrays = {
        "context": context,
        "choice": choice,
        "outcome": _outcomes(choice, won),
        "answer": _LEFEBVRE_BEST[context],
    }
    people = pd.DataFrame({"participant": range(len(choice)), "problem": 0, "condition": "partial"})
    return unpadded("bandit", arrays, people)


def load_palminteri(experiment: int) -> Trials:
    """One sequence a session: 20 participants x 2 sessions of 96 trials, 4 new pairs of options each.

    Experiment 1 shows the chosen outcome (``condition`` "partial"), experiment 2 both ("complete",
    with ``payoff`` and ``full_feedback``). ``context`` is the pair: 0 has equal options, in 1 and 2
    the second option is better, 3 reverses after 12 of its 24 trials. ``answer`` is the better option
    at that moment, -1 where both are equal.
    """
    study = read_mat(locate_one("palminteri2017", f"P2017{'ab'[experiment - 1]}.mat"))
    by_session = {
        name: np.stack(values).astype(int).reshape(-1, _PER_SESSION)
        for name, values in study.items()
        if name in ("con", "cho", "out", "cou")
    }
    choice, context = by_session["cho"] - 1, by_session["con"] - 1
    arrays: dict[str, Any] = {
        "context": context,
        "choice": choice,
        "outcome": _outcomes(choice, by_session["out"], by_session.get("cou")),
        "answer": _palminteri_answer(context),
    }
    if experiment == 2:
        arrays |= {"payoff": arrays["outcome"], "full_feedback": np.ones(choice.shape, dtype=bool)}
    sequences = pd.DataFrame(
        {
            "participant": np.repeat(np.arange(len(choice) // 2), 2),
            "problem": np.tile([0, 1], len(choice) // 2),
            "condition": "complete" if experiment == 2 else "partial",
        }
    )
    return unpadded("bandit", arrays, sequences)


def _outcomes(choice: np.ndarray, chosen: np.ndarray, other: np.ndarray | None = None) -> np.ndarray:
    """(sequences, trials, 2) outcome of each option, NaN where it was not shown."""
    is_chosen = np.arange(2) == choice[..., None]
    hidden = np.nan if other is None else other[..., None]
    outcome = np.where(is_chosen, chosen[..., None], hidden).astype(float)
    outcome[choice == MISSING] = np.nan
    return outcome


def _palminteri_answer(context: np.ndarray) -> np.ndarray:
    visit = np.zeros_like(context)
    for pair in range(4):
        here = context == pair
        visit += np.where(here, here.cumsum(1) - 1, 0)
    reversed_now = (context == _REVERSING) & (visit >= _REVERSAL)
    return np.where(reversed_now, 0, _PALMINTERI_BEST[context])
