"""Grids scored in one go say of every setting what fitting it fold by fold says."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.base import ClassifierMixin
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import StandardScaler

from toolkit.benchmark.grids import left_out_scores, log_score
from toolkit.benchmark.tuning import stratified_folds

NEIGHBOURS = [{"n_neighbors": n, "weights": how} for n in (1, 3, 7, 40) for how in ("uniform", "distance")]
GRIDS = {
    "logistic": (
        LogisticRegression(max_iter=5000, tol=1e-8),
        [{"C": cost} for cost in (0.01, 1.0, 100.0)],
        1e-5,
    ),
    "neighbours": (KNeighborsClassifier(), NEIGHBOURS, 1e-9),
    "bayes": (GaussianNB(), [{"var_smoothing": amount} for amount in (1e-9, 1e-2, 1.0)], 1e-9),
}


def problem(n_classes: int, n_rows: int = 36) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(n_classes)
    y = np.arange(n_rows) % n_classes
    x = rng.normal(size=(n_rows, 3)) + y[:, None] * [1.0, 0.0, 0.3]
    x[4] = x[0]  # At the same place; of the same class, or neighbours at equal distance could be either.
    return StandardScaler().fit_transform(x), y


@pytest.mark.parametrize("grid", GRIDS)
@pytest.mark.parametrize("n_classes", [2, 4])
def test_scores_are_those_of_fitting_every_setting_to_every_fold(grid: str, n_classes: int) -> None:
    base, settings, tolerance = GRIDS[grid]
    x, y = problem(n_classes)
    folds = stratified_folds(y, 0)

    class Another(type(base)):
        """Of a kind that is not known, so that it is fitted."""

    expected = left_out_scores(Another(**base.get_params()), settings, x, y, folds)
    found = left_out_scores(base, settings, x, y, folds)
    np.testing.assert_allclose(found, expected, atol=tolerance)
    if grid == "neighbours":
        assert np.isneginf(found[-2:]).all() and np.isfinite(found[:-2]).all()


def test_many_coefficients_are_left_to_scikit_learn(monkeypatch: pytest.MonkeyPatch) -> None:
    x, y = problem(4)
    monkeypatch.setattr("toolkit.benchmark.grids._MOST_COEFFICIENTS", 15)
    calls: list[ClassifierMixin] = []
    monkeypatch.setattr(
        "toolkit.benchmark.grids._one_by_one", lambda base, *_: calls.append(base) or np.zeros(1)
    )
    left_out_scores(LogisticRegression(), [{"C": 1.0}], x, y, stratified_folds(y, 0))
    assert len(calls) == 1


def test_parameters_that_are_not_understood_are_left_to_scikit_learn() -> None:
    x, y = problem(2)
    folds = stratified_folds(y, 0)
    by_blocks, straight = (
        left_out_scores(KNeighborsClassifier(metric=metric), [{"n_neighbors": 3}], x, y, folds)
        for metric in ("manhattan", "minkowski")
    )
    by_hand = np.empty((len(y), 2))
    for known, left_out in folds:
        fitted = KNeighborsClassifier(3, metric="manhattan").fit(x[known], y[known])
        by_hand[left_out] = fitted.predict_proba(x[left_out])
    assert by_blocks == pytest.approx(log_score(by_hand, y)) and by_blocks != pytest.approx(straight)
