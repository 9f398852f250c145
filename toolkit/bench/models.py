"""Likelihood of win-stay lose-shift for many participants and starts at once, against a plain loop."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import torch

from toolkit.bench.core import Row, median_seconds
from toolkit.models import get_model
from toolkit.trials import Trials

PARTICIPANTS, TRIALS, STARTS = 100, 200, 20


def rows() -> list[Row]:
    """One row: 100 participants × 200 trials × 20 starts."""
    torch.set_num_threads(1)  # Two threads on two busy cores wait for each other.
    model = get_model("win_stay_lose_shift")
    rng = np.random.default_rng(0)
    trials = model.simulate(model.theta(PARTICIPANTS, stay=0.8, shift=0.6), _two_armed_bandit(rng), rng)
    theta = rng.uniform(0.05, 0.95, (STARTS, PARTICIPANTS, 2))
    ours = model.log_likelihood(theta, trials).sum(-1)
    reference = _plain_loop(theta, trials)
    seconds, reference_seconds = median_seconds(
        lambda: model.log_likelihood(theta, trials), lambda: _plain_loop(theta, trials)
    )
    return [
        Row(
            what=f"{PARTICIPANTS} participants × {TRIALS} trials × {STARTS} starts",
            ours_s=seconds,
            reference_s=reference_seconds,
            goal="ratio ≥ 5",
            same_result=bool(np.allclose(ours, reference, atol=1e-9)),
            met=reference_seconds / seconds >= 5,
        )
    ]


def _two_armed_bandit(rng: np.random.Generator) -> Trials:
    shape = PARTICIPANTS * TRIALS
    table = pd.DataFrame(
        {"participant": np.repeat(np.arange(PARTICIPANTS), TRIALS), "context": 0, "choice": 0}
    )
    for option, chance in enumerate((0.7, 0.3)):
        table[f"outcome_{option}"] = np.nan
        table[f"payoff_{option}"] = (rng.random(shape) < chance).astype(float)
    return Trials.from_table(table, "bandit")


def _plain_loop(theta: np.ndarray, trials: Trials) -> np.ndarray:
    total = np.zeros(theta.shape[:2])
    for start in range(theta.shape[0]):
        for person in range(theta.shape[1]):
            stay, shift = theta[start, person]
            choices, outcomes = trials.choice[person].tolist(), trials.outcome[person].tolist()
            log_likelihood = math.log(0.5)
            for t in range(1, len(choices)):
                won = outcomes[t - 1][choices[t - 1]] > 0
                p_stay = stay if won else 1 - shift
                p = p_stay if choices[t] == choices[t - 1] else 1 - p_stay
                log_likelihood += math.log(p)
            total[start, person] = log_likelihood
    return total
