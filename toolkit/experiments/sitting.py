"""One person in front of a design, trial by trial: shown something, choosing, told what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from toolkit.errors import UsageError
from toolkit.trials import MISSING, Trials

State = Literal["shown", "told", "over"]


@dataclass(frozen=True)
class Told:
    """What came of a choice.

    Attributes
    ----------
    choice
        The option chosen.
    right
        Whether it was right; None where nothing is, as among options that pay alike.
    category
        The category told; None in a bandit.
    outcome
        (options,) what each option was seen to pay, NaN if unseen; empty in category learning.
    """

    choice: int
    right: bool | None
    category: int | None
    outcome: tuple[float, ...]

    @property
    def earned(self) -> float:
        """What the option chosen paid; 0 in category learning."""
        return self.outcome[self.choice] if self.outcome else 0.0


class Sitting:
    """Goes through a design with one person, or with a script that stands for one.

    It begins with the first trial "shown"; :meth:`choose` makes it "told"; :meth:`go_on` shows the next trial, or it
    is "over". No trial can be missed or answered twice.

    Parameters
    ----------
    design
        One sequence of category learning or of a bandit whose options' payoffs are known. Choices in it are ignored.

    Attributes
    ----------
    state
        "shown", "told" or "over".
    position
        Trial that is shown or told, from 0.

    Examples
    --------
    >>> from toolkit.experiments import get_design
    >>> design = get_design("shepard").draw(1, rng=np.random.default_rng(0), conditions=["I"], n_blocks=1)
    >>> sitting = Sitting(design)
    >>> while sitting.state != "over":
    ...     told = sitting.choose(int(sitting.shown[0]))
    ...     sitting.go_on()
    >>> sitting.trials.equals(sitting.trials.until(16))
    True
    """

    def __init__(self, design: Trials) -> None:
        if design.schema.name not in ("category_learning", "bandit"):
            raise UsageError(f"{design.schema.name} cannot be done here.", fix="Use categories or a bandit.")
        if len(design) != 1 or not design.mask.all():
            raise UsageError(
                f"a sitting is one sequence, not {len(design)}.", fix="Take one: design.take([0])."
            )
        if "forced" in design.arrays and design.forced.any():
            raise UsageError("this design dictates choices.", fix="Use one whose choices are all free.")
        self._trials = design.unanswered()
        self.position = 0
        self.state: State = "shown"

    @property
    def n_trials(self) -> int:
        """Trials of the whole design."""
        return self._trials.n_trials

    @property
    def n_done(self) -> int:
        """Choices made so far."""
        return self.position + (self.state == "told")

    @property
    def shown(self) -> np.ndarray:
        """(features,) of what is shown, or () the set of options that is on offer."""
        name = "context" if self._trials.schema.name == "bandit" else "stimulus"
        return self._trials.arrays[name][0, min(self.position, self.n_trials - 1)]

    def choose(self, option: int) -> Told:
        """Choose on the trial that is shown."""
        if self.state != "shown":
            if self.state == "over":
                raise UsageError(f"trial {self.n_trials} was the last.", fix="All answers are in .trials.")
            raise UsageError(f"trial {self.position + 1} has an answer.", fix="Call go_on() first.")
        if option not in range(self._trials.n_options):
            raise UsageError(f"there is no option {option!r}.", fix=f"0 to {self._trials.n_options - 1}.")
        self._trials = self._trials.answered(self.position, np.array([option]))
        self.state = "told"
        return self.told

    def go_on(self) -> None:
        """Show the next trial, if there is one."""
        if self.state != "told":
            raise UsageError("nothing has been told yet.", fix="Call choose() first.")
        self.position += 1
        self.state = "shown" if self.position < self.n_trials else "over"

    @property
    def told(self) -> Told:
        """What came of the choice on the present trial."""
        if self.state != "told":
            raise UsageError("nothing has been told yet.", fix="Call choose() first.")
        trials, t = self._trials, self.position
        choice, right = int(trials.choice[0, t]), int(trials.right[0, t])
        category = int(trials.category[0, t]) if "category" in trials.arrays else None
        outcome = tuple(trials.outcome[0, t].tolist()) if "outcome" in trials.arrays else ()
        return Told(choice, None if right == MISSING else choice == right, category, outcome)

    @property
    def trials(self) -> Trials:
        """The trials that have been answered."""
        if not self.n_done:
            raise UsageError("no choice has been made yet.", fix="Call choose() first.")
        return self._trials.until(self.n_done)
