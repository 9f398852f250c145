"""Forests and gradient boosting that choose their settings on rows that trees did not see."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from toolkit.benchmark.grids import Folds, log_score
from toolkit.benchmark.tuning import Chooser, stratified_folds

if TYPE_CHECKING:
    from sklearn.base import ClassifierMixin

_SMALL_DATA = {"nthread": 1, "min_child_weight": 0.05, "subsample": 0.5, "colsample_bynode": 0.5}


class TunedForest(Chooser):
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
        forests = [Forest(self.n_trees, leaf, self.random_state).fit(x, y) for leaf in self.leaves]
        best = int(np.argmax([log_score(forest.left_out_, y) for forest in forests]))
        self.chosen_ = {"min_samples_leaf": self.leaves[best]}
        return forests[best]


class Forest:
    """Random trees on rows drawn with replacement: those of scikit-learn's forest of the same seed.

    On thirty rows a forest there takes several times as long to look after its trees as they take to grow.
    Classes are columns of 0 and 1 here, since squared error of them is Gini's impurity and their means in a
    leaf are shares of classes; a tree that is told of classes checks them again.

    Attributes
    ----------
    left_out_
        (rows, classes) by the trees that did not see a row; where all did, a guess.
    """

    def __init__(self, n_trees: int, smallest_leaf: int, random_state: int) -> None:
        self.n_trees, self.smallest_leaf, self.random_state = n_trees, smallest_leaf, random_state

    def fit(self, x: np.ndarray, y: np.ndarray) -> Forest:
        """Grow trees on (rows, features) and (rows,) class numbers."""
        from sklearn.tree import DecisionTreeRegressor

        rng = np.random.RandomState(self.random_state)
        x, target = np.ascontiguousarray(x, np.float32), np.eye(y.max() + 1)[y]
        total, n_answers, self._trees = np.zeros_like(target), np.zeros((len(y), 1)), []
        for seed in rng.randint(np.iinfo(np.int32).max, size=self.n_trees).tolist():
            drawn = np.random.RandomState(seed).randint(0, len(y), len(y), dtype=np.int32)
            counts = np.bincount(drawn, minlength=len(y)).astype(float)
            tree = DecisionTreeRegressor(
                min_samples_leaf=self.smallest_leaf, max_features="sqrt", random_state=seed
            )
            grown = tree.fit(x, target, sample_weight=counts, check_input=False).tree_
            outside = counts == 0
            total[outside] += _shares(grown, x[outside])
            n_answers[outside] += 1
            self._trees.append(grown)
        guess = np.full_like(total, 1 / total.shape[1])
        self.left_out_ = np.divide(total, n_answers, out=guess, where=n_answers > 0)
        return self

    def predict_proba(self, x: np.ndarray) -> np.ndarray:
        """(rows, classes): the mean of what trees say."""
        x = np.ascontiguousarray(x, np.float32)
        return sum(_shares(tree, x) for tree in self._trees) / len(self._trees)


def _shares(tree: Any, x: np.ndarray) -> np.ndarray:
    """(rows, classes) in the leaves that rows (rows, features) fall into."""
    return tree.predict(x).reshape(len(x), tree.n_outputs)


class TunedBoosting(Chooser):
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
            curve = self._left_out_losses({**shared, "max_depth": depth}, x, y, folds)
            tried.append((min(curve), depth, int(np.argmin(curve)) + 1))
        _, depth, rounds = min(tried)
        self.chosen_ = {"max_depth": depth, "rounds": rounds}
        return _Booster(xgboost.train({**shared, "max_depth": depth}, data, rounds))

    def _left_out_losses(
        self, settings: dict[str, Any], x: np.ndarray, y: np.ndarray, folds: Folds
    ) -> list[float]:
        """After every round, the mean over folds; xgboost.cv also looks at rows that were learned from."""
        import xgboost

        parts = [[xgboost.DMatrix(x[rows], y[rows]) for rows in fold] for fold in folds]
        boosters = [xgboost.Booster(settings, [known]) for known, _ in parts]
        losses: list[float] = []
        while len(losses) < self.most_rounds and len(losses) - np.argmin(losses or [0]) <= self.patience:
            for booster, (known, _) in zip(boosters, parts, strict=True):
                booster.update(known, len(losses))
            said = [booster.eval(asked) for booster, (_, asked) in zip(boosters, parts, strict=True)]
            losses.append(float(np.mean([float(line.rsplit(":", 1)[1]) for line in said])))
        return losses


class PublishedBoosting(Chooser):
    """XGBoost as earlier work used it: its defaults, and the ten rounds that it makes if it is not told how many."""

    def __init__(self, random_state: int = 0) -> None:
        self.random_state = random_state

    def _choose(self, x: np.ndarray, y: np.ndarray) -> ClassifierMixin:
        from xgboost import XGBClassifier

        return XGBClassifier(n_estimators=10, n_jobs=1, random_state=self.random_state).fit(x, y)


class _Booster:
    """A trained booster that answers as scikit-learn's classifiers do."""

    def __init__(self, booster: Any) -> None:
        self.booster = booster

    def predict_proba(self, x: np.ndarray) -> np.ndarray:
        import xgboost

        p = self.booster.predict(xgboost.DMatrix(x))
        return np.stack([1 - p, p], 1) if p.ndim == 1 else p
