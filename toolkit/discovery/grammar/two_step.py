"""Mechanisms for tasks of two steps: a choice, a chance transition, a second choice, a reward."""

from __future__ import annotations

from toolkit.discovery.grammar.common import HABIT, LAPSES, rate, share, stickiness, weight
from toolkit.discovery.grammar.mechanisms import Grammar, Kind, Mechanism

COMMON = 0.7
"""Chance of the common transition, which people are told or shown before they begin."""

_SECOND_VALUES = "second = np.zeros((n_states, n_options))"
_HALF = "second = np.full((n_states, n_options), 0.5)"

_LEARNS = "second[state, choice_2] += rate * (reward - second[state, choice_2])"
_LEARNS_BY_SIGN = """
error = reward - second[state, choice_2]
if error > 0:
    second[state, choice_2] += rate_gain * error
else:
    second[state, choice_2] += rate_loss * error
"""
_BY_SIGN = (rate("rate_gain", "learning from rewards"), rate("rate_loss", "learning from omitted rewards"))

OUTCOMES = Kind(
    "outcome values",
    (
        Mechanism(
            "one rate",
            "Every second-stage option has a value, which moves towards each outcome.",
            (rate("rate", "learning from outcomes"),),
            {"init": _SECOND_VALUES, "update": _LEARNS},
            ("second",),
        ),
        Mechanism(
            "one rate from the middle",
            "Values of second-stage options begin undecided and move towards each outcome.",
            (rate("rate", "learning from outcomes"),),
            {"init": _HALF, "update": _LEARNS},
            ("second",),
        ),
        Mechanism(
            "by sign",
            "Values of second-stage options move more or less for good than for bad surprises.",
            _BY_SIGN,
            {"init": _SECOND_VALUES, "update": _LEARNS_BY_SIGN},
            ("second",),
        ),
        Mechanism(
            "by sign from the middle",
            "Values begin undecided and move more or less for good than for bad surprises.",
            _BY_SIGN,
            {"init": _HALF, "update": _LEARNS_BY_SIGN},
            ("second",),
        ),
    ),
)

_FORGET = """
for s in range(n_states):
    for k in range(n_options):
        if s != state or k != choice_2:
            second[s, k] += {rate} * ({to} - second[s, k])
"""

FORGETTING = Kind(
    "forgetting",
    (
        Mechanism(
            "to nothing",
            "Values of options that were not chosen fade away.",
            (rate("forgetting", "fading of values that were not renewed"),),
            {"update": _FORGET.format(rate="forgetting", to="0.0")},
            needs=("outcome values",),
        ),
        Mechanism(
            "to the middle",
            "Values of options that were not chosen return to being undecided.",
            (rate("forgetting", "fading of values that were not renewed"),),
            {"update": _FORGET.format(rate="forgetting", to="0.5")},
            needs=("outcome values",),
        ),
        Mechanism(
            "to what was told",
            "People take it that what they did not choose would have paid the opposite.",
            (rate("forgetting", "learning about what was not chosen"),),
            {"update": _FORGET.format(rate="forgetting", to="(1.0 - reward)")},
            needs=("outcome values",),
        ),
    ),
)

_FIRST = "first = np.zeros(n_options)"
_ADD_FIRST = """
for k in range(n_options):
    drive[k] += beta_free * first[k]
"""
_BETA_FREE = weight("beta_free", "following values of first choices")

FIRST = Kind(
    "first values",
    (
        Mechanism(
            "reward",
            "First choices that end in a reward are valued, whichever way it came about.",
            (_BETA_FREE, rate("rate_first", "learning the values of first choices")),
            {
                "init": _FIRST,
                "predict": _ADD_FIRST,
                "update": "first[choice] += rate_first * (reward - first[choice])",
            },
            ("first",),
        ),
        Mechanism(
            "next value",
            "First choices are valued by the value of where they led.",
            (_BETA_FREE, rate("rate_first", "learning the values of first choices")),
            {
                "init": _FIRST,
                "predict": _ADD_FIRST,
                "update": "first[choice] += rate_first * (second[state, choice_2] - first[choice])",
            },
            ("first",),
            ("outcome values",),
        ),
        Mechanism(
            "eligibility trace",
            "First choices are valued by where they led, and a share of each surprise at the end reaches back.",
            (
                _BETA_FREE,
                rate("rate_first", "learning the values of first choices"),
                share("trace", "how much of the last surprise reaches back to the first choice"),
            ),
            {
                "init": _FIRST,
                "predict": _ADD_FIRST,
                "update": """
                first[choice] += rate_first * (
                    (1.0 - trace) * second[state, choice_2] + trace * reward - first[choice]
                )
                """,
            },
            ("first",),
            ("outcome values",),
        ),
        Mechanism(
            "reward with fading",
            "First choices that end in a reward are valued, and the value of the other one fades.",
            (_BETA_FREE, rate("rate_first", "learning the values of first choices")),
            {
                "init": _FIRST,
                "predict": _ADD_FIRST,
                "update": """
                for k in range(n_options):
                    first[k] *= 1.0 - rate_first
                first[choice] += rate_first * reward
                """,
            },
            ("first",),
        ),
    ),
)

_PLAN = """
for k in range(n_options):
    for s in range(n_states):
        best = max(second[s, 0], second[s, 1])
        drive[k] += beta_plan * {chance} * best
"""
_BETA_PLAN = weight("beta_plan", "planning with a model of the transitions")

PLANNING = Kind(
    "planning",
    (
        Mechanism(
            "with known transitions",
            "People plan: they know which first choice commonly leads where, and look ahead.",
            (_BETA_PLAN,),
            {"predict": _PLAN.format(chance=f"({COMMON} if s == k else {1 - COMMON:.1f})")},
            needs=("outcome values",),
        ),
        Mechanism(
            "with learned transitions",
            "People plan with the transitions as they have seen them.",
            (_BETA_PLAN, rate("rate_transition", "learning the transitions")),
            {
                "init": "leads = np.full((n_options, n_states), 0.5)",
                "predict": _PLAN.format(chance="leads[k, s]"),
                "update": """
                for s in range(n_states):
                    leads[choice, s] += rate_transition * ((1.0 if s == state else 0.0) - leads[choice, s])
                """,
            },
            ("leads",),
            ("outcome values",),
        ),
        Mechanism(
            "with counted transitions",
            "People plan with the frequencies of the transitions that they have seen.",
            (_BETA_PLAN,),
            {
                "init": "seen = np.ones((n_options, n_states))",
                "predict": _PLAN.format(chance="seen[k, s] / (seen[k, 0] + seen[k, 1])"),
                "update": "seen[choice, state] += 1.0",
            },
            ("seen",),
            ("outcome values",),
        ),
    ),
)

HEURISTIC = Kind(
    "heuristic",
    (
        Mechanism(
            "win-stay lose-shift",
            "After a reward the first choice is repeated, after none it is changed, whatever the transition.",
            (stickiness("win_stay", "repeating after a reward and changing after none"),),
            {
                "init": "before = -1\nwon = 0.0",
                "predict": "if before >= 0:\n    drive[before] += win_stay * won",
                "update": "before = choice\nwon = 2.0 * reward - 1.0",
            },
            ("before", "won"),
        ),
        Mechanism(
            "blame the transition",
            "After a reward the choice that commonly leads to where it was found is made.",
            (stickiness("win_return", "going back to where a reward was found"),),
            {
                "init": "reached = -1\nfound = 0.0",
                "predict": "if reached >= 0:\n    drive[reached] += win_return * found",
                "update": "reached = state\nfound = 2.0 * reward - 1.0",
            },
            ("reached", "found"),
        ),
    ),
)

SECOND_POLICY = Kind(
    "second choices",
    (
        Mechanism(
            "own steepness",
            "Second choices follow values, with a steepness of their own.",
            (weight("beta_2", "following values in second choices"),),
            {"predict_2": "for k in range(n_options):\n    drive[k] += beta_2 * second[state, k]"},
            needs=("outcome values",),
        ),
        Mechanism(
            "steepness of planning",
            "Second choices follow values as strongly as planning does.",
            (_BETA_PLAN,),
            {"predict_2": "for k in range(n_options):\n    drive[k] += beta_plan * second[state, k]"},
            needs=("outcome values", "planning"),
        ),
    ),
)

SECOND_HABIT = Kind(
    "second habit",
    (
        Mechanism(
            "repeat there",
            "The last choice made in the same place tends to be repeated.",
            (stickiness("stay_2", "repeating the last choice in a place"),),
            {
                "init": "last_there = np.full(n_states, -1, dtype=int)",
                "predict_2": "if last_there[state] >= 0:\n    drive[last_there[state]] += stay_2",
                "update": "last_there[state] = choice_2",
            },
            ("last_there",),
        ),
        Mechanism(
            "trace there",
            "Choices made in a place become habits, which build up and fade.",
            (
                stickiness("stay_2", "repeating earlier choices in a place"),
                rate("rate_habit", "building of habits"),
            ),
            {
                "init": "habit_2 = np.zeros((n_states, n_options))",
                "predict_2": "for k in range(n_options):\n    drive[k] += stay_2 * habit_2[state, k]",
                "update": """
                for k in range(n_options):
                    habit_2[state, k] += rate_habit * ((1.0 if k == choice_2 else 0.0) - habit_2[state, k])
                """,
            },
            ("habit_2",),
        ),
        Mechanism(
            "repeat the key",
            "The key pressed last tends to be pressed again, wherever that was.",
            (stickiness("stay_2", "pressing the same key again"),),
            {
                "init": "key = -1",
                "predict_2": "if key >= 0:\n    drive[key] += stay_2",
                "update": "key = choice_2",
            },
            ("key",),
        ),
    ),
)

BIAS = Kind(
    "bias",
    (
        Mechanism(
            "of first choices",
            "One first option is liked for its own sake.",
            (stickiness("bias", "choosing the first of the first options"),),
            {"predict": "drive[0] += bias"},
        ),
    ),
)

GRAMMAR = Grammar(
    (
        *(PLANNING, FIRST, HABIT, HEURISTIC, BIAS, SECOND_POLICY, SECOND_HABIT),
        *(OUTCOMES, FORGETTING, LAPSES),
    ),
    ("predict", "predict_2"),
)
