"""The contract: what a text must define, checked before anything runs, with named reasons and what to write."""

from __future__ import annotations

import ast

import numpy as np
import pytest

from toolkit.discovery.contract import read_contract
from toolkit.discovery.lowering import NotLowered, lower
from toolkit.discovery.lowering.whole import whole_state
from toolkit.discovery.program import Program
from toolkit.discovery.rejection import Rejected
from toolkit.discovery.task import Task, values_of
from toolkit.errors import UsageError
from toolkit.tests.discovery.programs import bandit, delta_rule, parameters, two_step
from toolkit.tests.discovery.texts import DELTA_RULE, EVERYTHING_REWRITTEN, NOT_COMPILED
from toolkit.tests.strategies import random_trials

NAMES = ("rate", "steepness", "stickiness")


@pytest.fixture(scope="module")
def task() -> Task:
    return Task.of(bandit())


def test_a_program_is_bound_by_name(task) -> None:
    contract = read_contract(DELTA_RULE, NAMES, task)
    assert contract.state == ("value", "last")
    assert contract.arguments == {
        "init": ("n_options",),
        "predict": ("value", "last", "steepness", "stickiness"),
        "update": ("value", "choice", "reward", "rate"),
    }
    assert contract.columns(task) == ("choice", "reward")


def test_a_program_that_learns_nothing_is_one_function() -> None:
    trials = random_trials("multi_attribute")
    text = "def predict(attributes, steepness):\n    return [1.0, np.exp(steepness * attributes[1, 0])]"
    contract = read_contract(text, ["steepness"], Task.of(trials))
    assert contract.state == () and contract.columns(Task.of(trials)) == ("attributes",)


@pytest.mark.parametrize(
    ("old", "new", "reason", "says"),
    [
        ("def update", "def learn", "contract", "defines no function 'update'"),
        ("def predict(value", "def predict(choice, value", "contract", "'choice' is not known yet when predict"),
        ("def predict(value", "def predict(reward, value", "contract", "'reward' is not known yet when predict"),
        ("def init(n_options", "def init(context, n_options", "contract", "'context' is not known yet when init"),
        ("reward", "rewards", "contract", "Did you mean 'reward'?"),
        ("def predict(value", "def predict(answer, value", "contract", "the argument 'answer' is no parameter"),
        ("    return value, last\n", "    return np.zeros(2), last\n", "contract", "init must end with its only return"),
        ("    return value, choice", "    return value", "contract", "End it with `return value, last`"),
        ("    return value, choice", "    pass", "contract", "update must return the whole state"),
        ("    last = -1\n    return value, last", "    choice = -1\n    return value, choice", "contract",
         "the state 'choice' has the name of something else"),
        ("reward, rate)", "reward, rate=0.1)", "contract", "arguments have no defaults"),
        ("np.zeros(n_options)", "np.load('x')", "not allowed", "attribute 'load' is not allowed"),
    ],
)  # fmt: skip
def test_what_breaks_the_contract_is_named(task, old: str, new: str, reason: str, says: str) -> None:
    assert old in DELTA_RULE
    with pytest.raises(Rejected) as caught:
        read_contract(DELTA_RULE.replace(old, new), NAMES, task)
    assert caught.value.reason == reason and says in str(caught.value), caught.value


def test_a_parameter_that_no_function_takes_is_refused(task) -> None:
    with pytest.raises(Rejected, match="no function takes the parameter 'trace'") as caught:
        read_contract(DELTA_RULE, (*NAMES, "trace"), task)
    assert caught.value.reason == "unused parameter"


def test_parameters_cannot_be_called_like_columns(task) -> None:
    with pytest.raises(Rejected, match="'reward' cannot be called so"):
        read_contract(DELTA_RULE, ["reward"], task)
    with pytest.raises(Rejected, match="'rate' cannot be called so"):
        read_contract(DELTA_RULE, ["rate", "rate"], task)


# -- what is told, and when ------------------------------------------------------------------------


def test_each_family_has_its_order_of_events() -> None:
    two = Task.of(random_trials("two_step"))
    assert two.functions == ("init", "predict", "predict_2", "update")
    assert two.known_to("predict") == ("trial",)
    assert two.known_to("predict_2") == ("choice", "state", "trial")
    assert {"choice", "state", "choice_2", "outcome", "reward"} <= set(two.known_to("update"))
    learning = Task.of(random_trials("category_learning"))
    assert "category" in learning.known_to("update") and "category" not in learning.known_to("predict")
    assert not any("answer" in learning.known_to(name) for name in learning.functions)


def test_extra_columns_are_hidden_until_they_are_shown() -> None:
    trials = bandit()
    assert "response_time" not in Task.of(trials).columns
    assert "response_time" in Task.of(trials, told=["response_time"]).known_to("update")
    assert "response_time" in Task.of(trials, shown=["response_time"]).known_to("predict")
    assert "age" in Task.of(trials, about=["age"]).known_to("init")
    with pytest.raises(UsageError, match="Did you mean 'response_time'"):
        Task.of(trials, told=["responsetime"])
    with pytest.raises(UsageError, match="no column 'payoff' that could be shown"):
        Task.of(trials, shown=["payoff"])
    with pytest.raises(UsageError, match="'condition' holds no numbers"):
        Task.of(trials, about=["condition"])


def test_the_reward_is_what_the_chosen_option_was_seen_to_pay() -> None:
    trials = bandit()
    reward = values_of(trials, "reward")
    for s, t in zip(*np.nonzero(trials.mask), strict=True):
        choice = trials.choice[s, t]
        expected = np.nan if choice < 0 else trials.outcome[s, t, choice]
        np.testing.assert_equal(reward[s, t], expected)


# -- descriptions ----------------------------------------------------------------------------------


def test_a_description_becomes_a_program(task) -> None:
    listed = [{"name": name, "lower": 0, "upper": 1, "meaning": "x"} for name in NAMES]
    content = {"name": "one", "idea": "people repeat", "parameters": listed, "code": DELTA_RULE}
    program = Program.from_json(content, task)
    assert program.contract().parameters == NAMES and program.idea == "people repeat"
    for broken, says in (
        ({**content, "parameters": [{"name": "rate"}]}, "no 'lower'"),
        ({**content, "parameters": [{**listed[0], "upper": 0}]}, "has the bounds"),
        ({**content, "parameters": [{**listed[0], "upper": float("inf")}]}, "a bound is not finite"),
        ({"name": "one"}, "no 'parameters'"),
    ):
        with pytest.raises(Rejected, match=says) as caught:
            Program.from_json(broken, task)
        assert caught.value.reason == "contract"


def test_the_key_is_that_of_what_is_computed() -> None:
    trials = bandit()
    program = delta_rule(trials)
    commented = delta_rule(trials, "# a comment\n" + DELTA_RULE.replace("    weight = ", "    weight   =  "))
    assert program.key() == commented.key()
    other = delta_rule(trials, DELTA_RULE.replace("else 0.0", "else 0.1"))
    wider = Program(program.name, program.text, parameters("rate", "beta", "stickiness"), program.task)
    assert len({program.key(), other.key()}) == 2
    with pytest.raises(Rejected):
        wider.key()


# -- lowering --------------------------------------------------------------------------------------


def test_ordinary_programs_are_lowered(task) -> None:
    text = lower(read_contract(EVERYTHING_REWRITTEN, ("rate", "bias", "forgetting"), task), task)
    assert "engine_softmax(weight, 3.0, shares)" in text
    assert "init_habit[0, 1] = parameter_1" in text
    assert "np.zeros(2, dtype=np.int64)" in text
    assert "DECAY" not in text and "own_squash" in text
    two = two_step(random_trials("two_step"))
    assert "own_predict_2(" in lower(two.contract(), two.task)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("return softmax(weight, steepness)", "return np.exp(weight)", "returns an expression"),
        ("return softmax(weight, steepness)", "value[0] = 1.0\n    return weight", "changes an array"),
        (
            "return softmax(weight, steepness)",
            "row = value\n    row[0] = 1.0\n    return weight",
            "changes an array",
        ),
        ("return value, choice", "return value * 1, choice", "another array for 'value'"),
        ("reward, rate):", "reward, rate):\n    engine_x = 1", "begins with engine_"),
        ("reward, rate):", "reward, rate):\n    def f():\n        return 1", "a function inside a function"),
    ],
)
def test_what_cannot_be_lowered_is_interpreted(task, old: str, new: str, says: str) -> None:
    assert old in DELTA_RULE
    contract = read_contract(DELTA_RULE.replace(old, new), NAMES, task)
    with pytest.raises(NotLowered, match=says):
        lower(contract, task)


def test_why_a_program_is_interpreted_is_told(workers) -> None:
    program = delta_rule(bandit(), NOT_COMPILED)
    assert program.model(workers).engine.why_interpreted == "predict returns an expression"
    lists = delta_rule(bandit(), program.text.replace("return e / e.sum()", "return e"))
    assert "List is not in the subset" in lists.model(workers).engine.why_interpreted


@pytest.mark.parametrize(
    ("begin", "update", "whole"),
    [
        ("-1", "return choice", True),
        ("0", "last += 1\n    return last", True),
        ("0", "return last + 0.5", False),
        ("0.0", "return choice", False),
        ("0", "x = choice if reward > 0 else last\n    return x", True),
        ("0", "x = 0\n    x = reward\n    return x", False),
        ("0", "for k in range(3):\n        last = k\n    return last", True),
        ("0", "return int(reward)", True),
        ("0", "last = last / 2\n    return last", False),
    ],
)
def test_whole_numbers_of_the_state_are_recognised(begin: str, update: str, whole: bool) -> None:
    init = ast.parse(f"def init():\n    last = {begin}\n    return last").body[0]
    function = ast.parse(f"def update(last, choice, reward):\n    {update}").body[0]
    returned = [[node.value] for node in ast.walk(function) if isinstance(node, ast.Return)]
    assert whole_state(init, function, returned, ("last",), ["choice"]) == ({"last"} if whole else set())
