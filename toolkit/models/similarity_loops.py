"""Compiled likelihoods of exemplars and prototypes with exact gradients, for any rows of parameters.

One compilation serves any number of features and every option: gradients are gathered backwards, by how much each
similarity matters, instead of by a derivative for each parameter. Only functions that fit call this module, since
importing numba takes a second.
"""

from __future__ import annotations

import numpy as np
from numba import njit

_COMPILED = {"error_model": "numpy", "nogil": True, "cache": True}
_TINY = np.finfo(float).tiny


@njit(**_COMPILED)
def sum_exemplar_likelihood(
    theta,
    sequence,
    first,
    shown,
    category,
    chosen,
    features,
    n_stimuli,
    n_options,
    places,
    power,
    smallest,
    total,
    gradient,
):
    """Add the log-likelihood of every row to ``total`` (rows,) and its derivatives to ``gradient`` (rows, parameters).

    Parameters
    ----------
    theta, sequence
        (rows, parameters) attention, lapse, background, and more at ``places``; and the sequence of each row.
    first
        (sequences + 1,) where each sequence begins in ``shown, category, chosen`` (all trials,): number of the
        stimulus, category told and option whose probability counts, -1 where there is none.
    features, n_stimuli
        (sequences, stimuli, features), and how many of the stimuli a sequence has.
    places
        Where theta has the exponent of evidence, the liking for the first category and forgetting; -1 where it has not.
    """
    n_features, size = features.shape[2], features.shape[1]
    close, matters = np.empty((size, size)), np.empty((size, size))
    stored, faded = np.empty((n_options, size)), np.empty((n_options, size))
    seen = np.empty(n_options, dtype=np.bool_)
    evidence, slope, by_choice = np.empty(n_options), np.empty(n_options), np.empty(3)
    for r in range(len(theta)):
        own, slopes, n = theta[r], gradient[r], n_stimuli[sequence[r]]
        s, own_features = sequence[r], features[sequence[r]]
        scaling = own[places[0]] if places[0] >= 0 else -1.0
        bias = own[places[1]] if places[1] >= 0 else -1.0
        keep = np.exp(-own[places[2]]) if places[2] >= 0 else 1.0
        for i in range(n):
            for j in range(i + 1):
                close[i, j] = np.exp(-_distance(own, own_features, i, own_features, j, power))
                close[j, i] = close[i, j]
        matters[:n, :n] = 0.0
        stored[:, :n] = 0.0
        faded[:, :n] = 0.0  # Derivative of ``stored`` by forgetting.
        seen[:] = False
        by_choice[:] = 0.0
        for t in range(first[s], first[s + 1]):
            i = shown[t]
            if places[2] >= 0:
                for k in range(n_options):
                    for j in range(n):
                        faded[k, j] = keep * (faded[k, j] - stored[k, j])
                        stored[k, j] *= keep
            if chosen[t] >= 0:
                for k in range(n_options):
                    summed = 0.0
                    for j in range(n):
                        summed += stored[k, j] * close[i, j]
                    evidence[k] = summed if seen[k] else own[n_features + 1]
                total[r] += _score(
                    evidence, chosen[t], own[n_features], scaling, bias, smallest, slope, by_choice
                )
                for k in range(n_options):
                    if not seen[k]:
                        slopes[n_features + 1] += slope[k]
                        continue
                    forgotten = 0.0
                    for j in range(n):
                        matters[i, j] += slope[k] * stored[k, j]
                        forgotten += faded[k, j] * close[i, j]
                    if places[2] >= 0:
                        slopes[places[2]] += slope[k] * forgotten
            if category[t] >= 0:
                stored[category[t], i] += 1.0
                seen[category[t]] = True
        for i in range(n):
            for j in range(i):
                pull = (matters[i, j] + matters[j, i]) * close[i, j]
                _add_attention(own, own_features, i, own_features, j, power, pull, slopes)
        slopes[n_features] += by_choice[0]
        for number in range(2):
            if places[number] >= 0:
                slopes[places[number]] += by_choice[1 + number]


@njit(**_COMPILED)
def sum_prototype_likelihood(
    theta,
    sequence,
    first,
    thing,
    category,
    chosen,
    things,
    n_things,
    n_compared,
    prototypes,
    places,
    power,
    smallest,
    total,
    gradient,
):
    """The same for prototypes.

    Parameters
    ----------
    thing
        (all trials,) number of what is compared with the prototypes.
    things, n_things
        (sequences, things × compared, features) what is compared, and how many things a sequence has. A thing is the
        same for all categories, or ``n_compared`` rows, one for each.
    prototypes
        (categories, features).
    places
        Where theta has lapse, background, and the coordinates of prototypes instead of ``prototypes``, or -1.
    """
    n_options, n_features = prototypes.shape
    at_lapse, at_background, at_learned = places[0], places[1], places[2]
    size = things.shape[1] // n_compared
    close, matters = np.empty((size, n_options)), np.empty((size, n_options))
    place = prototypes.copy()
    seen = np.empty(n_options, dtype=np.bool_)
    evidence, slope, by_choice = np.empty(n_options), np.empty(n_options), np.empty(3)
    for r in range(len(theta)):
        own, slopes, n = theta[r], gradient[r], n_things[sequence[r]]
        s, own_things = sequence[r], things[sequence[r]]
        if at_learned >= 0:
            for k in range(n_options):
                for f in range(n_features):
                    place[k, f] = own[at_learned + k * n_features + f]
        for i in range(n):
            for k in range(n_options):
                close[i, k] = np.exp(
                    -_distance(own, own_things, i * n_compared + k % n_compared, place, k, power)
                )
        matters[:n] = 0.0
        seen[:] = False
        by_choice[:] = 0.0
        for t in range(first[s], first[s + 1]):
            i = thing[t]
            if chosen[t] >= 0:
                for k in range(n_options):
                    evidence[k] = close[i, k] if seen[k] else own[at_background]
                total[r] += _score(evidence, chosen[t], own[at_lapse], -1.0, -1.0, smallest, slope, by_choice)
                for k in range(n_options):
                    if seen[k]:
                        matters[i, k] += slope[k]
                    else:
                        slopes[at_background] += slope[k]
            if category[t] >= 0:
                seen[category[t]] = True
        for i in range(n):
            for k in range(n_options):
                pull, number = matters[i, k] * close[i, k], i * n_compared + k % n_compared
                _add_attention(own, own_things, number, place, k, power, pull, slopes)
                if at_learned >= 0:
                    _add_place(own, own_things, number, place, k, power, pull, at_learned, slopes)
        slopes[at_lapse] += by_choice[0]


@njit(**_COMPILED)
def _distance(attention, ones, i, others, j, power):
    """Between rows ``i`` and ``j`` of two arrays (…, features): rows by themselves would cost more than distances."""
    total = 0.0
    for f in range(ones.shape[1]):
        stretched = attention[f] * abs(ones[i, f] - others[j, f])
        total += stretched if power == 1 else stretched * stretched
    return total if power == 1 else np.sqrt(total)


@njit(**_COMPILED)
def _add_attention(attention, ones, i, others, j, power, pull, slopes):
    """Add derivatives by attention of what rises by ``pull`` for each unit by which a distance falls."""
    distance = 1.0 if power == 1 else _distance(attention, ones, i, others, j, power)
    if pull == 0.0 or distance == 0.0:  # What is equal stays equal whatever the attention.
        return
    for f in range(ones.shape[1]):
        apart = abs(ones[i, f] - others[j, f])
        slopes[f] -= pull * (apart if power == 1 else attention[f] * apart * apart / distance)


@njit(**_COMPILED)
def _add_place(attention, ones, i, others, j, power, pull, at_learned, slopes):
    """The same by coordinates of ``others``, whose derivatives begin at ``at_learned``."""
    distance = 1.0 if power == 1 else _distance(attention, ones, i, others, j, power)
    if pull == 0.0 or distance == 0.0:
        return
    n_features = ones.shape[1]
    for f in range(n_features):
        apart = ones[i, f] - others[j, f]
        by_apart = np.sign(apart) if power == 1 else attention[f] * apart / distance
        slopes[at_learned + j * n_features + f] += pull * attention[f] * by_apart


@njit(**_COMPILED)
def _score(evidence, chosen, lapse, scaling, bias, smallest, slope, by_choice):
    """Log-probability of a choice; fills in its ``slope`` by evidence (options,).

    Adds derivatives by lapse, exponent and liking to ``by_choice`` (3,). Negative ``scaling`` and ``bias`` are none.
    """
    n_options, total = len(evidence), 0.0
    scaled, exponent = scaling >= 0.0 or bias >= 0.0, scaling if scaling >= 0.0 else 1.0
    if not scaled:
        for k in range(n_options):
            slope[k] = evidence[k] + _TINY
            total += slope[k]
    else:  # By logarithms, as powers can be too small for a number.
        largest = -np.inf
        for k in range(n_options):
            slope[k] = exponent * np.log(evidence[k] + _TINY)
            if bias >= 0.0:
                slope[k] += np.log(bias if k == 0 else 1.0 - bias)
            largest = max(largest, slope[k])
        for k in range(n_options):
            slope[k] = np.exp(slope[k] - largest)
            total += slope[k]
    share = slope[chosen] / total
    p = (1.0 - lapse) * share + lapse / n_options
    if p < smallest:
        slope[:] = 0.0
        return np.log(smallest)
    by_choice[0] += (1.0 / n_options - share) / p
    for k in range(n_options):
        by_logit = (1.0 - lapse) / p * share * ((1.0 if k == chosen else 0.0) - slope[k] / total)
        known = evidence[k] + _TINY
        slope[k] = by_logit * exponent / known
        if scaled:
            by_choice[1] += by_logit * np.log(known)
        if bias >= 0.0:
            by_choice[2] += by_logit / bias if k == 0 else -by_logit / (1.0 - bias)
    return np.log(p)
