"""The exemplar model as a classifier: its answers by hand, and attention that is tuned without cheating."""

from __future__ import annotations

import numpy as np
import pytest

from toolkit.benchmark import ExemplarClassifier
from toolkit.benchmark.exemplars import _LAPSE
from toolkit.benchmark.preparation import scale
from toolkit.errors import UsageError


@pytest.fixture
def one_feature_counts() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    x = rng.random((40, 3))
    return x * [1, 100, 5], (x[:, 1] > 0.5).astype(int)


def by_hand(
    attention: np.ndarray, scaling: float, x: np.ndarray, y: np.ndarray, query: np.ndarray
) -> np.ndarray:
    close = np.exp(-np.abs(x - query) @ attention)
    summed = np.array([close[y == one].sum() for one in (0, 1)]) ** scaling
    return (1 - _LAPSE) * summed / summed.sum() + _LAPSE / 2


def test_answers_are_shares_of_summed_similarity(one_feature_counts: tuple) -> None:
    x, y = one_feature_counts
    fitted = ExemplarClassifier().fit(x[:30], y[:30])
    *attention, scaling = np.exp(fitted._theta.numpy())
    known, test = scale(x[:30], x[:30], "range"), scale(x[:30], x[30:], "range")
    expected = [by_hand(np.array(attention), scaling, known, y[:30], query) for query in test]
    np.testing.assert_allclose(fitted.predict_proba(x[30:]), expected, atol=1e-9)


def test_attention_goes_to_the_feature_that_counts(one_feature_counts: tuple) -> None:
    x, y = one_feature_counts
    attention = np.exp(ExemplarClassifier().fit(x, y)._theta.numpy())[:3]
    assert attention[1] > 2 * max(attention[0], attention[2])


def test_settings_are_the_best_for_exemplars_that_are_left_out(one_feature_counts: tuple) -> None:
    """Times the prior: log-normal around people's sensitivity of 6, shared by the features, and exponent 1."""
    x, y = one_feature_counts
    fitted, known = ExemplarClassifier().fit(x, y), scale(x, x, "range")
    best, centre = fitted._theta.numpy(), np.log([2, 2, 2, 1])

    def posterior(theta: np.ndarray) -> float:
        values, total = np.exp(theta), -((theta - centre) ** 2).sum() / 2
        for left_out in range(len(y)):
            rest = np.arange(len(y)) != left_out
            total += np.log(
                by_hand(values[:3], values[3], known[rest], y[rest], known[left_out])[y[left_out]]
            )
        return total

    rng = np.random.default_rng(0)
    others = [posterior(best + 0.2 * rng.normal(size=4)) for _ in range(20)]
    assert posterior(best) >= max(others)


def test_exemplars_that_do_not_fit_into_memory_are_refused() -> None:
    x = np.zeros((5000, 200))
    with pytest.raises(UsageError, match=r"5,000 exemplars with 200 features.*At most 707 rows"):
        ExemplarClassifier().fit(x, np.arange(5000) % 2)
