"""Patterns of transfer: which strategies predict them, and that learners of each are recognised."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from toolkit.errors import UsageError
from toolkit.experiments import get_design
from toolkit.experiments.five_four import CATEGORY, STIMULI
from toolkit.experiments.strategies import (
    ATTENTION,
    EQUAL_ATTENTION,
    chance_shares,
    classify_transfer,
    exemplar_share,
    expected_shares,
    possible_shares,
    predicted_patterns,
    strategy_shares,
)
from toolkit.experiments.summaries import with_intervals
from toolkit.models import get_model_for
from toolkit.seeds import Seeds
from toolkit.trials import Trials

RULE_1, RULE_3 = "rule on feature 1", "rule on feature 3"
EXEMPLAR, EQUAL = "exemplar", "exemplar, equal attention"


@pytest.fixture
def design() -> Trials:
    return get_design("five_four").draw(20, rng=Seeds(0).numpy("five four"))


def answering(design: Trials, called_b: np.ndarray) -> Trials:
    """Everyone answers every item in the same way: (16,) 1 where it is called B."""
    return design.updated(choice=np.asarray(called_b, dtype=int)[design.stimulus_id])


def test_rules_have_two_exceptions_and_predict_what_follows_from_the_table() -> None:
    trained, rules = CATEGORY >= 0, {}
    for feature in range(4):
        for turned in (0, 1):
            called_b = STIMULI[:, feature] ^ turned
            exceptions = (called_b[trained] != CATEGORY[trained]).sum()
            pattern = "".join("AB"[answer] for answer in called_b[~trained])
            rules.setdefault(exceptions, {})[pattern] = f"rule on feature {feature + 1}"
    assert min(rules) == 2
    found = {pattern: name for pattern, name in predicted_patterns().items() if name.startswith("rule")}
    assert found == rules[2] == {"AAABBBB": RULE_1, "BBAABAB": RULE_3}


def test_exemplar_shares_are_those_of_the_model_after_training(design: Trials) -> None:
    model = get_model_for("gcm", design)
    values = {f"attention_{number}": value for number, value in enumerate(ATTENTION, 1)}
    theta = model.theta(20, lapse=0.0, background=0.0, **values)
    p = model.predict(theta, design)[..., 0]
    last = design.test & (design.block == 31)
    for row in range(len(design)):
        shown = design.stimulus_id[row, last[row]]
        np.testing.assert_allclose(p[row, last[row]], exemplar_share(ATTENTION)[shown], rtol=1e-6)


def test_exemplar_patterns_hold_for_any_sensitivity_that_tells_items_apart() -> None:
    found = list(predicted_patterns())[2:]
    for attention, pattern in zip((ATTENTION, EQUAL_ATTENTION), found, strict=True):
        for factor in (0.6, 1.0, 2.0, 3.0):
            share = exemplar_share(tuple(factor * value for value in attention))
            assert "".join("AB"[int(p < 0.5)] for p in share[CATEGORY < 0]) == pattern
    averages = np.stack([STIMULI[category == CATEGORY].mean(0) for category in (0, 1)])
    apart = np.abs(STIMULI[CATEGORY < 0, None] - averages).sum(-1)
    assert "".join("AB"[int(b < a)] for a, b in apart) == found[0]
    assert "".join("AB"[value] for value in STIMULI[CATEGORY < 0, 3]) == found[1]


@pytest.mark.data
def test_attention_is_what_fits_people_best(public_data: Path) -> None:
    from scipy.optimize import minimize

    share = get_design("five_four").people().sort_values("stimulus_id")["share"].to_numpy()

    def misfit(attention: np.ndarray) -> float:
        return ((exemplar_share(tuple(np.abs(attention))) - share) ** 2).sum()

    starts = Seeds(0).numpy("starts").uniform(0.5, 4, (6, 4))
    best = min((minimize(misfit, start) for start in starts), key=lambda found: found.fun)
    np.testing.assert_allclose(np.abs(best.x), ATTENTION, atol=0.01)
    pattern = "".join("AB"[int(p < 0.5)] for p in share[9:])
    assert predicted_patterns()[pattern] == EXEMPLAR


@pytest.mark.parametrize(
    ("called_b", "strategy"),
    [
        (STIMULI[:, 0], RULE_1),
        (STIMULI[:, 2], RULE_3),
        (exemplar_share(ATTENTION) < 0.5, EXEMPLAR),
        (exemplar_share(EQUAL_ATTENTION) < 0.5, EQUAL),
        (np.zeros(16), "other"),
        (STIMULI[:, 1], "other"),
    ],
)
def test_learners_of_a_strategy_are_recognised(design: Trials, called_b: np.ndarray, strategy: str) -> None:
    found = classify_transfer(answering(design, called_b))
    assert len(found) == 20 * 6 and sorted(found["block"].unique()) == [2, 4, 8, 16, 24, 32]
    assert (found["strategy"] == strategy).all()
    assert ((found["differences"] == 0) == (strategy != "other")).all()


def test_a_deviating_answer_is_forgiven_if_asked_for_and_no_other_strategy_is_as_close(
    design: Trials,
) -> None:
    called_b = STIMULI[:, 0].copy()
    called_b[11] = 1  # T3, which all strategies call A.
    found = classify_transfer(answering(design, called_b))
    assert set(found["strategy"]) == {"other"} and set(found["differences"]) == {1}
    forgiven = classify_transfer(answering(design, called_b), max_differences=1)
    assert set(forgiven["strategy"]) == {RULE_1} and set(forgiven["pattern"]) == {"AABBBBB"}


def test_tests_with_an_item_not_answered_are_left_out(design: Trials) -> None:
    trials = answering(design, STIMULI[:, 0])
    choice = trials.choice.copy()
    missed = (trials.stimulus_id[3] == 12) & trials.test[3] & (trials.block[3] == 7)
    choice[3, missed] = -1
    found = classify_transfer(trials.updated(choice=choice))
    assert len(found) == 20 * 6 - 1
    assert found.query("participant == 3")["block"].tolist() == [2, 4, 16, 24, 32]


def test_shares_of_strategies_add_up_and_have_intervals(design: Trials) -> None:
    by_person = np.where(np.arange(20)[:, None] < 5, STIMULI[:, 0], exemplar_share(ATTENTION) < 0.5)
    choice = np.take_along_axis(by_person, design.stimulus_id, 1)
    classified = classify_transfer(design.updated(choice=choice))
    shares = with_intervals(
        strategy_shares(classified), "share", by=["block", "strategy"], rng=Seeds(0).numpy("shares")
    )
    np.testing.assert_allclose(shares.groupby("block")["mean"].sum(), 1)
    rule = shares[shares["strategy"] == RULE_1]
    assert (rule["mean"] == 0.25).all() and (rule["low"] < 0.15).all() and (rule["high"] > 0.35).all()
    assert set(shares["strategy"]) == {RULE_1, RULE_3, EXEMPLAR, EQUAL, "other"}


def test_guesses_follow_strategies_as_often_as_there_are_patterns(design: Trials) -> None:
    single = dict.fromkeys((RULE_1, RULE_3, EXEMPLAR, EQUAL), 1 / 128)
    assert chance_shares().to_dict() == {**single, "other": 124 / 128}
    many = get_design("five_four", tests_after=(1,)).draw(20_000, rng=Seeds(0).numpy("many"), n_blocks=1)
    guesses = many.updated(choice=Seeds(0).numpy("guesses").integers(2, size=many.mask.shape))
    for allowed in (0, 1):
        found = classify_transfer(guesses, max_differences=allowed)["strategy"].value_counts(normalize=True)
        for name, share in chance_shares(max_differences=allowed).items():
            assert abs(found[name] - share) < 4 * np.sqrt(share * (1 - share) / 20_000)


def test_trials_without_tests_are_refused(design: Trials) -> None:
    with pytest.raises(UsageError, match="no array 'test'.*five_four"):
        classify_transfer(get_design("shepard").draw(2, rng=Seeds(0).numpy("no tests")))
    none = get_design("five_four", tests_after=(9,)).draw(2, rng=Seeds(0).numpy("no tests"), n_blocks=2)
    with pytest.raises(UsageError, match="no array 'test'"):
        classify_transfer(none)


def test_expected_shares_are_those_of_many_who_answer_one_by_one() -> None:
    rng = np.random.default_rng(0)
    p_b = rng.random((2, 7))
    drawn = rng.random((20_000, 2, 7)) < p_b
    found = expected_shares(p_b)
    assert found.sum() == pytest.approx(1)
    for pattern, strategy in predicted_patterns().items():
        same = (drawn == np.array([answer == "B" for answer in pattern])).all(-1).mean()
        assert found[strategy] == pytest.approx(same, abs=0.005)


@pytest.mark.parametrize("pattern", ["AAABBBB", "BBAABAB", "ABABBAB", "ABABAAB"])
def test_means_without_doubt_leave_one_possibility(pattern: str) -> None:
    kind = "rule" if predicted_patterns()[pattern].startswith("rule") else "exemplar"
    found = possible_shares(np.array([answer == "A" for answer in pattern], dtype=float))
    expected = [1.0 if name == kind else 0.0 for name in found.index]
    for column in ("least", "most", "independent"):
        np.testing.assert_allclose(found[column], expected, atol=1e-7)


def test_true_shares_lie_between_what_means_allow() -> None:
    """People are a mixture of all patterns, those of strategies among them."""
    rng = np.random.default_rng(1)
    every = np.array([[number >> bit & 1 for bit in range(7)] for number in range(128)])
    names = [predicted_patterns().get("".join("AB"[b] for b in row), "other") for row in every]
    follows = {k: np.array([name.startswith(k) for name in names]) for k in ("rule", "exemplar")}
    for _ in range(20):
        weight = rng.dirichlet(np.where(np.isin(names, "other"), 0.05, 3.0))
        found = possible_shares(weight @ (1 - every))
        for kind, rows in follows.items():
            assert found.loc[kind, "least"] - 1e-9 <= weight[rows].sum() <= found.loc[kind, "most"] + 1e-9
        assert (found["most"] < 1).all() and (found["independent"] <= found["most"] + 1e-9).all()
