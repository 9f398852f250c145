"""SUSTAIN: clusters that are recruited upon surprise, and tunings that sharpen on what clusters have in common."""

from __future__ import annotations

import numpy as np

from toolkit.models.base import Parameter
from toolkit.models.sequential import SequentialModel, fill_softmax


class Sustain(SequentialModel):
    """Supervised learning by SUSTAIN (Love, Medin & Gureckis, 2004, Psychological Review 111, 309–332).

    A stimulus is μ_i = min(1, |x_i - h_i|) away from a cluster at h on feature i. For features that are 0
    or 1 this is the distance of the article, where each value is a unit of its own; numbers in between are
    taken as they are, so features should lie within [0, 1]. With tunings λ_i, at first 1, a cluster's
    activation is Σ_i λ_i^r exp(-λ_i μ_i) / Σ_i λ_i^r, for r the ``attentional_focus``. Only the most active
    cluster answers (of equals the oldest): its output is its activation^(1 + β) over the sum of all
    activations^β, for β the ``competition``; categories get the output times its weights, and softmax with
    ``determinism`` chooses.

    Where the category told has not the largest output, a cluster is recruited at the stimulus, and so with
    the first feedback. The winner, which is then the new cluster, learns with the ``learning_rate`` η: its
    weights from a humble teacher (1 or more for the category told and 0 or less for others is no error),
    its position by η (x_i - h_i), and all tunings by η exp(-λ_i μ_i) (1 - λ_i μ_i). Without feedback
    nothing is learned.

    The likelihood is smooth but for jumps where other values of ``attentional_focus``, ``competition`` or
    ``learning_rate`` make another cluster win or be recruited; gradients are those between jumps.
    """

    name = "sustain"
    schemas = ("category_learning",)
    rugged = True
    parameters = (
        Parameter(
            "attentional_focus", 0.0, 20.0, "how much features with a sharp tuning dominate the others"
        ),
        Parameter("competition", 0.0, 10.0, "how little the most active cluster is inhibited by the others"),
        Parameter("learning_rate", 0.0, 1.0, "how fast weights, positions and tunings change"),
        Parameter("determinism", 0.0, 25.0, "how surely the category with the larger output is chosen"),
    )

    @staticmethod
    def learn(attentional_focus, competition, learning_rate, determinism, stimulus, category, p):
        n_trials, n_features = stimulus.shape
        n_options = p.shape[1]
        position = np.zeros((n_trials, n_features))
        weight = np.zeros((n_trials, n_options))
        tuning = np.ones(n_features)
        activation = np.zeros(n_trials)
        output = np.zeros(n_options)
        n_clusters = 0
        for t in range(n_trials):
            fill_activation(stimulus[t], position, n_clusters, tuning, attentional_focus, activation)
            winner = int(most_active(activation, n_clusters))
            strength = output_of(winner, activation, n_clusters, competition)
            for k in range(n_options):
                output[k] = strength * weight[winner, k]
            fill_softmax(output, determinism, p[t])
            if category[t] < 0:
                continue
            if is_surprising(category[t], weight[winner]):
                winner = n_clusters
                n_clusters += 1
                for i in range(n_features):
                    position[winner, i] = stimulus[t, i]
                activation[winner] = 1.0
                strength = output_of(winner, activation, n_clusters, competition)
            for k in range(n_options):
                given = strength * weight[winner, k]
                teacher = max(1.0, given) if k == category[t] else min(0.0, given)
                weight[winner, k] += learning_rate * (teacher - given) * strength
            for i in range(n_features):
                nearness = tuning[i] * min(1.0, abs(stimulus[t, i] - position[winner, i]))
                tuning[i] += learning_rate * np.exp(-nearness) * (1.0 - nearness)
                position[winner, i] += learning_rate * (stimulus[t, i] - position[winner, i])


def fill_activation(shown, position, n_clusters, tuning, attentional_focus, activation):
    """Fill in how active each cluster is, (clusters,), when a stimulus is shown, (features,)."""
    n_features = len(shown)
    attention = np.zeros(n_features)
    total = 0.0
    for i in range(n_features):
        attention[i] = np.exp(attentional_focus * np.log(tuning[i]))
        total += attention[i]
    for j in range(n_clusters):
        matched = 0.0
        for i in range(n_features):
            distance = min(1.0, abs(shown[i] - position[j, i]))
            if distance > 0.0:
                matched += attention[i] * np.exp(-tuning[i] * distance)
            else:
                matched += attention[i]
        # Tunings in the hundreds leave nothing of a cluster that differs everywhere; ratios need a number.
        activation[j] = max(1e-100, matched / total)


def most_active(activation, n_clusters):
    """Number of the most active cluster, of equals the first; 0 where there is none."""
    winner = 0
    for j in range(1, n_clusters):
        # Sums in another order must not decide between clusters that are equally near.
        if activation[j] > activation[winner] * (1.0 + 1e-12):
            winner = j
    return winner


def output_of(winner, activation, n_clusters, competition):
    """What is left of the winner's activation after the competition with all clusters."""
    if n_clusters == 0:
        return 0.0
    rivalry = 0.0
    for j in range(n_clusters):
        rivalry += np.exp(competition * np.log(activation[j] / activation[winner]))
    return activation[winner] / rivalry


def is_surprising(told, weight):
    """Whether a category that was not told has an output as large as the one that was."""
    surprising = False
    for k in range(len(weight)):
        if k != told and weight[k] >= weight[told]:
            surprising = True
    return surprising
