"""Hierarchical fits: the bound and its maximum by other means, planted groups, and who follows which model."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import torch
from scipy import optimize, stats
from scipy.special import betaln, digamma, expit, gammaln, logit

from toolkit.errors import UsageError
from toolkit.experiments.bandits import get_task
from toolkit.fitting import compare, fit, fit_hierarchical, posterior_draws, to_arviz
from toolkit.fitting.hierarchical import Hierarchical
from toolkit.models import Model, Parameter, get_model_for
from toolkit.tests.strategies import random_trials
from toolkit.trials import Trials, concat

LEVELS = np.array([-1.3, -0.2, 0.1, 0.4, 0.5, 1.1, 1.9, 2.4])
NOISE = 0.6


class Gauge(Model):
    """Its likelihood is normal in the log odds of ``level``, around a number that everyone brings along."""

    name = "gauge"
    schemas = ("bandit",)
    parameters = (Parameter("level", 0.0, 1.0, "what is measured"),)

    def probabilities(self, theta, data):
        raise NotImplementedError

    def log_likelihood_and_gradient(self, theta, trials):
        measured = LEVELS[np.array(trials.sequences["problem"])[: theta.shape[-2]]]
        away = measured - logit(theta[..., 0])
        slope = away / NOISE**2 / (theta[..., 0] * (1 - theta[..., 0]))
        return stats.norm.logpdf(away, 0, NOISE), slope[..., None]


def measured_people() -> Trials:
    trials = random_trials("bandit", (2,) * len(LEVELS))
    people = trials.sequences.assign(participant=range(len(LEVELS)), problem=range(len(LEVELS)))
    return replace(trials, sequences=people)


def bound(beliefs: np.ndarray) -> float:
    """E log p − E log q of everyone's level x ~ N(mean, variance), and of a normal-gamma group, term by term."""
    mean, variance = beliefs[: len(LEVELS)], np.exp(beliefs[len(LEVELS) : -4])
    location, (count, shape, rate) = beliefs[-4], np.exp(beliefs[-3:])
    precision, log_precision = shape / rate, digamma(shape) - np.log(rate)
    total = stats.norm.logpdf(LEVELS, mean, NOISE).sum() - variance.sum() / NOISE**2 / 2
    squares = variance + (mean - location) ** 2
    total += ((log_precision - np.log(2 * np.pi) - precision * squares - 1 / count) / 2).sum()
    total += stats.norm.entropy(0, np.sqrt(variance)).sum()
    # The prior: location around 0 with a count of 1, shape .5 and rate .01.
    total += (log_precision - np.log(2 * np.pi) - precision * location**2 - 1 / count) / 2
    total += 0.5 * np.log(0.01) - gammaln(0.5) + (0.5 - 1) * log_precision - 0.01 * precision
    total += (np.log(2 * np.pi) + 1 - np.log(count) - log_precision) / 2
    return total + stats.gamma.entropy(shape, scale=1 / rate)


def log_evidence() -> float:
    """Of the same, on a grid of the group's means and log precisions."""
    location, log_precision = np.linspace(-6, 8, 400)[:, None], np.linspace(-4, 5, 200)
    precision = np.exp(log_precision)
    spread = np.sqrt(NOISE**2 + 1 / precision)
    log_p = sum(stats.norm.logpdf(level, location, spread) for level in LEVELS)
    log_p += stats.norm.logpdf(location, 0, 1 / np.sqrt(precision))
    log_p += stats.gamma.logpdf(precision, 0.5, scale=100) + log_precision
    return np.log(np.trapezoid(np.trapezoid(np.exp(log_p), log_precision), location[:, 0]))


def test_one_group_reaches_the_maximum_of_the_bound() -> None:
    found = fit_hierarchical(Gauge(), measured_people(), max_rounds=300, progress=False)
    start = np.concatenate([LEVELS, np.full(len(LEVELS), -2), [0.5, 1, 1, 1]])
    best = optimize.minimize(lambda beliefs: -bound(beliefs), start, method="BFGS", options={"gtol": 1e-6})
    assert found.frequencies.free_energy == pytest.approx(-best.fun, abs=2e-3)
    np.testing.assert_allclose(found.members["gauge"].x[:, 0], best.x[: len(LEVELS)], atol=0.02)
    np.testing.assert_allclose(
        found.members["gauge"].variance[:, 0], np.exp(best.x[len(LEVELS) : -4]), rtol=0.02
    )
    group = found.groups.iloc[0]
    assert group["location"] == pytest.approx(best.x[-4], abs=0.02)
    shape, rate = np.exp(best.x[-2:])
    assert (group["degrees"], group["sd"]) == pytest.approx((2 * shape, np.sqrt(rate / shape)), rel=0.02)
    assert group["typical"] == pytest.approx(expit(group["location"]))
    exact = log_evidence()
    assert exact - 1 < found.frequencies.free_energy < exact
    assert found.converged and found.frequencies.bor == 1


@cache
def two_kinds() -> tuple[Trials, np.ndarray]:
    """24 asymmetric learners and 12 people who repeat themselves, and the parameters of the first."""
    rng = np.random.default_rng(0)
    design = get_task("full").draw(36, rng=rng, n_sessions=1)
    learners, others = (design.take(which) for which in np.split(np.arange(len(design)), [24 * 4]))
    learner, repeater = (get_model_for(name, design) for name in ("rescorla_wagner_signed", "perseveration"))
    x = rng.normal([-2.6, 0.0, -2.0], [0.3, 0.5, 0.5], (24, 3))
    theta = expit(x) * [100, 1, 1]
    habits = np.stack([rng.normal(1.5, 0.4, 12), expit(rng.normal(-0.5, 0.4, 12))], -1)
    return concat([learner.simulate(theta, learners, rng), repeater.simulate(habits, others, rng)]), x


@cache
def both_fitted() -> Hierarchical:
    models = {"learns": "rescorla_wagner_signed", "repeats": "perseveration"}
    return fit_hierarchical(models, two_kinds()[0], n_starts=4, progress=False)


def test_planted_groups_and_their_members_are_found() -> None:
    x = two_kinds()[1]
    found = both_fitted()
    assert found.converged
    assert found.frequencies.table["model"].tolist() == ["learns", "repeats"]
    learns = found.frequencies.responsibility["learns"].to_numpy()
    assert (learns[:24] > 0.9).all() and (learns[24:] < 0.1).all()
    assert found.frequencies.table["alpha"].tolist() == pytest.approx([25, 13], abs=0.5)
    group = found.groups[found.groups["model"] == "learns"]
    error = (group["location"].to_numpy() - x.mean(0)) / group["location_sd"].to_numpy()
    assert (np.abs(error) < 3).all()
    assert (group["sd"].to_numpy() / x.std(0)).tolist() == pytest.approx([1, 1, 1], rel=0.6)
    assert (group["typical_low"] < group["typical"]).all() and (
        group["typical"] < group["typical_high"]
    ).all()


def test_the_group_draws_people_closer_to_the_truth() -> None:
    trials, x = two_kinds()
    alone = fit("rescorla_wagner_signed", trials, progress=False).theta[:24]
    together = both_fitted().fits["learns"].theta[:24]
    true = expit(x)
    for number in (1, 2):
        errors = [((theta[:, number] - true[:, number]) ** 2).mean() for theta in (alone, together)]
        assert errors[1] < 0.8 * errors[0]
    assert np.std(together, 0)[1:].max() < np.std(alone, 0)[1:].min()


def test_outliers_of_another_kind_do_not_move_a_group() -> None:
    """Fitted to everyone as learners, the repeaters change what the group looks like; jointly they do not."""
    trials, _ = two_kinds()
    own = trials.take(trials.participant_index < 24)
    alone, everyone = (
        fit_hierarchical("rescorla_wagner_signed", some, n_starts=1, progress=False).groups["location"]
        for some in (own, trials)
    )
    joint = both_fitted().groups["location"][:3]
    assert np.abs(joint - alone).max() < 0.05 < 0.2 < np.abs(everyone - alone).max()


def test_risk_is_that_of_counts_where_everyone_is_known() -> None:
    """24 and 12 people of two kinds: the evidence of uneven frequencies is a beta function, of even ones 1/2 each."""
    frequencies = both_fitted().frequencies
    expected = expit(36 * np.log(0.5) - betaln(25, 13))
    assert frequencies.bor == pytest.approx(expected, abs=0.01)
    exceedance = stats.beta(25, 13).sf(0.5)
    protected = (1 - frequencies.bor) * exceedance + frequencies.bor / 2
    assert frequencies.table["protected_exceedance"][0] == pytest.approx(protected, abs=0.01)


def test_it_is_compared_and_saved_like_any_other_fit(tmp_path) -> None:
    found = both_fitted()
    comparison = compare(found.fits, by="laplace", families={"learns": "a", "repeats": "b"}, n_bootstrap=10)
    assert comparison.table["model"][0] == "learns"
    own = found.fits["learns"]
    assert own.method == "hierarchical" and own.table["converged"].all()
    own.save(tmp_path / "fit.parquet")
    np.testing.assert_allclose(type(own).load(tmp_path / "fit.parquet").theta, own.theta)


def test_draws_have_the_posteriors_moments() -> None:
    found, (trials, _) = both_fitted(), two_kinds()
    draws = posterior_draws(found, "learns", trials, n_draws=1500, n_chains=2)
    posterior = draws["posterior"]
    assert posterior["learning_rate_positive"].shape == (2, 1500, 36)
    x = logit(posterior["learning_rate_positive"]).reshape(-1, 36)
    np.testing.assert_allclose(x.mean(0), found.members["learns"].x[:, 1], atol=0.1)
    np.testing.assert_allclose(x.var(0), found.members["learns"].variance[:, 1], rtol=0.2)
    typical = np.median(posterior["group_typical"].reshape(-1, 3), 0)
    np.testing.assert_allclose(typical, found.groups["typical"][:3], rtol=0.03)
    low, high = np.quantile(posterior["group_typical"].reshape(-1, 3), [0.025, 0.975], axis=0)
    np.testing.assert_allclose(low, found.groups["typical_low"][:3], rtol=0.05)
    np.testing.assert_allclose(high, found.groups["typical_high"][:3], rtol=0.05)
    choices = draws["observed_data"]["choice"]
    assert len(choices) == trials.n_scored.sum() == draws["log_likelihood"]["choice"].shape[-1]
    theta = np.stack([posterior[name][1, 7] for name in found.fits["learns"].parameters], -1)
    model = get_model_for("rescorla_wagner_signed", trials)
    np.testing.assert_allclose(
        draws["log_likelihood"]["choice"][1, 7], model.log_likelihood(theta, trials)[trials.scored]
    )


def test_draws_are_judged_a_few_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    found, (trials, _) = both_fitted(), two_kinds()
    at_once, predict = [], type(found.models["learns"]).predict

    def count(model: Model, theta: torch.Tensor, trials: Trials) -> torch.Tensor:
        at_once.append(len(theta))
        return predict(model, theta, trials)

    whole = posterior_draws(found, "learns", trials, n_draws=5, n_chains=2)
    monkeypatch.setattr("toolkit.fitting.exchange.NUMBERS_AT_ONCE", 4 * trials.mask.size * trials.n_options)
    monkeypatch.setattr(type(found.models["learns"]), "predict", count)
    parts = posterior_draws(found, "learns", trials, n_draws=5, n_chains=2)
    assert at_once == [4, 4, 2]
    np.testing.assert_array_equal(parts["log_likelihood"]["choice"], whole["log_likelihood"]["choice"])


def test_arviz_reads_them() -> None:
    arviz = pytest.importorskip("arviz")
    data = to_arviz(both_fitted(), "learns", two_kinds()[0], n_draws=50)
    assert dict(data.posterior["learning_rate_negative"].sizes) == {"chain": 4, "draw": 50, "participant": 36}
    assert np.isfinite(arviz.loo(data).elpd_loo)


def test_without_arviz_it_says_so(monkeypatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "arviz", None)
    with pytest.raises(UsageError, match="pip install arviz"):
        to_arviz(both_fitted(), "learns", two_kinds()[0])


def test_wrong_calls_say_so() -> None:
    with pytest.raises(UsageError, match="0 models, 10 starts"):
        fit_hierarchical([], two_kinds()[0])
    with pytest.raises(UsageError, match="two models are called 'kalman'"):
        fit_hierarchical(["kalman", "kalman"], two_kinds()[0])
    with pytest.raises(UsageError, match="no model 'learn' was fitted. Did you mean 'learns'"):
        both_fitted().draw("learn", 2, np.random.default_rng(0))
    with pytest.raises(UsageError, match="'rule' takes only a few values"):
        fit_hierarchical("rule", random_trials("category_learning"), progress=False)
