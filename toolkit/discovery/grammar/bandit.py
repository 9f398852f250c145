"""Mechanisms for bandits: options in contexts, outcomes of what was chosen and perhaps of what was not."""

from __future__ import annotations

from dataclasses import replace

from toolkit.discovery.grammar.common import BIAS, HABIT, LAPSES, rate, weight
from toolkit.discovery.grammar.mechanisms import Grammar, Kind, Mechanism
from toolkit.models.base import Parameter

_INIT = "value = np.zeros((n_contexts, n_options))"
_ADD = "for k in range(n_options):\n    drive[k] += steepness * value[context, k]"
_STEEPNESS = weight("steepness", "following values", 50.0)
_RATE = rate("rate", "learning from outcomes")
_START = Parameter("start", -1.0, 1.0, "value of what is not known yet")

_BY_SIGN = """
for k in range(n_options):
    if not np.isnan(outcome[k]):
        error = outcome[k] - value[context, k]
        if {positive}:
            value[context, k] += {gain} * error
        else:
            value[context, k] += {loss} * error
"""
_GAIN = rate("rate_gain", "learning from good surprises")
_LOSS = rate("rate_loss", "learning from bad surprises")

VALUES = Kind(
    "values",
    (
        Mechanism(
            "one rate",
            "Every option has a value in its context, which moves towards each outcome.",
            (_STEEPNESS, _RATE),
            {
                "init": _INIT,
                "predict": _ADD,
                "update": "value[context, choice] += rate * (reward - value[context, choice])",
            },
            ("value",),
        ),
        Mechanism(
            "one rate and a start",
            "Values begin somewhere of their own and move towards each outcome.",
            (_STEEPNESS, _RATE, _START),
            {
                "init": "value = np.zeros((n_contexts, n_options)) + start",
                "predict": _ADD,
                "update": "value[context, choice] += rate * (reward - value[context, choice])",
            },
            ("value",),
        ),
        Mechanism(
            "by sign",
            "Values move more or less for good than for bad surprises.",
            (_STEEPNESS, _GAIN, _LOSS),
            {
                "init": _INIT,
                "predict": _ADD,
                "update": _BY_SIGN.format(positive="error > 0", gain="rate_gain", loss="rate_loss"),
            },
            ("value",),
        ),
        Mechanism(
            "confirming",
            "Values move more for what confirms the choice: good news of it, bad news of the other.",
            (
                _STEEPNESS,
                rate("rate_confirm", "learning from what confirms the choice"),
                rate("rate_disconfirm", "learning from what speaks against it"),
            ),
            {
                "init": _INIT,
                "predict": _ADD,
                "update": _BY_SIGN.format(
                    positive="(error > 0 and k == choice) or (error <= 0 and k != choice)",
                    gain="rate_confirm",
                    loss="rate_disconfirm",
                ),
            },
            ("value",),
        ),
        Mechanism(
            "with surprise",
            "Values move further after recent surprises.",
            (_STEEPNESS, _RATE, rate("rate_surprise", "following of recent surprises")),
            {
                "init": f"{_INIT}\nsurprise = np.ones((n_contexts, n_options))",
                "predict": _ADD,
                "update": """
                error = reward - value[context, choice]
                value[context, choice] += rate * surprise[context, choice] * error
                surprise[context, choice] += rate_surprise * (abs(error) - surprise[context, choice])
                """,
            },
            ("value", "surprise"),
        ),
    ),
)

FORGETTING = Kind(
    "forgetting",
    (
        Mechanism(
            "of other options",
            "In a context, values of what was not chosen fade.",
            (rate("forgetting", "fading of values"),),
            {
                "update": """
                for k in range(n_options):
                    if k != choice:
                        value[context, k] *= 1.0 - forgetting
                """
            },
            needs=("values",),
        ),
        Mechanism(
            "of everything",
            "All values fade from trial to trial.",
            (rate("forgetting", "fading of values"),),
            {
                "update": """
                for c in range(n_contexts):
                    for k in range(n_options):
                        value[c, k] *= 1.0 - forgetting
                """
            },
            needs=("values",),
        ),
    ),
)

_STORE = """
for c in range(n_contexts):
    for k in range(n_options):
        memory[c, k] *= 1.0 - decay
memory[context, choice] = {what}
"""
_DECAY = rate("decay", "fading of memory from trial to trial")
_BETA_MEMORY = weight("beta_memory", "choosing from memory", 50.0)

MEMORY = Kind(
    "memory",
    (
        Mechanism(
            "of the last outcome",
            "The last outcome of every option is held in mind at once, and fades.",
            (_BETA_MEMORY, _DECAY),
            {
                "init": "memory = np.zeros((n_contexts, n_options))",
                "predict": "for k in range(n_options):\n    drive[k] += beta_memory * memory[context, k]",
                "update": _STORE.format(what="reward"),
            },
            ("memory",),
        ),
        Mechanism(
            "of what was right",
            "What paid, and what did not, is held in mind at once, and fades.",
            (_BETA_MEMORY, _DECAY),
            {
                "init": "memory = np.zeros((n_contexts, n_options))",
                "predict": "for k in range(n_options):\n    drive[k] += beta_memory * memory[context, k]",
                "update": _STORE.format(what="2.0 * reward - 1.0"),
            },
            ("memory",),
        ),
    ),
)

CAPACITY = Kind(
    "capacity",
    (
        Mechanism(
            "limited",
            "Memory has places for so many contexts, and helps less where there are more.",
            (Parameter("capacity", 1.0, 6.0, "places in memory"),),
            {
                "predict": """
                if {size} > capacity:
                    for k in range(n_options):
                        drive[k] -= (1.0 - capacity / {size}) * beta_memory * memory[context, k]
                """,
            },
            needs=("memory",),
        ),
    ),
)

EXPLORATION = Kind(
    "exploration",
    (
        Mechanism(
            "of the unknown",
            "Options that were chosen rarely are tried, or avoided.",
            (Parameter("curiosity", -5.0, 5.0, "choosing what was chosen rarely"),),
            {
                "init": "tried = np.zeros((n_contexts, n_options))",
                "predict": """
                for k in range(n_options):
                    drive[k] += curiosity / np.sqrt(1.0 + tried[context, k])
                """,
                "update": "tried[context, choice] += 1.0",
            },
            ("tried",),
        ),
    ),
)


def bandit_grammar(size: str = "") -> Grammar:
    """The grammar of bandits.

    Parameters
    ----------
    size
        Column that says how many contexts there are to be held in mind, if there is one.
    """
    kinds = (VALUES, FORGETTING, MEMORY, EXPLORATION, HABIT, BIAS, LAPSES)
    if not size:
        return Grammar(kinds)
    (limited,) = CAPACITY.mechanisms
    lines = {"predict": limited.lines["predict"].format(size=size)}
    capacity = Kind(CAPACITY.name, (replace(limited, lines=lines),))
    return Grammar((*kinds[:3], capacity, *kinds[3:]))
