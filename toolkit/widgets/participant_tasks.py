"""Tasks that a person can do in a notebook: their designs, and how things look that are shown and told."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from functools import cache, cached_property
from html import escape
from typing import ClassVar

import numpy as np

from toolkit.data.bank import BankProblem, load_bank
from toolkit.experiments import get_design
from toolkit.experiments.bandits import get_task
from toolkit.experiments.everyday import draw_everyday
from toolkit.experiments.sitting import Told
from toolkit.seeds import Seeds
from toolkit.trials import Trials
from toolkit.viz.agents import BLUE, GREEN, ORANGE, PURPLE
from toolkit.viz.problems import by_separation
from toolkit.viz.theme import INK

SURPRISE = "a surprise"
BLOCK = 8
"""Lengths of tasks are multiples of it, so that every figure is seen equally often."""
N_FEATURES = 3
"""Of a problem of the bank; people can look at so many."""
_MOST_UNEVEN = 0.4
"""Smallest base rate of problems that are played, so that saying one name always is no use."""

_SIZES, _COLOURS, _SHAPES = ("small", "large"), ("blue", "orange"), ("square", "triangle")
_PICTURE = (
    "min-height: 210px; display: flex; flex-direction: column; align-items: center; justify-content: center"
)


@dataclass(frozen=True)
class Task(ABC):
    """A task of a certain length.

    Attributes
    ----------
    kind
        Which of the task's :attr:`kinds` is learned.
    seed
        Decides the problem and the order of trials.
    player
        Model that does the task where no person has.
    """

    n_trials: int = 48
    seed: int = 0
    kind: str = SURPRISE

    name: ClassVar[str]
    label: ClassVar[str]
    kinds: ClassVar[tuple[str, ...]] = (SURPRISE,)
    player: ClassVar[str] = "gcm"
    imports: ClassVar[tuple[str, ...]]

    @cached_property
    def design(self) -> Trials:
        """One sequence without choices."""
        return self._draw()

    @abstractmethod
    def _draw(self) -> Trials:
        """The design, as :meth:`design_code` draws it."""

    @property
    @abstractmethod
    def design_code(self) -> str:
        """Lines that make ``design``."""

    @property
    @abstractmethod
    def instructions(self) -> str:
        """What the person is asked to do."""

    @property
    def options(self) -> tuple[str, str]:
        """What can be chosen."""
        return ("Category A", "Category B")

    @property
    def question(self) -> str:
        """What is asked on every trial."""
        return "Which category?"

    @property
    @abstractmethod
    def solution(self) -> str:
        """What it was all about, once it is over."""

    @abstractmethod
    def picture(self, position: int, told: Told | None = None) -> str:
        """What is shown on a trial, and what was told of it, as HTML with a description in words."""

    def feedback(self, told: Told) -> str:
        """What is told after a choice."""
        return f"{'✓ Right' if told.right else '✗ Wrong'}: {self.options[told.category]}"

    def score(self, trials: Trials, person: str) -> str:
        """How well it went, in a sentence."""
        return f"{person} right on {int(trials.correct.sum())} of {trials.n_trials} trials."

    @property
    def stem(self) -> str:
        """Beginning of the name of a file with choices."""
        return f"{self.name}_{self.n_trials}_trials_seed_{self.seed}"


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
            f"<div style='{_PICTURE}'><svg width='160' height='160' role='img' aria-label='{words}'>"
            f"<polygon points='{drawn}' fill='{fill}' stroke='{INK}' stroke-width='2'/></svg><div>{words}</div></div>"
        )


@cache
def _playable() -> list[int]:
    """Numbers of the bank's problems with two categories that are about as frequent."""
    return [
        number
        for number, problem in enumerate(load_bank())
        if len(problem.categories) == 2 and min(problem.base_rates) >= _MOST_UNEVEN
    ]


@dataclass(frozen=True)
class Everyday(Task):
    """A problem of the ecological bank, with the three features that tell most."""

    name = "everyday"
    label = "Everyday things (three measures)"
    imports = ("from toolkit.experiments.everyday import draw_everyday",)

    @property
    def number(self) -> int:
        """Of the problem in the bank."""
        return int(Seeds(self.seed).numpy("everyday").choice(_playable()))

    @property
    def problem(self) -> BankProblem:
        """The problem itself."""
        return load_bank()[self.number]

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
        return f"<div style='{_PICTURE}'><table style='font-size: 1.1em'>{rows}</table></div>"

    @property
    def _seen(self) -> list:
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


@dataclass(frozen=True)
class Casinos(Task):
    """Four casinos with two machines each, visited in a mixed order; the machine chosen shows what it pays."""

    name = "casinos"
    label = "Casinos (one outcome shown)"
    player = "rescorla_wagner"
    imports = ("from dataclasses import replace", "from toolkit.experiments.bandits import get_task")
    full: ClassVar[bool] = False

    def _draw(self) -> Trials:
        task = get_task("partial")
        n_visits = self.n_trials // len(task.machines)
        machines = tuple(replace(one, n_free=n_visits, full_feedback=self.full) for one in task.machines)
        return replace(task, machines=machines).draw(1, rng=Seeds(self.seed).numpy(self.name))

    @property
    def design_code(self) -> str:
        return (
            'task = get_task("partial")\n'
            f"machines = [replace(one, n_free={self.n_trials // 4}, full_feedback={self.full}) for one in task.machines]\n"
            f'design = replace(task, machines=tuple(machines)).draw(1, rng=seeds.numpy("{self.name}"))'
        )

    @property
    def instructions(self) -> str:
        also = " You see what the other one would have paid, too." if self.full else ""
        return (
            "There are four casinos with two machines each. A machine pays 0.5 or nothing, each with a chance of its own "
            f"that never changes. You are sent from casino to casino; win as much as you can.{also}"
        )

    @property
    def options(self) -> tuple[str, str]:
        return ("Left machine", "Right machine")

    @property
    def question(self) -> str:
        return "Which machine?"

    @property
    def solution(self) -> str:
        return "The machines paid with a chance of 25 % or 75 %."

    def picture(self, position: int, told: Told | None = None) -> str:
        place = int(self.design.context[0, position])
        words = f"Casino {place + 1}"
        machines = "".join(_machine(50 + 150 * k, _CASINOS[place], k, told) for k in (0, 1))
        seen = "" if told is None else f": {self.feedback(told)}"
        return (
            f"<div style='{_PICTURE}'><div style='font-size: 1.2em'>{words}</div>"
            f"<svg width='300' height='165' role='img' aria-label='{words}{seen}'>{machines}</svg></div>"
        )

    def score(self, trials: Trials, person: str) -> str:
        judged = trials.correct[~np.isnan(trials.correct)]
        won = np.take_along_axis(trials.outcome, trials.choice[..., None], -1).sum()
        return (
            f"{person} at the better machine on {int(judged.sum())} of the {len(judged)} visits that had one, and the "
            f"{trials.n_trials} choices paid {won:g}."
        )

    def feedback(self, told: Told) -> str:
        said = f"{self.options[told.choice]} paid {told.earned:g}"
        other = told.outcome[1 - told.choice]
        return said if np.isnan(other) else f"{said}, the other one {other:g}"


@dataclass(frozen=True)
class FullCasinos(Casinos):
    """The same, and the machine that was not chosen shows what it would have paid."""

    name = "casinos_full"
    label = "Casinos (both outcomes shown)"
    full = True


_CASINOS = (BLUE, ORANGE, GREEN, PURPLE)


def _machine(left: int, colour: str, number: int, told: Told | None) -> str:
    """A machine, what it paid, and a frame if it was chosen."""
    chosen = told is not None and told.choice == number
    paid = np.nan if told is None else told.outcome[number]
    window = "?" if np.isnan(paid) else f"{paid:g}"
    frame = f"stroke='{INK}' stroke-width='{6 if chosen else 1}'"
    return (
        f"<rect x='{left - 40}' y='12' width='130' height='140' rx='14' fill='{colour}' {frame}/>"
        f"<rect x='{left - 15}' y='45' width='80' height='60' rx='6' fill='white'/>"
        f"<text x='{left + 25}' y='86' text-anchor='middle' font-size='30' fill='{INK}'>{window}</text>"
    )


TASKS: tuple[type[Task], ...] = (Figures, Everyday, Casinos, FullCasinos)
