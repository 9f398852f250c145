"""One belief that forgets the more, the more surprising an observation is.

Functions of the subset that ``toolkit.models.compiling`` compiles. ``modulation`` is m, how much surprise counts:
the odds of a change before the observation.
"""

from __future__ import annotations

import numpy as np

from toolkit.models.surprise.beliefs import (
    add_observation,
    change_probability,
    divergence,
    expected,
    fill_prior,
    log_predictive,
)

VAR_SMILE = 0
SMILE = 1
NASSAR_2010 = 2
NASSAR_2012 = 3
"""Codes of the rules."""

_MOST_STEPS = 60
_CLOSE = 1e-9
_STEP = 1e-6
_FLAT = 1e-6


def track_modulated(modulation, observed, prior, noise, rule, p):
    """Fill ``p`` with what is expected after every observation, (steps, dimensions)."""
    fresh = np.zeros(len(prior))
    belief = np.zeros(len(prior))
    begin_modulated(belief, fresh, prior, noise)
    for t in range(len(observed)):
        update_modulated(observed[t], modulation, noise, rule, fresh, belief)
        for d in range(p.shape[1]):
            p[t, d] = expected(belief, d, noise)


def track_leaky(leak, observed, prior, noise, p):
    """Fill ``p`` with means of all observations, each weighing ``leak`` of the next one."""
    n_steps, n_dimensions = p.shape
    total = np.zeros(n_dimensions)
    weight = 0.0
    for t in range(n_steps):
        weight = leak * weight + 1.0
        for d in range(n_dimensions):
            if noise > 0.0:
                total[d] = leak * total[d] + observed[t]
            else:
                total[d] = leak * total[d] + (1.0 if int(observed[t]) == d else 0.0)
            p[t, d] = total[d] / weight


def begin_modulated(belief, fresh, prior, noise):
    """Fill in both beliefs, before any observation."""
    fill_prior(fresh, prior, noise)
    fill_prior(belief, prior, noise)


def update_modulated(y, modulation, noise, rule, fresh, belief):
    """Let the belief include ``y`` by one of the rules."""
    if rule == SMILE:
        update_smile(y, modulation, noise, belief)
        return
    surprise = log_predictive(fresh, y, noise) - log_predictive(belief, y, noise)
    # A modulation of 0 makes the logarithm finite and the probability 0.
    change = change_probability(np.log(max(modulation, 1e-300)), surprise)
    if rule == VAR_SMILE:
        for d in range(len(belief)):
            belief[d] += change * (fresh[d] - belief[d])
        add_observation(belief, y, noise)
    else:
        update_nassar(y, change, noise, rule, fresh, belief)


def update_smile(y, modulation, noise, belief):
    """Move towards what ``y`` alone says, as far as the surprise of both beliefs in one another allows."""
    alone = np.zeros(len(belief))
    if noise <= 0.0:
        for d in range(len(belief) - 1):
            alone[d] = 1.0
            alone[len(belief) - 1] += 1.0
    add_observation(alone, y, noise)
    scaled = modulation * divergence(belief, alone, noise)
    whole = divergence(alone, belief, noise)
    allowed = scaled / (1.0 + scaled) * whole
    if allowed <= 0.0:
        return
    moved = np.zeros(len(belief))
    low = 0.0
    high = 1.0
    below = -allowed
    above = whole - allowed
    share = 1.0
    side = 0
    for _ in range(_MOST_STEPS):
        share = (low * above - high * below) / (above - below)
        fill_between(moved, belief, alone, share)
        missed = divergence(moved, belief, noise) - allowed
        if abs(missed) <= _CLOSE * allowed:
            break
        # The Illinois rule: an end that stays counts half, so that both ends come closer.
        if missed < 0.0:
            low = share
            below = missed
            above *= 0.5 if side < 0 else 1.0
            side = -1
        else:
            high = share
            above = missed
            below *= 0.5 if side > 0 else 1.0
            side = 1
    # One step of Newton's, so that derivatives pass through the root.
    fill_between(moved, belief, alone, share)
    reached = divergence(moved, belief, noise)
    fill_between(moved, belief, alone, share * (1.0 - _STEP))
    slope = (reached - divergence(moved, belief, noise)) / max(share * _STEP, 1e-300)
    if slope > _FLAT:
        share += (allowed - reached) / slope
    for d in range(len(belief)):
        belief[d] += share * (alone[d] - belief[d])


def fill_between(moved, belief, alone, share):
    """Fill in the belief a share of the way towards another one."""
    for d in range(len(belief)):
        moved[d] = belief[d] + share * (alone[d] - belief[d])


def update_nassar(y, change, noise, rule, fresh, belief):
    """The delta rules of Nassar et al. (2010, 2012) with this probability of a change.

    The run length begins at 0, so that the first observation counts as by Bayes' rule; Liakoni et al. (2021) begin
    with 1 and the variance of the prior, which would belong to a run length of 0.
    """
    certain = fresh[1]
    run_length = belief[1] - certain
    mean = noise * belief[0] / belief[1]
    begin = noise * fresh[0] / fresh[1]
    stayed = mean + (y - mean) / (certain + run_length + 1.0)
    changed = begin + (y - begin) / (certain + 1.0)
    mean = stayed + change * (changed - stayed)
    if rule == NASSAR_2010:
        belief[1] = certain + (1.0 - change) * (run_length + 1.0) + change
    else:
        within = (certain + change * run_length + 1.0) / (certain + run_length + 1.0) / (certain + 1.0)
        apart = change * (1.0 - change) * (stayed - changed) * (stayed - changed)
        belief[1] = 1.0 / (within + apart / (noise * noise))
    belief[0] = mean * belief[1] / noise
