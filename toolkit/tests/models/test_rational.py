"""The rational model: trials worked out by hand, a plain version with every cluster listed, and its limits."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy import stats
from scipy.special import betaln

from toolkit.errors import UsageError
from toolkit.models import get_model, get_model_for
from toolkit.models.rational import Rational
from toolkit.tests.models.learners import (
    CUBE,
    SHEPARD,
    check_batched,
    check_gradients,
    draw_theta,
    learned,
    random_problems,
    right_by_problem,
    shepard_trials,
)


class Clusters:
    """Every cluster as a list of (features, label), without any counts or sharing."""

    def __init__(self, theta: np.ndarray, n_options: int, continuous: bool) -> None:
        self.coupling, self.s, self.label_prior = theta[0], 10 ** theta[1], 10 ** theta[2]
        self.n_options, self.continuous = n_options, continuous
        self.members: list[list[tuple[np.ndarray, int]]] = []
        self.contents_since: dict[tuple, int] = {}

    def prior(self) -> np.ndarray:
        n = sum(map(len, self.members))
        sizes = np.array([*(self.coupling * len(one) for one in self.members), 1 - self.coupling])
        return sizes / (1 - self.coupling + self.coupling * n)

    def features(self, shown: np.ndarray, cluster: list) -> float:
        seen = np.array([x for x, _ in cluster]).reshape(len(cluster), len(shown))
        n = len(cluster)
        if not self.continuous:
            ones = seen.sum(0)
            after = betaln(self.s + ones + shown, self.s + n - ones + 1 - shown)
            return np.exp(after - betaln(self.s + ones, self.s + n - ones)).prod()
        mean = (0.5 + seen.sum(0)) / (1 + n)
        within = ((seen - seen.mean(0)) ** 2).sum(0) if n else 0.0
        between = n / (1 + n) * (seen.mean(0) - 0.5) ** 2 if n else 0.0
        scale = np.sqrt((self.s**2 + within + between) / (1 + n) * (1 + 1 / (1 + n)))
        return stats.t(1 + n, mean, scale).pdf(shown).prod()

    def labels(self, cluster: list) -> np.ndarray:
        counts = np.array([sum(label == k for _, label in cluster) for k in range(self.n_options)])
        return (counts + self.label_prior) / (counts.sum() + self.n_options * self.label_prior)

    def respond(self, shown: np.ndarray) -> np.ndarray:
        candidates = [*self.members, []]
        fit = self.prior() * [self.features(shown, one) for one in candidates]
        return fit @ [self.labels(one) for one in candidates] / fit.sum()

    def join(self, shown: np.ndarray, told: int, t: int) -> None:
        candidates = [*self.members, []]
        fit = self.prior() * [self.features(shown, one) for one in candidates]
        if told >= 0:
            fit = fit * [self.labels(one)[told] for one in candidates]
        equals = np.flatnonzero(fit >= fit.max() * (1 - 1e-12))
        best = min(equals, key=lambda j: self.contents_since.get(contents(candidates[j]), np.inf))
        if best == len(self.members):
            self.members.append([])
        self.members[best] = [*self.members[best], (shown, told)]
        there = {contents(one) for one in self.members}
        self.contents_since = {one: self.contents_since.get(one, t) for one in there}


def contents(cluster: list) -> tuple:
    """What two clusters must share to be equal: how many of each feature and of each label."""
    return (
        len(cluster),
        tuple(np.sum([x for x, _ in cluster], 0)) if cluster else (),
        tuple(sorted(label for _, label in cluster if label >= 0)),
    )


def predicted(theta, stimulus, category, n_options=2, continuous=False) -> tuple[np.ndarray, Clusters]:
    """(trials, options) and the clusters after the last trial."""
    clusters, p = Clusters(theta, n_options, continuous), []
    for t, (shown, told) in enumerate(zip(stimulus, category, strict=True)):
        scaled = clusters.respond(shown) ** theta[3]
        p.append((1 - theta[4]) * scaled / scaled.sum() + theta[4] / n_options)
        clusters.join(shown, told, t)
    return np.array(p), clusters


def test_two_trials_by_hand() -> None:
    """With s = l = 1: a thing with one feature and its label, then one with the same feature."""
    p = learned(get_model("rational"), (0.6, 0.0, 0.0, 1.0, 0.0), np.ones((2, 1)), [1, 0])
    np.testing.assert_allclose(p[0], [0.5, 0.5])
    old, new = 0.6 * 2 / 3, 0.4 * 1 / 2
    np.testing.assert_allclose(p[1, 1], (old * 2 / 3 + new * 1 / 2) / (old + new))


def test_the_third_thing_shows_which_cluster_the_second_joined() -> None:
    """The second thing is like the first but has another label; whether it joins decides what is expected."""
    shown, told = np.ones((3, 1)), [1, 0, -1]
    mixed = learned(get_model("rational"), (0.9, 0.0, 0.0, 1.0, 0.0), shown, told)
    old, new = 0.9 * 2 * 3 / 4, 0.1 * 1 / 2
    np.testing.assert_allclose(mixed[2, 1], (old * 1 / 2 + new * 1 / 2) / (old + new))
    pure = learned(get_model("rational"), (0.9, 0.0, -2.0, 1.0, 0.2), shown[:2], told[:2])
    old, new = 0.9 * 2 / 3, 0.1 / 2
    np.testing.assert_allclose(pure[1, 1], 0.8 * (old * 1.01 / 1.02 + new / 2) / (old + new) + 0.1)


@pytest.mark.parametrize(("n_options", "continuous"), [(2, False), (3, False), (2, True), (3, True)])
def test_it_equals_a_plain_list_of_clusters(n_options: int, continuous: bool) -> None:
    """Also where things are equally probable in several clusters, and where many clusters are alike."""
    model = Rational(continuous=continuous)
    n_rows, n_trials, most = (6, 20, 4) if continuous else (20, 30, 16)
    trials = random_problems(n_rows, n_trials, 1, n_categories=n_options, continuous=continuous)
    numbers = []
    for row, theta in enumerate(draw_theta(model, (n_rows,), 2)):
        shown, told = trials.stimulus[row], trials.category[row]
        expected, clusters = predicted(theta, shown, told, n_options, continuous)
        np.testing.assert_allclose(learned(model, theta, shown, told, None, n_options), expected, rtol=1e-7)
        numbers.append(len(clusters.members))
    assert min(numbers) < 4 and max(numbers) >= most


def test_coupling_decides_between_one_cluster_and_singletons() -> None:
    """Towards 1 everything is one cluster, in which only labels count; towards 0 it is an exemplar model."""
    rng = np.random.default_rng(3)
    order = rng.integers(0, 8, 40)
    shown, told = CUBE[order], SHEPARD["IV"][order].astype(int)
    model = get_model("rational")
    together = (1 - 1e-9, 0.5, 0.0, 1.0, 0.0)
    p, clusters = predicted(together, shown, told)
    assert len(clusters.members) == 1
    share = (told[:-1].cumsum() + 1) / (np.arange(1, 40) + 2)
    np.testing.assert_allclose(learned(model, together, shown, told)[1:, 1], share, atol=1e-6)
    apart = (1e-4, -0.5, -2.0, 1.0, 0.0)
    p, clusters = predicted(apart, shown, told)
    assert len(clusters.members) == 40
    np.testing.assert_allclose(learned(model, apart, shown, told), p, rtol=1e-7)
    s, n = 10**-0.5, 20
    matches = (shown[:n] == shown[n]).sum(1)
    similarity = 1e-4 * ((1 + s) / (1 + 2 * s)) ** matches * (s / (1 + 2 * s)) ** (3 - matches)
    labels = (np.array([1 - told[:n], told[:n]]) + 0.01) / 1.02
    evidence = labels @ similarity + (1 - 1e-4) / 8 / 2
    np.testing.assert_allclose(p[n], evidence / evidence.sum())


def test_whether_features_are_continuous_follows_from_the_trials() -> None:
    assert not get_model_for("rational", random_problems(2, 9, 4)).continuous
    assert get_model_for("rational", random_problems(2, 9, 4, continuous=True)).continuous
    assert get_model_for("rational", random_problems(2, 9, 4), continuous=True).continuous
    model = get_model("rational")
    theta = draw_theta(model, (2,), 5)
    for method in (model.predict, model.log_likelihood_and_gradient):
        with pytest.raises(UsageError, match="neither 0 nor 1"):
            method(theta, random_problems(2, 9, 4, continuous=True))


def test_shepards_problems_are_ordered_as_for_people() -> None:
    """Anderson's own settings make problems harder from I to VI, but not II easier than those with exceptions."""
    values = {"coupling": 0.318, "log10_feature_prior": np.log10(0.488), "log10_label_prior": np.log10(0.046)}
    right = right_by_problem(
        get_model("rational"), shepard_trials(20, 8, 5), response_scaling=1, lapse=0, **values
    )
    assert right["I"] > right[["II", "III", "IV", "V"]].max() + 0.02
    assert right[["II", "III", "IV", "V"]].min() > right["VI"] + 0.02


def test_lapses_and_scaling() -> None:
    trials = random_problems(1, 40, 6)
    shown, told = trials.stimulus[0], trials.category[0]
    model = get_model("rational")
    plain = learned(model, (0.4, -0.3, -0.3, 1.0, 0.0), shown, told)
    scaled = plain**2.5 / (plain**2.5).sum(1, keepdims=True)
    other = learned(model, (0.4, -0.3, -0.3, 2.5, 0.3), shown, told)
    np.testing.assert_allclose(other, 0.7 * scaled + 0.15, rtol=1e-7)


@pytest.mark.parametrize("continuous", [False, True])
def test_batched_equals_one_by_one(continuous: bool) -> None:
    trials = random_problems(6, 60, 7, n_categories=3, continuous=continuous)
    check_batched(get_model_for("rational", trials), trials, 8)


@pytest.mark.parametrize("continuous", [False, True])
def test_gradients_equal_differences(continuous: bool) -> None:
    trials = random_problems(8, 40, 9, continuous=continuous)
    model = get_model_for("rational", trials)
    check_gradients(model, trials, draw_theta(model, (3, 8), 10), rtol=1e-4)


def test_long_sequences_stay_finite_on_the_bounds() -> None:
    for continuous in (False, True):
        trials = random_problems(32, 300, 11, continuous=continuous)
        model = get_model_for("rational", trials)
        bounds = [(parameter.lower, parameter.upper) for parameter in model.parameters]
        theta = np.array(list(itertools.product(*bounds)))
        total, gradient = model.log_likelihood_and_gradient(theta, trials)
        assert np.isfinite(total).all() and np.isfinite(gradient).all()
        np.testing.assert_allclose(model.predict(theta, trials).sum(-1), 1)


def test_simulated_choices_follow_the_probabilities() -> None:
    trials = shepard_trials(30, 6, 12)
    model = get_model("rational")
    theta = draw_theta(model, (30,), 13)
    chosen = model.simulate(theta, trials, np.random.default_rng(14)).choice == 1
    p = model.predict(theta, trials)[..., 1]
    assert chosen.mean() == pytest.approx(p.mean(), abs=4 * np.sqrt((p * (1 - p)).sum()) / p.size)
    assert not model.reads_choices
