"""Bandit lab: a learner's parameters, moved by hand, against the choices that one person made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache, partial
from typing import TYPE_CHECKING

import ipywidgets as widgets
import numpy as np

from toolkit.data import load_data
from toolkit.errors import DataError, ToolkitError
from toolkit.experiments.bandits import get_task
from toolkit.fitting import fit
from toolkit.fitting.recovery import draw_theta
from toolkit.models import Model, get_model_for, list_models
from toolkit.seeds import Seeds
from toolkit.trials import Trials
from toolkit.viz import agent_style, plot_visits, titled
from toolkit.widgets.controls import (
    agent_options,
    choice,
    on_sliders,
    parameter_sliders,
    slider,
    starting_values,
)
from toolkit.widgets.dashboard import Dashboard

if TYPE_CHECKING:
    import plotly.graph_objects as go

SIMULATED = "simulated people"
STUDIES = ("lefebvre2017_exp1", "lefebvre2017_exp2")
N_PEOPLE = 12
FOLLOWED = "rescorla_wagner_signed"
"""Model that simulated people follow."""

_SIMULATE = """\
design = get_task("partial").draw({n_people}, rng=seeds.numpy("design"))
model = get_model_for("{followed}", design)
theta = draw_theta(model, {n_people}, "prior", seeds.numpy("parameters"))
everyone = model.simulate(theta, design, seeds.numpy("choices"))"""
_LOAD = """\
everyone = toolkit.load_data("{study}")"""
_CODE = """\
{imports}

{people}
person = everyone.where(participant=everyone.participants[{person}])

model = get_model_for("{agent}", person)
values = {values}
p = model.predict(model.theta(**values), person)
figure = viz.titled(viz.plot_visits(person, p, agent="{agent}", person="{who}"), "{title}")
figure"""
_IMPORTS_TO_SIMULATE = """\
from toolkit import viz
from toolkit.experiments.bandits import get_task
from toolkit.fitting.recovery import draw_theta
from toolkit.models import get_model_for
from toolkit.seeds import Seeds

seeds = Seeds({seed})"""
_IMPORTS_TO_LOAD = """\
import toolkit
from toolkit import viz
from toolkit.models import get_model_for"""


@cache
def load_people(study: str, seed: int) -> Trials:
    """People of a study, or simulated ones in the task of Lefebvre et al. (2017)."""
    if study != SIMULATED:
        return load_data(study)
    seeds = Seeds(seed)
    design = get_task("partial").draw(N_PEOPLE, rng=seeds.numpy("design"))
    model = get_model_for(FOLLOWED, design)
    theta = draw_theta(model, N_PEOPLE, "prior", seeds.numpy("parameters"))
    return model.simulate(theta, design, seeds.numpy("choices"))


def studies_here() -> list[str]:
    """Simulated people, and the studies whose data are here."""
    found = [SIMULATED]
    for study in STUDIES:
        try:
            load_people(study, 0)
        except DataError:
            continue
        found.append(study)
    return found


@dataclass(frozen=True)
class Lab:
    """A learner beside one person.

    Attributes
    ----------
    person
        Position among the people of the study.
    values
        Parameters of the learner by name.
    """

    study: str
    person: int
    agent: str
    values: Mapping[str, float] = field(default_factory=dict)
    seed: int = 0

    @property
    def trials(self) -> Trials:
        """The person's trials, the same object every time, so that what depends on them alone is kept."""
        return _one_person(self.study, self.person, self.seed)

    @property
    def model(self) -> Model:
        """The learner."""
        return get_model_for(self.agent, self.trials)

    @property
    def title(self) -> str:
        """Heading of the figure."""
        who = "Simulated person" if self.study == SIMULATED else f"Person of {self.study}, number"
        return f"{who} {self.person + 1}"

    def log_likelihood(self) -> float:
        """Of all choices of the person, in nats."""
        return float(self.model.log_likelihood(self.model.theta(**self.values), self.trials).sum())

    def figure(self) -> go.Figure:
        """Choices and predictions."""
        p = self.model.predict(self.model.theta(**self.values), self.trials)
        return titled(plot_visits(self.trials, p, agent=self.agent, person=self._who), self.title)

    @property
    def _who(self) -> str:
        return "Simulated person" if self.study == SIMULATED else "Person"

    def best(self) -> dict[str, float]:
        """The parameters under which the person's choices are most likely."""
        found = fit(self.model, self.trials, progress=False)
        if np.isnan(found.theta).any():
            raise DataError(
                f"no best numbers were found: {found.table['reason'].iloc[0]}.",
                fix="Choose another learner or person.",
            )
        return dict(zip(found.parameters, found.theta[0].round(4).tolist(), strict=True))

    def reading(self) -> str:
        """With which numbers how likely the choices are, beside guessing."""
        n_choices, nats = int(self.trials.n_scored.sum()), self.log_likelihood()
        guessing = -n_choices * np.log(self.trials.n_options)
        verdict = "better" if nats > guessing else "no better"
        numbers = ", ".join(f"{name.replace('_', ' ')} {value:.4g}" for name, value in self.values.items())
        return (
            f"With {numbers} {agent_style(self.agent).label} gives the {n_choices} choices a log-likelihood of "
            f"{nats:.1f} nats, {verdict} than guessing ({guessing:.1f})."
        )

    def code(self) -> str:
        """A cell that draws the figure."""
        simulated = self.study == SIMULATED
        return _CODE.format(
            imports=(_IMPORTS_TO_SIMULATE if simulated else _IMPORTS_TO_LOAD).format(seed=self.seed),
            people=(_SIMULATE if simulated else _LOAD).format(
                n_people=N_PEOPLE, followed=FOLLOWED, study=self.study
            ),
            person=self.person,
            agent=self.agent,
            values=dict(self.values),
            who=self._who,
            title=self.title,
        )


@cache
def _one_person(study: str, person: int, seed: int) -> Trials:
    everyone = load_people(study, seed)
    return everyone.where(participant=everyone.participants[person])


class BanditLab(Dashboard):
    """Move learning rates, and see what a learner expects of a person, and how likely the person's choices are.

    Parameters
    ----------
    agent
        The learner that is shown first.
    """

    def __init__(self, agent: str = FOLLOWED, *, seed: int = 0) -> None:
        self.seed = seed
        self._values: dict[str, dict[str, float]] = {}
        self._sliders: dict[str, tuple[widgets.Widget, ...]] = {}
        self.study = choice("People", studies_here(), SIMULATED)
        self.person = slider("Person", 1, N_PEOPLE, 1, "Whose choices are shown")
        learners = [name for name in list_models("bandit") if name != "thompson_bandit"]
        self.agent = choice("Learner", agent_options(learners), agent)
        self.sliders = widgets.VBox()
        self.best = widgets.Button(
            description="Find the best numbers",
            icon="search",
            tooltip="Fit the learner to this person; sliders stop at the nearest of their steps",
            layout={"width": "auto"},
        )
        self.study.observe(self._change_study, "value")
        self.agent.observe(self._make_sliders, "value")
        self.best.on_click(self._find_best)
        self._make_sliders()
        super().__init__([self.study, self.person, self.agent, self.sliders, self.best])
        self.follow(self.person, self.agent)

    def view(self) -> Lab:
        values = dict(self._of(self.agent.value))
        return Lab(self.study.value, self.person.value - 1, self.agent.value, values, self.seed)

    def _move(self, values: dict[str, float], name: str, value: float) -> None:
        values[name] = value
        self.redraw()

    def _of(self, agent: str) -> dict[str, float]:
        return self._values.setdefault(
            agent, starting_values(get_model_for(agent, load_people(self.study.value, self.seed)))
        )

    def _change_study(self, _: object) -> None:
        with self.together():
            self.person.max = len(load_people(self.study.value, self.seed).participants)
            self.person.value = 1

    def _make_sliders(self, _: object = None) -> None:
        """Show the learner's sliders, which are kept: a browser may still be moving one that is taken away."""
        name, values = self.agent.value, self._of(self.agent.value)
        if name not in self._sliders:
            model = get_model_for(name, load_people(self.study.value, self.seed))
            self._sliders[name] = tuple(parameter_sliders(model, values, partial(self._move, values)))
        self.sliders.children = self._sliders[name]

    def _find_best(self, _: object) -> None:
        try:
            with self.busy(), self.together():
                lab = self.view()
                best = on_sliders(lab.model, lab.best())
                for name, control in zip(best, self.sliders.children, strict=True):
                    control.value = best[name]
        except ToolkitError as error:
            self.say(str(error))
