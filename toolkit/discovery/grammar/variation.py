"""New sketches from old ones: at random, by a change of one mechanism, and from two parents."""

from __future__ import annotations

import numpy as np

from toolkit.discovery.grammar.mechanisms import NONE, Grammar, Sketch

SHARE_PRESENT = 0.4
"""Of the types of mechanisms in a sketch that is made at random."""

SHARE_REMOVED = 0.3
"""Of mutations that take a mechanism out, if there is one."""


def draw(grammar: Grammar, rng: np.random.Generator) -> Sketch:
    """A sketch at random."""
    chosen = {}
    for kind in grammar.kinds:
        if rng.random() < SHARE_PRESENT:
            chosen[kind.name] = str(rng.choice(kind.options[1:]))
    return grammar.sketch(chosen)


def mutate(grammar: Grammar, sketch: Sketch, rng: np.random.Generator) -> Sketch:
    """The same with one mechanism added, taken out, or replaced by another of its type."""
    chosen = sketch.by_kind
    if chosen and rng.random() < SHARE_REMOVED:
        del chosen[str(rng.choice(list(chosen)))]
        return grammar.sketch(chosen)
    kind = grammar.kinds[rng.integers(len(grammar.kinds))]
    present = chosen.get(kind.name, NONE)
    others = [name for name in kind.options if name not in (present, NONE)]
    if not others:
        del chosen[kind.name]
        return grammar.sketch(chosen)
    chosen[kind.name] = str(rng.choice(others))
    return grammar.sketch(complete(grammar, chosen, kind.name, rng))


def cross(grammar: Grammar, one: Sketch, other: Sketch, rng: np.random.Generator) -> Sketch:
    """A sketch whose mechanism of every type is that of either parent."""
    first, second = one.by_kind, other.by_kind
    chosen = {}
    for kind in grammar.kinds:
        parent = first if rng.random() < 0.5 else second
        chosen[kind.name] = parent.get(kind.name, NONE)
    return grammar.sketch(chosen)


def complete(
    grammar: Grammar, chosen: dict[str, str], added: str, rng: np.random.Generator
) -> dict[str, str]:
    """With a mechanism of every type that the added one needs and that is not there yet, and so on."""
    waiting = [added]
    while waiting:
        kind = waiting.pop()
        for needed in grammar.kind(kind).get(chosen[kind]).needs:
            if chosen.get(needed, NONE) == NONE:
                chosen[needed] = str(rng.choice(grammar.kind(needed).options[1:]))
                waiting.append(needed)
    return chosen
