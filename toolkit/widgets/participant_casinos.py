"""Casinos to win in, in a notebook: four pairs of machines that pay with chances of their own."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from toolkit.experiments.bandits import get_task
from toolkit.experiments.sitting import Told
from toolkit.seeds import Seeds
from toolkit.trials import Trials
from toolkit.viz.agents import BLUE, GREEN, ORANGE, PURPLE
from toolkit.viz.theme import INK
from toolkit.widgets.participant_tasks import PICTURE, Task

_COLOURS = (BLUE, ORANGE, GREEN, PURPLE)


@dataclass(frozen=True)
class Casinos(Task):
    """Four casinos with two machines each, visited in a mixed order; the machine chosen shows what it pays."""

    name = "casinos"
    label = "Casinos (one outcome)"
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
        machines = "".join(_machine(50 + 150 * k, _COLOURS[place], k, told) for k in (0, 1))
        seen = "" if told is None else f": {self.feedback(told)}"
        return (
            f"<div style='{PICTURE}'><div style='font-size: 1.2em'>{words}</div>"
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
    label = "Casinos (both outcomes)"
    full = True


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
