"""Learner playground: agents on one of the designs, trial by trial, while their parameters are changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property, partial
from typing import TYPE_CHECKING

import ipywidgets as widgets
import numpy as np

from toolkit.experiments import get_design, list_designs
from toolkit.fitting.people import list_agents
from toolkit.models import get_model_for
from toolkit.seeds import Seeds
from toolkit.trials import Trials
from toolkit.viz import agent_style, plot_trials, titled
from toolkit.viz.trial_by_trial import right_answers
from toolkit.widgets.controls import (
    LABELS,
    WIDE,
    agent_options,
    choice,
    parameter_sliders,
    slider,
    starting_values,
)
from toolkit.widgets.dashboard import Dashboard

if TYPE_CHECKING:
    import plotly.graph_objects as go

N_PEOPLE = 16
N_TRIALS = 96
PERSON = "gcm"
"""Model whose choices stand for a person's; some agents learn from the choices that were made."""

_CODE = """\
from toolkit import viz
from toolkit.experiments import get_design
from toolkit.models import get_model_for
from toolkit.seeds import Seeds

seeds = Seeds({seed})
design = get_design("{design}").draw(
    {n_people}, rng=seeds.numpy("design"), conditions=["{condition}"], n_blocks={n_blocks}
).until({n_trials})
person = get_model_for("{person}", design)
theta = person.theta({n_people}, **{person_values})
trials = person.simulate(theta, design, seeds.numpy("choices"))

agents = {{
{agents}
}}
p = {{}}
for name, values in agents.items():
    model = get_model_for(name, trials)
    p[name] = model.predict(model.theta({n_people}, **values), trials)
figure = viz.titled(viz.plot_trials(trials, p, until={until}, person="Simulated person"), "{title}")
figure"""


def n_blocks_for(design: str, condition: str) -> int:
    """As many blocks of training as ``N_TRIALS`` trials need, and no more than the design has."""
    made = get_design(design)
    one = sum(sum(block.counts) for block in made.blocks(condition, 1) if block.told)
    return min(made.n_blocks, -(-N_TRIALS // one))


@cache
def simulated_people(design: str, condition: str, seed: int) -> Trials:
    """People simulated by exemplars, who learned ``condition`` of a design."""
    seeds = Seeds(seed)
    drawn = get_design(design).draw(
        N_PEOPLE,
        rng=seeds.numpy("design"),
        conditions=[condition],
        n_blocks=n_blocks_for(design, condition),
    )
    drawn = drawn.until(N_TRIALS)
    person = get_model_for(PERSON, drawn)
    theta = person.theta(N_PEOPLE, **starting_values(person))
    return person.simulate(theta, drawn, seeds.numpy("choices"))


@dataclass(frozen=True)
class Playground:
    """Agents on a design.

    Attributes
    ----------
    agents
        Parameters by name of every agent.
    until
        Trials of the first sequence that are shown.
    """

    design: str
    condition: str
    agents: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    until: int = N_TRIALS
    seed: int = 0

    @property
    def trials(self) -> Trials:
        """Simulated people's trials."""
        return simulated_people(self.design, self.condition, self.seed)

    @property
    def title(self) -> str:
        """Heading of the figure."""
        return f"Simulated people: {self.design.replace('_', ' ')}, condition {self.condition}"

    @cached_property
    def predictions(self) -> dict[str, np.ndarray]:
        """(people, trials, options) probabilities by agent."""
        found = {}
        for name, values in self.agents.items():
            model = get_model_for(name, self.trials)
            found[name] = model.predict(model.theta(N_PEOPLE, **values), self.trials)
        return found

    def figure(self) -> go.Figure:
        """Predictions trial by trial and on average."""
        until = min(self.until, self.trials.n_trials)
        figure = plot_trials(self.trials, self.predictions, until=until, person="Simulated person")
        return titled(figure, self.title)

    def reading(self) -> str:
        """What was shown on the last trial, and what each agent expected."""
        trials = self.trials
        t = min(self.until, trials.n_trials) - 1
        shown = " ".join(f"{value:g}" for value in trials.stimulus[0, t])
        letter = "ABCDEFGHIJ"
        said = "; ".join(
            f"{agent_style(name).label} {right_answers(p, trials)[0, t]:.2f}"
            for name, p in self.predictions.items()
        )
        person = f"The simulated person says {letter[trials.choice[0, t]]}."
        return (
            f"Trial {t + 1}: {shown} is in category {letter[trials.right[0, t]]}. {person} "
            f"Probability of the right answer: {said or 'choose an agent'}."
        )

    def code(self) -> str:
        """A cell that draws the figure."""
        rows = [f'    "{name}": {dict(values)},' for name, values in self.agents.items()]
        person = get_model_for(PERSON, self.trials)
        return _CODE.format(
            seed=self.seed,
            design=self.design,
            condition=self.condition,
            n_blocks=n_blocks_for(self.design, self.condition),
            n_people=N_PEOPLE,
            n_trials=N_TRIALS,
            person=PERSON,
            person_values=starting_values(person),
            agents="\n".join(rows),
            until=min(self.until, self.trials.n_trials),
            title=self.title,
        )


class LearnerPlayground(Dashboard):
    """Choose agents and a design, change parameters, and see predictions move.

    Parameters
    ----------
    design, condition
        What is learned first.
    agents
        Who learns it first.
    """

    def __init__(
        self,
        design: str = "shepard",
        condition: str = "II",
        agents: tuple[str, ...] = ("gcm", "prototype"),
        *,
        seed: int = 0,
    ) -> None:
        self.seed = seed
        self._values: dict[tuple[str, int], dict[str, float]] = {}
        self._sliders: dict[tuple[str, int], tuple[widgets.Widget, ...]] = {}
        names = [(name.replace("_", " "), name) for name in list_designs()]
        self.design = choice("Design", names, design)
        self.condition = choice("Condition", get_design(design).conditions, condition)
        self.agents = widgets.SelectMultiple(
            options=agent_options(list_agents(simulated_people(design, condition, seed), fixed_rules=True)),
            value=agents,
            rows=8,
            description="Agents",
            layout=WIDE,
            style=LABELS,
        )
        self.agent = choice("Parameters of", agent_options(agents))
        self.sliders = widgets.VBox()
        length = simulated_people(design, condition, seed).n_trials
        self.trial = slider("Trial", 1, length, length, "Trials of the first sequence that are shown")
        self.play = widgets.Play(min=1, max=length, value=length, interval=400, description="Play the trials")
        widgets.link((self.play, "value"), (self.trial, "value"))
        self.design.observe(self._change_design, "value")
        self.condition.observe(self._change_condition, "value")
        self.agents.observe(self._change_agents, "value")
        self.agent.observe(self._make_sliders, "value")
        self._make_sliders()
        controls = [self.design, self.condition, self.agents, self.trial, self.play, self.agent, self.sliders]
        super().__init__(controls)
        self.follow(self.trial)

    def view(self) -> Playground:
        agents = {name: dict(self._of(name)) for name in self.agents.value}
        return Playground(self.design.value, self.condition.value, agents, self.trial.value, self.seed)

    def _move(self, values: dict[str, float], name: str, value: float) -> None:
        values[name] = value
        self.redraw()

    def _of(self, agent: str) -> dict[str, float]:
        """An agent's parameters; with as many features as the design has."""
        trials = simulated_people(self.design.value, self.condition.value, self.seed)
        key = (agent, trials.stimulus.shape[-1])
        if key not in self._values:
            self._values[key] = starting_values(get_model_for(agent, trials))
        return self._values[key]

    def _change_design(self, _: object) -> None:
        with self.together():
            self.condition.options = get_design(self.design.value).conditions
            self._change_condition(None)

    def _change_condition(self, _: object) -> None:
        with self.together():
            with self.busy():
                length = simulated_people(self.design.value, self.condition.value, self.seed).n_trials
            for control in (self.play, self.trial):
                control.max = length
            self.trial.value = length
            self._make_sliders()

    def _change_agents(self, _: object) -> None:
        with self.together():
            before = self.agent.value
            self.agent.options = agent_options(self.agents.value)
            if before in self.agents.value:
                self.agent.value = before
            self._make_sliders()

    def _make_sliders(self, _: object = None) -> None:
        name = self.agent.value
        self.sliders.children = () if name is None else self._sliders_of(name)

    def _sliders_of(self, name: str) -> tuple[widgets.Widget, ...]:
        """An agent's sliders, which are kept: a browser may still be moving one that is taken away."""
        trials, values = simulated_people(self.design.value, self.condition.value, self.seed), self._of(name)
        key = (name, trials.stimulus.shape[-1])
        if key not in self._sliders:
            made = parameter_sliders(get_model_for(name, trials), values, partial(self._move, values))
            self._sliders[key] = tuple(made)
        return self._sliders[key]
