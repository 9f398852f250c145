"""Forests and boosting are scikit-learn's and XGBoost's, without what they do beside growing trees."""

from __future__ import annotations

import numpy as np
import pytest
import xgboost
from sklearn.ensemble import RandomForestClassifier

from toolkit.benchmark.trees import Forest, TunedBoosting, TunedForest
from toolkit.benchmark.tuning import stratified_folds


def problem(n_classes: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    y = np.arange(40) % n_classes
    x = rng.normal(size=(80, 4)) + np.r_[y, y][:, None]
    return x[:40], y, x[40:]


@pytest.mark.parametrize("n_classes", [2, 3])
def test_a_forest_is_scikit_learns_of_the_same_seed(n_classes: int) -> None:
    x, y, new = problem(n_classes)
    forest = Forest(20, 2, random_state=5).fit(x, y)
    theirs = RandomForestClassifier(20, min_samples_leaf=2, random_state=5, oob_score=True).fit(x, y)
    np.testing.assert_allclose(forest.predict_proba(new), theirs.predict_proba(new))
    np.testing.assert_allclose(forest.left_out_, theirs.oob_decision_function_)


def test_a_row_that_every_tree_saw_is_a_guess() -> None:
    x, y, _ = problem(2)
    left_out = Forest(1, 1, random_state=0).fit(x, y).left_out_
    assert np.isfinite(left_out).all() and (left_out == 0.5).all(1).any()


def test_a_tree_may_have_seen_every_row() -> None:
    """Of two rows half of all trees see both, of ten one in 2,756."""
    forest = Forest(20, 1, random_state=0).fit(np.eye(2), np.array([0, 1]))
    assert forest.left_out_.shape == (2, 2) and np.isfinite(forest.left_out_).all()


def test_the_leaf_chosen_predicts_best_what_trees_did_not_see() -> None:
    x, y, _ = problem(3)
    chosen = TunedForest(20, (1, 4, 12), random_state=1).fit(x, y).chosen_["min_samples_leaf"]
    scores = {}
    for leaf in (1, 4, 12):
        p = Forest(20, leaf, random_state=1).fit(x, y).left_out_
        scores[leaf] = np.log(p[np.arange(40), y].clip(1e-3)).mean()
    assert chosen == max(scores, key=scores.get)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_boosting_stops_where_cross_validation_does(n_classes: int) -> None:
    x, y, _ = problem(n_classes)
    metric = "logloss" if n_classes == 2 else "mlogloss"
    settings = {
        "objective": "binary:logistic",
        "eval_metric": metric,
        "max_depth": 2,
        "subsample": 0.5,
        "nthread": 1,
    }
    if n_classes > 2:
        settings |= {"objective": "multi:softprob", "num_class": n_classes}
    folds = stratified_folds(y, 0)
    losses = TunedBoosting(most_rounds=60, patience=5)._left_out_losses(settings, x, y, folds)
    curve = xgboost.cv(
        settings, xgboost.DMatrix(x, y), 60, folds=folds, early_stopping_rounds=5, as_pandas=False
    )[f"test-{metric}-mean"]
    best = int(np.argmin(losses)) + 1
    assert best == len(curve) and len(losses) in (60, best + 5)
    np.testing.assert_allclose(losses[:best], curve, atol=1e-6)
