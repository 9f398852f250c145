"""Learners under surprise: Bayes' rule by enumeration, every rule written out again, and published errors."""

from __future__ import annotations

import inspect
import itertools

import numpy as np
import pytest
from scipy import stats
from scipy.optimize import brentq
from scipy.special import digamma, gammaln, logsumexp

from toolkit.errors import UsageError
from toolkit.experiments.bandits import get_task
from toolkit.experiments.volatile import CategoricalTask, GaussianTask, Streams, VolatileTask
from toolkit.models import get_model, get_model_for
from toolkit.models.surprise import beliefs, predict_stream, tune_rule
from toolkit.models.surprise.predictors import RATES
from toolkit.trials import Trials

GAUSSIAN = GaussianTask(noise=0.7, change_rate=0.15, prior_mean=0.5, prior_sd=1.3)
SYMBOLS = CategoricalTask(concentration=0.6, change_rate=0.15, n_symbols=3)


def draw(task: VolatileTask, n_streams: int, n_steps: int, seed: int = 0) -> Streams:
    return task.draw(n_streams, n_steps, rng=np.random.default_rng(seed))


# -- what is right, by other means ----------------------------------------------------------------


def evidence_and_mean(task: VolatileTask, y: np.ndarray) -> tuple[float, np.ndarray]:
    """Log evidence of observations from one world, and the expected world after them."""
    if isinstance(task, GaussianTask):
        covariance = task.noise**2 * np.eye(len(y)) + task.prior_sd**2
        evidence = stats.multivariate_normal.logpdf(y, np.full(len(y), task.prior_mean), covariance)
        precision = 1 / task.prior_sd**2 + len(y) / task.noise**2
        mean = (task.prior_mean / task.prior_sd**2 + y.sum() / task.noise**2) / precision
        return evidence, np.array([mean])
    prior = np.full(task.n_symbols, task.concentration)
    counts = prior + np.bincount(y.astype(int), minlength=task.n_symbols)
    evidence = gammaln(prior.sum()) - gammaln(counts.sum()) + (gammaln(counts) - gammaln(prior)).sum()
    return evidence, counts / counts.sum()


def enumerate_changes(task: VolatileTask, y: np.ndarray, rates: np.ndarray) -> np.ndarray:
    """Expected world after ``y`` from all ways in which the world may have changed, for unknown rates."""
    weights, means = [], []
    for changes in itertools.product([False, True], repeat=len(y) - 1):
        edges = [0, *(np.flatnonzero(changes) + 1), len(y)]
        parts = [evidence_and_mean(task, y[a:b]) for a, b in itertools.pairwise(edges)]
        n = sum(changes)
        prior = logsumexp(n * np.log(rates) + (len(y) - 1 - n) * np.log1p(-rates) - np.log(len(rates)))
        weights.append(prior + sum(evidence for evidence, _ in parts))
        means.append(parts[-1][1])
    weights = np.array(weights)
    return np.exp(weights - logsumexp(weights)) @ np.array(means)


@pytest.mark.parametrize("task", [GAUSSIAN, SYMBOLS])
@pytest.mark.parametrize("rule", ["exact", "exact_learning_rate"])
def test_exact_bayes_equals_the_enumeration_of_all_changes(task, rule) -> None:
    observed = draw(task, 2, 9).observed
    rates = RATES if rule == "exact_learning_rate" else np.array([task.change_rate])
    found = predict_stream(rule, observed, task)
    for stream, n in itertools.product(range(2), (1, 2, 5, 9)):
        expected = enumerate_changes(task, observed[stream, :n], rates)
        np.testing.assert_allclose(found[stream, n - 1], expected, atol=1e-10)


@pytest.mark.parametrize("task", [GAUSSIAN, SYMBOLS])
def test_enough_messages_are_exact_and_many_particles_nearly(task) -> None:
    observed = draw(task, 3, 60).observed
    exact = predict_stream("exact", observed, task)
    for rule in ("message_passing", "resampling"):
        np.testing.assert_allclose(predict_stream(rule, observed, task, n_kept=60), exact, atol=1e-10)
    particles = predict_stream("particles", observed, task, n_kept=4000)
    np.testing.assert_allclose(particles, exact, atol=0.08)
    assert np.abs(particles - exact).mean() < 0.01


def log_predictive(belief, y, task) -> float:
    if isinstance(task, GaussianTask):
        chi, nu = belief
        spread = task.noise * np.sqrt(1 / nu + 1)
        return stats.norm.logpdf(y, task.noise * chi / nu, spread)
    return np.log(belief[int(y)] / belief.sum())


def fresh_belief(task) -> np.ndarray:
    if isinstance(task, GaussianTask):
        nu = task.noise**2 / task.prior_sd**2
        return np.array([task.prior_mean * nu / task.noise, nu])
    return np.full(task.n_symbols, task.concentration)


def observation(task, y) -> np.ndarray:
    return np.array([y / task.noise, 1]) if isinstance(task, GaussianTask) else np.eye(task.n_symbols)[int(y)]


def mean_of(task, belief) -> np.ndarray:
    if isinstance(task, GaussianTask):
        return np.array([task.noise * belief[0] / belief[1]])
    return belief / belief.sum()


@pytest.mark.parametrize("task", [GAUSSIAN, SYMBOLS])
def test_var_smile_follows_its_formula(task) -> None:
    observed, m = draw(task, 1, 40).observed, 0.3
    belief = fresh = fresh_belief(task)
    found = predict_stream("var_smile", observed, task, modulation=m)[0]
    for t, y in enumerate(observed[0]):
        surprise = np.exp(log_predictive(fresh, y, task) - log_predictive(belief, y, task))
        change = m * surprise / (1 + m * surprise)
        belief = (1 - change) * belief + change * fresh + observation(task, y)
        np.testing.assert_allclose(found[t], mean_of(task, belief), rtol=1e-10)


def kl(task, first, second) -> float:
    if isinstance(task, GaussianTask):
        (m1, v1), (m2, v2) = ((task.noise * chi / nu, task.noise**2 / nu) for chi, nu in (first, second))
        return 0.5 * (np.log(v2 / v1) + (v1 + (m1 - m2) ** 2) / v2 - 1)
    found = gammaln(first.sum()) - gammaln(first).sum() - gammaln(second.sum()) + gammaln(second).sum()
    return found + ((first - second) * (digamma(first) - digamma(first.sum()))).sum()


@pytest.mark.parametrize("task", [GAUSSIAN, SYMBOLS])
def test_smile_moves_as_far_as_surprise_allows(task) -> None:
    observed, m = draw(task, 1, 30).observed, 0.2
    belief = fresh_belief(task)
    found = predict_stream("smile", observed, task, modulation=m)[0]
    for t, y in enumerate(observed[0]):
        alone = observation(task, y) + (0 if isinstance(task, GaussianTask) else 1)
        scaled = m * kl(task, belief, alone)
        allowed = scaled / (1 + scaled) * kl(task, alone, belief)

        def missed(share, belief=belief, alone=alone, allowed=allowed):
            return kl(task, belief + share * (alone - belief), belief) - allowed

        share = brentq(missed, 0, 1, xtol=1e-14)
        belief = belief + share * (alone - belief)
        np.testing.assert_allclose(found[t], mean_of(task, belief), rtol=1e-6)


@pytest.mark.parametrize("year", [2010, 2012])
def test_nassars_delta_rules(year: int) -> None:
    task, m = GAUSSIAN, 0.2
    observed = draw(task, 1, 50).observed
    found = predict_stream(f"nassar_{year}", observed, task, modulation=m)[0, :, 0]
    rho, mu0, var0 = task.noise**2 / task.prior_sd**2, task.prior_mean, task.prior_sd**2
    mu, r, var = mu0, 0.0, var0
    for t, y in enumerate(observed[0]):
        now = stats.norm.pdf(y, mu, np.sqrt(var + task.noise**2))
        surprise = stats.norm.pdf(y, mu0, np.sqrt(var0 + task.noise**2)) / now
        g = m * surprise / (1 + m * surprise)
        stayed = mu + (y - mu) / (rho + r + 1)
        changed = mu0 + (y - mu0) / (rho + 1)
        mu = (1 - g) * stayed + g * changed
        if year == 2010:
            r = (1 - g) * (r + 1) + g
            var = 1 / (1 / var0 + r / task.noise**2)
        else:
            a = (rho + g * r + 1) / (rho + r + 1)
            var = task.noise**2 * a / (rho + 1) + g * (1 - g) * (stayed - changed) ** 2
            r = task.noise**2 / var - rho
        assert found[t] == pytest.approx(mu, rel=1e-9)


def test_leaky_mean() -> None:
    for task in (GAUSSIAN, SYMBOLS):
        observed = draw(task, 1, 30).observed
        found = predict_stream("leaky", observed, task, leak=0.8)[0]
        weight = 0.8 ** np.arange(29, -1, -1.0)
        seen = np.array([observation(task, y) for y in observed[0]])
        values = observed[0][:, None] if isinstance(task, GaussianTask) else seen
        np.testing.assert_allclose(found[-1], weight @ values / weight.sum(), rtol=1e-10)


def test_special_functions() -> None:
    for x in (0.01, 0.3, 1.0, 4.7, 8.0, 150.0, 1e5):
        assert beliefs.log_gamma(x) == pytest.approx(gammaln(x), rel=1e-10, abs=1e-10)
        assert beliefs.digamma(x) == pytest.approx(digamma(x), rel=1e-10)


@pytest.mark.parametrize(
    "rule", ["exact", "message_passing", "resampling", "particles", "var_smile", "smile"]
)
def test_little_noise_and_few_symbols_stay_numbers(rule: str) -> None:
    """Densities of a surprising number, or of one that fits, differ by more than doubles can hold."""
    for task in (GaussianTask(0.001, 0.1), CategoricalTask(0.01, 0.05)):
        setting = {"modulation": 0.5} if "smile" in rule else {}
        streams = draw(task, 2, 500)
        error = streams.squared_error(predict_stream(rule, streams.observed, task, **setting))
        assert np.isfinite(error).all() and error.mean() < 1


@pytest.mark.parametrize("rule", ["exact", "message_passing", "resampling"])
def test_a_world_believed_never_to_change_may_surprise(rule: str) -> None:
    """The message of a change has no weight, however much better than the only other one it fits."""
    observed = np.repeat([[0.0, 3.0]], 20, axis=1)
    found = predict_stream(rule, observed, GaussianTask(0.001, 0.1), change_rate=0.0)
    assert found[0, -1, 0] == pytest.approx(1.5, rel=1e-5)


def test_the_change_rate_is_learned() -> None:
    """Learning the rate costs little more than being told it, and less than a wrong one."""
    task = GaussianTask(0.5, 0.05)
    streams = draw(task, 4, 4000)
    told, learned, wrong = (
        streams.squared_error(predict_stream(rule, streams.observed, task, **setting)).mean()
        for rule, setting in (
            ("message_passing", {}),
            ("message_passing_learning_rate", {}),
            ("message_passing", {"change_rate": 0.002}),
        )
    )
    assert told <= learned < 1.02 * told < 1.1 * told < wrong


def test_wrong_calls_say_so() -> None:
    y = np.zeros((1, 3))
    with pytest.raises(UsageError, match="no rule 'exat'. Did you mean 'exact'"):
        predict_stream("exat", y, GAUSSIAN)
    with pytest.raises(UsageError, match="has no setting 'leak'. Its setting is modulation"):
        predict_stream("smile", y, GAUSSIAN, leak=0.1)
    with pytest.raises(UsageError, match="'leaky' needs leak"):
        predict_stream("leaky", y, GAUSSIAN)
    with pytest.raises(UsageError, match="for numbers, not for symbols"):
        predict_stream("nassar_2010", y, SYMBOLS, modulation=0.1)
    with pytest.raises(UsageError, match="cannot keep 5"):
        predict_stream("exact", y, GAUSSIAN, n_kept=5)


# -- published errors -----------------------------------------------------------------------------


def error_of(rule: str, streams: Streams, task: VolatileTask, **setting: float) -> float:
    return streams.squared_error(predict_stream(rule, streams.observed, task, n_threads=2, **setting)).mean()


@pytest.mark.parametrize(
    ("task", "n_streams", "exact"),
    [
        (GaussianTask(0.5, 0.05), 4, 0.0642),
        (GaussianTask(1.0, 0.01), 4, 0.0788),
        (GaussianTask(5.0, 0.1), 2, 0.845),
        (GaussianTask(0.1, 0.1), 4, 0.00335),
        (CategoricalTask(5.0, 0.01), 2, 0.0144),
    ],
)
def test_published_errors_of_exact_bayes(task, n_streams, exact) -> None:
    assert error_of("exact", draw(task, n_streams, 100_000), task) == pytest.approx(exact, rel=0.05)


@pytest.mark.parametrize(
    ("task", "excess"),
    [
        (
            GaussianTask(0.5, 0.05),
            {
                "particles": (0.0030, {}),
                "var_smile": (0.0069, {"modulation": 0.30}),
                "smile": (0.0214, {"modulation": 0.061}),
                "nassar_2010": (0.0153, {"modulation": 0.116}),
                "nassar_2012": (0.0054, {"modulation": 0.045}),
                "leaky": (0.0494, {"leak": 0.55}),
            },
        ),
        (
            CategoricalTask(1.0, 0.01),
            {
                "particles": (0.0027, {}),
                "var_smile": (0.0090, {"modulation": 0.061}),
                "smile": (0.077, {"modulation": 0.159}),
                "leaky": (0.0127, {"leak": 0.95}),
            },
        ),
    ],
)
def test_published_excess_errors_of_the_others(task, excess) -> None:
    """Settings are those that ``tune_rule`` found on three other streams of 20,000 steps."""
    streams = draw(task, 6, 50_000)
    exact = error_of("exact", streams, task)
    for rule, (published, setting) in excess.items():
        assert error_of(rule, streams, task, **setting) - exact == pytest.approx(published, rel=0.15), rule


def test_the_setting_with_the_smallest_error_is_found() -> None:
    task, grid = GaussianTask(0.5, 0.05), [0.1, 0.3, 0.5, 0.7, 0.9]
    streams = draw(task, 2, 2000)
    errors = {leak: error_of("leaky", streams, task, leak=leak) for leak in grid}
    best = min(errors, key=errors.get)
    assert tune_rule("leaky", streams, task, grid) == (best, pytest.approx(errors[best]))
    assert 0.1 < best < 0.9


# -- learners fitted to choices -------------------------------------------------------------------

LEARNERS = [
    "exact_bayes", "message_passing", "var_smile", "smile", "nassar_2010", "nassar_2012", "leaky_mean",
]  # fmt: skip


@pytest.fixture(scope="module")
def choices() -> Trials:
    design = get_task("full").draw(3, rng=np.random.default_rng(0), n_sessions=1)
    model = get_model_for("rescorla_wagner", design)
    theta = model.theta(3, inverse_temperature=4, learning_rate=0.3)
    return model.simulate(theta, design, np.random.default_rng(1))


def block_of_full_feedback(choices: Trials) -> int:
    return int(np.flatnonzero(choices.full_feedback[:, 0])[0])


def check_odds(p: np.ndarray, choices: Trials, rule: str, setting: dict[str, float]) -> None:
    """With an inverse temperature of 3 and a noise of .8, in a block in which both outcomes are seen."""
    task, s = GaussianTask(0.8, 0.1), block_of_full_feedback(choices)
    value = np.zeros((41, 2))
    for k in (0, 1):
        value[1:, k] = predict_stream(rule, choices.outcome[s, :, k][None], task, **setting)[0, :, 0]
    odds = np.log(p[s, :, 1] / p[s, :, 0])
    np.testing.assert_allclose(odds, 3 * np.diff(value, axis=1)[:40, 0], atol=1e-6)


@pytest.mark.parametrize("name", LEARNERS)
def test_values_are_what_the_rule_predicts(name: str, choices: Trials) -> None:
    """Log odds of two options are the inverse temperature times the difference of the predictors' estimates."""
    rule = {"exact_bayes": "exact", "leaky_mean": "leaky"}.get(name, name)
    model = get_model_for(name, choices)
    shared = {"inverse_temperature": 3.0}
    if name == "leaky_mean":
        shared, setting = {**shared, "leak": 0.8}, {"leak": 0.8}
    else:
        shared |= {"noise": 0.8, "change_rate": 0.1}
        setting = {"change_rate": 0.1} if rule in ("exact", "message_passing") else {"modulation": 0.1 / 0.9}
    p = model.predict(model.theta(3, **shared), choices)
    check_odds(p, choices, rule, setting)


def test_a_learner_can_learn_the_change_rate_too(choices: Trials) -> None:
    """By the plain function, which takes less time than to compile it."""
    model = get_model_for("message_passing", choices, learn_change_rate=True)
    assert [one.name for one in model.parameters] == ["inverse_temperature", "noise"]
    p = np.zeros((*choices.mask.shape, 2))
    s = block_of_full_feedback(choices)
    given = {"inverse_temperature": 3.0, "noise": 0.8, "p": p[s]}
    given |= {"context": choices.context[s], "outcome": choices.outcome[s]}
    names = inspect.signature(model.learn).parameters
    model.learn(*(given[name] if name in given else getattr(model, name) for name in names))
    check_odds(p, choices, "message_passing_learning_rate", {})
    with pytest.raises(UsageError, match="n_messages is -1"):
        get_model("message_passing", n_messages=-1)
