"""The hybrid model of the two-step task as a researcher first writes it, fitted to one person after the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

NAMES = ("rate", "rate_2", "beta", "beta_2", "w", "trace", "perseveration")


def hybrid(choice, state, choice_2, reward, parameters):
    """Negative log-likelihood of one person's choices; untyped, for it is also read as a candidate's text."""
    rate, rate_2, beta, beta_2, w, trace, perseveration = parameters
    first = np.zeros(2)
    second = np.zeros((2, 2))
    last = -1
    total = 0.0
    for t in range(len(choice)):
        best = np.max(second, axis=1)
        planned = np.array([0.7 * best[0] + 0.3 * best[1], 0.3 * best[0] + 0.7 * best[1]])
        drive = beta * (w * planned + (1 - w) * first)
        if last >= 0:
            drive[last] += perseveration
        p = np.exp(drive - np.max(drive))
        p = p / np.sum(p)
        total -= np.log(p[choice[t]])
        drive_2 = beta_2 * second[state[t]]
        p_2 = np.exp(drive_2 - np.max(drive_2))
        p_2 = p_2 / np.sum(p_2)
        total -= np.log(p_2[choice_2[t]])
        error = reward[t] - second[state[t], choice_2[t]]
        first[choice[t]] += rate * (second[state[t], choice_2[t]] - first[choice[t]] + trace * error)
        second[state[t], choice_2[t]] += rate_2 * error
        last = choice[t]
    return total


def fit_person(
    function: Callable[..., float],
    columns: Sequence[np.ndarray],
    starts: np.ndarray,
    bounds: Sequence[tuple[float, float]],
) -> tuple[np.ndarray, float]:
    """Best parameters and log-likelihood of scipy's searches from all ``starts`` (starts, parameters)."""
    from scipy.optimize import minimize

    ends = [
        minimize(lambda x: function(*columns, x), start, method="L-BFGS-B", bounds=bounds) for start in starts
    ]
    best = min(ends, key=lambda end: end.fun)
    return best.x, -float(best.fun)
