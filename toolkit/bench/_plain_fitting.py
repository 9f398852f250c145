"""Fits as a first version is written: one person after the other, one trial after the other, scipy's gradients."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product
from pathlib import Path

import numpy as np
import torch

from toolkit.models import Parameter
from toolkit.models.checkpoints import load_network
from toolkit.trials import MISSING, Trials

Objective = Callable[[np.ndarray], float]
"""Negative log-likelihood of one person's choices by the parameters, in the order of the model's."""

SMALLEST_PROBABILITY = 1e-12


class Counted:
    """An objective that counts how often it was asked for."""

    def __init__(self, objective: Objective) -> None:
        self.objective, self.n_calls = objective, 0

    def __call__(self, theta: np.ndarray) -> float:
        self.n_calls += 1
        return self.objective(theta)


def search_from(objective: Objective, starts: np.ndarray, parameters: Sequence[Parameter]) -> float:
    """Lowest value that L-BFGS-B with finite differences finds from ``starts`` (starts, parameters)."""
    from scipy.optimize import minimize

    bounds = [(one.lower, one.upper) for one in parameters]
    return min(minimize(objective, start, method="L-BFGS-B", bounds=bounds).fun for start in starts)


def evolve(objective: Objective, parameters: Sequence[Parameter], n_restarts: int, seed: int = 0) -> float:
    """Lowest value that scipy's differential evolution finds, as people were fitted in earlier work."""
    from scipy.optimize import differential_evolution

    bounds = [(one.lower, one.upper) for one in parameters]
    return min(differential_evolution(objective, bounds, rng=seed + n).fun for n in range(n_restarts))


def gcm_objective(trials: Trials) -> Objective:
    """The generalised context model with its default options.

    Parameters are the attention to every feature, the share of guesses, and the similarity of a category
    of which nothing was seen.
    """
    problems = [
        (trials.stimulus[row, shown], trials.category[row, shown], trials.choice[row, shown])
        for row, shown in enumerate(trials.mask)
    ]
    tiny = np.finfo(float).tiny  # Where nothing is similar, both categories are as good.

    def objective(theta: np.ndarray) -> float:
        attention, lapse, background = theta[:-2], theta[-2], theta[-1]
        total = 0.0
        for stimulus, category, choice in problems:
            for t in range(len(choice)):
                if choice[t] == MISSING:
                    continue
                similarity = np.exp(-np.abs(stimulus[:t] - stimulus[t]) @ attention)
                evidence = np.full(2, background + tiny)
                for option in range(2):
                    seen = category[:t] == option
                    if seen.any():
                        evidence[option] = similarity[seen].sum() + tiny
                p = (1 - lapse) * evidence[choice[t]] / evidence.sum() + lapse / 2
                total -= np.log(max(p, SMALLEST_PROBABILITY))
        return total

    return objective


def network_objective(trials: Trials, checkpoint: str | Path, *, rerun: bool = True) -> Objective:
    """A network's answers with inverse temperature and lapse, the network run whenever the likelihood is asked for.

    It is heard four times, with features turned round or not and labels swapped or not, as our model
    hears it; a person's problems are read together.

    Parameters
    ----------
    rerun
        False runs it only once, to count calls in less time.
    """
    network = load_network(checkpoint)
    x = torch.as_tensor(np.where(trials.mask[..., None], trials.stimulus, 0.5), dtype=torch.float32)
    y, choice = torch.tensor(trials.category), torch.tensor(trials.choice).clamp(min=0)

    @torch.no_grad()
    def answers() -> np.ndarray:
        heard = []
        for turned, swapped in product((False, True), (False, True)):
            told = torch.where(y == MISSING, y, 1 - y) if swapped else y
            log_p = network(1 - x if turned else x, told, n_classes=2)[..., :2]
            heard.append(log_p.flip(-1) if swapped else log_p)
        log_p = torch.stack(heard).double().exp().mean(0).log()
        chosen, other = (log_p.gather(-1, which[..., None]) for which in (choice, 1 - choice))
        return (chosen - other)[..., 0].numpy()[trials.scored]

    known = None if rerun else answers()

    def objective(theta: np.ndarray) -> float:
        inverse_temperature, lapse = theta
        advantage = answers() if rerun else known
        p = (1 - lapse) / (1 + np.exp(-inverse_temperature * advantage)) + lapse / 2
        return -np.log(np.maximum(p, SMALLEST_PROBABILITY)).sum()

    return objective
