"""Beliefs about a hidden mean or about frequencies of symbols, as numbers that observations add to.

Functions of the subset that ``toolkit.models.compiling`` compiles. A belief is a row of numbers. About a mean, known
to be observed with a deviation ``noise``, it is (χ, ν): the mean is expected at noise × χ / ν, with variance
noise² / ν, and an observation y adds (y / noise, 1). About symbols, where ``noise`` is 0, it is a Dirichlet
distribution's counts and, last, their sum; an observation adds 1 to that of its symbol and to the sum.
"""

from __future__ import annotations

import numpy as np


def fill_prior(belief, prior, noise):
    """Fill in the belief before any observation; ``prior`` is (mean, deviation), or counts of symbols and their sum."""
    if noise > 0.0:
        belief[1] = noise * noise / (prior[1] * prior[1])
        belief[0] = prior[0] * belief[1] / noise
    else:
        for d in range(len(prior)):
            belief[d] = prior[d]


def add_observation(belief, y, noise):
    """Bayes' rule: let ``belief`` include ``y``."""
    if noise > 0.0:
        belief[0] += y / noise
        belief[1] += 1.0
    else:
        belief[int(y)] += 1.0
        belief[len(belief) - 1] += 1.0


def log_predictive(belief, y, noise):
    """Log-probability (density, but for a constant) of observing ``y``."""
    if noise > 0.0:
        error = y - noise * belief[0] / belief[1]
        variance = noise * noise * (1.0 + 1.0 / belief[1])
        return -0.5 * (np.log(variance) + error * error / variance)
    return np.log(belief[int(y)] / belief[len(belief) - 1])


def expected(belief, d, noise):
    """The mean, or the frequency of symbol ``d``, that is expected."""
    if noise > 0.0:
        return noise * belief[0] / belief[1]
    return belief[d] / belief[len(belief) - 1]


def change_probability(log_odds, log_surprise):
    """Posterior probability of a change, from the log odds before and the log Bayes factor surprise."""
    # Beyond this the probability is 0 or 1 to machine precision.
    x = max(-700.0, min(700.0, log_odds + log_surprise))
    return 1.0 / (1.0 + np.exp(-x))


def divergence(first, second, noise):
    """Kullback–Leibler divergence of one belief from another."""
    if noise > 0.0:
        ratio = second[1] / first[1]
        shift = first[0] / first[1] - second[0] / second[1]
        return 0.5 * (ratio - 1.0 - np.log(ratio) + shift * shift * second[1])
    last = len(first) - 1
    found = log_gamma(first[last]) - log_gamma(second[last])
    of_total = digamma(first[last])
    for d in range(last):
        found += log_gamma(second[d]) - log_gamma(first[d])
        found += (first[d] - second[d]) * (digamma(first[d]) - of_total)
    return found


def log_gamma(x):
    """Logarithm of the gamma function of x > 0, by Stirling's series above 8."""
    product = 1.0
    while x < 8.0:
        product *= x
        x += 1.0
    y = 1.0 / (x * x)
    series = (1.0 / 12.0 - y * (1.0 / 360.0 - y * (1.0 / 1260.0 - y / 1680.0))) / x
    return (x - 0.5) * np.log(x) - x + 0.5 * np.log(2.0 * np.pi) + series - np.log(product)


def digamma(x):
    """Derivative of :func:`log_gamma`."""
    found = 0.0
    while x < 8.0:
        found -= 1.0 / x
        x += 1.0
    y = 1.0 / (x * x)
    return found + np.log(x) - 0.5 / x - y * (1.0 / 12.0 - y * (1.0 / 120.0 - y * (1.0 / 252.0 - y / 240.0)))
