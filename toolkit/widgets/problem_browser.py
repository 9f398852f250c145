"""Problem browser: points of a problem over two of its features, and where an agent draws the line."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from toolkit.data.bank import BankProblem, load_bank
from toolkit.errors import DataError
from toolkit.models import get_model, get_model_for, list_models
from toolkit.models.after_learning import probes_after
from toolkit.models.checkpoints import absent_networks
from toolkit.seeds import Seeds
from toolkit.tasks import get_source, list_sources
from toolkit.trials import Trials
from toolkit.viz import agent_style, plot_boundaries, titled
from toolkit.viz.problems import by_separation
from toolkit.widgets.controls import agent_options, choice, slider, starting_values
from toolkit.widgets.dashboard import Dashboard

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from toolkit.tasks.problems import Source

N_POINTS = 120
N_FEATURES = 2
"""Of problems whose features have no names."""
N_PLACES = 15
"""Values of each feature at which the agent is asked."""
MOST_TRIALS = 40
OPTIONS = {"openml": {"tables": "sklearn"}}
"""Tables that come with scikit-learn are here without being fetched."""

_BANK = """\
problem = load_bank()[{number}]
generator = Seeds({seed}).torch("bank {number}")
x, y = get_source("bank").draw_named([{number}], {n_points}, generator=generator)
x, y = x[0].double().numpy(), y[0].numpy()
features = [f"{{problem.features[i].name}} ({{problem.features[i].unit}})" for i in {pair}]
categories = problem.categories"""
_OTHER = """\
generator = Seeds({seed}).torch("{source} {number}")
drawn = get_source("{source}"{options}).draw(1, {n_points}, {n_features}, generator=generator)
x, y = drawn.x[0].double().numpy(), drawn.y[0].numpy()
features = [f"feature {{i + 1}}" for i in {pair}]
categories = ["category A", "category B"]"""
_CODE = """\
import numpy as np

from toolkit import viz
{bank}from toolkit.models import get_model_for
from toolkit.models.after_learning import probes_after
from toolkit.seeds import Seeds
from toolkit.tasks import get_source

{draw}

x = x[:, {pair}]
low, high = x.min(0), x.max(0)
along, up = (np.linspace(low[i], high[i], {n_places}) for i in (0, 1))
grid = np.stack(np.meshgrid(along, up), -1).reshape(-1, 2)
span = np.where(high > low, high - low, 1)
trials = probes_after((x[:{n_shown}] - low) / span, y[:{n_shown}], (grid - low) / span, len(categories))
model = get_model_for("{agent}", trials)
p = model.predict(model.theta(**{values}), trials)[:, -1]
p = p.reshape({n_places}, {n_places}, -1)
figure = viz.plot_boundaries(
    x, y, {n_shown}, (along, up), p, agent="{agent}", features=features, categories=categories
)
figure = viz.titled(figure, "{title}")
figure"""


@cache
def _source(name: str) -> Source:
    return get_source(name, **OPTIONS.get(name, {}))


@cache
def _bank() -> list[BankProblem]:
    return load_bank()


@cache
def _drawn(source: str, number: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Points (points, features) in their own units and categories (points,) of one problem."""
    generator = Seeds(seed).torch(f"{source} {number}")
    if source == "bank":
        x, y = _source("bank").draw_named([number], N_POINTS, generator=generator)
        return x[0].double().numpy(), y[0].numpy()
    drawn = _source(source).draw(1, N_POINTS, N_FEATURES, generator=generator)
    return drawn.x[0].double().numpy(), drawn.y[0].numpy()


def sources_here() -> list[str]:
    """Sources of problems whose data are here."""
    found = []
    for name in list_sources():
        try:
            _source(name)
        except DataError:
            continue
        found.append(name)
    return found


def list_learners() -> list[str]:
    """Agents that can say what they would answer without having chosen before.

    RULEX weighs all rules that it might have come to. Win-stay lose-shift does not look at what is shown, so that it has
    no line to draw, and a language model is asked elsewhere.
    """
    names = [name for name in list_models("category_learning") if name not in absent_networks()]
    models = {name: get_model(name) for name in names}
    return [name for name, model in models.items() if model.sums_over_choices or not model.reads_choices]


@dataclass(frozen=True)
class Browser:
    """A problem and an agent that was told about some of its points.

    Attributes
    ----------
    number
        Of the problem in the bank; of the draw from other sources.
    pair
        Positions of the features that are drawn, and the only ones that the agent sees.
    n_shown
        Points that the agent was shown.
    """

    source: str
    number: int
    pair: tuple[int, int]
    agent: str
    n_shown: int
    seed: int = 0

    @property
    def features(self) -> list[str]:
        """Names of all features, with units where they have some."""
        return feature_names(self.source, self.number)

    @property
    def categories(self) -> list[str]:
        """Names of the categories."""
        if self.source == "bank":
            return list(_bank()[self.number].categories)
        return ["category A", "category B"]

    @property
    def title(self) -> str:
        """Heading of the figure."""
        after = f"{agent_style(self.agent).label} after {self.n_shown} trials"
        return f"{self.source} {self.number}: {after}"

    def points(self) -> tuple[np.ndarray, np.ndarray]:
        """(points, 2) of the two features, and (points,) categories."""
        x, y = _drawn(self.source, self.number, self.seed)
        return x[:, self.pair], y

    def grid(self) -> tuple[np.ndarray, np.ndarray]:
        """Values of both features at which the agent is asked."""
        x, _ = self.points()
        return tuple(np.linspace(low, high, N_PLACES) for low, high in zip(x.min(0), x.max(0), strict=True))

    def trials(self) -> Trials:
        """What the agent is shown, and asked."""
        return _trials(self.source, self.number, self.pair, self.n_shown, self.seed)

    def values(self) -> dict[str, float]:
        """The agent's parameters."""
        return starting_values(get_model_for(self.agent, self.trials()))

    def answers(self) -> np.ndarray:
        """(second feature, first feature, categories) probabilities."""
        trials = self.trials()
        model = get_model_for(self.agent, trials)
        p = model.predict(model.theta(**self.values()), trials)[:, -1]
        return p.reshape(N_PLACES, N_PLACES, -1)

    def figure(self) -> go.Figure:
        """Points and boundaries."""
        x, y = self.points()
        figure = plot_boundaries(
            x,
            y,
            self.n_shown,
            self.grid(),
            self.answers(),
            agent=self.agent,
            features=[self.features[position] for position in self.pair],
            categories=self.categories,
        )
        return titled(figure, self.title)

    def reading(self) -> str:
        """How many of the points that were not shown the agent would name rightly."""
        x, y = self.points()
        low, high = x.min(0), x.max(0)
        scaled = (x - low) / np.where(high > low, high - low, 1)
        rest = probes_after(
            scaled[: self.n_shown], y[: self.n_shown], scaled[self.n_shown :], len(self.categories)
        )
        model = get_model_for(self.agent, rest)
        p = model.predict(model.theta(**starting_values(model)), rest)[:, -1]
        likeliest = p == p.max(-1, keepdims=True)
        # Whoever finds categories equally likely names each of them as often.
        share = (likeliest[np.arange(len(p)), y[self.n_shown :]] / likeliest.sum(-1)).mean()
        question = f"{_bank()[self.number].question} " if self.source == "bank" else ""
        most = np.bincount(y[self.n_shown :]).max() / len(y[self.n_shown :])
        return (
            f"{question}{agent_style(self.agent).label} saw {self.n_shown} points and only these two features; it names "
            f"{share:.0%} of the other {len(p)} rightly (always saying the commonest category: {most:.0%})."
        )

    def code(self) -> str:
        """A cell that draws the figure."""
        options = "".join(f', {name}="{value}"' for name, value in OPTIONS.get(self.source, {}).items())
        about = {"number": self.number, "seed": self.seed, "n_points": N_POINTS, "pair": list(self.pair)}
        draw = _BANK.format(**about)
        if self.source != "bank":
            draw = _OTHER.format(**about, source=self.source, options=options, n_features=N_FEATURES)
        return _CODE.format(
            bank="from toolkit.data import load_bank\n" if self.source == "bank" else "",
            draw=draw,
            pair=list(self.pair),
            n_places=N_PLACES,
            n_shown=self.n_shown,
            agent=self.agent,
            values=self.values(),
            title=self.title,
        )


@cache
def _trials(source: str, number: int, pair: tuple[int, int], n_shown: int, seed: int) -> Trials:
    one = Browser(source, number, pair, "", n_shown, seed)
    x, y = one.points()
    low, high = x.min(0), x.max(0)
    span = np.where(high > low, high - low, 1)
    places = np.stack(np.meshgrid(*one.grid()), -1).reshape(-1, 2)
    return probes_after((x[:n_shown] - low) / span, y[:n_shown], (places - low) / span, len(one.categories))


def feature_names(source: str, number: int) -> list[str]:
    """Names of a problem's features, with units where they have some."""
    if source == "bank":
        return [f"{feature.name} ({feature.unit})" for feature in _bank()[number].features]
    return [f"feature {position + 1}" for position in range(N_FEATURES)]


class ProblemBrowser(Dashboard):
    """Choose a source, a problem, two features and an agent, and see where it draws the line after some trials."""

    def __init__(self, source: str = "bank", agent: str = "gcm", *, seed: int = 0) -> None:
        self.seed = seed
        self.source = choice("Source", sources_here(), source)
        self.problem = slider("Problem", 0, len(_bank()) - 1, 0, "Number in the bank, or of the draw")
        self.problem.continuous_update = False
        self.first = choice("Across", [("", 0)])
        self.second = choice("Upwards", [("", 1)])
        self.agent = choice("Agent", agent_options(list_learners()), agent)
        self.trials = slider("Trials", 1, MOST_TRIALS, 12, "Points that the agent was shown and told about")
        self._name_features()
        controls = [self.source, self.problem, self.first, self.second, self.agent, self.trials]
        super().__init__(controls)
        for control in (self.source, self.problem):
            control.observe(self._change_problem, "value")
        self.follow(self.first, self.second, self.agent, self.trials)

    def view(self) -> Browser:
        pair = (self.first.value, self.second.value)
        return Browser(
            self.source.value, self.problem.value, pair, self.agent.value, self.trials.value, self.seed
        )

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
            return by_separation(_bank()[self.problem.value])[:2]
        return [0, 1]
