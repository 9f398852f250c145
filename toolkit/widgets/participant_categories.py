"""Categories to learn in a notebook: figures that differ in three features, and everyday things with three measures."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property
from html import escape

from toolkit.data.bank import BankFeature, BankProblem, load_bank
from toolkit.experiments import get_design
from toolkit.experiments.everyday import draw_everyday
from toolkit.experiments.sitting import Told
from toolkit.seeds import Seeds
from toolkit.trials import Trials
from toolkit.viz.agents import BLUE, ORANGE
from toolkit.viz.problems import by_separation
from toolkit.viz.theme import INK
from toolkit.widgets.participant_tasks import BLOCK, PICTURE, SURPRISE, Task

N_FEATURES = 3
"""Of a problem of the bank; people can look at so many."""
MOST_UNEVEN = 0.4
"""Smallest base rate of problems that are played, so that saying one name always is no use."""

_SIZES, _COLOURS, _SHAPES = ("small", "large"), ("blue", "orange"), ("square", "triangle")


@dataclass(frozen=True)
class Figures(Task):
    """One of Shepard's types with figures that differ in size, colour and shape."""

    name = "figures"
    label = "Figures (size, colour, shape)"
    kinds = (SURPRISE, *(f"Type {one}" for one in ("I", "II", "III", "IV", "V", "VI")))
    imports = ("from toolkit.experiments import get_design",)

    @property
    def type(self) -> str:
        """Which of the six types it is."""
        if self.kind != SURPRISE:
            return self.kind.removeprefix("Type ")
        return str(Seeds(self.seed).numpy("type").choice(get_design("shepard").conditions))

    def _draw(self) -> Trials:
        rng = Seeds(self.seed).numpy("figures")
        shepard, n_blocks = get_design("shepard", block=BLOCK), self.n_trials // BLOCK
        return shepard.draw(1, rng=rng, conditions=[self.type], n_blocks=n_blocks)

    @property
    def design_code(self) -> str:
        drawn = (
            'str(seeds.numpy("type").choice(shepard.conditions))'
            if self.kind == SURPRISE
            else f'"{self.type}"'
        )
        return (
            f'shepard = get_design("shepard", block={BLOCK})\n'
            f"conditions = [{drawn}]\n"
            f'design = shepard.draw(1, rng=seeds.numpy("figures"), conditions=conditions, n_blocks={self.n_trials // BLOCK})'
        )

    @property
    def instructions(self) -> str:
        return (
            "Figures are small or large, blue or orange, squares or triangles. Four of the eight are in category A, four "
            "in category B. At first you can only guess; you are told after each answer. Find out which are which."
        )

    @property
    def solution(self) -> str:
        return f"The problem was of Shepard's Type {self.type}."

    def picture(self, position: int, told: Told | None = None) -> str:
        size, colour, shape = (int(value) for value in self.design.stimulus[0, position])
        words = f"{_SIZES[size]} {_COLOURS[colour]} {_SHAPES[shape]}"
        half, fill = (34, 68)[size], (BLUE, ORANGE)[colour]
        points = [(-half, -half), (half, -half), (half, half), (-half, half)]
        if shape:
            points = [(0, -half), (half, half), (-half, half)]
        drawn = " ".join(f"{80 + x},{80 + y}" for x, y in points)
        return (
            f"<div style='{PICTURE}'><svg width='160' height='160' role='img' aria-label='{words}'>"
            f"<polygon points='{drawn}' fill='{fill}' stroke='{INK}' stroke-width='2'/></svg><div>{words}</div></div>"
        )


@cache
def playable() -> dict[int, BankProblem]:
    """The bank's problems with two categories that are about as frequent, by number."""
    return {
        number: problem
        for number, problem in enumerate(load_bank())
        if len(problem.categories) == 2 and min(problem.base_rates) >= MOST_UNEVEN
    }


@dataclass(frozen=True)
class Everyday(Task):
    """A problem of the ecological bank, with the three features that tell most."""

    name = "everyday"
    label = "Everyday things (measures)"
    imports = ("from toolkit.experiments.everyday import draw_everyday",)

    @property
    def number(self) -> int:
        """Of the problem in the bank."""
        return int(Seeds(self.seed).numpy("everyday").choice(list(playable())))

    @property
    def problem(self) -> BankProblem:
        """The problem itself."""
        return playable()[self.number]

    @cached_property
    def features(self) -> list[int]:
        """Positions of the features that are seen."""
        return sorted(by_separation(self.problem)[:N_FEATURES])

    def _draw(self) -> Trials:
        return draw_everyday(self.number, self.features, self.n_trials, seed=self.seed)

    @property
    def design_code(self) -> str:
        return f"design = draw_everyday({self.number}, {self.features}, {self.n_trials}, seed={self.seed})"

    @cached_property
    def options(self) -> tuple[str, str]:
        first, second = self.problem.categories
        return first, second

    @property
    def question(self) -> str:
        return self.problem.question

    @property
    def instructions(self) -> str:
        return f"{self.problem.question} You see three measures each time, answer, and are told what it was."

    @property
    def solution(self) -> str:
        return f"The problem was number {self.number} of the ecological bank."

    def picture(self, position: int, told: Told | None = None) -> str:
        rows = "".join(
            f"<tr><th scope='row' style='text-align: left; padding: 4px 24px 4px 0; font-weight: normal'>"
            f"{escape(feature.name)}</th><td style='font-size: 1.3em'>{escape(value)}</td></tr>"
            for feature, value in zip(self._seen, self.values(position), strict=True)
        )
        return f"<div style='{PICTURE}'><table style='font-size: 1.1em'>{rows}</table></div>"

    @property
    def _seen(self) -> list[BankFeature]:
        return [self.problem.features[position] for position in self.features]

    def values(self, position: int) -> list[str]:
        """Values of the features on a trial, with units."""
        found = []
        for feature in self._seen:
            value = self.design.arrays[f"{feature.name} ({feature.unit})"][0, position]
            found.append(
                ("no", "yes")[int(value)] if feature.kind == "binary" else f"{value:g} {feature.unit}"
            )
        return found
