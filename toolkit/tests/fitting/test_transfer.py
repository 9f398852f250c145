"""Transfer in the five-four structure: exact shares, the fitted number, and strategies of simulated learners."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from toolkit.experiments import get_design
from toolkit.experiments.five_four import NAMES
from toolkit.experiments.strategies import EQUAL_ATTENTION, exemplar_share
from toolkit.fitting.rules import known_rules
from toolkit.fitting.transfer import (
    PUBLISHED_ERMI,
    Transfer,
    answer_tests,
    learn_transfer,
    say_possible,
)
from toolkit.fitting.typical import TypicalAgent

PEOPLE = {"T7": 0.066, "T5": 0.218, "T2": 0.281, "T4": 0.314, "T6": 0.676, "T1": 0.703, "T3": 0.933}
GCM = TypicalAgent("gcm", {"attention": sum(EQUAL_ATTENTION), "background": 0.2})


def people_of(shares: np.ndarray) -> pd.DataFrame:
    return pd.DataFrame({"stimulus": NAMES, "share": shares})


@pytest.fixture(scope="module")
def tests() -> Transfer:
    rng = np.random.default_rng(0)
    shares = exemplar_share(EQUAL_ATTENTION)
    squared = shares**2 / (shares**2 + (1 - shares) ** 2)
    rulex = TypicalAgent("rulex", {"store": 0.6, "give_up": 0.3, "complexity": 0.05})
    return learn_transfer(
        {"gcm": GCM, "rulex": rulex}, people_of(squared), rng=rng, blocks=(1, 8), n_orders=6
    )


def test_shares_are_those_of_summed_similarity_with_the_number_that_people_have(tests: Transfer) -> None:
    assert tests.responses["gcm"] == pytest.approx(2.0, rel=0.02)
    shares = exemplar_share(EQUAL_ATTENTION)
    squared = shares**2 / (shares**2 + (1 - shares) ** 2)
    for _, own in tests.shares[tests.shares["agent"] == "gcm"].groupby("block"):
        assert own["stimulus"].tolist() == list(NAMES)
        np.testing.assert_allclose(own["share"], squared, atol=0.01)


def test_learners_by_rules_follow_rules_and_exemplars_do_not(tests: Transfer) -> None:
    last = tests.strategies[tests.strategies["block"] == 8]
    share = last.pivot_table("share", "agent", "strategy")
    np.testing.assert_allclose(share.sum(axis=1), 1)
    rules = share.filter(like="rule").sum(axis=1)
    assert rules["rulex"] > 0.15 > rules["gcm"]
    followed = tests.followed()
    np.testing.assert_allclose(followed["rule"].drop("guessing"), rules[followed.index.drop("guessing")])
    np.testing.assert_allclose(followed.loc["guessing"], 2 / 2**7)
    assert followed.loc["gcm", "exemplar"] > 10 * followed.loc["guessing", "exemplar"]
    first = tests.followed(first=True)
    both = tests.patterns().pivot_table("share", ["agent", "kind"], "block")
    for kind in ("rule", "exemplar"):
        assert both.loc[("rulex", kind)].tolist() == [first.loc["rulex", kind], followed.loc["rulex", kind]]


def test_patterns_of_answers_that_are_drawn_one_by_one_are_products() -> None:
    """The exemplar model says the same in every order, so one product is the share."""
    rng = np.random.default_rng(0)
    found = learn_transfer({"gcm": GCM}, None, rng=rng, blocks=(4,), n_orders=2)
    share_a = exemplar_share(EQUAL_ATTENTION)[9:]
    for pattern, strategy in {"ABABBAB": "exemplar", "AAABBBB": "rule on feature 1"}.items():
        is_a = np.array([answer == "A" for answer in pattern])
        row = found.strategies[found.strategies["strategy"] == strategy]
        assert row["share"].item() == pytest.approx(np.where(is_a, share_a, 1 - share_a).prod(), abs=1e-6)


def test_who_goes_by_own_choices_guesses_what_is_not_told() -> None:
    """Win-stay lose-shift knows what to do on the first trial of a test alone: it repeats the answer that was right."""
    rng = np.random.default_rng(0)
    agent = TypicalAgent("win_stay_lose_shift", {"stay": 1.0, "shift": 1.0})
    design = get_design("five_four", tests_after=(2,)).draw(400, rng=rng, n_blocks=2, n_orders=4)
    for response, expected in ((0.0, 1.0), (0.5, 0.75)):
        tested = answer_tests(agent, design, response, rng)
        choice = tested.choice[:, 18:]
        assert (tested.choice[:, :18] == -1).all() and (choice >= 0).all()
        assert (choice[:, 0] == design.category[:, 17]).mean() == pytest.approx(expected, abs=0.08)
        assert choice[:, 1:].mean() == pytest.approx(0.5, abs=0.03)


def test_known_rules_follow_rules_throughout() -> None:
    rng = np.random.default_rng(0)
    found = learn_transfer(known_rules(), None, rng=rng, blocks=(1, 2), n_orders=2)
    assert (found.followed()["rule"].drop("guessing") == 1).all()
    # Two rules are as good, and both are taken.
    rows = found.strategies.query("agent == 'rule' and block == 2").set_index("strategy")["share"]
    assert rows["rule on feature 1"] == rows["rule on feature 3"] == 0.5


def test_what_means_allow_is_said_where_there_are_any() -> None:
    people = pd.DataFrame({"stimulus": PEOPLE.keys(), "share": PEOPLE.values()})
    assert "58% of them at most to follow a rule in all seven and 68% exemplars" in say_possible(people)
    assert say_possible(None) == ""


def test_answers_of_one_rule_go_together() -> None:
    """Answers to two items are likelier alike than they would be if each were drawn by itself."""
    rng = np.random.default_rng(0)
    design = get_design("five_four", tests_after=(4,)).draw(300, rng=rng, n_blocks=4, n_orders=2)
    agent = TypicalAgent("rulex", {"store": 0.001, "give_up": 0.2, "complexity": 0.001})
    answers = agent.answers(design)
    tested = answer_tests(agent, answers.trials, 0.0, rng)
    assert (tested.choice[~design.test] == -1).all() and (tested.choice[design.test] >= 0).all()
    items = np.zeros((300, len(NAMES)))
    sequence, _ = np.nonzero(design.test)
    items[sequence, design.stimulus_id[design.test]] = tested.choice[design.test]
    p = np.zeros_like(items)
    p[sequence, design.stimulus_id[design.test]] = answers.p[..., 1][design.test]
    np.testing.assert_allclose(items.mean(0), p.mean(0), atol=0.12)
    # With single features 0110 and 1001 are opposite for whatever rule there is.
    opposite = items[:, NAMES.index("T1")] + items[:, NAMES.index("B2")]
    assert (opposite == 1).mean() > 0.95


def test_the_published_distance_and_correlation_are_found_again(tests: Transfer) -> None:
    people = pd.DataFrame({"stimulus": PEOPLE.keys(), "share": PEOPLE.values()})
    row = tests.distances(people).set_index("agent").loc["published ermi"]
    assert row["distance"] == pytest.approx(0.293, abs=1e-3)
    assert row["correlation"] == pytest.approx(0.955, abs=1e-3)


def test_items_stand_in_peoples_order_and_published_ones_beside(tests: Transfer) -> None:
    items = tests.items(people_of(np.linspace(0, 1, 16)))
    assert items["stimulus"].unique().tolist() == list(PEOPLE)
    assert set(items["agent"]) == {"people", "published ermi", "gcm", "rulex"}
    published = items[items["agent"] == "published ermi"].set_index("stimulus")["share"]
    assert published.to_dict() == PUBLISHED_ERMI
    assert "people" not in set(tests.items(None)["agent"]) and tests.distances(None).empty


def test_answers_over_blocks_are_the_shares(tests: Transfer) -> None:
    table = tests.over_blocks(["rulex", "gcm"])
    assert (
        table["agent"].tolist() == ["rulex", "rulex", "gcm", "gcm"] and table["block"].tolist() == [1, 8] * 2
    )
    own = tests.shares.query("agent == 'rulex' and block == 8 and stimulus == 'T5'")["share"].item()
    assert table.loc[1, "T5"] == own
    assert table.loc[1, "rule"] == tests.followed().loc["rulex", "rule"]


def test_without_people_answers_stay_as_they_are() -> None:
    rng = np.random.default_rng(0)
    found = learn_transfer({"gcm": GCM}, None, rng=rng, blocks=(2,), n_orders=2)
    assert found.responses == {"gcm": 1.0}
    np.testing.assert_allclose(found.shares["share"], exemplar_share(EQUAL_ATTENTION), atol=1e-6)
