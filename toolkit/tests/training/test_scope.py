"""Scope: what baselines predict, against plain computations, and what is measured."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from toolkit.seeds import Seeds
from toolkit.tasks.logistic import fit_logistic, running_probabilities
from toolkit.tasks.problems import Problems
from toolkit.training.evaluation import logistic_regression
from toolkit.training.scope import (
    FIRST_EXACT,
    REFIT_EVERY,
    SENSITIVITIES,
    SIZES,
    Size,
    best_exemplars,
    lead,
    measure_scope,
    online_logistic,
    ranges_of,
)


@pytest.fixture
def problems() -> Problems:
    return Size("mlp", 4, 3).draw(3, 100, Seeds(0).torch("problems"))


def test_exemplars_sum_similarities_of_earlier_points(problems: Problems) -> None:
    found = best_exemplars(problems, (8.0,))
    x, y = problems.x.double().numpy(), problems.y.numpy()
    for problem, trial in ((0, 1), (1, 17), (2, 99)):
        similarity = np.exp(-8.0 * np.abs(x[problem, :trial] - x[problem, trial]).mean(-1))
        summed = np.bincount(y[problem, :trial], similarity, 3)
        np.testing.assert_allclose(found[problem, trial], summed / summed.sum(), atol=1e-6)
    np.testing.assert_allclose(found[:, 0], 1 / 3)


def test_the_best_sensitivity_is_at_least_as_good_as_every_other(problems: Problems) -> None:
    def loss(p: torch.Tensor) -> float:
        return -p.gather(-1, problems.y[..., None]).log().mean().item()

    best = loss(best_exemplars(problems))
    others = [loss(best_exemplars(problems, (sensitivity,))) for sensitivity in SENSITIVITIES]
    assert best == pytest.approx(min(others))


def test_logistic_regression_is_exact_at_first_and_refitted_later() -> None:
    problems = Size("mlp", 3, 2).draw(2, 100, Seeds(0).torch("problems"))
    found = online_logistic(problems)
    exact = running_probabilities(problems.x, problems.y, 2, ridge=1.0)
    torch.testing.assert_close(found[:, :FIRST_EXACT], exact[:, :FIRST_EXACT])
    refits = slice(FIRST_EXACT, None, REFIT_EVERY)
    torch.testing.assert_close(found[:, refits], exact[:, refits])
    start = FIRST_EXACT + REFIT_EVERY
    fit = fit_logistic(problems.x[:, :start], problems.y[:, :start], 2, ridge=1.0)
    torch.testing.assert_close(
        found[:, start + 3], fit.log_probabilities(problems.x[:, start + 3 : start + 4])[:, 0].exp()
    )
    assert (found.argmax(-1) == exact.argmax(-1)).double().mean() > 0.95


def test_one_class_alone_is_no_error() -> None:
    x = torch.rand(2, 80, 2, generator=torch.Generator().manual_seed(0))
    found = online_logistic(Problems(x, torch.zeros(2, 80, dtype=torch.long), 2))
    assert found.isfinite().all()


def test_ranges_cover_every_trial_once() -> None:
    for n_trials in (16, 17, 64, 1024):
        covered = [trial for first, last in ranges_of(n_trials) for trial in range(first, last + 1)]
        assert covered == list(range(1, n_trials + 1))


def test_the_table_holds_accuracies_that_were_reached() -> None:
    size = Size("linear", 2, 2)
    table = measure_scope(
        {"logistic_regression": logistic_regression(), "guess": _guess}, 6, 32, seed=1, sizes=[size]
    )
    assert table[["first", "last"]].drop_duplicates().to_numpy().tolist() == [[1, 16], [17, 32]]
    problems = size.draw(6, 32, Seeds(1).torch(f"scope {vars(size)}"))
    right = (_guess(problems).argmax(-1) == problems.y).double()[:, 16:].mean().item()
    guess = table[(table["learner"] == "guess") & (table["last"] == 32)].iloc[0]
    assert guess["accuracy"] == pytest.approx(right)
    wide = table.pivot_table("accuracy", "learner", "last")
    assert wide.loc["logistic_regression", 32] > wide.loc["guess", 32] + 0.1
    assert (table["milliseconds"] >= 0).all()
    gap = wide.loc["logistic_regression", 32] - wide.loc["guess", 32]
    assert lead(table, "logistic_regression").to_dict() == {("linear", 2, 2): pytest.approx(gap)}


def test_sizes_can_all_be_drawn() -> None:
    assert {size.n_features for size in SIZES} >= {2, 10} and {size.n_classes for size in SIZES} >= {2, 6}
    for size in SIZES:
        problems = size.draw(1, 20, Seeds(0).torch("sizes"))
        assert problems.x.shape == (1, 20, size.n_features) and problems.n_classes == size.n_classes


def _guess(problems: Problems) -> torch.Tensor:
    p = torch.full((*problems.y.shape, problems.n_classes), 0.5)
    p[..., 0] += 0.01
    return p
