"""Particle filter: some guesses at when the world last changed, each with a belief of its own.

Functions of the subset that ``toolkit.models.compiling`` compiles.
"""

from __future__ import annotations

import numpy as np

from toolkit.models.surprise.beliefs import add_observation, expected, fill_prior, log_predictive
from toolkit.models.surprise.random_numbers import advance, uniform


def track_particles(change_rate, observed, prior, noise, n_particles, seed, p):
    """Fill ``p`` with what is expected after every observation, (steps, dimensions)."""
    belief = np.zeros((n_particles, len(prior)))
    earlier = np.zeros((n_particles, len(prior)))
    weight = np.full(n_particles, 1.0 / n_particles)
    random = np.full(1, seed[0])
    fresh = np.zeros(len(prior))
    fill_prior(fresh, prior, noise)
    for i in range(n_particles):
        fill_prior(belief[i], prior, noise)
    for t in range(len(observed)):
        weigh_particles(observed[t], change_rate, noise, fresh, belief, weight, random)
        resample_particles(belief, earlier, weight, random)
        for i in range(n_particles):
            add_observation(belief[i], observed[t], noise)
        for d in range(p.shape[1]):
            total = 0.0
            for i in range(n_particles):
                total += weight[i] * expected(belief[i], d, noise)
            p[t, d] = total


def weigh_particles(y, change_rate, noise, fresh, belief, weight, random):
    """Weigh every particle by how likely ``y`` is, changed or not, and let some of them have changed."""
    n_particles = len(weight)
    if_changed = log_predictive(fresh, y, noise)
    largest = if_changed
    for i in range(n_particles):
        largest = max(largest, log_predictive(belief[i], y, noise))
    changed = change_rate * np.exp(if_changed - largest)
    total = 0.0
    for i in range(n_particles):
        stayed = (1.0 - change_rate) * np.exp(log_predictive(belief[i], y, noise) - largest)
        weight[i] *= stayed + changed
        total += weight[i]
        advance(random)
        if uniform(random) * (stayed + changed) < changed:
            for d in range(len(fresh)):
                belief[i, d] = fresh[d]
    for i in range(n_particles):
        weight[i] /= total


def resample_particles(belief, earlier, weight, random):
    """Draw particles anew by their weights when these have become too uneven."""
    n_particles = len(weight)
    squares = 0.0
    for i in range(n_particles):
        squares += weight[i] * weight[i]
    if squares * n_particles < 2.0:
        return
    for i in range(n_particles):
        for d in range(belief.shape[1]):
            earlier[i, d] = belief[i, d]
    for i in range(n_particles):
        advance(random)
        rest = uniform(random)
        chosen = 0
        while chosen < n_particles - 1 and rest >= weight[chosen]:
            rest -= weight[chosen]
            chosen += 1
        for d in range(belief.shape[1]):
            belief[i, d] = earlier[chosen, d]
    for i in range(n_particles):
        weight[i] = 1.0 / n_particles
