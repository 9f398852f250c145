"""The rational model of categorisation as a learner: each thing joins the cluster it most probably belongs to."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import torch

from toolkit.errors import UsageError
from toolkit.models.base import Parameter, TrialTensors
from toolkit.models.sequential import SequentialModel, fill_softmax
from toolkit.models.similarity import LAPSE
from toolkit.trials import Trials


class Rational(SequentialModel):
    """Incremental clustering by local maxima (Anderson, 1991, Psychological Review 98, 409–429).

    With the coupling c, the next thing after n others belongs to a cluster of m things with the prior
    probability c m / (1 - c + c n), and to a new one with (1 - c) / (1 - c + c n). Within a cluster features
    are independent. Those that are 0 or 1 have a probability of being 1 whose prior is Beta(s, s).
    Continuous ones are normal with mean and variance unknown; the priors expect 1/2 and s² and weigh one
    observation each, so that the next value has a t distribution. Labels have a symmetric Dirichlet prior,
    l for each category. The probability of a category is the mean over all clusters, a new one included,
    weighted by how probable each is given the features. Choices are in proportion to these probabilities to
    the power ``response_scaling``, apart from lapses.

    Then the thing joins the cluster that is most probable, given the features and the category told, and
    stays there. Of equals it joins the one whose contents have been there for longest, a new one last.
    Without feedback the features decide and no label is counted. The likelihood is smooth but for jumps
    where other values of ``coupling`` or the priors make a thing join another cluster; gradients are those
    between jumps.

    Parameters
    ----------
    continuous
        Whether features are any numbers; by default they are 0 or 1. :meth:`for_trials` looks at them.
    """

    name = "rational"
    schemas = ("category_learning",)
    rugged = True
    parameters = (
        Parameter("coupling", 0.001, 0.999, "how probable it is that two things share a cluster"),
        Parameter("log10_feature_prior", -3.0, 1.0, "log10 of s: how mixed a cluster's features may be"),
        Parameter("log10_label_prior", -3.0, 1.0, "log10 of l: how mixed a cluster's labels may be"),
        Parameter("response_scaling", 0.1, 10.0, "how surely the more probable category is chosen"),
        LAPSE,
    )

    def __init__(self, *, continuous: bool = False) -> None:
        self.continuous = continuous

    @classmethod
    def for_trials(cls, trials: Trials, **options: Any) -> Self:
        return cls(**{"continuous": not has_binary_features(trials), **options})

    def _by_sequence(self, theta: torch.Tensor, trials: Trials) -> torch.Tensor:
        rows = super()._by_sequence(theta, trials)
        data = TrialTensors.of(trials, theta)
        if not (self.continuous or data.remember("binary features", lambda: has_binary_features(trials))):
            raise UsageError(
                "some features are neither 0 nor 1.",
                where=f"model '{self.name}'",
                fix="get_model_for(name, trials) makes the model that fits.",
            )
        return rows

    @staticmethod
    def learn(
        coupling,
        log10_feature_prior,
        log10_label_prior,
        response_scaling,
        lapse,
        continuous,
        stimulus,
        category,
        p,
    ):
        n_trials, n_features = stimulus.shape
        n_options = p.shape[1]
        # A row is a cluster: how many things, how many of them labelled, how many with each label, sums of
        # features and of their squares. The first is a new one, which stays empty. Clusters with equal
        # contents share a row, as there can be hundreds of them; a row with no copies is free.
        contents = np.zeros((n_trials + 2, 2 + n_options + 2 * n_features))
        copies = np.zeros(n_trials + 2)
        copies[0] = 1.0
        since = np.full(n_trials + 2, np.inf)
        n_rows = 1
        thing = np.zeros(contents.shape[1])
        peak = np.zeros(n_trials + 1)
        fill_peaks(peak)
        fit = np.zeros(n_trials + 2)
        evidence = np.zeros(n_options)
        feature_prior = 10.0**log10_feature_prior
        label_prior = 10.0**log10_label_prior
        for t in range(n_trials):
            fill_fit(stimulus[t], contents, copies, n_rows, coupling, feature_prior, continuous, peak, fit)
            fill_evidence(contents, copies, n_rows, label_prior, fit, evidence)
            fill_softmax(evidence, response_scaling, p[t])
            for k in range(n_options):
                p[t, k] = (1.0 - lapse) * p[t, k] + lapse / n_options
            joined = int(most_probable(category[t], contents, since, n_rows, n_options, label_prior, fit))
            fill_thing(stimulus[t], category[t], n_options, thing)
            add(thing, joined, t, contents, copies, since, n_rows)
            if copies[n_rows] > 0.0:
                n_rows += 1


def has_binary_features(trials: Trials) -> bool:
    """Whether all features are 0 or 1."""
    return bool(np.isin(trials.stimulus[trials.mask], (0, 1)).all())


def fill_fit(shown, contents, copies, n_rows, coupling, prior, continuous, peak, fit):
    """Fill in, up to a factor, how probable every cluster is given the features shown, (clusters,)."""
    for j in range(n_rows):
        fit[j] = 0.0
        if copies[j] > 0.0:
            fit[j] = coupling * contents[j, 0] if j > 0 else 1.0 - coupling
            if continuous:
                fit[j] *= density_of(shown, contents[j], prior, peak)
            else:
                fit[j] *= chance_of(shown, contents[j], prior)


def chance_of(shown, cluster, prior):
    """Probability of features that are 0 or 1 in a cluster."""
    n_features = len(shown)
    first = len(cluster) - 2 * n_features
    share = 1.0 / (cluster[0] + 2.0 * prior)
    chance = 1.0
    for i in range(n_features):
        alike = cluster[first + i] if shown[i] > 0.0 else cluster[0] - cluster[first + i]
        chance *= (alike + prior) * share
    return chance


def density_of(shown, cluster, prior, peak):
    """Density of continuous features in a cluster: t distributions with as many degrees of freedom as things, and one."""
    n_features = len(shown)
    first = len(cluster) - 2 * n_features
    n = cluster[0]
    log_density = n_features * np.log(peak[int(n)])
    for i in range(n_features):
        mean = (0.5 + cluster[first + i]) / (1.0 + n)
        scatter = max(0.0, 0.25 + cluster[first + n_features + i] - (1.0 + n) * mean**2)
        squares = (prior**2 + scatter) * (2.0 + n) / (1.0 + n)
        log_density -= 0.5 * np.log(squares) + 0.5 * (2.0 + n) * np.log1p((shown[i] - mean) ** 2 / squares)
    return np.exp(log_density)


def fill_peaks(peak):
    """Fill in Γ(n/2 + 1) / (Γ(n/2 + 1/2) √π), which the density needs for a cluster of n things, (sizes,)."""
    peak[0] = 1.0 / np.pi
    for n in range(1, len(peak)):
        peak[n] = 0.5 * n / (np.pi * peak[n - 1])


def fill_evidence(contents, copies, n_rows, prior, fit, evidence):
    """Fill in the logarithm of every category's probability, up to a constant, (options,)."""
    n_options = len(evidence)
    for k in range(n_options):
        total = 0.0
        for j in range(n_rows):
            if copies[j] > 0.0:
                total += copies[j] * fit[j] * chance_of_label(k, contents[j], n_options, prior)
        evidence[k] = np.log(total)


def chance_of_label(label, cluster, n_options, prior):
    """Probability of a label in a cluster."""
    return (cluster[2 + label] + prior) / (cluster[1] + n_options * prior)


def most_probable(told, contents, since, n_rows, n_options, prior, fit):
    """Row of the cluster that is most probable, given the label too if one was told."""
    best = 0
    highest = 0.0
    for j in range(n_rows):
        probability = fit[j]
        if told >= 0:
            probability *= chance_of_label(told, contents[j], n_options, prior)
        # Products in another order must not decide between clusters that are equally probable.
        equal = abs(probability - highest) <= 1e-12 * highest
        if (equal and since[j] < since[best]) or (not equal and probability > highest):
            best = j
            highest = probability
    return best


def fill_thing(shown, told, n_options, thing):
    """Fill in the contents of a cluster of this one thing."""
    n_features = len(shown)
    for c in range(len(thing)):
        thing[c] = 0.0
    thing[0] = 1.0
    if told >= 0:
        thing[1] = 1.0
        thing[2 + told] = 1.0
    for i in range(n_features):
        thing[2 + n_options + i] = shown[i]
        thing[2 + n_options + n_features + i] = shown[i] * shown[i]


def add(thing, joined, t, contents, copies, since, n_rows):
    """Let a thing join a copy of row ``joined``: the row that has the new contents, or a free one, gains a copy."""
    grown = int(row_with(thing, joined, contents, copies, n_rows))
    for c in range(len(thing)):
        contents[grown, c] = contents[joined, c] + thing[c]
    if copies[grown] == 0.0:
        since[grown] = t
    copies[grown] += 1.0
    if joined > 0:
        copies[joined] -= 1.0


def row_with(thing, joined, contents, copies, n_rows):
    """The row whose contents are those of ``joined`` and the thing, or else the first free row."""
    free = n_rows
    for j in range(n_rows - 1, 0, -1):
        if copies[j] == 0.0:
            free = j
            continue
        c = 0
        while c < len(thing) and contents[j, c] == contents[joined, c] + thing[c]:
            c += 1
        if c == len(thing):
            return j
    return free
