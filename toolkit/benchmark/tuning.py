"""Classifiers that choose their settings on the context that they are given, and nothing else."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
from sklearn import config_context
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.dummy import DummyClassifier
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from toolkit.benchmark.grids import Folds, left_out_scores, log_score
from toolkit.benchmark.likeliest import LikeliestClass

MOST_FOLDS = 5
_SLOPES = np.geomspace(0.25, 16, 13)
# Scores closer than this are equal but for rounding.
_EQUAL = 1e-9


def stratified_folds(y: np.ndarray, random_state: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Rows to learn from and rows left out: at most five folds, none if a class has a single row."""
    from sklearn.model_selection import StratifiedKFold

    n_folds = min(MOST_FOLDS, np.bincount(y).min())
    if n_folds < 2:
        return []
    folds = StratifiedKFold(n_folds, shuffle=True, random_state=random_state)
    return list(folds.split(np.zeros((len(y), 1)), y))


class Chooser(LikeliestClass):
    """What classifiers share that fit another one inside."""

    def fit(self, X: np.ndarray, y: np.ndarray) -> Self:
        """Choose settings on these rows (rows, features), then learn from all of them."""
        X, y = validate_data(self, X, y)
        check_classification_targets(y)
        self.classes_, number = np.unique(y, return_inverse=True)
        if len(self.classes_) == 1 or (np.ptp(X, axis=0) == 0).all():
            # Shares of classes are all there is to learn, which most of those inside refuse.
            self.fitted_ = DummyClassifier().fit(X, number)
            return self
        # Checking again what was checked here takes longer than learning from few rows.
        with warnings.catch_warnings(), config_context(assume_finite=True, skip_parameter_validation=True):
            warnings.simplefilter("ignore")  # Settings that do not converge are among those tried.
            self.fitted_ = self._choose(X, number)
        return self

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        """Probability of every class: (rows, classes)."""
        check_is_fitted(self)
        return self.fitted_.predict_proba(validate_data(self, X, reset=False))


class Tuned(Chooser):
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
        best = 0
        if folds:
            scores = left_out_scores(self.base, self.settings, x, y, folds)
            best = int(np.argmax(scores >= scores.max() - _EQUAL))
        self.chosen_ = dict(self.settings[best])
        return make_pipeline(scaler, clone(self.base).set_params(**self.chosen_).fit(x, y))


class TunedMachine(Chooser):
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
        from scipy.spatial.distance import cdist
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler
        from sklearn.svm import SVC

        scaler = StandardScaler().fit(x)
        x, folds = scaler.transform(x), stratified_folds(y, self.random_state)
        settings = [(cost, width) for cost in self.costs for width in self.widths]
        squares = cdist(x, x, "sqeuclidean")
        tried = [_slope(*one, x, y, folds, squares) for one in settings] if folds else []
        (_, slope), best = max(
            zip(tried or [(0.0, 1.0)], settings, strict=False), key=lambda result: result[0][0]
        )
        self.chosen_ = dict(zip(("C", "gamma"), best, strict=True))
        return make_pipeline(scaler, _Margins(SVC(**self.chosen_), slope).fit(x, y))


def _slope(
    cost: float, width: float | str, x: np.ndarray, y: np.ndarray, folds: Folds, squares: np.ndarray
) -> tuple[float, float]:
    """Best score of left-out rows, and the slope it is reached with; ``squares`` of distances (rows, rows)."""
    from sklearn.svm import SVC

    distances = np.empty((len(y), y.max() + 1))
    for known, left_out in folds:
        # As SVC counts it: 1 where nothing varies.
        spread = x[known].var()
        gamma = width if width != "scale" else 1 / (x.shape[1] * spread) if spread > 0 else 1.0
        machine = SVC(C=cost, gamma=gamma).fit(x[known], y[known])
        if len(machine.classes_) == 2:
            # What decision_function returns, without checking a few rows again for longer than this takes.
            alike = np.exp(-gamma * squares[np.ix_(known[machine.support_], left_out)])
            distances[left_out] = _two_sides((machine.dual_coef_ @ alike + machine.intercept_)[0])
        else:
            distances[left_out] = _distances(machine, x[left_out])
    scores = log_score(_softmax(_SLOPES[:, None, None] * distances), y)
    return max(zip(scores.tolist(), _SLOPES.tolist(), strict=True))


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


class PlattMachine(Chooser):
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
        sides = self.fitted_ if isinstance(self.fitted_, DummyClassifier) else self.machine_
        return self.classes_[sides.predict(validate_data(self, X, reset=False))]


def _distances(machine: Any, x: np.ndarray) -> np.ndarray:
    """(rows, classes): how far on the side of each class."""
    distances = machine.decision_function(x)
    return _two_sides(distances) if distances.ndim == 1 else distances


def _two_sides(distances: np.ndarray) -> np.ndarray:
    """(rows, 2) of distances (rows,) on the side of the second class."""
    return np.stack([-distances / 2, distances / 2], 1)


def _softmax(scores: np.ndarray) -> np.ndarray:
    scores = np.exp(scores - scores.max(-1, keepdims=True))
    return scores / scores.sum(-1, keepdims=True)
