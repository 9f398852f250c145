"""Parameters and mechanisms that the grammars of several families have in common."""

from __future__ import annotations

from toolkit.discovery.grammar.mechanisms import Kind, Mechanism
from toolkit.models.base import Parameter


def rate(name: str, meaning: str) -> Parameter:
    """A share of a difference that is made up on a trial."""
    return Parameter(name, 0.0, 1.0, meaning)


share = rate
"""A share of anything else."""


def weight(name: str, meaning: str, upper: float = 20.0) -> Parameter:
    """How strongly something drives choices, in one direction."""
    return Parameter(name, 0.0, upper, meaning)


def stickiness(name: str, meaning: str) -> Parameter:
    """How strongly something drives choices, in either direction."""
    return Parameter(name, -5.0, 5.0, meaning)


LAPSES = Kind(
    "lapses",
    (
        Mechanism(
            "at random",
            "Some choices are made without looking.",
            (share("lapse", "choices at random"),),
            end="""
            p = softmax(drive)
            for k in range(n_options):
                p[k] = (1.0 - lapse) * p[k] + lapse / n_options
            return p
            """,
        ),
    ),
)

HABIT = Kind(
    "habit",
    (
        Mechanism(
            "repeat",
            "The last choice tends to be repeated, or avoided.",
            (stickiness("stay", "repeating the last choice"),),
            {
                "init": "last = -1",
                "predict": "if last >= 0:\n    drive[last] += stay",
                "update": "last = choice",
            },
            ("last",),
        ),
        Mechanism(
            "trace",
            "Choices become habits, which build up and fade.",
            (stickiness("stay", "repeating earlier choices"), rate("rate_habit", "building of habits")),
            {
                "init": "habit = np.zeros(n_options)",
                "predict": "for k in range(n_options):\n    drive[k] += stay * habit[k]",
                "update": """
                for k in range(n_options):
                    habit[k] += rate_habit * ((1.0 if k == choice else 0.0) - habit[k])
                """,
            },
            ("habit",),
        ),
    ),
)

BIAS = Kind(
    "bias",
    (
        Mechanism(
            "for the first option",
            "One option is liked for its own sake.",
            (stickiness("bias", "choosing the first option"),),
            {"predict": "drive[0] += bias"},
        ),
    ),
)
