"""Problem browser: choose a problem and an agent, and see where it draws the line after some trials."""

from __future__ import annotations

from collections.abc import Sequence
from threading import Event, RLock, Thread
from typing import TYPE_CHECKING, Any

from toolkit.errors import DataError, InterruptedRunError, ToolkitError
from toolkit.fitting.players import SCRIPTED, SPOKEN
from toolkit.llm import Failure, Reply, Request
from toolkit.models import list_models
from toolkit.models.checkpoints import absent_networks
from toolkit.tasks import list_sources
from toolkit.viz.problems import by_separation
from toolkit.widgets.controls import agent_options, button, choice, slider
from toolkit.widgets.dashboard import Dashboard
from toolkit.widgets.problem_view import Browser, bank, feature_names, get_drawn_source

if TYPE_CHECKING:
    from toolkit.llm import Client

MOST_TRIALS = 40
_ASK, _STOP = "Ask the language model", "Stop asking"


def sources_here() -> list[str]:
    """Sources of problems whose data are here."""
    found = []
    for name in list_sources():
        try:
            get_drawn_source(name)
        except DataError:
            continue
        found.append(name)
    return found


def list_learners(client: Client | None = None) -> list[str]:
    """All agents of category learning; a script stands for language models until a client can ask one."""
    names = [name for name in list_models("category_learning") if name not in absent_networks()]
    return [*names, SCRIPTED, *([SPOKEN] if client else [])]


class ProblemBrowser(Dashboard):
    """Choose a source, a problem, two features and an agent, and see where it draws the line after some trials.

    Parameters
    ----------
    client
        Asks a language model, which then is among the agents; what it says is kept in the client's journal.

    Attributes
    ----------
    asking
        Waits for the language model's answers, once some were asked for.
    """

    def __init__(
        self, source: str = "bank", agent: str = "gcm", *, seed: int = 0, client: Client | None = None
    ) -> None:
        self.seed, self.client = seed, client
        self.asking: Thread | None = None
        self._stop, self._turn, self._trouble = Event(), RLock(), ""
        self.source = choice("Source", sources_here(), source)
        self.problem = slider("Problem", 0, len(bank()) - 1, 0, "Number in the bank, or of the draw")
        self.problem.continuous_update = False
        self.first = choice("Across", [("", 0)])
        self.second = choice("Upwards", [("", 1)])
        self.agent = choice("Agent", agent_options(list_learners(client)), agent)
        self.trials = slider("Trials", 1, MOST_TRIALS, 12, "Points that the agent was shown and told about")
        self._name_features()
        self.ask = button(_ASK, "comments", "Send the questions about this view", self._ask_or_stop)
        controls = [self.source, self.problem, self.first, self.second, self.agent, self.trials, self.ask]
        super().__init__(controls)
        for control in (self.source, self.problem):
            control.observe(self._change_problem, "value")
        self.follow(self.first, self.second, self.agent, self.trials)

    def view(self) -> Browser:
        pair = (self.first.value, self.second.value)
        return Browser(
            self.source.value,
            self.problem.value,
            pair,
            self.agent.value,
            self.trials.value,
            self.seed,
            self.client,
        )

    def redraw(self, *_: Any) -> None:
        self.ask.layout.display = "" if self.agent.value == SPOKEN else "none"
        with self._turn:
            super().redraw()

    # -- asking a language model -------------------------------------------------------------------

    def _ask_or_stop(self, _: object) -> None:
        if self.asking is not None and self.asking.is_alive():
            self._stop.set()
            return
        self._stop.clear()
        self.asking = Thread(target=self._fetch_answers, args=[self.view()], daemon=True)
        self.asking.start()

    def _fetch_answers(self, view: Browser) -> None:
        """Ask what the journal does not hold, beside whatever else is done."""
        self.ask.description, self.ask.icon, self._trouble = _STOP, "stop", ""
        try:
            view.probing().answers(self._pass_on)
        except ToolkitError as error:
            self._trouble = str(error)
        except Exception as error:  # Nobody would see a thread die, and would wait for ever.
            self._trouble = f"Asking ended with an error: {error!r}."
        self.end_progress()
        self.ask.description, self.ask.icon = _ASK, "comments"
        with self._turn:
            self.redraw()
            if self._trouble:
                self.say(f"{self._trouble} {self.view().reading()}")

    def _pass_on(self, requests: Sequence[Request], what: str) -> list[Reply | Failure]:
        outcomes = self.client.ask(requests, what, tell=self._report)
        self._trouble = next((one.reason for one in outcomes if isinstance(one, Failure)), self._trouble)
        return outcomes

    def _report(self, n_done: int, n_questions: int) -> None:
        if self._stop.is_set():
            raise InterruptedRunError("asking was stopped; what was answered is kept.")
        self.show_progress(n_done, n_questions)

    # -- which problem -----------------------------------------------------------------------------

    def _change_problem(self, _: object) -> None:
        with self.together():
            self._name_features()

    def _name_features(self) -> None:
        names = feature_names(self.source.value, self.problem.value)
        for control, position in zip((self.first, self.second), self._most_telling(), strict=True):
            control.options = [(name, number) for number, name in enumerate(names)]
            control.value = position

    def _most_telling(self) -> list[int]:
        """Positions of the two features that the problem is shown over at first."""
        if self.source.value == "bank":
            return by_separation(bank()[self.problem.value])[:2]
        return [0, 1]
