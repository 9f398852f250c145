"""Log densities of priors against scipy's, their derivatives against differences."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import integrate, stats

from toolkit.errors import UsageError
from toolkit.fitting.priors import Prior
from toolkit.models import Parameter

PRIORS = [
    stats.norm(1, 2),
    stats.halfnorm(scale=3),
    stats.uniform(-1, 4),
    stats.expon(scale=2),
    stats.beta(2, 3, loc=-1, scale=5),
    stats.beta(1, 1, scale=4),
    stats.gamma(a=2.5, scale=0.8),
    stats.lognorm(s=0.7, scale=1.5),
]


@pytest.mark.parametrize("prior", PRIORS, ids=lambda prior: prior.dist.name)
def test_densities_are_scipys_cut_off_at_the_bounds(prior) -> None:
    parameter = Parameter("one", 0.2, 2.5, "", prior=prior)
    evaluate = Prior([parameter]).evaluate
    x = np.linspace(0.2, 2.5, 7)[:, None]
    inside = prior.cdf(2.5) - prior.cdf(0.2)
    density, gradient = evaluate(x)
    np.testing.assert_allclose(density, prior.logpdf(x[:, 0]) - np.log(inside))
    total, _ = integrate.quad(lambda value: np.exp(evaluate(np.array([value]))[0]), 0.2, 2.5)
    assert total == pytest.approx(1)
    middle = x[1:-1]
    higher, lower = (evaluate(middle + step)[0] for step in (1e-6, -1e-6))
    np.testing.assert_allclose(gradient[1:-1, 0], (higher - lower) / 2e-6, atol=1e-7)


@pytest.mark.parametrize("prior", [stats.norm(1, 2), stats.beta(1.1, 3, scale=2), stats.gamma(1.2, scale=5)])
def test_curvature_is_how_slopes_fall(prior) -> None:
    known, x = Prior([Parameter("one", 0.0, 2.0, "", prior=prior)]), np.linspace(0.2, 1.8, 5)[:, None]
    higher, lower = (known.evaluate(x + step)[1] for step in (1e-6, -1e-6))
    np.testing.assert_allclose(known.curvature(x), (lower - higher) / 2e-6, rtol=1e-6)


def test_there_is_nothing_outside_a_prior() -> None:
    density, _ = Prior([Parameter("one", -1.0, 2.0, "", prior=stats.gamma(2))]).evaluate(
        np.array([[-0.5], [0.5]])
    )
    assert density[0] == -np.inf and np.isfinite(density[1])


def test_slopes_are_numbers_at_the_ends_of_flat_priors() -> None:
    for prior in (stats.beta(1, 1), stats.gamma(1)):
        _, gradient = Prior([Parameter("one", 0.0, 1.0, "", prior=prior)]).evaluate(np.array([[0.0], [1.0]]))
        assert np.isfinite(gradient).all()


def test_parameters_are_independent_and_uniform_without_a_prior() -> None:
    parameters = [
        Parameter("flat", -1.0, 3.0, ""),
        Parameter("few", 0, 2, "", values=(0, 1, 2)),
        Parameter("normal", -5.0, 5.0, "", prior=stats.norm(0, 1)),
    ]
    theta = np.array([[[0.0, 1.0, 0.3]], [[2.0, 2.0, -1.0]]])
    density, gradient = Prior(parameters).evaluate(theta)
    inside = stats.norm.cdf(5) - stats.norm.cdf(-5)
    expected = stats.norm.logpdf(theta[..., 2]) - np.log(4 * 3 * inside)
    np.testing.assert_allclose(density, expected)
    np.testing.assert_allclose(gradient[..., :2], 0)
    uniform, gradient = Prior(parameters, informed=False).evaluate(theta)
    np.testing.assert_allclose(uniform, -np.log(4 * 3 * 10))
    assert (gradient == 0).all()


def test_priors_that_cannot_be_used_are_refused_by_name() -> None:
    with pytest.raises(UsageError, match="the prior of 'one' is t.*norm, halfnorm.*lognorm"):
        Prior([Parameter("one", 0.0, 1.0, "", prior=stats.t(3))])
    with pytest.raises(UsageError, match="the prior of 'one' is float"):
        Prior([Parameter("one", 0.0, 1.0, "", prior=0.5)])
    with pytest.raises(UsageError, match="nothing between 2.0 and 3.0"):
        Prior([Parameter("one", 2.0, 3.0, "", prior=stats.beta(2, 2))])
    Prior([Parameter("one", 0.0, 1.0, "", prior=stats.t(3))], informed=False)
