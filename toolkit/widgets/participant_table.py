"""The table at which a task is done: what is shown, two answers, what is told, and keys for all of it."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from typing import Any

import ipywidgets as widgets

from toolkit.experiments.sitting import Sitting
from toolkit.widgets.controls import button
from toolkit.widgets.participant_tasks import Task

KEYS = ("f", "j")
"""Keys of both options; the space bar goes on."""
_COLOURS = {True: "#00664B", False: "#A84300", None: "inherit"}


class Table(widgets.VBox):
    """Shows the trials of a sitting and hands over answers.

    Parameters
    ----------
    choose
        Called with an option's number.
    go_on
        Called when the next trial is asked for.

    Attributes
    ----------
    answers
        A button for every option.
    next
        The button that goes on.
    key_field
        Where keys are typed: the last letter counts, and it is empty again at once.
    picture, told
        What is shown, and what came of a choice.
    """

    def __init__(self, choose: Callable[[int], None], go_on: Callable[[], None]) -> None:
        self._answer, self._continue = choose, go_on
        self.progress = widgets.IntProgress(min=0, layout={"width": "330px"}, bar_style="success")
        self.picture, self.told = widgets.HTML(), widgets.HTML()
        self.answers = [
            button("", "", "", lambda _, option=option: choose(option)) for option in range(len(KEYS))
        ]
        self.next = button("Next", "arrow-right", "Show the next trial (space bar)", lambda _: go_on())
        self.key_field = widgets.Text(
            description="Keys",
            placeholder="F or J, then space",
            tooltip="Type F or J to answer, and the space bar to go on",
            layout={"width": "260px"},
            style={"description_width": "40px"},
        )
        self.key_field.observe(self._press, "value")
        rows = [
            self.progress,
            self.picture,
            self.told,
            widgets.HBox(self.answers),
            widgets.HBox([self.next, self.key_field]),
        ]
        super().__init__(rows, layout={"display": "none", "align_items": "center"})

    def lay(self, task: Task) -> None:
        """Put a task on the table, ready for keys."""
        for answer, key, name in zip(self.answers, KEYS, task.options, strict=True):
            answer.description = f"{name} ({key.upper()})"
            answer.tooltip = f"Answer {name}: key {key.upper()}"
        self.progress.max = task.n_trials
        self.layout.display = "flex"
        self.key_field.focus()

    def clear(self) -> None:
        """Take everything away."""
        self.layout.display = "none"

    def show(self, task: Task, sitting: Sitting) -> None:
        """Draw the trial that is shown or told."""
        told = sitting.told if sitting.state == "told" else None
        self.picture.value = task.picture(sitting.position, told)
        for option, answer in enumerate(self.answers):
            answer.button_style = "primary" if told is not None and told.choice == option else ""
        self.progress.value = sitting.n_done
        self.progress.description = f"{sitting.position + 1} of {sitting.n_trials}"
        # In a bandit nobody says which option is the better one.
        right = told.right if told is not None and told.category is not None else None
        self.told.value = paragraph("" if told is None else task.feedback(told), right)

    def _press(self, change: dict[str, Any]) -> None:
        # Letters typed faster than the field is emptied follow older ones, which have been dealt with.
        typed = str(change["new"])[-1:].lower()
        if not typed:
            return
        self.key_field.value = ""
        if typed in KEYS:
            self._answer(KEYS.index(typed))
        elif typed == " ":
            self._continue()


def paragraph(text: str, right: bool | None = None) -> str:
    """Text that screen readers read out when it changes; green or red if it says what was right or wrong."""
    style = f"line-height: 1.4; min-height: 1.4em; color: {_COLOURS[right]}"
    return f"<p role='alert' style='{style}'>{escape(text)}</p>"
