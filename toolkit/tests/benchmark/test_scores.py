"""Metrics against scikit-learn's."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics

from toolkit.benchmark.scores import calibration_error, measure, reliability


@pytest.mark.parametrize("n_classes", [2, 4])
def test_metrics_are_those_of_scikit_learn(n_classes: int) -> None:
    rng = np.random.default_rng(n_classes)
    p = rng.dirichlet(np.full(n_classes, 0.7), 80).round(2)
    p /= p.sum(1, keepdims=True)
    y, predicted = rng.integers(0, n_classes, 80), p.argmax(1)
    found = measure(p, predicted, y)
    assert found["accuracy"] == metrics.accuracy_score(y, predicted)
    assert found["balanced_accuracy"] == pytest.approx(metrics.balanced_accuracy_score(y, predicted))
    scores = {"y_score": p[:, 1]} if n_classes == 2 else {"y_score": p, "multi_class": "ovr"}
    assert found["auc"] == pytest.approx(metrics.roc_auc_score(y, **scores))
    clipped = p.clip(1e-6)
    assert found["log_loss"] == pytest.approx(-np.log(clipped[np.arange(80), y]).mean())


def test_classes_that_do_not_occur_count_for_nothing() -> None:
    p = np.array([[0.6, 0.3, 0.1], [0.2, 0.7, 0.1], [0.4, 0.3, 0.3]])
    found = measure(p, p.argmax(1), np.array([0, 1, 0]))
    assert (found["balanced_accuracy"], found["auc"]) == (1.0, 1.0)
    assert np.isnan(measure(p, p.argmax(1), np.zeros(3, int))["auc"])


def test_calibration_error_is_the_mean_gap_of_bins() -> None:
    p = np.array([[0.95, 0.05]] * 4 + [[0.35, 0.65]] * 6 + [[1.0, 0.0]] * 2)
    y = np.array([0, 0, 0, 1] + [1] * 3 + [0] * 3 + [0, 0])
    bins = reliability(p, p.argmax(1), y)
    assert bins.set_index("bin")["n"].to_dict() == {**dict.fromkeys(range(10), 0), 6: 6, 9: 6}
    # The certain rows share a tenth with those of .95: 5 of 6 right where 5.8 of 6 were expected.
    assert calibration_error(bins) == pytest.approx((abs(6 * 0.65 - 3) + abs(4 * 0.95 + 2 - 5)) / 12)
