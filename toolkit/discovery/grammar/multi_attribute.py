"""Mechanisms for choices between options with several attributes, nothing of which is told."""

from __future__ import annotations

from collections.abc import Sequence

from toolkit.discovery.grammar.common import BIAS, HABIT, LAPSES, share, weight
from toolkit.discovery.grammar.mechanisms import Grammar, Kind, Mechanism
from toolkit.models.base import Parameter

_SUM = """
for k in range(n_options):
    for i in range(n_features):
        drive[k] += steepness * {importance} * attributes[k, i]
"""
_STEEPNESS = weight("steepness", "following the attributes")

TAKE_THE_BEST = """
for i in range(n_features):
    best = attributes[0, i]
    worst = attributes[0, i]
    for k in range(1, n_options):
        best = max(best, attributes[k, i])
        worst = min(worst, attributes[k, i])
    if best > worst:
        for k in range(n_options):
            if attributes[k, i] == best:
                drive[k] += first_reason
        break
"""

HEURISTIC = Kind(
    "heuristic",
    (
        Mechanism(
            "take the best",
            "The most valid attribute that differs decides alone.",
            (weight("first_reason", "following the first attribute that differs"),),
            {"predict": TAKE_THE_BEST},
        ),
    ),
)


def multi_attribute_grammar(n_features: int, validities: Sequence[float] = ()) -> Grammar:
    """The grammar of choices between options with so many attributes.

    Parameters
    ----------
    validities
        Of the attributes, as people were told them.
    """
    weights = tuple(weight(f"weight_{i}", f"importance of attribute {i}", 10.0) for i in range(n_features))
    free = "\n".join(
        f"for k in range(n_options):\n    drive[k] += weight_{i} * attributes[k, {i}]"
        for i in range(n_features)
    )
    kinds = [
        Mechanism(
            "equal",
            "All attributes count the same.",
            (_STEEPNESS,),
            {"predict": _SUM.format(importance="1.0")},
        ),
        Mechanism("own weights", "Every attribute has a weight of its own.", weights, {"predict": free}),
        Mechanism(
            "falling weights",
            "Every attribute counts for a share of the one before it.",
            (_STEEPNESS, share("persistence", "how much the next attribute counts")),
            {"predict": _SUM.format(importance="persistence**i")},
        ),
    ]
    if validities:
        kinds += _stated(validities)
    return Grammar((Kind("evidence", tuple(kinds)), HEURISTIC, HABIT, BIAS, LAPSES))


def _stated(validities: Sequence[float]) -> list[Mechanism]:
    stated = "\n".join(f"importance[{i}] = {value}" for i, value in enumerate(validities))
    lines = f"importance = np.zeros(n_features)\n{stated}"
    return [
        Mechanism(
            "stated validities",
            "Attributes count as much as they were said to.",
            (_STEEPNESS,),
            {"predict": lines + _SUM.format(importance="importance[i]")},
        ),
        Mechanism(
            "sharpened validities",
            "Attributes count as they were said to, but differences between them are exaggerated or ignored.",
            (_STEEPNESS, Parameter("sharpness", 0.0, 10.0, "exaggeration of differences between validities")),
            {"predict": lines + _SUM.format(importance="importance[i] ** sharpness")},
        ),
    ]
