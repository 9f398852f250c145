"""Be the participant: do a short task by mouse or keyboard, and see which agent learned most like you."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from threading import RLock, Thread, Timer
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets

from toolkit.errors import DataError, InterruptedRunError, ToolkitError, UsageError
from toolkit.experiments.sitting import Sitting
from toolkit.fitting.players import SPOKEN
from toolkit.fitting.verdict import Verdict, fit_one_by_one, list_candidates
from toolkit.models import Model, get_model_for
from toolkit.models.answering import Procedure, answer, likely_story
from toolkit.trials import Trials
from toolkit.viz import agent_style
from toolkit.widgets.controls import LABELS, WIDE, button, choice
from toolkit.widgets.dashboard import FIGURE_WIDTH, Dashboard
from toolkit.widgets.participant_casinos import Casinos, FullCasinos
from toolkit.widgets.participant_categories import Everyday, Figures
from toolkit.widgets.participant_play import Play, save_choices
from toolkit.widgets.participant_table import Table, paragraph
from toolkit.widgets.participant_tasks import Task

if TYPE_CHECKING:
    from toolkit.llm import Client

TASKS: tuple[type[Task], ...] = (Figures, Everyday, Casinos, FullCasinos)
LENGTHS = (16, 24, 48, 72, 96)
PACES = (("go on after 2 seconds", 2.0), ("go on after 1 second", 1.0), ("wait for me", 0.0))
"""What happens after feedback, and seconds until then; 0 waits."""
_BEGIN, _AGAIN = "Begin", "Start again"
_HOW = (
    "Answer with the buttons, or with the keys F and J in the field “Keys”; the space bar goes on. Nobody is watching: "
    "choices stay in this notebook's memory unless you save them, and nothing about you is asked."
)


class BeTheParticipant(Dashboard):
    """Do a category-learning or bandit task, and be told which agent learned most like you.

    Parameters
    ----------
    n_trials
        Trials of the task that is offered first.
    seed
        Decides the problem and the order of trials; starting again takes the next one.
    client
        Asks a language model about the same trials, which is then among the agents; only for categories.

    Attributes
    ----------
    sitting
        The task under way or done, without any widget; None before it begins.
    verdict
        What fits of all agents said, once they are done.
    saved
        Where the choices were written, if they were.
    """

    def __init__(self, *, n_trials: int = 48, seed: int = 0, client: Client | None = None) -> None:
        self.client = client
        self.sitting: Sitting | None = None
        self.verdict: Verdict | None = None
        self.saved: Path | None = None
        self._task: Task = Figures(n_trials, seed)
        self._round = 0
        self._turn = RLock()
        self._timer: Timer | None = None
        self.fitting: Thread | None = None
        self._make_controls(n_trials, seed)
        self.said, self.note = widgets.HTML(), widgets.HTML()
        self.table = Table(self._choose, self._go_on)
        self._settings = (self.task, self.kind, self.length, self.seed)
        for control in (*self._settings, self.pace):
            control.style.description_width = "100px"
        above = widgets.VBox([self.said, self.note, self.table], layout={"width": f"{FIGURE_WIDTH}px"})
        above.add_class("toolkit-task")
        super().__init__([*self._settings, self.pace, self.begin, self.save], above=[above])
        self.task.observe(self._change_task, "value")
        self.follow(self.kind, self.length, self.seed)

    # -- what can be asked for ------------------------------------------------------------------

    @property
    def trials(self) -> Trials:
        """The choices made so far."""
        if self.sitting is None:
            raise UsageError("no choice has been made yet.", fix=f"Press {_BEGIN}.")
        return self.sitting.trials

    @property
    def is_over(self) -> bool:
        """Whether the last trial has been answered and told."""
        return self.sitting is not None and self.sitting.state == "over"

    def view(self) -> Play:
        if self.verdict is None:
            return Play(self._asked_for())
        return Play(self._task, tuple(self.trials.choice[0].tolist()), self.verdict, self.client)

    def redraw(self, *_: Any) -> None:
        with self._turn:
            if self.verdict is not None or self._held:
                super().redraw()
                return
            with self.busy():
                self.code_area.value = self.view().code()
            if self.sitting is None:
                self.say(f"{self._asked_for().instructions} {_HOW}")

    def say(self, sentence: str) -> None:
        """Show a sentence above everything else, where a tall figure does not hide it."""
        self.said.value = paragraph(sentence)

    def _make_controls(self, n_trials: int, seed: int) -> None:
        self.task = choice("Task", [(task.label, task) for task in TASKS])
        self.kind = choice("Problem", Figures.kinds)
        self.length = choice("Trials", sorted({*LENGTHS, n_trials}), n_trials)
        self.seed = widgets.BoundedIntText(
            value=seed, min=0, max=9999, description="Seed", layout=WIDE, style=LABELS
        )
        self.pace = choice("Pace", PACES, PACES[0][1])
        self.begin = button(_BEGIN, "play", "Show the first trial", self._begin_or_reset)
        self.save = button("Save my choices", "save", "Write them as a table into data/own", self._save)
        self.save.disabled = True

    def _asked_for(self) -> Task:
        return self.task.value(self.length.value, self.seed.value, self.kind.value)

    def _change_task(self, _: object) -> None:
        with self.together():
            self.kind.options = self.task.value.kinds

    # -- turns -------------------------------------------------------------------------------------

    def _begin_or_reset(self, _: object) -> None:
        with self._turn:
            if self.sitting is None:
                self._start()
            else:
                self._reset()

    def _start(self) -> None:
        self._task = self._asked_for()
        with self.busy():
            self.sitting = Sitting(self._task.design)
        self.begin.description, self.begin.icon = _AGAIN, "refresh"
        self._set(self._settings, disabled=True)
        self.say(self._task.question)
        self.table.lay(self._task)
        self.table.show(self._task, self.sitting)

    def _reset(self) -> None:
        """Back to the instructions; with another seed if something of this problem was seen."""
        self._round += 1
        self._stop_waiting()
        seen = self.sitting is not None and self.sitting.n_done > 0
        self.sitting = self.verdict = self.saved = None
        self.begin.description, self.begin.icon = _BEGIN, "play"
        self._set(self._settings, disabled=False)
        self.save.disabled = True
        self.table.clear()
        self.end_progress()
        self._put(None)
        self.note.value = ""
        self.seed.value += seen
        self.redraw()

    def _choose(self, option: int) -> None:
        with self._turn:
            if self.sitting is None or self.sitting.state != "shown":
                return
            self.sitting.choose(option)
            self.save.disabled = False
            self.table.show(self._task, self.sitting)
            if self.pace.value:
                self._timer = Timer(self.pace.value, self._go_on, [self._round, self.sitting.position])
                self._timer.daemon = True
                self._timer.start()

    def _go_on(self, round_: int | None = None, position: int | None = None) -> None:
        """Show the next trial; what a clock asks for is done only if nobody was faster."""
        with self._turn:
            if self.sitting is None or self.sitting.state != "told":
                return
            if round_ is not None and (round_, position) != (self._round, self.sitting.position):
                return
            self._stop_waiting()
            self.sitting.go_on()
            if self.is_over:
                self._finish()
            else:
                self.table.show(self._task, self.sitting)

    def _stop_waiting(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _set(self, controls: tuple[widgets.Widget, ...], *, disabled: bool) -> None:
        for control in controls:
            control.disabled = disabled

    # -- what comes of it --------------------------------------------------------------------------

    def _finish(self) -> None:
        self.table.clear()
        self.fitting = Thread(target=self._fit, args=[self._round, self.trials], daemon=True)
        self.fitting.start()

    def _fit(self, round_: int, trials: Trials) -> None:
        """Fit one agent after another beside whatever else is done; a new round ends it."""
        fits = {}
        try:
            agents = [*list_candidates(trials), *self._ask(round_, trials)]
            self._report(round_, 0, agents)
            for name, fit in fit_one_by_one(trials, agents):
                fits[name] = fit
                if not self._report(round_, len(fits), agents):
                    return
            end = partial(self._conclude, Verdict.of(fits, trials, agents))
        except ToolkitError as error:
            end = partial(self.say, str(error))
        except Exception as error:  # Nobody would see a thread die, and would wait for ever.
            end = partial(self.say, f"The fits ended with an error: {error!r}. Your choices can be saved.")
        with self._turn:
            if round_ == self._round:
                self.end_progress()
                end()

    def _ask(self, round_: int, trials: Trials) -> list[Model]:
        """The language model, told what the person had seen and chosen before each trial; nobody if it does not answer."""
        if self.client is None or trials.schema.name != "category_learning":
            return []

        def tell(n_done: int, n_questions: int) -> None:
            with self._turn:
                if round_ != self._round:
                    raise InterruptedRunError("the next round has begun.")
                self.show_progress(n_done, n_questions)

        self.say(f"That was the last trial. Asking {self.client.model} about the same trials.")
        try:
            answers = answer(trials, self.client, Procedure(likely_story(trials)), tell=tell)
            absent = answers.loc[answers["source"] == "missing", "reply"]
            if len(absent):
                raise DataError(absent.iloc[0])
            return [get_model_for(SPOKEN, trials, answers=answers)]
        except ToolkitError as error:
            with self._turn:
                if round_ == self._round:
                    self.note.value = paragraph(f"The language model is not among the agents: {error}")
            return []

    def _report(self, round_: int, n_done: int, agents: list[str | Model]) -> bool:
        """Say how many fits are done; false if nobody waits for them any more."""
        with self._turn:
            if round_ != self._round:
                return False
            self.show_progress(n_done, len(agents))
            names = [agent if isinstance(agent, str) else agent.name for agent in agents]
            now = f"; now {agent_style(names[n_done]).label}" if n_done < len(names) else ""
            self.say(
                f"That was the last trial. Fitting agents to your choices: {n_done} of {len(agents)} done{now}."
            )
            return True

    def _conclude(self, verdict: Verdict) -> None:
        self.verdict = verdict
        self.redraw()

    def _save(self, _: object) -> None:
        try:
            self.saved = save_choices(self.trials, self._task.stem)
            said = f"Saved as {self.saved}."
        except (ToolkitError, OSError) as error:
            said = f"Your choices were not saved: {error}"
        self.note.value = paragraph(said)
