"""What sketches are made of: mechanisms, each of one type, of which a sketch has at most one a type."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from textwrap import dedent

import numpy as np

from toolkit.errors import UsageError, did_you_mean
from toolkit.models.base import Parameter
from toolkit.syntax import parse_module

NONE = "none"
"""A type of mechanism that a sketch does without."""


@dataclass(frozen=True)
class Mechanism:
    """One thing that a mind may do.

    Attributes
    ----------
    name
        In a word or two.
    idea
        In a sentence, what it says about people.
    parameters
        Those that its lines use; of the same name, in several mechanisms, it is the same parameter.
    lines
        Statements by the function of a program that they are put into. Predictions add to ``drive``, a number
        an option.
    state
        Names of what is remembered, each defined by the lines of ``init``.
    needs
        Types of mechanisms that must be there for this one to make sense.
    end
        Lines that make a prediction of ``drive``, instead of a softmax.
    """

    name: str
    idea: str
    parameters: tuple[Parameter, ...] = ()
    lines: Mapping[str, str] = field(default_factory=dict)
    state: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    end: str = ""

    @cached_property
    def names(self) -> frozenset[str]:
        """Every name in its lines."""
        trees = (parse_module(dedent(lines)) for lines in self.lines.values())
        return frozenset(node.id for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Name))

    @cached_property
    def predicts(self) -> bool:
        """Whether it adds to predictions itself."""
        return bool(self.end) or any(function.startswith("predict") for function in self.lines)


@dataclass(frozen=True)
class Kind:
    """A type of mechanism, and its alternatives.

    Attributes
    ----------
    name
        For instance "values" or "habit".
    mechanisms
        Any of them, but only one at a time.
    """

    name: str
    mechanisms: tuple[Mechanism, ...]

    def get(self, name: str) -> Mechanism:
        """The alternative of that name."""
        for mechanism in self.mechanisms:
            if mechanism.name == name:
                return mechanism
        known = [mechanism.name for mechanism in self.mechanisms]
        raise UsageError(f"there is no {self.name} '{name}'.", where="grammar", fix=did_you_mean(name, known))

    @property
    def options(self) -> tuple[str, ...]:
        """Names of the alternatives, the absence of all of them first."""
        return (NONE, *(mechanism.name for mechanism in self.mechanisms))


Genes = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Sketch:
    """A combination of mechanisms, before it is written as a program.

    Attributes
    ----------
    genes
        Pairs of a type and the mechanism chosen for it, in the order of the grammar, without absent ones.
    """

    genes: Genes = ()

    @property
    def by_kind(self) -> dict[str, str]:
        """The mechanism of every type that there is."""
        return dict(self.genes)


@dataclass(frozen=True)
class Grammar:
    """The types of mechanisms of a family of trials, and the functions that predict.

    Attributes
    ----------
    kinds
        In the order in which their lines are written.
    stages
        The functions that predict.
    """

    kinds: tuple[Kind, ...]
    stages: tuple[str, ...] = ("predict",)

    @cached_property
    def _kinds(self) -> dict[str, Kind]:
        return {kind.name: kind for kind in self.kinds}

    def kind(self, name: str) -> Kind:
        """The type of that name."""
        if name not in self._kinds:
            raise UsageError(
                f"there is no type of mechanism '{name}'.",
                where="grammar",
                fix=did_you_mean(name, self._kinds),
            )
        return self._kinds[name]

    def sketch(self, chosen: Mapping[str, str]) -> Sketch:
        """The sketch of these mechanisms, without those that lack what they need, or that nothing uses."""
        wanted = {name: self.kind(name).get(value) for name, value in chosen.items() if value != NONE}
        while True:
            useless = [
                name
                for name, one in wanted.items()
                if not set(one.needs) <= wanted.keys() or not _is_used(one, list(wanted.values()))
            ]
            if not useless:
                break
            for name in useless:
                del wanted[name]
        genes = ((kind.name, wanted[kind.name].name) for kind in self.kinds if kind.name in wanted)
        return Sketch(tuple(genes))

    def mechanisms(self, sketch: Sketch) -> list[Mechanism]:
        """The mechanisms of a sketch, in order."""
        return [self.kind(name).get(value) for name, value in sketch.genes]

    def parameters(self, sketch: Sketch) -> tuple[Parameter, ...]:
        """The parameters of a sketch, each once."""
        found: dict[str, Parameter] = {}
        for mechanism in self.mechanisms(sketch):
            found |= {one.name: one for one in mechanism.parameters if one.name not in found}
        return tuple(found.values())

    def features(self, sketch: Sketch) -> np.ndarray:
        """(features,) 1 for every mechanism that there is, 0 for every other of the grammar."""
        return np.array(
            [
                float(sketch.by_kind.get(kind.name) == one.name)
                for kind in self.kinds
                for one in kind.mechanisms
            ]
        )

    @property
    def n_sketches(self) -> int:
        """Combinations, before needs are looked at."""
        return int(np.prod([len(kind.options) for kind in self.kinds]))


def _is_used(mechanism: Mechanism, all_there_are: list[Mechanism]) -> bool:
    """Whether choices depend on a mechanism: on its own lines, or on what others make of what it remembers."""
    if mechanism.predicts or not mechanism.state:
        return True
    others = (one for one in all_there_are if one is not mechanism and (one.predicts or one.state))
    return any(not one.names.isdisjoint(mechanism.state) for one in others)
