"""Points of the bank follow the distributions that were elicited."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import stats

from toolkit.data import load_bank
from toolkit.errors import UsageError
from toolkit.seeds import Seeds
from toolkit.tasks.bank import N_FEATURES, Bank
from toolkit.tasks.copula import hermite_series, latent_correlations, nearest_correlation
from toolkit.tasks.marginals import GRID, quantiles

N_POINTS = 3000


@pytest.fixture(scope="module")
def bank() -> Bank:
    return Bank()


@pytest.fixture(scope="module")
def points(bank: Bank) -> tuple[torch.Tensor, torch.Tensor]:
    """Points of every problem, in their own units."""
    return bank.draw_named(range(len(bank.problems)), N_POINTS, generator=Seeds(0).torch("points"))


def test_base_rates(bank: Bank, points: tuple[torch.Tensor, torch.Tensor]) -> None:
    for row, problem in enumerate(bank.problems):
        share = torch.bincount(points[1][row], minlength=len(problem.categories)) / N_POINTS
        np.testing.assert_allclose(share, problem.base_rates, atol=0.05)


def test_means_and_spreads_by_kind(bank: Bank, points: tuple[torch.Tensor, torch.Tensor]) -> None:
    """Within sampling error, also where a range cuts the distribution off and where values are rounded."""
    errors: dict[str, list[tuple[float, float]]] = {}
    for row, problem in enumerate(bank.problems):
        for column, feature in enumerate(problem.features):
            for category, (mean, sd) in enumerate(zip(feature.means, feature.sds, strict=True)):
                values = points[0][row, points[1][row] == category, column].double()
                sd = (mean * (1 - mean)) ** 0.5 if feature.kind == "binary" else sd
                if len(values) > 500 and sd > 0:
                    error = ((values.mean() - mean).abs() / sd).item(), (values.std() / sd).item()
                    errors.setdefault(feature.kind, []).append(error)
    assert set(errors) == {"continuous", "skewed", "count", "ordinal", "proportion", "binary"}
    for kind, found in errors.items():
        shift, ratio = np.array(found).T
        assert np.median(shift) < 0.02, kind
        assert np.quantile(shift, 0.99) < 0.12, kind
        assert 0.99 < np.median(ratio) < 1.01, kind


def test_values_stay_in_range_and_whole_numbers_whole(
    bank: Bank, points: tuple[torch.Tensor, torch.Tensor]
) -> None:
    for row, problem in enumerate(bank.problems):
        for column, feature in enumerate(problem.features):
            values = points[0][row, :, column]
            low, high = feature.range
            assert values.min() >= np.float32(low) and values.max() <= np.float32(high)
            if feature.kind in ("count", "ordinal", "binary"):
                assert (values == values.round()).all(), (problem.id, feature.name)


def test_correlations_within_a_category(bank: Bank, points: tuple[torch.Tensor, torch.Tensor]) -> None:
    """Those of the values, whatever their kinds: yes-or-no features correlate as strongly as was said."""
    found: dict[str, list[tuple[float, float]]] = {}
    for row, problem in enumerate(bank.problems):
        kinds = [feature.kind for feature in problem.features]
        category = int(np.argmax(problem.base_rates))
        chosen = points[0][row, points[1][row] == category].double()
        for i, j, r in problem.correlations:
            if min(chosen[:, i].std(), chosen[:, j].std()) > 0:
                pair = (r, np.corrcoef(chosen[:, i], chosen[:, j])[0, 1])
                for kind in {kinds[i], kinds[j]}:
                    found.setdefault(kind, []).append(pair)
    assert set(found) == {"continuous", "skewed", "count", "ordinal", "proportion", "binary"}
    for kind, pairs in found.items():
        asked, got = np.array(pairs).T
        assert (asked * got).sum() / (asked**2).sum() == pytest.approx(1, abs=0.04), kind
        assert np.abs(got - asked).mean() < 0.03, kind


def test_a_correlation_that_cannot_be_is_as_strong_as_it_can() -> None:
    """Two yes-or-no features with chances .05 and .9 cannot correlate above .08."""
    values = np.array([[0.05], [0.9]]) > 1 - stats.norm.cdf(np.linspace(GRID[0], GRID[-1], 4001))
    rare, common = hermite_series(values.astype(float))
    strongest = latent_correlations(rare[None], common[None], np.array([0.9]))
    assert strongest == pytest.approx(0.98, abs=1e-3)


def test_matrices_that_cannot_be_are_mended() -> None:
    impossible = np.array([[1, 0.9, -0.9], [0.9, 1, 0.9], [-0.9, 0.9, 1.0]])
    possible = np.array([[1, 0.5, 0], [0.5, 1, 0], [0, 0, 1.0]])
    mended = nearest_correlation(np.stack([impossible, possible]))
    np.testing.assert_array_equal(mended[1], possible)
    assert np.linalg.eigvalsh(mended[0]).min() > 0
    np.testing.assert_allclose(np.diag(mended[0]), 1)
    assert (np.sign(mended[0]) == np.sign(impossible)).all()


def test_order_of_features_and_names_of_classes_are_shuffled(bank: Bank) -> None:
    """One problem: its rarer category is called 0 as often as 1, and every feature comes first in turn."""
    problem = min(load_bank(), key=lambda one: min(one.base_rates) + (len(one.categories) != 2))
    problems = Bank([problem]).draw(400, 200, 1, 2, generator=Seeds(1).torch("order"), scaling="none")
    rarer_is_one = (problems.y.float().mean(1) < 0.5).float().mean()
    assert 0.4 < rarer_is_one < 0.6
    means = {round(value, 1) for value in problems.x.mean((1, 2)).tolist()}
    assert len(means) >= N_FEATURES


def test_only_problems_with_as_many_categories_are_drawn(bank: Bank) -> None:
    for classes in (2, 3, 4):
        problems = bank.draw(200, 300, 6, classes, generator=Seeds(2).torch("classes"))
        assert problems.y.max() == classes - 1
    two = [problem for problem in bank.problems if len(problem.categories) == 2]
    with pytest.raises(UsageError, match="no problem has 3 categories"):
        Bank(two).draw(2, 5, 3, 3, generator=Seeds(2).torch("classes"))
    five = two[0].model_copy(update={"categories": tuple("abcde")})
    with pytest.raises(UsageError, match="up to 4 categories"):
        Bank([five])


def test_counts_are_negative_binomial() -> None:
    mean, sd = np.array([0.3, 20.0]), np.array([0.6, 9.0])
    expected = stats.nbinom.ppf(
        stats.norm.cdf(GRID), *np.c_[mean**2 / (sd**2 - mean), mean / sd**2].T[..., None]
    )
    np.testing.assert_array_equal(quantiles("count", mean, sd, np.zeros(2), np.full(2, 100.0)), expected)
