"""RULEX: trials worked out by hand, the process itself, the exact forward algorithm, and what it is known for."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from toolkit.errors import UsageError
from toolkit.models import get_model
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


def answers_of_rules(stimulus: np.ndarray) -> tuple[np.ndarray, int]:
    """What every rule says on every trial, (rules, trials), and how many rules are for one feature."""
    there = stimulus >= 0.5
    one_way = [there[:, i] for i in range(stimulus.shape[1])]
    n_single = 2 * len(one_way)
    for i, j in itertools.combinations(range(stimulus.shape[1]), 2):
        one_way += [
            (there[:, i] == a) & (there[:, j] == b) for a, b in itertools.product((False, True), repeat=2)
        ]
        one_way.append(there[:, i] != there[:, j])
    return np.array([rule for one in one_way for rule in (one, ~one)]).astype(int), n_single


def numbers_of_stimuli(stimulus: np.ndarray) -> np.ndarray:
    return np.unique(stimulus, axis=0, return_inverse=True)[1].ravel()


class Group:
    """People who hold a rule, and for every stimulus the share who have stored an exception."""

    def __init__(self, rule: int, size: float, n_stimuli: int) -> None:
        self.rule, self.size, self.exceptional = rule, size, np.zeros(n_stimuli)


def forward(theta, stimulus, category, choice, *, exact: bool) -> np.ndarray:
    """(trials,) probability of the second category.

    Parameters
    ----------
    exact
        Keep people who drew the same rule on different trials apart; otherwise they are one group, whose
        exceptions are the mean over its members.
    """
    store, give_up, complexity, lapse = theta
    answers, n_single = answers_of_rules(stimulus)
    number = numbers_of_stimuli(stimulus)
    guessing, groups, p = 1.0, [], []
    for t, s in enumerate(number):
        second = 0.5 * guessing + sum(
            one.size * (1 - one.exceptional[s] if answers[one.rule, t] else one.exceptional[s])
            for one in groups
        )
        total = guessing + sum(one.size for one in groups)
        p.append((1 - lapse) * second / total + lapse / 2)
        slip = np.ones(2) if choice[t] < 0 else np.where(np.arange(2) == choice[t], 1 - lapse / 2, lapse / 2)
        guessing *= slip.mean()
        gone = 0.0
        for one in groups:
            meant = answers[one.rule, t]
            of_rule, of_exception = (
                (1 - one.exceptional[s]) * slip[meant],
                one.exceptional[s] * slip[1 - meant],
            )
            if category[t] >= 0:
                right, wrong = (of_rule, of_exception) if meant == category[t] else (of_exception, of_rule)
                right, stay = right + store * wrong, (1 - store) * (1 - give_up) * wrong
                gone += one.size * (1 - store) * give_up * wrong
                of_rule, of_exception = (right, stay) if meant == category[t] else (stay, right)
            one.size *= of_rule + of_exception
            one.exceptional[s] = of_exception / (of_rule + of_exception)
        if category[t] < 0:
            continue
        fitting = np.flatnonzero(answers[:, t] == category[t])
        drawn = [(fitting[fitting < n_single], guessing + (1 - complexity) * gone)]
        drawn.append((fitting[fitting >= n_single], complexity * gone))
        guessing = 0.0
        for rules, size in drawn:
            groups += [Group(rule, size / len(rules), number.max() + 1) for rule in rules]
        if not exact:
            groups = [merged([one for one in groups if one.rule == rule]) for rule in range(len(answers))]
            groups = [one for one in groups if one.size > 0]
    return np.array(p)


def merged(groups: list[Group]) -> Group:
    if not groups:
        return Group(0, 0.0, 1)
    whole = Group(groups[0].rule, sum(one.size for one in groups), len(groups[0].exceptional))
    if whole.size > 0:
        whole.exceptional = sum(one.size * one.exceptional for one in groups) / whole.size
    return whole


def simulated_share(theta, stimulus, category, n_people: int, rng: np.random.Generator) -> np.ndarray:
    """(trials,) share of people who choose the second category, each living through the process."""
    store, give_up, complexity, lapse = theta
    answers, n_single = answers_of_rules(stimulus)
    number = numbers_of_stimuli(stimulus)
    chosen = np.zeros(len(stimulus))

    def draw(told: int, t: int, pair: bool) -> int:
        fitting = np.flatnonzero(answers[:, t] == told)
        return rng.choice(fitting[(fitting >= n_single) == pair])

    for _ in range(n_people):
        rule, exceptions = None, {}
        for t, (s, told) in enumerate(zip(number, category, strict=True)):
            meant = rng.integers(2) if rule is None else answers[rule, t] ^ exceptions.get(s, 0)
            chosen[t] += rng.integers(2) if rng.random() < lapse else meant
            if told < 0:
                continue
            if rule is None:
                rule = draw(told, t, False)
            elif meant != told:
                if rng.random() < store:
                    exceptions[s] = 1 - exceptions.get(s, 0)
                elif rng.random() < give_up:
                    rule, exceptions = draw(told, t, rng.random() < complexity), {}
    return chosen / n_people


def random_sequence(seed: int, n_trials: int, *, labels_vary: bool = False):
    rng = np.random.default_rng(seed)
    order = rng.integers(0, 8, n_trials)
    label = rng.integers(0, 2, n_trials) if labels_vary else rng.integers(0, 2, 8)[order]
    told = np.where(rng.random(n_trials) < 0.9, label, -1)
    theta = rng.uniform([0.05, 0.05, 0.05, 0.02], [0.9, 0.9, 0.9, 0.4])
    return theta, CUBE[order], told, rng.integers(-1, 2, n_trials)


def test_three_trials_by_hand() -> None:
    """With one feature there is one rule that fits the first trial; the second trial contradicts it."""
    store, give_up, lapse = 0.3, 0.4, 0.1
    p = learned(
        get_model("rulex"), (store, give_up, 0.5, lapse), np.array([[1.0], [0], [0], [1]]), [1, 1, -1, -1]
    )
    follow = 1 - lapse / 2
    np.testing.assert_allclose(p[:2, 1], [0.5, 1 - follow])
    # Those who neither stored nor gave up still answer wrongly when the second stimulus comes again.
    unmoved = (1 - store) * (1 - give_up)
    np.testing.assert_allclose(p[2, 1], follow * (1 - unmoved) + (1 - follow) * unmoved)
    # Who gave the rule up took the only other one, which is wrong about the first stimulus.
    gone = (1 - store) * give_up
    np.testing.assert_allclose(p[3, 1], follow * (1 - gone) + (1 - follow) * gone)


def test_own_choices_tell_which_rule_is_held() -> None:
    """After one trial two rules fit; a choice by one of them speaks for it by the odds of a lapse."""
    lapse = 0.2
    shown = np.array([[1.0, 1], [1, 0], [1, 0]])
    p = learned(get_model("rulex"), (0.3, 0.4, 0.5, lapse), shown, [1, -1, -1], [-1, 1, -1])
    assert p[1, 1] == pytest.approx(0.5)
    assert p[2, 1] == pytest.approx((1 - lapse / 2) ** 2 + (lapse / 2) ** 2)


@pytest.mark.parametrize("labels_vary", [False, True])
def test_it_equals_a_plain_forward_algorithm(labels_vary: bool) -> None:
    for seed in range(6):
        theta, shown, told, choice = random_sequence(seed, 20, labels_vary=labels_vary)
        expected = forward(theta, shown, told, choice, exact=False)
        np.testing.assert_allclose(
            learned(get_model("rulex"), theta, shown, told, choice)[:, 1], expected, rtol=1e-9
        )


def test_the_approximation_is_close_to_the_exact_forward_algorithm() -> None:
    """Exceptions of different stimuli are taken as independent given the rule, whenever it was drawn."""
    errors = []
    for seed in range(12):
        theta, shown, told, choice = random_sequence(seed, 24, labels_vary=seed % 3 == 0)
        exact = forward(theta, shown, told, choice, exact=True)
        errors.append(np.abs(learned(get_model("rulex"), theta, shown, told, choice)[:, 1] - exact))
    assert 1e-6 < np.mean(errors) < 0.01
    assert np.quantile(errors, 0.98) < 0.05


def test_predictions_equal_simulated_people() -> None:
    """Without knowing any choice, and within four standard errors of the simulated share."""
    n_people, n_trials = 6000, 14
    for seed in (1, 2):
        theta, shown, told, _ = random_sequence(seed, n_trials, labels_vary=seed == 2)
        share = simulated_share(theta, shown, told, n_people, np.random.default_rng(seed))
        p = learned(get_model("rulex"), theta, shown, told)[:, 1]
        assert (np.abs(p - share) < 4 * np.sqrt(p * (1 - p) / n_people)).all()


def test_shepards_problems_are_ordered_as_for_people() -> None:
    values = {"store": 0.15, "give_up": 0.5, "complexity": 0.5, "lapse": 0.02}
    right = right_by_problem(get_model("rulex"), shepard_trials(10, 12, 3), **values)
    assert right["I"] > right["II"] + 0.05
    assert right[["II", "III", "IV", "V"]].min() > right["VI"] + 0.03


def test_rules_for_pairs_make_exclusive_or_easy_and_exceptions_make_parity_possible() -> None:
    trials = shepard_trials(6, 20, 4)
    simple, pairs, memory = (
        right_by_problem(get_model("rulex"), trials, lapse=0.02, **values)
        for values in (
            {"store": 0.001, "give_up": 0.5, "complexity": 0.001},
            {"store": 0.001, "give_up": 0.5, "complexity": 0.8},
            {"store": 0.5, "give_up": 0.1, "complexity": 0.001},
        )
    )
    assert pairs["II"] > simple["II"] + 0.3
    assert pairs["VI"] < 0.55 < 0.8 < memory["VI"]


def test_likelihood_of_own_choices_is_higher_than_of_anyone_elses() -> None:
    """People who hold different rules are told apart: each is predicted better with their own past."""
    trials = shepard_trials(40, 3, 5)
    model = get_model("rulex")
    theta = model.theta(40, store=0.1, give_up=0.3, complexity=0.3, lapse=0.05)
    own = model.simulate(theta, trials, np.random.default_rng(6))
    p = np.take_along_axis(model.predict(theta, own), own.choice[..., None], -1)
    blind = np.take_along_axis(model.predict(theta, trials), own.choice[..., None], -1)
    assert model.reads_choices
    assert np.log(p).mean() > np.log(blind).mean() + 0.03


def test_batched_equals_one_by_one() -> None:
    check_batched(get_model("rulex"), random_problems(6, 60, 7), 8)


def test_gradients_equal_differences() -> None:
    model = get_model("rulex")
    check_gradients(model, random_problems(6, 60, 9), draw_theta(model, (3, 6), 10))


def test_long_sequences_stay_finite_on_the_bounds() -> None:
    """Also with contradictory labels, with choices against everything told, and without any feedback."""
    trials = random_problems(16, 700, 11)
    contradictory = trials.updated(category=np.random.default_rng(12).integers(0, 2, trials.category.shape))
    model = get_model("rulex")
    bounds = [(parameter.lower, parameter.upper) for parameter in model.parameters]
    theta = np.array(list(itertools.product(*bounds)))
    perverse = contradictory.updated(choice=1 - contradictory.category)
    silent = trials.updated(category=np.full_like(trials.category, -1))
    for one in (trials, contradictory, perverse, silent):
        total, gradient = model.log_likelihood_and_gradient(theta, one)
        assert np.isfinite(total).all() and np.isfinite(gradient).all()
        np.testing.assert_allclose(model.predict(theta, one).sum(-1), 1)


def test_features_count_as_there_from_one_half_up() -> None:
    rng = np.random.default_rng(13)
    order = rng.integers(0, 8, 40)
    told, graded = SHEPARD["V"][order].astype(int), 0.49 * CUBE + 0.3
    theta = (0.3, 0.4, 0.5, 0.1)
    model = get_model("rulex")
    np.testing.assert_array_equal(
        learned(model, theta, graded[order], told), learned(model, theta, CUBE[order], told)
    )


def test_three_categories_are_refused() -> None:
    trials = random_problems(2, 9, 14, n_categories=3)
    model = get_model("rulex")
    theta = model.theta(2, store=0.1, give_up=0.3, complexity=0.3, lapse=0.05)
    for method in (model.predict, model.log_likelihood, model.log_likelihood_and_gradient):
        with pytest.raises(UsageError, match="model 'rulex': rules are for two categories, not 3"):
            method(theta, trials)
