"""ALCOVE: exemplars that learn which category they stand for, and attention that learns what matters."""

from __future__ import annotations

import numpy as np

from toolkit.models.base import Parameter
from toolkit.models.sequential import SequentialModel, fill_softmax


class Alcove(SequentialModel):
    """Attention learning covering map (Kruschke, 1992, Psychological Review 99, 22–44).

    There is one exemplar node for every different stimulus met so far in the sequence. (The original has
    nodes for all stimuli from the start, and those not met yet then learn too.) Distance is city-block,
    attention begins as one over the number of features and never falls below 0, and teachers are humble:
    more than +1 for the category told, or less than -1 for another, is no error, nor is a lack of feedback.
    """

    name = "alcove"
    schemas = ("category_learning",)
    rugged = True
    parameters = (
        Parameter("sensitivity", 0.0, 20.0, "how fast similarity falls with distance"),
        Parameter("association_rate", 0.0, 1.0, "how fast exemplars learn their category"),
        Parameter("attention_rate", 0.0, 1.0, "how fast attention moves to features that tell apart"),
        Parameter("determinism", 0.0, 20.0, "how surely the category with the larger output is chosen"),
    )

    @staticmethod
    def learn(sensitivity, association_rate, attention_rate, determinism, stimulus, category, p):
        n_trials, n_features = stimulus.shape
        n_options = p.shape[1]
        met = np.zeros(n_trials, dtype=np.int64)  # the trial on which each exemplar was first shown
        n_met = 0
        attention = np.full(n_features, 1.0 / n_features)
        weight = np.zeros((n_trials, n_options))
        activation = np.zeros(n_trials)
        error = np.zeros(n_options)
        for t in range(n_trials):
            if is_new(stimulus, t, met, n_met):
                met[n_met] = t
                n_met += 1
            output = np.zeros(n_options)
            for j in range(n_met):
                distance = 0.0
                for i in range(n_features):
                    distance += attention[i] * abs(stimulus[met[j], i] - stimulus[t, i])
                activation[j] = np.exp(-sensitivity * distance)
                for k in range(n_options):
                    output[k] += weight[j, k] * activation[j]
            fill_softmax(output, determinism, p[t])
            if category[t] < 0:
                continue
            for k in range(n_options):
                teacher = max(1.0, output[k]) if k == category[t] else min(-1.0, output[k])
                error[k] = teacher - output[k]
            for j in range(n_met):
                blame = 0.0
                for k in range(n_options):
                    blame += error[k] * weight[j, k]
                    weight[j, k] += association_rate * error[k] * activation[j]
                    # Large rates can make learning diverge; the limit, far beyond any teacher, keeps it finite.
                    weight[j, k] = max(-100.0, min(100.0, weight[j, k]))
                pull = attention_rate * sensitivity * blame * activation[j]
                for i in range(n_features):
                    attention[i] -= pull * abs(stimulus[met[j], i] - stimulus[t, i])
            for i in range(n_features):
                attention[i] = max(0.0, attention[i])


def is_new(stimulus, t, met, n_met):
    """Whether the stimulus of trial ``t`` differs from those of the first ``n_met`` trials in ``met``."""
    for j in range(n_met):
        i = 0
        while i < stimulus.shape[1] and stimulus[met[j], i] == stimulus[t, i]:
            i += 1
        if i == stimulus.shape[1]:
            return False
    return True
