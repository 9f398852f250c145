"""Statistics of 400 learning problems at once, against a loop over problems and trials with scikit-learn."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
import torch

from toolkit.bench.core import Row, median_seconds
from toolkit.seeds import Seeds
from toolkit.tasks import get_source
from toolkit.tasks.logistic import UNREGULARISED
from toolkit.tasks.neighbours import N_NEIGHBOURS
from toolkit.tasks.problems import Problems
from toolkit.tasks.statistics import HELD_OUT_RIDGE, N_FOLDS, STATISTICS, Statistics, measure

if TYPE_CHECKING:
    from sklearn.linear_model import LogisticRegression
    from sklearn.neighbors import KNeighborsClassifier

PROBLEMS, POINTS, FEATURES = 400, 100, 4
SUBSET = 10
ALLOWED_S, ALLOWED_RATIO = 60.0, 10.0


def rows() -> list[Row]:
    """Ten problems both ways, and 400 against the seconds that the loop would take for them."""
    torch.set_num_threads(1)  # Both ways use one; two on busy cores wait for each other.
    generator = Seeds(0).torch("problems")
    source = get_source("linear", intercept=0.5, noise=0.5)
    problems = source.draw(PROBLEMS, POINTS, FEATURES, generator=generator, scaling="none")
    subset = Problems(problems.x[:SUBSET], problems.y[:SUBSET], problems.n_classes)
    same = _agree(measure(subset), _loop(subset))
    seconds, loop_seconds = median_seconds(lambda: measure(subset), lambda: _loop(subset))
    started = time.perf_counter()
    measure(problems)
    all_seconds = time.perf_counter() - started
    size = f"{POINTS} points × {FEATURES} features, all {len(STATISTICS)} statistics"
    return [
        Row(
            what=f"{SUBSET} problems × {size}",
            ours_s=seconds,
            reference_s=loop_seconds,
            goal=f"ratio ≥ {ALLOWED_RATIO:g}",
            same_result=same,
            met=loop_seconds / seconds >= ALLOWED_RATIO,
        ),
        Row(
            what=f"{PROBLEMS} problems × {size}",
            ours_s=all_seconds,
            reference_s=loop_seconds * PROBLEMS / SUBSET,
            goal=f"< {ALLOWED_S:g} s",
            same_result=same,
            met=all_seconds < ALLOWED_S,
            note=f"the loop was timed, and both were compared, on the first {SUBSET}; its time is {PROBLEMS // SUBSET} times theirs",
        ),
    ]


def _agree(ours: Statistics, reference: dict[str, np.ndarray]) -> bool:
    """Whether all statistics are the same to the precision of scikit-learn's optimiser."""
    return all(
        np.allclose(getattr(ours, name), reference[name], rtol=1e-3, atol=1e-4, equal_nan=True)
        for name in STATISTICS
    )


def _loop(problems: Problems) -> dict[str, np.ndarray]:
    x, y = problems.x.double().numpy(), problems.y.numpy()
    found = [_one_problem(points, classes) for points, classes in zip(x, y, strict=True)]
    return {name: np.stack([one[name] for one in found]) for name in STATISTICS}


def _regression(ridge: float) -> LogisticRegression:
    from sklearn.linear_model import LogisticRegression

    # Of scikit-learn's solvers that leave the intercept free the quickest for so few columns.
    return LogisticRegression(C=1 / ridge, solver="newton-cholesky", tol=1e-8, max_iter=1000)


def _one_problem(x: np.ndarray, y: np.ndarray) -> dict[str, np.ndarray | float]:
    from scipy.stats import entropy, pearsonr, spearmanr
    from sklearn.metrics import roc_auc_score
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.preprocessing import MinMaxScaler, StandardScaler

    pairs = list(combinations(range(x.shape[1]), 2))
    plain, scaled = StandardScaler().fit_transform(x), MinMaxScaler().fit_transform(x)
    sizes = np.abs(_regression(UNREGULARISED).fit(plain, y).coef_[0])
    linear, interactions, quadratic = (_design(plain, which) for which in ("linear", "products", "all"))
    bic = [_bic(design, y) for design in (linear, interactions, quadratic)]
    held_out, *larger = (_held_out(design, y) for design in (linear, quadratic, interactions))
    likelihood, *likelihoods = (np.mean(found[range(len(y)), y]) for found in (held_out, *larger))
    whole, share = x == np.round(x), np.bincount(y, minlength=2) / len(y)
    areas = [roc_auc_score(y, column) for column in x.T]
    return {
        "pearson": np.array([pearsonr(x[:, i], x[:, j])[0] for i, j in pairs]),
        "spearman": np.array([spearmanr(x[:, i], x[:, j])[0] for i, j in pairs]),
        "gini": np.abs(sizes[:, None] - sizes).mean() / (2 * sizes.mean()),
        "linear_against_interactions": 1 / (1 + math.exp((bic[0] - bic[1]) / 2)),
        "linear_against_quadratic": 1 / (1 + math.exp((bic[0] - bic[2]) / 2)),
        "held_out_gain_quadratic": likelihoods[0] - likelihood,
        "held_out_gain_interactions": likelihoods[1] - likelihood,
        "logistic_accuracy": _running(scaled, y, lambda t: _regression(UNREGULARISED)),
        "neighbour_accuracy": _running(
            scaled, y, lambda t: KNeighborsClassifier(min(N_NEIGHBOURS, t), algorithm="brute")
        ),
        "class_entropy": entropy(share) / math.log(2),
        "minority_share": share.min(),
        "separability_linear": roc_auc_score(y, held_out[:, 1]),
        "separability_best_feature": max(max(area, 1 - area) for area in areas),
        "whole_values": whole.mean(),
        "whole_features": whole.all(0).mean(),
    }


def _design(x: np.ndarray, which: str) -> np.ndarray:
    from sklearn.preprocessing import PolynomialFeatures, StandardScaler

    degree = 1 if which == "linear" else 2
    products = PolynomialFeatures(degree, interaction_only=which == "products", include_bias=False)
    return StandardScaler().fit_transform(products.fit_transform(x))


def _bic(x: np.ndarray, y: np.ndarray) -> float:
    from sklearn.metrics import log_loss

    probabilities = _regression(UNREGULARISED).fit(x, y).predict_proba(x)
    return 2 * log_loss(y, probabilities, normalize=False) + (x.shape[1] + 1) * math.log(len(y))


def _held_out(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Log-probabilities from folds that deal the points of each class in turn."""
    turn = np.array([(y[:t] == y[t]).sum() % N_FOLDS for t in range(len(y))])
    found = np.zeros((len(y), 2))
    for fold in range(N_FOLDS):
        fit = _regression(HELD_OUT_RIDGE).fit(x[turn != fold], y[turn != fold])
        found[turn == fold] = fit.predict_log_proba(x[turn == fold])
    return found


def _running(
    x: np.ndarray, y: np.ndarray, make: Callable[[int], LogisticRegression | KNeighborsClassifier]
) -> np.ndarray:
    """Credit on every trial for a fit to the trials before it; shared if both classes are as likely."""
    credit = np.full(len(y), 0.5)
    for t in range(1, len(y)):
        if len(set(y[:t])) == 2:
            chance = make(t).fit(x[:t], y[:t]).predict_proba(x[t : t + 1])[0]
            credit[t] = 0.5 if np.isclose(*chance) else chance.argmax() == y[t]
    return credit
