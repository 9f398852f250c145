"""Statistics of problems against plain computations, analytic cases and what must not change them."""

from __future__ import annotations

import time
from itertools import combinations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from toolkit.errors import UsageError
from toolkit.seeds import Seeds
from toolkit.tasks import get_source
from toolkit.tasks.neighbours import N_NEIGHBOURS
from toolkit.tasks.problems import Problems
from toolkit.tasks.statistics import (
    STATISTICS,
    Statistics,
    concatenate,
    gini,
    measure,
    ranks,
)

SCALARS = [
    name
    for name in STATISTICS
    if name not in ("pearson", "spearman", "logistic_accuracy", "neighbour_accuracy")
]


def draw(
    source: str, n_problems: int, n_points: int = 60, n_features: int = 3, n_classes: int = 2, **options
):
    generator = Seeds(11).torch("problems")
    return get_source(source, **options).draw(
        n_problems, n_points, n_features, n_classes, generator=generator, scaling="none"
    )


def labelled(x: torch.Tensor, y: torch.Tensor, n_classes: int = 2) -> Problems:
    return Problems(x, y.long(), n_classes)


@pytest.fixture(scope="module")
def noisy() -> tuple[Problems, Statistics]:
    problems = draw("linear", 6, n_features=4, noise=0.5)
    return problems, measure(problems)


def test_correlations_are_those_of_scipy() -> None:
    problems = draw("rational", 5, n_features=4, features="gaussian")
    x = problems.x.clone()
    x[:, :, 0] = x[:, :, 0].round()  # Ties, whose ranks are means.
    found = measure(labelled(x, problems.y))
    for problem, points in enumerate(x.double().numpy()):
        for pair, (i, j) in enumerate(combinations(range(4), 2)):
            expected = stats.pearsonr(points[:, i], points[:, j])[0]
            assert found.pearson[problem, pair] == pytest.approx(expected, abs=1e-12)
            expected = stats.spearmanr(points[:, i], points[:, j])[0]
            assert found.spearman[problem, pair] == pytest.approx(expected, abs=1e-12)


def test_ranks_are_those_of_scipy() -> None:
    x = torch.randint(0, 6, (3, 30, 2), generator=Seeds(0).torch("x")).double()
    np.testing.assert_array_equal(ranks(x), stats.rankdata(x.numpy(), axis=1))


def test_gini_of_analytic_cases() -> None:
    assert gini(torch.full((4,), 0.3)).item() == pytest.approx(0)
    assert gini(torch.eye(4)).tolist() == pytest.approx([0.75] * 4)
    assert gini(torch.tensor([1.0, 3.0])).item() == pytest.approx(0.25)
    assert gini(torch.ones(1)).isnan()


def test_sparsity_counts_every_coefficient_whatever_its_unit() -> None:
    generator = Seeds(0).torch("x")
    x = torch.randn(2, 500, 4, generator=generator)
    noise = torch.randn(2, 500, generator=generator)
    units = torch.tensor([1.0, 100.0, 0.01, 7.0])
    equal = measure(labelled(x * units, x.sum(-1) + noise > 0))
    first = measure(labelled(x * units, x[..., 0] + 0.3 * noise > 0))
    assert equal.gini.max() < 0.12
    assert first.gini.min() > 0.65


def test_linear_problems_look_linear(noisy: tuple[Problems, Statistics]) -> None:
    _, found = noisy
    assert found.linear_against_quadratic.min() > 0.99
    assert found.linear_against_interactions.min() > 0.9
    assert found.held_out_gain_quadratic.mean() < -0.03
    assert found.held_out_gain_interactions.mean() < 0


@pytest.mark.parametrize("shape", ["exclusive or", "ellipse"])
def test_nonlinear_problems_look_nonlinear(shape: str) -> None:
    generator = Seeds(2).torch("x")
    x = torch.randn(4, 120, 2, generator=generator)
    y = x.prod(-1) > 0 if shape == "exclusive or" else x[..., 0] ** 2 + 3 * x[..., 1] ** 2 > 2
    found = measure(labelled(x, y))
    assert found.linear_against_quadratic.max() < 1e-6
    assert found.held_out_gain_quadratic.min() > 0.2
    assert (found.linear_against_interactions < 1e-6).all() == (shape == "exclusive or")
    assert (found.held_out_gain_interactions > 0.2).all() == (shape == "exclusive or")
    assert found.neighbour_accuracy[:, 60:].mean() > found.logistic_accuracy[:, 60:].mean() + 0.1


def test_posterior_is_that_of_the_bic_of_scikit_learn(noisy: tuple[Problems, Statistics]) -> None:
    problems, found = noisy
    x, y = problems.x[0].double().numpy(), problems.y[0].numpy()
    x = (x - x.mean(0)) / x.std(0)
    products = [x[:, i] * x[:, j] for i, j in combinations(range(4), 2)]
    bic = []
    for design in (x, np.column_stack([x, *products]), np.column_stack([x, *products, x**2])):
        model = LogisticRegression(C=1e6, tol=1e-10, max_iter=10_000).fit(design, y)
        likelihood = model.predict_log_proba(design)[np.arange(len(y)), y].sum()
        bic.append(-2 * likelihood + (design.shape[1] + 1) * np.log(len(y)))
    expected = [1 / (1 + np.exp((bic[0] - other) / 2)) for other in bic[1:]]
    assert found.linear_against_interactions[0] == pytest.approx(expected[0], abs=1e-5)
    assert found.linear_against_quadratic[0] == pytest.approx(expected[1], abs=1e-5)


def test_squares_of_binary_features_are_no_parameters() -> None:
    problems = draw("rational", 20, n_features=3)
    found = measure(problems)
    both = np.isfinite(found.linear_against_quadratic)
    assert both.sum() > 10
    np.testing.assert_allclose(
        found.linear_against_quadratic[both], found.linear_against_interactions[both], atol=1e-4
    )
    assert np.isnan(measure(labelled(problems.x[..., :1], problems.y)).linear_against_quadratic).all()


def test_running_accuracies_are_those_of_plain_loops() -> None:
    problems = draw("linear", 3, n_points=40, n_features=3, noise=0.5)
    problems = labelled((2 * problems.x).round(), problems.y)  # Many neighbours are equally near.
    found = measure(problems)
    scaled = Problems(problems.x.double(), problems.y, 2).scaled().x.numpy()
    for problem, (x, y) in enumerate(zip(scaled, problems.y, strict=True)):
        classes = y.numpy()
        np.testing.assert_allclose(found.logistic_accuracy[problem], logistic_loop(x, classes))
        np.testing.assert_allclose(found.neighbour_accuracy[problem], neighbour_loop(x, classes))


def logistic_loop(x: np.ndarray, y: np.ndarray) -> list[float]:
    credit = []
    for t in range(len(y)):
        if len(set(y[:t])) < 2:
            credit.append(0.5)
            continue
        model = LogisticRegression(C=1e6, tol=1e-8, max_iter=10_000, solver="newton-cholesky")
        chance = model.fit(x[:t], y[:t]).predict_proba(x[t : t + 1])[0]
        credit.append(0.5 if abs(chance[0] - chance[1]) < 1e-6 else float(chance.argmax() == y[t]))
    return credit


def neighbour_loop(x: np.ndarray, y: np.ndarray) -> list[float]:
    credit = []
    for t in range(len(y)):
        if len(set(y[:t])) < 2:
            credit.append(0.5)
            continue
        distance = np.round(np.linalg.norm(x[:t] - x[t], axis=1), 9)
        nearest = distance <= np.sort(distance)[:N_NEIGHBOURS][-1]
        votes = np.bincount(y[:t][nearest], minlength=2)
        credit.append(0.5 if votes[0] == votes[1] else float(votes.argmax() == y[t]))
    return credit


def test_balance_and_separability() -> None:
    x = torch.tensor([0.0, 1, 2, 3, 4, 5, 6, 7])[None, :, None].repeat(1, 1, 2)
    x[..., 1] = torch.tensor([3.0, 1, 4, 1, 5, 9, 2, 6])
    y = torch.tensor([[0, 0, 0, 1, 0, 1, 1, 1]])
    found = measure(labelled(x, y))
    assert found.class_entropy[0] == pytest.approx(1) and found.minority_share[0] == 0.5
    assert found.separability_best_feature[0] == pytest.approx(15 / 16)
    upside_down = measure(labelled(-x, y))
    assert upside_down.separability_best_feature[0] == pytest.approx(15 / 16)
    quarter = measure(labelled(x, torch.tensor([[0, 0, 0, 1, 0, 1, 0, 0]])))
    assert quarter.minority_share[0] == 0.25
    assert quarter.class_entropy[0] == pytest.approx(stats.entropy([0.25, 0.75], base=2))


def test_separability_on_points_left_out(noisy: tuple[Problems, Statistics]) -> None:
    problems, found = noisy
    x, y = problems.x[1].double().numpy(), problems.y[1].numpy()
    x = (x - x.mean(0)) / x.std(0)
    fold = np.array([(y[:t] == y[t]).sum() % 5 for t in range(len(y))])
    chance = np.zeros(len(y))
    for number in range(5):
        model = LogisticRegression(C=1.0, tol=1e-10).fit(x[fold != number], y[fold != number])
        chance[fold == number] = model.predict_proba(x[fold == number])[:, 1]
    assert found.separability_linear[1] == pytest.approx(roc_auc_score(y, chance))


def test_whole_numbers_are_counted_in_the_units_of_the_problem() -> None:
    problems = draw("linear", 3, n_features=2)
    x = problems.x.clone()
    x[..., 0] = (10 * x[..., 0]).round()
    found = measure(labelled(x, problems.y))
    assert found.whole_values.tolist() == pytest.approx([0.5] * 3)
    assert found.whole_features.tolist() == [0.5] * 3


@pytest.mark.parametrize(("n_features", "n_classes"), [(1, 2), (1, 5), (16, 2), (6, 4), (2, 10)])
def test_any_size(n_features: int, n_classes: int) -> None:
    found = measure(draw("linear", 3, 40, n_features, n_classes))
    assert len(found) == 3 and found.pearson.shape == (3, n_features * (n_features - 1) // 2)
    assert found.logistic_accuracy.shape == found.neighbour_accuracy.shape == (3, 40)
    assert found.logistic_accuracy[:, 0].tolist() == pytest.approx([1 / n_classes] * 3)
    assert list(found.table().columns[:2]) == ["pearson_mean", "pearson_mean_size"]
    one = n_features == 1
    for name in SCALARS:
        nothing = one and name in ("gini", "linear_against_interactions")
        assert np.isnan(getattr(found, name)).all() == nothing, name


def test_what_is_not_defined_is_nan_and_only_there() -> None:
    problems = draw("linear", 3, noise=0.5)
    x, y = problems.x.clone(), problems.y.clone()
    y[0] = 1  # One class only.
    x[1, :, 0] = 0.1  # A constant feature.
    found = measure(labelled(x, y))
    undefined = {name for name in SCALARS if np.isnan(getattr(found, name)[0])}
    assert undefined == {
        "gini",
        "linear_against_quadratic",
        "linear_against_interactions",
        "held_out_gain_quadratic",
        "held_out_gain_interactions",
        "separability_linear",
        "separability_best_feature",
    }
    assert found.class_entropy[0] == 0 and found.minority_share[0] == 0
    assert (found.logistic_accuracy[0] == 0.5).all()
    assert np.isnan(found.pearson[1]).tolist() == np.isnan(found.spearman[1]).tolist() == [True, True, False]
    assert np.isfinite([getattr(found, name)[1:] for name in SCALARS]).all()


def test_a_lone_point_of_the_rarer_class_says_nothing_about_separability() -> None:
    problems = draw("linear", 2, 40)
    y = torch.zeros_like(problems.y)
    y[0, 30], y[1, 30:32] = 1, 1
    found = measure(labelled(problems.x, y))
    assert np.isnan(found.separability_best_feature).tolist() == [True, False]
    assert np.isnan(found.separability_linear).tolist() == [True, False]


def test_a_class_that_is_missing_or_has_one_point_leaves_the_others() -> None:
    problems = draw("linear", 2, 60, 3, 2, noise=0.5)
    y = problems.y.clone()
    two = measure(labelled(problems.x, y))
    three = measure(labelled(problems.x, y, 3))
    for name in ("gini", "linear_against_quadratic", "separability_best_feature"):
        np.testing.assert_allclose(getattr(three, name), getattr(two, name), rtol=1e-4)
    assert (three.minority_share == 0).all()
    y[:, 30] = 2
    single = measure(labelled(problems.x, y, 3))
    assert np.isfinite(single.held_out_gain_quadratic).all()
    np.testing.assert_allclose(single.separability_linear, two.separability_linear, atol=0.05)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000), n_classes=st.integers(2, 3), binary=st.booleans())
def test_order_of_features_and_names_of_classes_change_nothing(
    seed: int, n_classes: int, binary: bool
) -> None:
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(2, 30, 3, generator=generator)
    y = (x @ torch.randn(3, n_classes, generator=generator)).argmax(-1)
    y = torch.where(torch.rand(2, 30, generator=generator) < 0.2, (y + 1) % n_classes, y)
    x = (x > 0).float() if binary else x
    names = torch.randperm(n_classes, generator=generator)
    order = torch.randperm(3, generator=generator)
    before, after = measure(labelled(x, y, n_classes)), measure(labelled(x[..., order], names[y], n_classes))
    for name in SCALARS:
        np.testing.assert_allclose(getattr(before, name), getattr(after, name), rtol=1e-3, atol=1e-5)
    for name in ("pearson", "spearman"):
        first, second = (np.sort(getattr(found, name), 1) for found in (before, after))
        np.testing.assert_allclose(first, second, atol=1e-9)
    np.testing.assert_allclose(before.neighbour_accuracy, after.neighbour_accuracy)


def test_values_tables_subsets_and_joining(noisy: tuple[Problems, Statistics]) -> None:
    problems, found = noisy
    assert found.values("pearson").shape == (36,) and found.values("logistic_accuracy").shape == (6,)
    assert found.values("logistic_accuracy")[2] == pytest.approx(found.logistic_accuracy[2].mean())
    table = found.table()
    assert table.index.name == "problem" and len(table) == 6
    assert table["spearman_mean_size"][3] == pytest.approx(np.abs(found.spearman[3]).mean())
    picked = found.subset([4, 4, 0])
    assert picked.gini.tolist() == found.gini[[4, 4, 0]].tolist()
    halves = [measure(Problems(problems.x[part], problems.y[part], 2)) for part in (slice(3), slice(3, 6))]
    np.testing.assert_allclose(concatenate(halves).table(), table, rtol=1e-5, atol=1e-8)


def test_wrong_names_and_sizes_are_refused(noisy: tuple[Problems, Statistics]) -> None:
    with pytest.raises(UsageError, match="Did you mean 'gini'"):
        noisy[1].values("ginni")
    with pytest.raises(UsageError, match="2 different sizes"):
        concatenate([noisy[1], measure(draw("linear", 1))])
    with pytest.raises(UsageError, match="at least one"):
        concatenate([])


def test_a_nan_pair_is_in_no_histogram() -> None:
    problems = draw("linear", 2)
    problems.x[0, :, 1] = 2.0
    assert measure(problems).values("pearson").shape == (4,)


@pytest.mark.slow
def test_400_problems_take_less_than_a_minute() -> None:
    problems = draw("linear", 400, 100, 4, noise=0.5)
    started = time.perf_counter()
    measure(problems)
    assert time.perf_counter() - started < 60
