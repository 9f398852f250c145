"""Exact Bayes and its approximations by fewer messages: one belief for every time the world may have changed at.

Functions of the subset that ``toolkit.models.compiling`` compiles. ``weight`` is (messages, rates): the joint
probability that the world last changed when the message began, and that it changes at each of several ``rates``. With
one rate that is known, there is one column.
"""

from __future__ import annotations

import numpy as np

from toolkit.models.surprise.beliefs import add_observation, expected, fill_prior
from toolkit.models.surprise.random_numbers import advance, uniform

SMALLEST_WEIGHT = 1e-16
"""Messages below this are dropped."""

_LARGEST_EXPONENT = 700.0
"""Of a message without weight, which may fit better than all others; beyond it numbers overflow."""


def track_messages(change_rate, observed, prior, noise, rates, n_most, resampled, seed, p):
    """Fill ``p`` with what is expected after every observation, (steps, dimensions).

    ``n_most`` messages are kept, 0 for all. ``resampled`` draws which to keep (Fearnhead & Liu, 2007), otherwise the
    smallest is dropped. If ``rates`` has none, the change rate is known; else it is learned.
    """
    n_steps = len(observed)
    n_rates = max(1, len(rates))
    rate = np.zeros(n_rates)
    fill_rates(rate, rates, change_rate)
    n_slots = n_steps + 2 if n_most == 0 else n_most + 2
    belief = np.zeros((n_slots, len(prior)))
    weight = np.zeros((n_slots, n_rates))
    scratch = np.zeros(n_slots)
    count = np.zeros(1)
    random = np.full(1, seed[0])
    begin_messages(belief, weight, count, prior, noise)
    for t in range(n_steps):
        weigh_messages(observed[t], noise, belief, weight, count, scratch)
        if n_most > 0 and count[0] > n_most:
            if resampled > 0:
                resample_messages(n_most, belief, weight, count, scratch, random)
            else:
                drop_smallest(belief, weight, count)
        fill_expected(belief, weight, count, noise, p[t])
        begin_message(rate, belief, weight, count, prior, noise)


def fill_rates(rate, rates, change_rate):
    """Fill in the rates that are thought possible."""
    rate[0] = change_rate
    for g in range(len(rates)):
        rate[g] = rates[g]


def begin_messages(belief, weight, count, prior, noise):
    """Begin with one message, and with all rates equally likely."""
    fill_prior(belief[0], prior, noise)
    for g in range(weight.shape[1]):
        weight[0, g] = 1.0 / weight.shape[1]
    count[0] = 1.0


def weigh_messages(y, noise, belief, weight, count, scratch):
    """Weigh every message by how well it predicted ``y``, which it then includes; drop those of no weight."""
    n = int(count[0])
    fill_likelihoods(y, noise, belief, weight, n, scratch)
    total = 0.0
    for i in range(n):
        likelihood = scratch[i]
        scratch[i] = 0.0
        for g in range(weight.shape[1]):
            weight[i, g] *= likelihood
            scratch[i] += weight[i, g]
        total += scratch[i]
        add_observation(belief[i], y, noise)
    kept = 0
    for i in range(n):
        if scratch[i] >= SMALLEST_WEIGHT * total:
            if kept < i:
                move_message(i, kept, belief, weight)
            for g in range(weight.shape[1]):
                weight[kept, g] /= total
            kept += 1
    count[0] = float(kept)


def fill_likelihoods(y, noise, belief, weight, n, likelihood):
    """Fill in how likely ``y`` is by each of ``n`` messages, but for a common factor."""
    if noise > 0.0:
        # The best message with any weight is taken out of the exponents, so that not all can vanish.
        smallest = np.inf
        for i in range(n):
            error = y - noise * belief[i, 0] / belief[i, 1]
            likelihood[i] = error * error / (noise * noise * (1.0 + 1.0 / belief[i, 1]))
            if weight_of(i, weight) > 0.0:
                smallest = min(smallest, likelihood[i])
        for i in range(n):
            spread = np.sqrt(1.0 + 1.0 / belief[i, 1])
            likelihood[i] = np.exp(min(_LARGEST_EXPONENT, 0.5 * (smallest - likelihood[i]))) / spread
    else:
        for i in range(n):
            likelihood[i] = expected(belief[i], int(y), noise)


def move_message(i, to, belief, weight):
    """Copy message ``i`` to the place ``to``."""
    for d in range(belief.shape[1]):
        belief[to, d] = belief[i, d]
    for g in range(weight.shape[1]):
        weight[to, g] = weight[i, g]


def weight_of(i, weight):
    """Probability of a message, whatever the rate."""
    total = 0.0
    for g in range(weight.shape[1]):
        total += weight[i, g]
    return total


def drop_smallest(belief, weight, count):
    """Drop the message with the smallest weight."""
    n = int(count[0])
    smallest = 0
    for i in range(1, n):
        if weight_of(i, weight) < weight_of(smallest, weight):
            smallest = i
    rest = 1.0 - weight_of(smallest, weight)
    for i in range(n):
        for g in range(weight.shape[1]):
            weight[i, g] /= rest
    for i in range(smallest + 1, n):
        move_message(i, i - 1, belief, weight)
    count[0] = n - 1.0


def resample_messages(n_most, belief, weight, count, scratch, random):
    """Keep ``n_most`` messages: those above a threshold as they are, of the others some at random with its weight."""
    n = int(count[0])
    fill_sorted(weight, n, scratch)
    threshold = threshold_of(n_most, scratch, n)
    advance(random)
    position = threshold * uniform(random)
    kept = 0
    for i in range(n):
        own = weight[i, 0]
        if own > threshold:
            move_message(i, kept, belief, weight)
            kept += 1
        else:
            position -= own
            if position < 0.0:
                position += threshold
                move_message(i, kept, belief, weight)
                weight[kept, 0] = threshold
                kept += 1
    total = 0.0
    for i in range(kept):
        total += weight[i, 0]
    for i in range(kept):
        weight[i, 0] /= total
    count[0] = float(kept)


def fill_sorted(weight, n, ordered):
    """Fill in the weights of ``n`` messages from the smallest to the largest."""
    for i in range(n):
        j = i
        while j > 0 and ordered[j - 1] > weight[i, 0]:
            ordered[j] = ordered[j - 1]
            j -= 1
        ordered[j] = weight[i, 0]


def threshold_of(n_most, ordered, n):
    """The c for which the sum of min(weight / c, 1) is ``n_most``, from weights in order."""
    below = 0.0
    threshold = 0.0
    for i in range(n):
        below += ordered[i]
        n_above = n - i - 1
        if n_above < n_most:
            threshold = below / (n_most - n_above)
            if i + 1 == n or ordered[i + 1] > threshold:
                return threshold
    return threshold


def fill_expected(belief, weight, count, noise, p):
    """Fill in what the messages expect together, (dimensions,)."""
    for d in range(len(p)):
        p[d] = 0.0
    for i in range(int(count[0])):
        own = weight_of(i, weight)
        for d in range(len(p)):
            p[d] += own * expected(belief[i], d, noise)


def begin_message(rate, belief, weight, count, prior, noise):
    """Let the world have changed now, at each possible rate."""
    n = int(count[0])
    for g in range(weight.shape[1]):
        total = 0.0
        for i in range(n):
            total += weight[i, g]
            weight[i, g] *= 1.0 - rate[g]
        weight[n, g] = rate[g] * total
    fill_prior(belief[n], prior, noise)
    count[0] = n + 1.0
