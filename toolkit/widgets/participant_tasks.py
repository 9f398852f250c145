"""What every task is that a person can do in a notebook: a design, and how its trials look."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

from toolkit.errors import UsageError
from toolkit.experiments.sitting import Told
from toolkit.trials import Trials

SURPRISE = "a surprise"
BLOCK = 8
"""Lengths of tasks are multiples of it, so that everything is seen equally often."""

PICTURE = (
    "min-height: 210px; display: flex; flex-direction: column; align-items: center; justify-content: center"
)
"""Style of what is shown, as high in every task, so that buttons stay where they are."""


@dataclass(frozen=True)
class Task(ABC):
    """A task of a certain length.

    Attributes
    ----------
    seed
        Decides the problem and the order of trials.
    kind
        Which of the task's :attr:`kinds` is learned.
    name, label
        For files, and for figures and lists.
    imports
        Lines that :attr:`design_code` needs.
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

    def __post_init__(self) -> None:
        if self.n_trials < BLOCK or self.n_trials % BLOCK:
            raise UsageError(
                f"a task of {self.n_trials} trials cannot be.", fix=f"Use a multiple of {BLOCK}."
            )

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
