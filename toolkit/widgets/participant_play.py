"""What a person did in a task and what came of it: as a figure, in words, as code and as a file."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from toolkit.experiments.sitting import Sitting
from toolkit.fitting.players import SPOKEN
from toolkit.fitting.verdict import Verdict, judge
from toolkit.io import read_table, write_table
from toolkit.models import get_model_for
from toolkit.paths import own_dir
from toolkit.seeds import Seeds
from toolkit.trials import Trials
from toolkit.viz import plot_verdict, titled, verdict_in_words
from toolkit.widgets.controls import starting_values
from toolkit.widgets.participant_rates import rates_in_words
from toolkit.widgets.participant_tasks import Task

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from toolkit.llm import Client

_PLAYER = """\
player = get_model_for("{player}", design)
values = {values}
choices = player.simulate(player.theta(**values), design, seeds.numpy("choices")).choice[0].tolist()"""
_CODE = """\
{imports}

seeds = Seeds({seed})
{design}
{choices}

sitting = Sitting(design)
for option in choices:
    told = sitting.choose(option)
    sitting.go_on()

{judged}
print(viz.verdict_in_words(verdict, person="{within}"))
figure = viz.titled(viz.plot_verdict(sitting.trials, verdict, person="{person}"), "{title}")
figure"""
_JUDGED = "verdict = judge(sitting.trials)"
_JUDGED_WITH_REPLIES = """\
client = get_client("recorded", journal={journal!r}, model={model!r})
answers = answer(sitting.trials, client, Procedure(likely_story(sitting.trials)))
spoken = get_model_for("llm", sitting.trials, answers=answers)
verdict = judge(sitting.trials, [*list_candidates(sitting.trials), spoken])"""
_IMPORTS_FOR_REPLIES = (
    "from toolkit.fitting.verdict import list_candidates",
    "from toolkit.llm import get_client",
    "from toolkit.models import get_model_for",
    "from toolkit.models.answering import Procedure, answer, likely_story",
)
_IMPORTS = (
    "from toolkit import viz",
    "from toolkit.experiments.sitting import Sitting",
    "from toolkit.fitting.verdict import judge",
    "from toolkit.seeds import Seeds",
)


@dataclass(frozen=True)
class Play:
    """A task that was done from the first trial to the last.

    Attributes
    ----------
    choices
        The person's; None lets the task's player make them.
    known
        What fits of all agents to these choices said, if they were done.
    client
        Who asked a language model about the same trials, if one did.
    """

    task: Task
    choices: tuple[int, ...] | None = None
    known: Verdict | None = field(default=None, compare=False)
    client: Client | None = field(default=None, compare=False)

    @cached_property
    def trials(self) -> Trials:
        """What was shown, chosen and told."""
        sitting = Sitting(self.task.design)
        for option in self._simulated() if self.choices is None else self.choices:
            sitting.choose(option)
            sitting.go_on()
        return sitting.trials

    @cached_property
    def verdict(self) -> Verdict:
        """Which agent the choices are most like."""
        return self.known or judge(self.trials)

    @property
    def person(self) -> str:
        """Who made the choices."""
        return "Simulated player" if self.choices is None else "You"

    @property
    def _within(self) -> str:
        """The same within a sentence."""
        return "the simulated player" if self.choices is None else "you"

    @property
    def title(self) -> str:
        """Heading of the figure."""
        return f"{self.person}: {self.task.label}"

    def figure(self) -> go.Figure:
        """Learning curves and agents in order."""
        return titled(plot_verdict(self.trials, self.verdict, person=self.person), self.title)

    def reading(self) -> str:
        """How well it went, which agent is most like it, how often that is right, and what the task was."""
        said = verdict_in_words(self.verdict, person=self._within)
        subject = "The simulated player was" if self.choices is None else "You were"
        tried = rates_in_words(self.task, self.verdict)
        return f"{self.task.score(self.trials, subject)} {said} {tried} {self.task.solution}"

    def code(self) -> str:
        """A cell that goes through the task with the same choices, and draws the figure."""
        imports = [*_IMPORTS, *self.task.imports]
        choices = f"choices = {list(self.choices or ())}"
        if self.choices is None:
            imports.append("from toolkit.models import get_model_for")
            choices = _PLAYER.format(player=self.task.player, values=self._values())
        judged = _JUDGED
        if self.known is not None and SPOKEN in self.known.models and self.client is not None:
            imports = list(dict.fromkeys([*imports, *_IMPORTS_FOR_REPLIES]))
            judged = _JUDGED_WITH_REPLIES.format(
                journal=str(self.client.journal.path), model=self.client.model
            )
        # The standard library's come first.
        own = [line for line in imports if line.startswith("from toolkit")]
        others = [line for line in imports if line not in own]
        return _CODE.format(
            imports="\n".join([*others, *[""] * bool(others), *sorted(own, key=_module)]),
            seed=self.task.seed,
            design=self.task.design_code,
            choices=choices,
            judged=judged,
            within=self._within,
            person=self.person,
            title=self.title,
        )

    def _simulated(self) -> list[int]:
        player = get_model_for(self.task.player, self.task.design)
        theta, rng = player.theta(**self._values()), Seeds(self.task.seed).numpy("choices")
        return player.simulate(theta, self.task.design, rng).choice[0].tolist()

    def _values(self) -> dict[str, float]:
        return starting_values(get_model_for(self.task.player, self.task.design))


def _module(line: str) -> str:
    return line.split()[1]


def save_choices(trials: Trials, stem: str) -> Path:
    """Write one's own trials as a CSV beside those that are there, and never over them.

    Parameters
    ----------
    stem
        Beginning of the file's name in :func:`toolkit.paths.own_dir`.
    """
    free = (own_dir() / f"{stem}_{number}.csv" for number in count(1))
    path = next(path for path in free if not path.exists())
    write_table(path, trials.to_table())
    return path


def read_choices(path: str | Path) -> Trials:
    """Trials from a file of :func:`save_choices`."""
    table = read_table(path)
    schema = "bandit" if "context" in table else "category_learning"
    return Trials.from_table(table, schema, source=str(path))
