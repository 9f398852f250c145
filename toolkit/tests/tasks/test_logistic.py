"""Batched logistic regression against scikit-learn, one problem at a time."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression

from toolkit.errors import UsageError
from toolkit.seeds import Seeds
from toolkit.tasks import get_source
from toolkit.tasks.logistic import UNREGULARISED, LogisticFit, fit_logistic, running_probabilities
from toolkit.tasks.problems import Problems


def draw(n_problems: int, n_points: int, n_features: int, n_classes: int, noise: float = 1.0) -> Problems:
    generator = Seeds(4).torch("problems")
    return get_source("linear", noise=noise).draw(
        n_problems, n_points, n_features, n_classes, generator=generator
    )


def sklearn_fit(x: torch.Tensor, y: torch.Tensor, c: float, **options: object) -> LogisticRegression:
    model = LogisticRegression(C=c, tol=1e-10, max_iter=10_000, solver="newton-cholesky")
    return model.fit(x.double().numpy(), y.numpy(), **options)


def assert_same(fit: LogisticFit, index: tuple[int, ...], model: LogisticRegression) -> None:
    np.testing.assert_allclose(fit.weights[index].numpy(), model.coef_, atol=1e-5, rtol=1e-5)
    np.testing.assert_allclose(fit.intercept[index].numpy(), model.intercept_, atol=1e-5, rtol=1e-5)
    assert fit.converged[index]


@pytest.mark.parametrize("c", [1.0, 1e6])
@pytest.mark.parametrize("n_classes", [2, 3, 5])
def test_coefficients_are_those_of_scikit_learn(n_classes: int, c: float) -> None:
    problems = draw(6, 120, 4, n_classes)
    fit = fit_logistic(problems.x, problems.y, n_classes, ridge=1 / c)
    assert fit.weights.shape == (6, 1 if n_classes == 2 else n_classes, 4)
    for index, (x, y) in enumerate(zip(problems.x, problems.y, strict=True)):
        model = sklearn_fit(x, y, c)
        assert_same(fit, (index,), model)
        found = fit.log_probabilities(problems.x)[index].exp()
        np.testing.assert_allclose(found, model.predict_proba(x.double()), atol=1e-6)


def test_the_default_stands_for_no_regularisation() -> None:
    problems = draw(1, 200, 3, 2)
    fit = fit_logistic(problems.x, problems.y, 2)
    model = LogisticRegression(C=np.inf, tol=1e-10, max_iter=10_000).fit(problems.x[0], problems.y[0])
    np.testing.assert_allclose(fit.weights[0], model.coef_, rtol=1e-4)


def test_any_leading_shape_and_several_fits_of_the_same_points() -> None:
    problems = draw(6, 60, 3, 2)
    x, y = problems.x.reshape(2, 3, 60, 3), problems.y.reshape(2, 3, 60)
    weight = torch.rand(2, 3, 4, 60, generator=Seeds(0).torch("weight"), dtype=torch.double)
    fit = fit_logistic(x, y, 2, weight=weight, ridge=1.0)
    assert fit.weights.shape == (2, 3, 4, 1, 3) and fit.converged.shape == (2, 3, 4)
    for index in ((0, 0, 0), (1, 2, 3)):
        model = sklearn_fit(x[index[:2]], y[index[:2]], 1.0, sample_weight=weight[index].numpy())
        assert_same(fit, index, model)
    one = fit_logistic(x, y, 2, weight=weight[:, :, 1], ridge=1.0)
    torch.testing.assert_close(one.weights, fit.weights[:, :, 1])


def test_a_mask_is_as_good_as_leaving_points_out() -> None:
    problems = draw(3, 50, 3, 3)
    mask = torch.arange(50) < 30
    masked = fit_logistic(problems.x, problems.y, 3, weight=mask.expand(3, -1))
    short = fit_logistic(problems.x[:, :30], problems.y[:, :30], 3)
    torch.testing.assert_close(masked.weights, short.weights, rtol=1e-6, atol=1e-6)


def test_classes_that_a_plane_divides_still_converge_and_are_all_right() -> None:
    problems = draw(20, 30, 3, 2, noise=0.0)
    fit = fit_logistic(problems.x, problems.y, 2)
    assert fit.converged.all()
    chance = fit.log_probabilities(problems.x).exp().gather(-1, problems.y[..., None])
    assert chance.min() > 0.9
    assert_same(fit, (0,), sklearn_fit(problems.x[0], problems.y[0], 1 / UNREGULARISED))


def test_with_two_of_three_classes_the_fit_is_that_of_two() -> None:
    problems = draw(4, 60, 3, 2)
    two = fit_logistic(problems.x, problems.y, 2, ridge=1.0)
    three = fit_logistic(problems.x, 2 * problems.y, 3, ridge=1.0)
    assert three.seen.tolist() == [[True, False, True]] * 4
    found = three.log_probabilities(problems.x).exp()
    torch.testing.assert_close(found[..., [0, 2]], two.log_probabilities(problems.x).exp())
    assert (found[..., 1] == 0).all()


def test_one_class_alone_has_no_fit_and_disturbs_no_other() -> None:
    problems = draw(2, 40, 3, 2)
    y = problems.y.clone()
    y[0] = 1
    fit = fit_logistic(problems.x, y, 2)
    assert fit.weights[0].isnan().all() and not fit.converged[0]
    torch.testing.assert_close(fit.weights[1], fit_logistic(problems.x, problems.y, 2).weights[1])


def test_constant_and_repeated_features_share_the_weight() -> None:
    problems = draw(1, 80, 1, 2)
    x = torch.cat([problems.x, problems.x, torch.full_like(problems.x, 3.0)], -1)
    fit, alone = fit_logistic(x, problems.y, 2), fit_logistic(problems.x, problems.y, 2)
    assert fit.converged.all()
    assert fit.weights[0, 0, 0].item() == pytest.approx(fit.weights[0, 0, 1].item(), rel=1e-4)
    assert fit.weights[0, 0, :2].sum().item() == pytest.approx(alone.weights.item(), rel=1e-4)
    assert fit.weights[0, 0, 2].abs() < 1e-6


@pytest.mark.parametrize("n_classes", [2, 3])
def test_running_probabilities_are_those_of_a_loop_over_trials(n_classes: int) -> None:
    problems = draw(2, 45, 3, n_classes)
    found = running_probabilities(problems.x, problems.y, n_classes, ridge=1.0)
    for problem, (x, y) in enumerate(zip(problems.x, problems.y, strict=True)):
        for t in range(45):
            seen = y[:t].unique()
            expected = torch.zeros(n_classes, dtype=torch.double)
            if len(seen) < 2:
                expected[:] = torch.tensor([(y[:t] == c).sum() + 1 for c in range(n_classes)])
                expected /= t + n_classes
            else:
                model = sklearn_fit(x[:t], y[:t], 1.0)
                expected[seen] = torch.as_tensor(model.predict_proba(x[t : t + 1].double())[0])
            torch.testing.assert_close(found[problem, t], expected, rtol=1e-5, atol=1e-5)


def test_what_comes_later_changes_no_running_probability() -> None:
    problems = draw(3, 40, 3, 2)
    changed = problems.y.clone()
    changed[:, 25:] = 1 - changed[:, 25:]
    before, after = (running_probabilities(problems.x, y, 2) for y in (problems.y, changed))
    torch.testing.assert_close(before[:, :26], after[:, :26], rtol=1e-6, atol=1e-8)
    assert not torch.allclose(before[:, 30:], after[:, 30:], atol=1e-2)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"ridge": 0.0}, "ridge is 0.0.*1e-06 stands for none"),
        ({"n_classes": 1}, "from 0 to 1 and n_classes is 1"),
        ({"y": torch.zeros(3, 9, dtype=torch.long)}, "y has the shape of x without"),
        ({"weight": torch.ones(9)}, "weight has the shape of y"),
        ({"x": torch.full((3, 10, 2), torch.nan)}, "not finite"),
    ],
)
def test_what_cannot_be_fitted_is_refused(changes: dict, words: str) -> None:
    y = torch.arange(30).reshape(3, 10) % 2
    with pytest.raises(UsageError, match=words):
        fit_logistic(**{"x": torch.zeros(3, 10, 2), "y": y, "n_classes": 2, **changes})
