"""Bayesian logistic regression that learns online: beliefs about one weight for each feature."""

from __future__ import annotations

import numpy as np

from toolkit.models.base import Parameter
from toolkit.models.sequential import SequentialModel, fill_softmax
from toolkit.models.similarity import LAPSE


class BayesianLogisticRegression(SequentialModel):
    """Learns weights of features and how sure they are, one trial after another, by assumed-density filtering.

    The log odds of the first category are w·x, where x is 1 followed by the features less one half. Belief
    about w is normal with mean m and covariance S, at first 0 and ``prior deviation``² on the diagonal. It
    predicts the category with probability σ(m·x / √(1 + π v / 8)), where v = x·S x (MacKay, 1992, Neural
    Computation 4, 720–736). After feedback y, 1 or 0, it moves by one Newton step from where it was, with
    q = σ(m·x) and h = q (1 - q), the curvature there (the extended Kalman filter):

        m ← m + S x (y - q) / (1 + h v),    S ← S - h S x (S x)ᵀ / (1 + h v).

    For more than two categories each has a regression of its own against the rest. Choices are in proportion
    to the predicted probabilities to the power ``response_scaling``, apart from lapses. Without feedback
    nothing is learned.

    Parameters
    ----------
    drifting
        Whether weights are believed to change: then a parameter ``drift``² is added to the diagonal of S
        after each trial, with feedback or not, so that old trials count for less.
    """

    name = "bayesian_logistic_regression"
    schemas = ("category_learning",)
    parameters = (
        Parameter(
            "log10_prior_deviation", -2.0, 2.0, "log10 of how large weights are believed to be at first"
        ),
        Parameter("response_scaling", 0.1, 10.0, "how surely the more probable category is chosen"),
        LAPSE,
    )
    drift = 0.0

    def __init__(self, *, drifting: bool = False) -> None:
        if drifting:
            drift = Parameter("drift", 0.0, 2.0, "how much weights are believed to change within a trial")
            self.parameters = (*type(self).parameters, drift)

    @staticmethod
    def learn(log10_prior_deviation, response_scaling, lapse, drift, stimulus, category, p):
        n_trials, n_features = stimulus.shape
        n_options = p.shape[1]
        # Of two categories one regression says everything: the other would be its mirror image.
        n_regressions = n_options if n_options > 2 else 1
        n_weights = n_features + 1
        mean = np.zeros((n_regressions, n_weights))
        covariance = np.zeros((n_regressions, n_weights, n_weights))
        for r in range(n_regressions):
            for i in range(n_weights):
                covariance[r, i, i] = 100.0**log10_prior_deviation
        x = np.ones(n_weights)
        toward = np.zeros((n_regressions, n_weights))
        evidence = np.zeros(n_options)
        for t in range(n_trials):
            for i in range(n_features):
                x[i + 1] = stimulus[t, i] - 0.5
            for r in range(n_regressions):
                fill_product(covariance[r], x, toward[r])
                log_odds = dot(mean[r], x) / np.sqrt(1.0 + np.pi / 8.0 * dot(toward[r], x))
                evidence[r] = log_sigmoid(log_odds)
                if n_options == 2:
                    evidence[1] = log_sigmoid(-log_odds)
            fill_softmax(evidence, response_scaling, p[t])
            for k in range(n_options):
                p[t, k] = (1.0 - lapse) * p[t, k] + lapse / n_options
            for r in range(n_regressions):
                if category[t] >= 0:
                    update(1.0 if category[t] == r else 0.0, x, toward[r], mean[r], covariance[r])
                for i in range(n_weights):
                    covariance[r, i, i] += drift * drift


def update(happened, x, toward, mean, covariance):
    """Move belief about weights, (weights,) and (weights, weights), in the direction S x by what happened."""
    q = 0.5 + 0.5 * np.tanh(0.5 * dot(mean, x))
    curvature = q * (1.0 - q)
    certainty = 1.0 + curvature * dot(toward, x)
    for i in range(len(x)):
        mean[i] += toward[i] * (happened - q) / certainty
        for j in range(i + 1):
            covariance[i, j] -= toward[i] * toward[j] * curvature / certainty
            covariance[j, i] = covariance[i, j]


def fill_product(matrix, x, product):
    """Fill in the product of a square matrix and a vector."""
    for i in range(len(x)):
        product[i] = dot(matrix[i], x)


def dot(a, b):
    """Sum of products of two vectors."""
    total = 0.0
    for i in range(len(a)):
        total += a[i] * b[i]
    return total


def log_sigmoid(log_odds):
    """Logarithm of the probability with these log odds, of any size."""
    size = abs(log_odds)
    return 0.5 * (log_odds - size) - np.log1p(np.exp(-size))
