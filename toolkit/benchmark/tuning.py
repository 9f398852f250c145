"""Classifiers that choose their settings on the context that they are given, and nothing else."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.utils.validation import check_is_fitted, validate_data

MOST_FOLDS = 5
# Probabilities below count as this, so that one certain mistake does not decide alone.
_SMALLEST = 1e-3
_SMALL_DATA = {"nthread": 1, "min_child_weight": 0.05, "subsample": 0.5, "colsample_bynode": 0.5}
_SLOPES = tuple(np.geomspace(0.25, 16, 13))


def log_score(p: np.ndarray, y: np.ndarray) -> float:
    """Mean logarithm of the probability (rows, classes) of the right class (rows,)."""
    return float(np.log(p[np.arange(len(y)), y].clip(_SMALLEST)).mean())


def stratified_folds(y: np.ndarray, random_state: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Rows to learn from and rows left out: at most five folds, none if a class has a single row."""
    from sklearn.model_selection import StratifiedKFold

    n_folds = min(MOST_FOLDS, np.bincount(y).min())
    if n_folds < 2:
        return []
    folds = StratifiedKFold(n_folds, shuffle=True, random_state=random_state)
    return list(folds.split(np.zeros((len(y), 1)), y))


class _Chooser(ClassifierMixin, BaseEstimator):
    """What classifiers share that fit another one inside."""

    def fit(self, X: np.ndarray, y: np.ndarray) -> Self:
        """Choose settings on these rows (rows, features), then learn from all of them."""
        X, y = validate_data(self, X, y)
        self.classes_, number = np.unique(y, return_inverse=True)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Settings that do not converge are among those tried.
            self.fitted_ = self._choose(X, number)
        return self

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        """Probability of every class: (rows, classes)."""
        check_is_fitted(self)
        return self.fitted_.predict_proba(validate_data(self, X, reset=False))

    def predict(self, X: np.ndarray) -> np.ndarray:
        """The likeliest class of every row."""
        likeliest = self.predict_proba(X).argmax(1)
        return self.classes_[likeliest]


class Tuned(_Chooser):
    """A classifier with the settings that predict left-out parts of the context best.

    Parameters
    ----------
    base
        A classifier, whose columns are standardised on the context first.
    settings
        What to try, the most usual first; it is taken where a class has a single row.
    random_state
        Decides the folds.
    """

    def __init__(
        self, base: ClassifierMixin, settings: Sequence[Mapping[str, Any]], random_state: int = 0
    ) -> None:
        self.base = base
        self.settings = settings
        self.random_state = random_state

    def _choose(self, x: np.ndarray, y: np.ndarray) -> ClassifierMixin:
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler

        scaler = StandardScaler().fit(x)
        x, folds = scaler.transform(x), stratified_folds(y, self.random_state)
        scores = [self._score(one, x, y, folds) for one in self.settings] if folds else [0.0]
        self.chosen_ = dict(self.settings[int(np.argmax(scores))])
        best = clone(self.base).set_params(**self.chosen_).fit(x, y)
        return make_pipeline(scaler, best)

    def _score(self, settings: Mapping[str, Any], x: np.ndarray, y: np.ndarray, folds: list) -> float:
        total = 0.0
        for known, left_out in folds:
            # A setting can ask for more than a fold has, for instance more neighbours than there are.
            try:
                fitted = clone(self.base).set_params(**settings).fit(x[known], y[known])
                total += log_score(fitted.predict_proba(x[left_out]), y[left_out]) * len(left_out)
            except ValueError:
                return -np.inf
        return total


class TunedMachine(_Chooser):
    """Support vectors whose cost and kernel width predict left-out rows best.

    Probabilities are softmax of a slope times the distances to the border, so that order and borders are
    those of the machine; the slope is chosen with the settings.

    Parameters
    ----------
    costs, widths
        ``C`` and ``gamma`` of scikit-learn's SVC to try, the most usual first.
    """

    def __init__(
        self,
        costs: Sequence[float] = (1.0, 0.1, 10.0, 100.0),
        widths: Sequence[float | str] = ("scale", 0.01, 0.1, 1.0),
        random_state: int = 0,
    ) -> None:
        self.costs = costs
        self.widths = widths
        self.random_state = random_state

    def _choose(self, x: np.ndarray, y: np.ndarray) -> ClassifierMixin:
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler
        from sklearn.svm import SVC

        scaler = StandardScaler().fit(x)
        x, folds = scaler.transform(x), stratified_folds(y, self.random_state)
        settings = [(cost, width) for cost in self.costs for width in self.widths]
        tried = [_slope(SVC(C=cost, gamma=width), x, y, folds) for cost, width in settings] if folds else []
        (_, slope), best = max(
            zip(tried or [(0.0, 1.0)], settings, strict=False), key=lambda result: result[0][0]
        )
        self.chosen_ = dict(zip(("C", "gamma"), best, strict=True))
        return make_pipeline(scaler, _Margins(SVC(**self.chosen_), slope).fit(x, y))


def _slope(machine: Any, x: np.ndarray, y: np.ndarray, folds: list) -> tuple[float, float]:
    """Best score of left-out rows, and the slope it is reached with."""
    machines = [clone(machine).fit(x[known], y[known]) for known, _ in folds]
    distances = [_distances(one, x[rows]) for one, (_, rows) in zip(machines, folds, strict=True)]
    left_out = y[np.concatenate([rows for _, rows in folds])]
    scores = [log_score(_softmax(slope * np.concatenate(distances)), left_out) for slope in _SLOPES]
    return max(zip(scores, _SLOPES, strict=True))


class _Margins(ClassifierMixin, BaseEstimator):
    """A support vector machine with probabilities of a given slope."""

    def __init__(self, machine: Any, slope: float) -> None:
        self.machine = machine
        self.slope = slope

    def fit(self, X: np.ndarray, y: np.ndarray) -> Self:
        self.machine_ = clone(self.machine).fit(X, y)
        self.classes_ = self.machine_.classes_
        return self

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        return _softmax(self.slope * _distances(self.machine_, X))


class PlattMachine(_Chooser):
    """Support vectors as earlier work used them: borders of SVC, probabilities of Platt's separate fit.

    The two can disagree; scikit-learn's ``SVC(probability=True)`` was the same.
    """

    def _choose(self, x: np.ndarray, y: np.ndarray) -> ClassifierMixin:
        from sklearn.calibration import CalibratedClassifierCV
        from sklearn.svm import SVC

        self.machine_ = SVC().fit(x, y)
        folds = stratified_folds(y, 0)
        if not folds:
            return _Margins(SVC(), 1.0).fit(x, y)
        return CalibratedClassifierCV(SVC(), ensemble=False, cv=folds).fit(x, y)

    def predict(self, X: np.ndarray) -> np.ndarray:
        """The class on whose side a row is."""
        check_is_fitted(self)
        return self.classes_[self.machine_.predict(validate_data(self, X, reset=False))]


class TunedForest(_Chooser):
    """A random forest whose smallest leaf predicts rows best that a tree did not see.

    Parameters
    ----------
    leaves
        Smallest leaves to try.
    """

    def __init__(self, n_trees: int = 100, leaves: Sequence[int] = (1, 4), random_state: int = 0) -> None:
        self.n_trees = n_trees
        self.leaves = leaves
        self.random_state = random_state

    def _choose(self, x: np.ndarray, y: np.ndarray) -> ClassifierMixin:
        from sklearn.ensemble import RandomForestClassifier

        forests = [
            RandomForestClassifier(
                self.n_trees, min_samples_leaf=leaf, oob_score=True, random_state=self.random_state
            ).fit(x, y)
            for leaf in self.leaves
        ]
        # A row that every tree saw has no answer from outside; it counts as a guess.
        answers = [np.nan_to_num(forest.oob_decision_function_, nan=1 / (y.max() + 1)) for forest in forests]
        best = int(np.argmax([log_score(p, y) for p in answers]))
        self.chosen_ = {"min_samples_leaf": self.leaves[best]}
        return forests[best]


class TunedBoosting(_Chooser):
    """Gradient boosting (XGBoost) whose depth and number of rounds predict left-out rows best.

    Each tree sees half of the rows and half of the features, and leaves may be small: with so few rows
    that was better than all of them on held-out problems of the bank and on scikit-learn's tables.

    Parameters
    ----------
    depths
        Depths of trees to try.
    most_rounds, patience
        Rounds end at the most, or when so many in a row are no better.
    """

    def __init__(
        self,
        depths: Sequence[int] = (1, 3),
        learning_rate: float = 0.1,
        most_rounds: int = 300,
        patience: int = 15,
        random_state: int = 0,
    ) -> None:
        self.depths = depths
        self.learning_rate = learning_rate
        self.most_rounds = most_rounds
        self.patience = patience
        self.random_state = random_state

    def _choose(self, x: np.ndarray, y: np.ndarray) -> ClassifierMixin:
        import xgboost

        n_classes, folds = int(y.max()) + 1, stratified_folds(y, self.random_state)
        goal = {"objective": "binary:logistic", "eval_metric": "logloss"}
        if n_classes > 2:
            goal = {"objective": "multi:softprob", "eval_metric": "mlogloss", "num_class": n_classes}
        shared = {**goal, **_SMALL_DATA, "learning_rate": self.learning_rate, "seed": self.random_state}
        data, tried = xgboost.DMatrix(x, y), [(0.0, self.depths[0], 50)]
        if folds:
            tried = []
        for depth in self.depths if folds else ():
            curve = xgboost.cv(
                {**shared, "max_depth": depth},
                data,
                self.most_rounds,
                folds=folds,
                early_stopping_rounds=self.patience,
                as_pandas=False,
            )[f"test-{goal['eval_metric']}-mean"]
            tried.append((min(curve), depth, int(np.argmin(curve)) + 1))
        _, depth, rounds = min(tried)
        self.chosen_ = {"max_depth": depth, "rounds": rounds}
        return _Booster(xgboost.train({**shared, "max_depth": depth}, data, rounds))


class _Booster:
    """A trained booster that answers as scikit-learn's classifiers do."""

    def __init__(self, booster: Any) -> None:
        self.booster = booster

    def predict_proba(self, x: np.ndarray) -> np.ndarray:
        import xgboost

        p = self.booster.predict(xgboost.DMatrix(x))
        return np.stack([1 - p, p], 1) if p.ndim == 1 else p


def _distances(machine: Any, x: np.ndarray) -> np.ndarray:
    """(rows, classes): how far on the side of each class."""
    distances = machine.decision_function(x)
    return np.stack([-distances / 2, distances / 2], 1) if distances.ndim == 1 else distances


def _softmax(scores: np.ndarray) -> np.ndarray:
    scores = np.exp(scores - scores.max(1, keepdims=True))
    return scores / scores.sum(1, keepdims=True)
