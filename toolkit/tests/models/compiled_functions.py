"""Functions of the subset that the compiler is tested on; ``a`` and ``b`` are parameters, ``x`` is data."""

from __future__ import annotations

import math

import numpy as np

SCALE = 1.5
MINUS_INFINITY = -np.inf


def branches_and_loops(a, b, x, p):
    """While, for, if, elif, break, continue; values carried over from trial to trial."""
    level = 0
    for t in range(x.shape[0]):
        rounds = 0
        while rounds < 3 and level < 10.0:
            level = level + a * x[t, 0] + 0.1 * level * b
            rounds += 1
            if level > 4.0:
                break
            elif rounds == 1:
                continue
            level -= 0.05 * b
        if x[t, 1] > 0.5:
            p[t, 0] = level * b
        elif not (level > 1.0 or x[t, 1] < 0.1):
            p[t, 0] = np.exp(-level)
        else:
            p[t, 0] = level / (1 + a)
        p[t, 1] = 1 - p[t, 0]


def aliasing(a, b, x, p):
    """The same name, element or row on both sides, parameters that are assigned, rows under a second name."""
    w = np.full(3, b)
    square = np.zeros((2, 2))
    row = square[1]
    for t in range(len(x)):
        i = t % 3
        j = (t + 1) % 3
        w[i] = w[i] * w[j] + a
        w[j] += w[j] * w[i] * 0.1
        a = a * a * 0.5 + b
        row[0] = row[0] * 0.5 + w[i]
        square[0, 1] = square[1][0] - row[0] * square[0, 1] * 0.1
        i = (i + 1) % 3
        w[i] = -w[i] / (w[i] + 2.0)
        p[t, 0] = w[0] + w[1] * square[0, 1]
        p[t, 1] = a + square[1, 0]


def powers_and_functions(a, b, x, p):
    """Every function with a derivative, and powers with and without active base and exponent."""
    n = 3
    for t in range(len(x)):
        u = x[t, 0] + 0.5
        p[t, 0] = u**a + a**b + a**2 - a**n + (a * x[t, 1]) ** 0.5 + a**-1.0 - (2 * b) ** 1
        p[t, 0] += np.exp(-a * u) * np.log(b + u) + math.log1p(a) / np.expm1(b) + math.sqrt(a * b)
        p[t, 1] = np.tanh(a - b) + math.tanh(u * a) - +a / (b + u) + (a + b) * (a + b) + np.exp(a) * np.exp(a)


def selections(a, b, x, p):
    """The derivative of a minimum, maximum, absolute value or choice is that of what was taken."""
    for t in range(len(x)):
        u = x[t, 0]
        p[t, 0] = max(a, u, b * 0.9) + min(a * b, 2 * u) + abs(a - u) + math.fabs(u - b) * np.abs(a)
        p[t, 0] += max(-5.0, np.log(a * 0 * u + max(0.0, u - 2.0)))
        p[t, 1] = np.maximum(a * u, b) * np.minimum(u, b * b)
        p[t, 1] *= (a if u > b else b * b) if x[t, 1] > 0.5 else (a * u if u < 0.5 and a > 0 else 3)


def squashed(z, steepness):
    """A helper with two returns."""
    if z > 0:
        return 1 / (1 + math.exp(-steepness * z))
    e = math.exp(steepness * z)
    return e / (1 + e)


def twice_squashed(z):
    return squashed(squashed(z, 1.0), 2.0) + z


def fill_squashed(values, steepness, out):
    for k in range(len(out)):
        out[k] = squashed(values[k], steepness)


def forget(values, rate):
    for k in range(values.shape[0]):
        values[k] *= rate


def n_above(values, limit):
    n = 0
    for k in range(len(values)):
        if values[k] > limit:
            n += 1
    return n


def helpers(a, b, x, p):
    """Helpers that return a number or fill an array, of each other, with active and other arguments."""
    values = np.zeros((len(x), 2))
    count = np.zeros(2)
    for t in range(len(x)):
        for k in range(2):
            values[t, k] = twice_squashed(x[t, k] - a) * b + squashed(0.3, 1.0)
        forget(values[t], squashed(a * b, 0.5))
        forget(count, 0.5)
        fill_squashed(values[t], b + 1.0, p[t])
        count[0] += n_above(x[t], 0.2)
        if squashed(a, b) > 0.5 and n_above(values[t], 0.1) > 0:
            p[t, 1] *= count[0] * a


def kinds(a, b, x, p):
    """Whole numbers, shapes, numbers from outside, conversions, missing values."""
    n_trials, n_options = p.shape
    seen = np.zeros(n_trials, dtype=np.int64)
    mean = np.ones(p.shape)
    spare = np.empty((n_trials, n_options))
    weight = np.full((n_options, 2), a * SCALE)
    best = MINUS_INFINITY
    for t in range(0, n_trials, 1):
        seen[t // 2] += 1
        k = int(x[t, 0] * 1.99 + 0 * a)
        spare[t, k] = float(b) * seen[t // 2]
        spare[t, 1 - k] = float(seen[0])
        value = x[t, 1] if not np.isnan(x[t, 1]) else a
        mean[t][k] = mean[t - 1, k] * 0.5 + value * weight[k, 0] / len(seen)
        if mean[t, k] > best:
            best = mean[t, k]
        p[t, k] = best * np.pi
        p[t, 1 - k] = mean[t, 1 - k] + spare[t, 0] - spare[t, 1]


def all_parameters(theta, x, p):
    """The parameters as one array, read at places that are known only when it runs."""
    for t in range(len(x)):
        total = 0.0
        for i in range(len(theta)):
            total += theta[i] * x[t, i % 2] ** (i + 1)
        p[t, 0] = total * theta[0]
        p[t, 1] = theta[t % len(theta)] ** 2


def delta_rule(a, b, choice, outcome, p):
    """A learner of two options, which torch can differentiate too."""
    v = np.zeros(2)
    for t in range(len(choice)):
        p[t, 0] = 1 / (1 + np.exp(-b * (v[0] - v[1])))
        p[t, 1] = 1 - p[t, 0]
        v[choice[t]] += a * (outcome[t] - v[choice[t]])
