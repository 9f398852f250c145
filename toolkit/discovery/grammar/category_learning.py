"""Mechanisms for learning categories: remembered things, associations of features, rules, averages."""

from __future__ import annotations

from toolkit.discovery.grammar.common import BIAS, HABIT, LAPSES, rate, weight
from toolkit.discovery.grammar.mechanisms import Grammar, Kind, Mechanism
from toolkit.models.base import Parameter

PLACES = 200
"""Things that can be remembered; older ones are overwritten."""

_REMEMBER = f"""
place = n_seen % {PLACES}
for i in range(n_features):
    things[place, i] = stimulus[i]
of[place] = category
n_seen = n_seen + 1
"""

_SIMILAR = """
for j in range(min(n_seen, {places})):
    distance = 0.0
    for i in range(n_features):
        distance += {attention} * abs(stimulus[i] - things[j, i])
    drive[of[j]] += certainty * {strength} * np.exp(-sensitivity * distance)
"""
_STATE = f"""
things = np.zeros(({PLACES}, n_features))
of = np.zeros({PLACES}, dtype=int)
n_seen = 0
"""
_CERTAINTY = weight("certainty", "following similarity")
_SENSITIVITY = weight("sensitivity", "telling things apart")


def _exemplars(name: str, idea: str, attention: str, strength: str, *more: Parameter) -> Mechanism:
    return Mechanism(
        name,
        idea,
        (_CERTAINTY, _SENSITIVITY, *more),
        {
            "init": _STATE,
            "predict": _SIMILAR.format(places=PLACES, attention=attention, strength=strength),
            "update": _REMEMBER,
        },
        ("things", "of", "n_seen"),
    )


EXEMPLARS = Kind(
    "exemplars",
    (
        _exemplars("all alike", "Things are judged by their similarity to all that were seen.", "1.0", "1.0"),
        _exemplars(
            "fading",
            "Things are judged by their similarity to what was seen, the more so the more recent it is.",
            "1.0",
            "(1.0 - forgetting) ** (n_seen - 1 - j)",
            rate("forgetting", "fading of memories from trial to trial"),
        ),
    ),
)

_SHOW = """
for k in range(n_options):
    {name}_drive = 0.0
    for i in range(n_features):
        {name}_drive += {term}
    drive[k] += {weight} * {name}_drive
"""

CUES = Kind(
    "cues",
    (
        Mechanism(
            "delta rule",
            "Features become associated with categories, by what was not expected.",
            (weight("beta_cues", "following associations"), rate("rate", "learning of associations")),
            {
                "init": "cue = np.zeros((n_options, n_features))",
                "predict": _SHOW.format(name="cue", term="cue[k, i] * stimulus[i]", weight="beta_cues"),
                "update": """
                for k in range(n_options):
                    expected = 0.0
                    for i in range(n_features):
                        expected += cue[k, i] * stimulus[i]
                    error = (1.0 if k == category else 0.0) - expected
                    for i in range(n_features):
                        cue[k, i] += rate * error * stimulus[i] / n_features
                """,
            },
            ("cue",),
        ),
        Mechanism(
            "averages",
            "A category is its average, and things belong to the nearest one.",
            (weight("beta_cues", "following the distance to averages"), rate("rate", "learning of averages")),
            {
                "init": "average = np.zeros((n_options, n_features))\nknown = np.zeros(n_options)",
                "predict": _SHOW.format(
                    name="average",
                    term="-known[k] * abs(stimulus[i] - average[k, i])",
                    weight="beta_cues",
                ),
                "update": """
                step = rate if known[category] > 0.0 else 1.0
                for i in range(n_features):
                    average[category, i] += step * (stimulus[i] - average[category, i])
                known[category] = 1.0
                """,
            },
            ("average", "known"),
        ),
    ),
)

RULES = Kind(
    "rules",
    (
        Mechanism(
            "one feature",
            "The feature that has told the most so far decides.",
            (weight("beta_rule", "following the rule"), rate("rate_rule", "learning of rules")),
            {
                "init": """
                says = np.zeros((n_features, 2, n_options))
                """,
                "predict": """
                best = 0
                most = -1.0
                for i in range(n_features):
                    told = 0.0
                    for k in range(n_options):
                        told += abs(says[i, 0, k] - says[i, 1, k])
                    if told > most:
                        best = i
                        most = told
                side = 1 if stimulus[best] > 0.0 else 0
                for k in range(n_options):
                    drive[k] += beta_rule * says[best, side, k]
                """,
                "update": """
                for i in range(n_features):
                    side = 1 if stimulus[i] > 0.0 else 0
                    for k in range(n_options):
                        says[i, side, k] += rate_rule * ((1.0 if k == category else 0.0) - says[i, side, k])
                """,
            },
            ("says",),
        ),
        Mechanism(
            "last time",
            "The same thing gets the category that it had the last time.",
            (weight("beta_rule", "following memory of the same thing"), rate("rate_rule", "memorising")),
            {
                "init": "strength = np.zeros((2**n_features, n_options))",
                "predict": """
                code = 0
                for i in range(n_features):
                    code = 2 * code + (1 if stimulus[i] > 0.0 else 0)
                for k in range(n_options):
                    drive[k] += beta_rule * strength[code, k]
                """,
                "update": """
                code = 0
                for i in range(n_features):
                    code = 2 * code + (1 if stimulus[i] > 0.0 else 0)
                for k in range(n_options):
                    strength[code, k] += rate_rule * ((1.0 if k == category else 0.0) - strength[code, k])
                """,
            },
            ("strength",),
        ),
    ),
)

GRAMMAR = Grammar((EXEMPLARS, CUES, RULES, HABIT, BIAS, LAPSES))
