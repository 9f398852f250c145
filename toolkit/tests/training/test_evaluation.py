"""Scores of learners trial by trial, their uncertainty, and the agents they are compared with."""

from __future__ import annotations

import pytest
import torch
from sklearn.neighbors import KNeighborsClassifier

from toolkit.seeds import Seeds
from toolkit.tasks import get_source
from toolkit.tasks.problems import Problems
from toolkit.training import evaluate, logistic_regression, nearest_neighbours, standard_problems
from toolkit.training.evaluation import score, standard_error
from toolkit.training.optimum import linear_optimum


def confident(problems: Problems) -> torch.Tensor:
    """Gives class 0 three quarters, always."""
    return torch.tensor([0.75, 0.25], dtype=torch.float64).expand(*problems.y.shape, 2)


def test_scores_are_those_of_every_trial() -> None:
    problems = Problems(torch.zeros(2, 2, 1), torch.tensor([[0, 1], [0, 0]]), 2)
    found = score(confident, problems)
    assert found.accuracy.tolist() == [[1, 0], [1, 1]]
    expected = -torch.tensor([[0.75, 0.25], [0.75, 0.75]], dtype=torch.float64).log()
    torch.testing.assert_close(found.log_loss, expected)


def test_the_standard_error_is_the_usual_one_where_each_problem_was_made_anew() -> None:
    values = torch.randn(50, generator=Seeds(0).torch("values"), dtype=torch.float64)
    usual = values.std().item() / 50**0.5
    assert standard_error(values) == pytest.approx(usual)
    assert standard_error(values, torch.arange(50)) == pytest.approx(usual)


def test_draws_of_one_description_count_once() -> None:
    values = torch.randn(20, generator=Seeds(0).torch("values"), dtype=torch.float64)
    origin = torch.arange(20) * 7
    assert standard_error(values.repeat(5), origin.repeat(5)) == pytest.approx(standard_error(values))
    assert standard_error(values.repeat(5)) < 0.5 * standard_error(values)


def test_errors_of_a_table_know_of_descriptions() -> None:
    problems = Problems(torch.zeros(4, 10, 1), torch.tensor([[0] * 10, [0] * 10, [1] * 10, [1] * 10]), 2)
    apart = evaluate(confident, problems, [(1, 10)]).iloc[0]
    together = Problems(problems.x, problems.y, 2, origin=torch.tensor([0, 0, 1, 1]))
    row = evaluate(confident, together, [(1, 10)]).iloc[0]
    assert row["accuracy"] == apart["accuracy"] == 0.5
    assert apart["accuracy_se"] == pytest.approx((1 / 12) ** 0.5) and row["accuracy_se"] == pytest.approx(0.5)


def test_nearest_neighbours_vote_as_in_scikit_learn() -> None:
    problems = get_source("linear").draw(3, 40, 2, 3, generator=Seeds(1).torch("problems"))
    found = nearest_neighbours()(problems)
    torch.testing.assert_close(found.sum(-1), torch.ones(3, 40, dtype=torch.float64))
    assert found[:, 0].tolist() == [[1 / 3] * 3] * 3
    x, y = problems.x.double().numpy(), problems.y.numpy()
    for problem, trial in ((0, 20), (1, 30), (2, 39)):
        fitted = KNeighborsClassifier(5).fit(x[problem, :trial], y[problem, :trial])
        votes = torch.zeros(3, dtype=torch.float64)
        votes[fitted.classes_] = torch.from_numpy(5 * fitted.predict_proba(x[problem, [trial]])[0])
        torch.testing.assert_close(found[problem, trial], (votes + 1) / 8)


def test_the_optimum_is_the_share_of_rules_that_were_right_so_far() -> None:
    problems = Problems(torch.tensor([[[1.0], [-1.0], [1.0]]]), torch.tensor([[1, 0, 1]]), 2)
    first, second, third = linear_optimum(problems, n_rules=4000)[0, :, 1].tolist()
    assert first == pytest.approx(0.5, abs=0.03)
    assert second < 0.001
    assert third > 0.999


def test_nobody_beats_the_optimum_on_linear_problems() -> None:
    problems = standard_problems("linear", 40, 30, scaling="none")
    optimum = evaluate(lambda raw: linear_optimum(raw, n_rules=20_000), problems)
    rival = evaluate(logistic_regression(0.01), problems)
    assert (optimum.log_loss < rival.log_loss).all()
    assert optimum.accuracy.iloc[-1] > rival.accuracy.iloc[-1] - 0.01
