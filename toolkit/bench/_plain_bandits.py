"""Fits and filters of bandits as a first version is written: one person, one trial, one observation after the other."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from toolkit.experiments.volatile import GaussianTask
from toolkit.trials import Trials

Objective = Callable[[np.ndarray], float]

MARGIN = 1e-6
"""What searches keep from the bounds, where priors are 0."""


def rescorla_wagner_objective(trials: Trials, begin: float) -> Objective:
    """Negative log posterior, but for a constant, of one person's inverse temperature and learning rate or rates.

    With two rates the first is for outcomes better than expected. Priors are Gamma(1.2, scale 5) and
    Beta(1.1, 1.1); values begin at ``begin``; of the two options that chosen has an outcome.
    """
    shown = trials.mask[0]
    contexts, choices = (array[0, shown].tolist() for array in (trials.context, trials.choice))
    outcomes = np.nansum(trials.outcome[0, shown], -1).tolist()
    n_contexts = max(contexts) + 1

    def objective(theta: np.ndarray) -> float:
        steepness, positive, negative = float(theta[0]), float(theta[1]), float(theta[-1])
        values = [[begin, begin] for _ in range(n_contexts)]
        total = 0.0
        for context, choice, outcome in zip(contexts, choices, outcomes, strict=True):
            own = values[context]
            total += math.log1p(math.exp(min(steepness * (own[1 - choice] - own[choice]), 700.0)))
            error = outcome - own[choice]
            own[choice] += (positive if error > 0 else negative) * error
        total -= 0.2 * math.log(steepness) - steepness / 5
        for rate in theta[1:].tolist():
            total -= 0.1 * (math.log(rate) + math.log1p(-rate))
        return total

    return objective


def search_from(objective: Objective, starts: np.ndarray, upper: np.ndarray) -> list[float]:
    """Values where L-BFGS-B with numeric gradients ends from each of ``starts`` (starts, parameters)."""
    from scipy.optimize import minimize

    bounds = [(MARGIN, most - MARGIN) for most in upper]
    return [minimize(objective, start, method="L-BFGS-B", bounds=bounds).fun for start in starts]


def exact_means(observed: np.ndarray, task: GaussianTask) -> np.ndarray:
    """What exact Bayes expects of the mean after every observation (steps,), with arrays of all messages."""
    fresh = 1 / task.prior_sd**2
    mean, precision, weight = np.array([task.prior_mean]), np.array([fresh]), np.ones(1)
    found = np.zeros(len(observed))
    for t, y in enumerate(observed):
        variance = 1 / precision + task.noise**2
        weight = weight * np.exp(-((y - mean) ** 2) / variance / 2) / np.sqrt(variance)
        kept = weight >= 1e-16 * weight.sum()
        weight, mean, precision = weight[kept] / weight[kept].sum(), mean[kept], precision[kept]
        mean = (mean * precision + y / task.noise**2) / (precision + 1 / task.noise**2)
        found[t] = weight @ mean
        weight = np.append(weight * (1 - task.change_rate), task.change_rate)
        mean, precision = np.append(mean, task.prior_mean), np.append(precision + 1 / task.noise**2, fresh)
    return found


def var_smile_means(observed: np.ndarray, task: GaussianTask, modulation: float) -> np.ndarray:
    """What variational surprise minimisation expects of the mean after every observation (steps,)."""
    fresh, gain, noise = 1 / task.prior_sd**2, 1 / task.noise**2, task.noise**2
    mean, precision, found = task.prior_mean, fresh, np.zeros(len(observed))
    for t, y in enumerate(observed.tolist()):
        now, then = 1 / precision + noise, 1 / fresh + noise
        surprise = math.exp(((y - mean) ** 2 / now - (y - task.prior_mean) ** 2 / then) / 2)
        odds = modulation * surprise * math.sqrt(now / then)
        change = odds / (1 + odds)
        total = (1 - change) * mean * precision + change * task.prior_mean * fresh + y * gain
        precision = (1 - change) * precision + change * fresh + gain
        mean = found[t] = total / precision
    return found
