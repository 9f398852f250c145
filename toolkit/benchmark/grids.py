"""How well every setting of a grid predicts rows left out, for all folds and settings in a few array operations.

Fitting scikit-learn's classifiers one by one takes as long as checking their input dozens of times: with thirty
rows that is nearly all of it. What is counted here is the same to rounding, and where classifiers are iterated to
a tolerance here the minimum is reached more closely.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from sklearn.base import ClassifierMixin, clone
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier

from toolkit.tasks.logistic import fit_logistic

Folds = Sequence[tuple[np.ndarray, np.ndarray]]
Settings = Sequence[Mapping[str, Any]]

# Probabilities below count as this, so that one certain mistake does not decide alone.
_SMALLEST = 1e-3
# The time of a step of Newton's is a power of this; with more to fit scikit-learn's steps are cheaper.
_MOST_COEFFICIENTS = 60


def log_score(p: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Mean logarithm of the probability (…, rows, classes) of the right class (rows,): (…,)."""
    return np.log(p[..., np.arange(len(y)), y].clip(_SMALLEST)).mean(-1)


def left_out_scores(
    base: ClassifierMixin, settings: Settings, x: np.ndarray, y: np.ndarray, folds: Folds
) -> np.ndarray:
    """Mean log score of the rows that folds leave out, by setting; -inf where a setting is impossible.

    Parameters
    ----------
    base, settings
        A classifier and values of its parameters.
    x, y
        (rows, features) and (rows,) class numbers 0, 1, …
    folds
        Rows to learn from and rows left out; each row is left out once.
    """
    settings = [base.get_params() | dict(values) for values in settings]
    way, understood = _WAYS.get(type(base), (_one_by_one, set()))
    usual = type(base)().get_params()
    changed = {name for values in settings for name, value in values.items() if value != usual[name]}
    return (way if changed <= understood else _one_by_one)(base, settings, x, y, folds)


def _one_by_one(
    base: ClassifierMixin, settings: Settings, x: np.ndarray, y: np.ndarray, folds: Folds
) -> np.ndarray:
    scores = np.empty(len(settings))
    for number, values in enumerate(settings):
        p = np.empty((len(y), y.max() + 1))
        # A setting can ask for more than a fold has.
        try:
            for known, left_out in folds:
                fitted = clone(base).set_params(**values).fit(x[known], y[known])
                p[left_out] = fitted.predict_proba(x[left_out])
            scores[number] = log_score(p, y)
        except ValueError:
            scores[number] = -np.inf
    return scores


def _logistic(
    base: LogisticRegression, settings: Settings, x: np.ndarray, y: np.ndarray, folds: Folds
) -> np.ndarray:
    """All folds and penalties in one batch: a row counts as much as a mistake on it costs, and left out nothing."""
    n_classes = int(y.max()) + 1
    if n_classes * (x.shape[1] + 1) > _MOST_COEFFICIENTS:
        return _one_by_one(base, settings, x, y, folds)
    known = np.ones((len(folds), len(y)))
    for fold, (_, left_out) in enumerate(folds):
        known[fold, left_out] = 0
    costs = np.array([values["C"] for values in settings])
    weight = torch.tensor(np.multiply.outer(costs, known).reshape(-1, len(y)))
    points = torch.tensor(x)
    fit = fit_logistic(points, torch.tensor(y), n_classes, weight=weight, ridge=1.0)
    p = fit.log_probabilities(points).exp().numpy().reshape(len(costs), len(folds), len(y), n_classes)
    return log_score((p * (1 - known)[..., None]).sum(1), y)


def _neighbours(
    base: KNeighborsClassifier, settings: Settings, x: np.ndarray, y: np.ndarray, folds: Folds
) -> np.ndarray:
    """All numbers of neighbours from one table of distances."""
    from scipy.spatial.distance import cdist

    distances = cdist(x, x)
    for _, left_out in folds:
        distances[np.ix_(left_out, left_out)] = np.inf
    fewest = min(len(known) for known, _ in folds)
    most = min(fewest, max(values["n_neighbors"] for values in settings))
    nearest = distances.argsort(1, kind="stable")[:, :most]
    near = np.take_along_axis(distances, nearest, 1)
    member = np.eye(y.max() + 1)[y][nearest]
    # Rows at the same place are the only ones that count.
    with np.errstate(divide="ignore"):
        closeness = np.where(near[:, :1] == 0, near == 0, 1 / near)
    votes = {"uniform": member.cumsum(1), "distance": (member * closeness[..., None]).cumsum(1)}
    scores = np.full(len(settings), -np.inf)
    for number, values in enumerate(settings):
        if values["n_neighbors"] <= most:
            said = votes[values["weights"]][:, values["n_neighbors"] - 1]
            scores[number] = log_score(said / said.sum(1, keepdims=True), y)
    return scores


def _naive_bayes(
    base: GaussianNB, settings: Settings, x: np.ndarray, y: np.ndarray, folds: Folds
) -> np.ndarray:
    """Means and variances once for each fold, then all amounts of smoothing."""
    smoothing = np.array([values["var_smoothing"] for values in settings])
    p = np.empty((len(settings), len(y), y.max() + 1))
    for known, left_out in folds:
        member = np.eye(y.max() + 1)[y[known]]
        counts = member.sum(0)[:, None]
        means = member.T @ x[known] / counts
        spread = np.einsum("nk,nkd->kd", member, (x[known, None] - means) ** 2) / counts
        added = smoothing[:, None, None] * x[known].var(0).max()
        variance = (spread + added)[:, None]
        squares = ((x[left_out, None] - means) ** 2 / variance + np.log(2 * np.pi * variance)).sum(-1)
        p[:, left_out] = np.exp(_log_softmax(np.log(counts[:, 0] / counts.sum()) - squares / 2))
    return log_score(p, y)


def _log_softmax(scores: np.ndarray) -> np.ndarray:
    scores = scores - scores.max(-1, keepdims=True)
    return scores - np.log(np.exp(scores).sum(-1, keepdims=True))


# What is scored in one go, and the parameters that this takes into account or does not depend on.
_WAYS: dict[type, tuple[Callable, set[str]]] = {
    LogisticRegression: (_logistic, {"C", "max_iter", "tol"}),
    KNeighborsClassifier: (_neighbours, {"n_neighbors", "weights", "algorithm"}),
    GaussianNB: (_naive_bayes, {"var_smoothing"}),
}
