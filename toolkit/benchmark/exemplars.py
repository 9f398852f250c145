"""The generalised context model as a scikit-learn classifier."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

import numpy as np
import torch
import torch.nn.functional as F
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from toolkit.benchmark.likeliest import LikeliestClass
from toolkit.benchmark.preparation import scale
from toolkit.errors import UsageError
from toolkit.models.similarity import similarity

_LAPSE = 0.01
_MOST_NUMBERS = 100_000_000
# Spread of the prior of logarithms of attention; its centre is what people's attention is like.
_PRIOR_SD, _TYPICAL_SENSITIVITY = 1.0, 6.0


class ExemplarClassifier(LikeliestClass):
    """Stores all exemplars and answers by summed similarity, exp(-Σ attention · |difference|).

    Attention to every feature and the exponent of summed similarity are those under which each stored
    exemplar is told best from all the others, times a log-normal prior. One in a hundred answers is a
    guess. Features are scaled to span 1.

    Parameters
    ----------
    max_iter
        Most steps of the search.
    """

    def __init__(self, max_iter: int = 100) -> None:
        self.max_iter = max_iter

    def fit(self, X: np.ndarray, y: Sequence) -> Self:
        """Store exemplars (rows, features) and their classes (rows,), and tune attention."""
        from scipy.optimize import minimize

        X, y = validate_data(self, X, y, dtype=np.float64)
        check_classification_targets(y)
        _check_size(*X.shape)
        self.classes_, number = np.unique(y, return_inverse=True)
        self._known, self._scaled = X, torch.as_tensor(scale(X, X, "range"))
        self._member = F.one_hot(torch.as_tensor(number), len(self.classes_)).double()
        differences = (self._scaled[:, None] - self._scaled).flatten(0, 1)
        start = np.append(np.full(X.shape[1], np.log(_TYPICAL_SENSITIVITY / X.shape[1])), 0.0)
        centre = torch.as_tensor(start)
        self._theta, self.n_iter_ = centre, 0
        if len(self.classes_) == 1:
            return self

        def loss(values: np.ndarray) -> tuple[float, np.ndarray]:
            theta = torch.tensor(values, requires_grad=True)
            p = self._probabilities(theta, differences, leaving_out=True)
            prior = ((theta - centre) / _PRIOR_SD).square().sum() / 2
            total = prior - p.gather(1, torch.as_tensor(number)[:, None]).log().sum()
            total.backward()
            return total.item(), theta.grad.numpy()

        found = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": self.max_iter})
        self._theta, self.n_iter_ = torch.as_tensor(found.x), int(found.nit)
        return self

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        """Probability of every class: (rows, classes)."""
        check_is_fitted(self)
        X = validate_data(self, X, reset=False, dtype=np.float64)
        queries = torch.as_tensor(scale(self._known, X, "range"))
        # A few rows at a time, so that differences to all exemplars fit into memory.
        parts = [(part[:, None] - self._scaled).flatten(0, 1) for part in queries.split(256)]
        return torch.cat([self._probabilities(self._theta, part) for part in parts]).numpy()

    def _probabilities(
        self, theta: torch.Tensor, differences: torch.Tensor, *, leaving_out: bool = False
    ) -> torch.Tensor:
        """(rows, classes) from differences (rows * exemplars, features)."""
        close = similarity(theta[None, :-1].exp(), differences[None], 1)[0].unflatten(
            0, (-1, len(self._scaled))
        )
        if leaving_out:
            close = close * (1 - torch.eye(len(close), dtype=close.dtype))
        evidence = (close @ self._member + torch.finfo(close.dtype).tiny).log()
        return (1 - _LAPSE) * (theta[-1].exp() * evidence).softmax(1) + _LAPSE / len(self.classes_)


def _check_size(n_rows: int, n_features: int) -> None:
    """Refuse what would take gigabytes: the difference of every two exemplars in every feature."""
    if n_rows**2 * n_features > _MOST_NUMBERS:
        raise UsageError(
            f"{n_rows:,} exemplars with {n_features} features are too many to compare all of them with one another.",
            where="ExemplarClassifier",
            fix=f"At most {int((_MOST_NUMBERS / n_features) ** 0.5):,} rows with so many features: draw some of them.",
        )
