"""What the problem browser shows: points of a problem over two of its features, and where an agent draws the line."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import TYPE_CHECKING

import numpy as np

from toolkit.data.bank import BankProblem, load_bank
from toolkit.errors import UsageError
from toolkit.fitting.players import SCRIPTED, SPOKEN
from toolkit.models import get_model_for
from toolkit.models.after_learning import probes_after
from toolkit.models.answering.asking import recall
from toolkit.models.answering.probing import Probing
from toolkit.models.answering.scripted import ask_script
from toolkit.seeds import Seeds
from toolkit.tasks import get_source
from toolkit.texts import counted
from toolkit.trials import Trials
from toolkit.viz import agent_style, plot_boundaries, titled
from toolkit.widgets.controls import starting_values
from toolkit.widgets.problem_cell import (
    N_FEATURES,
    N_POINTS,
    ask_a_model,
    ask_a_script,
    draw_problem,
    recall_replies,
    whole_cell,
)

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from toolkit.llm import Client
    from toolkit.tasks.problems import Source

N_PLACES = 15
"""Values of each feature at which the agent is asked."""
OPTIONS = {"openml": {"tables": "sklearn"}}
"""Tables that come with scikit-learn are here without being fetched."""


@cache
def get_drawn_source(name: str) -> Source:
    """A source of problems, with the options that the browser gives it."""
    return get_source(name, **OPTIONS.get(name, {}))


@cache
def bank() -> list[BankProblem]:
    """All problems that have names."""
    return load_bank()


@cache
def _drawn(source: str, number: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Points (points, features) in their own units and categories (points,) of one problem."""
    generator = Seeds(seed).torch(f"{source} {number}")
    if source == "bank":
        x, y = get_drawn_source("bank").draw_named([number], N_POINTS, generator=generator)
        return x[0].double().numpy(), y[0].numpy()
    drawn = get_drawn_source(source).draw(1, N_POINTS, N_FEATURES, generator=generator)
    return drawn.x[0].double().numpy(), drawn.y[0].numpy()


def feature_names(source: str, number: int) -> list[str]:
    """Names of a problem's features, with units where they have some."""
    if source == "bank":
        return [f"{feature.name} ({feature.unit})" for feature in bank()[number].features]
    return [f"feature {position + 1}" for position in range(N_FEATURES)]


@dataclass(frozen=True)
class Browser:
    """A problem and an agent that was told about some of its points.

    Attributes
    ----------
    number
        Of the problem in the bank; of the draw from other sources.
    pair
        Positions of the features that are drawn, and the only ones that the agent sees.
    agent
        A model; "scripted_player", which answers prompts by a script; or "llm", the language model that the client
        asks. Both are told names, units and numbers.
    n_shown
        Points that the agent was shown.
    client
        Whose journal holds what the language model said.
    """

    source: str
    number: int
    pair: tuple[int, int]
    agent: str
    n_shown: int
    seed: int = 0
    client: Client | None = field(default=None, compare=False)

    @property
    def features(self) -> list[str]:
        """Names of all features, with units where they have some."""
        return feature_names(self.source, self.number)

    @property
    def categories(self) -> list[str]:
        """Names of the categories."""
        if self.source == "bank":
            return list(bank()[self.number].categories)
        return ["category A", "category B"]

    @property
    def title(self) -> str:
        """Heading of the figure."""
        after = f"{agent_style(self.agent).label} after {counted(self.n_shown, 'trial')}"
        return f"{self.source} {self.number}: {after}"

    def points(self) -> tuple[np.ndarray, np.ndarray]:
        """(points, 2) of the two features, and (points,) categories."""
        x, y = _drawn(self.source, self.number, self.seed)
        return x[:, self.pair], y

    def grid(self) -> tuple[np.ndarray, np.ndarray]:
        """Values of both features at which the agent is asked."""
        x, _ = self.points()
        return tuple(np.linspace(low, high, N_PLACES) for low, high in zip(x.min(0), x.max(0), strict=True))

    def places(self) -> np.ndarray:
        """(places, 2) all pairs of these values."""
        return np.stack(np.meshgrid(*self.grid()), -1).reshape(-1, 2)

    def trials(self) -> Trials:
        """What a model is shown, and asked about the places."""
        return _trials(self.source, self.number, self.pair, self.n_shown, self.seed, at_places=True)

    def probing(self) -> Probing:
        """All questions in words: about the places, then about the points that were not shown."""
        x, y = self.points()
        probes = np.concatenate([self.places(), x[self.n_shown :]])
        names = [self.features[position] for position in self.pair]
        return Probing(x[: self.n_shown], y[: self.n_shown], probes, len(self.categories), features=names)

    def values(self) -> dict[str, float]:
        """A model's parameters."""
        return starting_values(get_model_for(self.agent, self.trials()))

    def answers(self) -> np.ndarray:
        """(second feature, first feature, categories) probabilities; NaN where nobody was asked yet."""
        p = self._said[: N_PLACES**2] if self.is_asked else self._foretold(self.trials())
        return p.reshape(N_PLACES, N_PLACES, -1)

    def answers_to_rest(self) -> np.ndarray:
        """(points that were not shown, categories) probabilities."""
        if self.is_asked:
            return self._said[N_PLACES**2 :]
        return self._foretold(
            _trials(self.source, self.number, self.pair, self.n_shown, self.seed, at_places=False)
        )

    @property
    def is_asked(self) -> bool:
        """Whether the agent answers questions in words."""
        return self.agent in (SCRIPTED, SPOKEN)

    def _foretold(self, trials: Trials) -> np.ndarray:
        model = get_model_for(self.agent, trials)
        rng = Seeds(self.seed).numpy("own choices")
        return model.marginal(model.theta(**starting_values(model)), trials, rng)[:, -1]

    @cached_property
    def _said(self) -> np.ndarray:
        if self.agent == SCRIPTED:
            return self.probing().answers(ask_script)
        return self.probing().answers(recall(self._connected()))

    def _connected(self) -> Client:
        if self.client is None:
            raise UsageError(
                "no language model is connected.", fix="Give a client, as toolkit.llm.get_client makes it."
            )
        return self.client

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
        question = f"{bank()[self.number].question} " if self.source == "bank" else ""
        if self.is_asked and np.isnan(self._said).any():
            return f"{question}{self._not_asked()}"
        p, told = self.answers_to_rest(), self.points()[1][self.n_shown :]
        likeliest = p == p.max(-1, keepdims=True)
        # Whoever finds categories equally likely names each of them as often.
        share = (likeliest[np.arange(len(p)), told] / likeliest.sum(-1)).mean()
        most = np.bincount(told).max() / len(told)
        flat = "" if np.ptp(p, axis=0).any() else " It draws no line: it answers the same to everything."
        return (
            f"{question}{agent_style(self.agent).label} saw {counted(self.n_shown, 'point')} and only these two features; it names "
            f"{share:.0%} of the other {len(p)} rightly (always saying the commonest category: {most:.0%}).{flat}"
        )

    def code(self) -> str:
        """A cell that draws the figure."""
        draw = draw_problem(self.source, self.number, self.seed, self.pair, OPTIONS.get(self.source, {}))
        if self.agent == SCRIPTED:
            answer = ask_a_script(self.n_shown)
        elif self.agent == SPOKEN:
            client = self._connected()
            answer = recall_replies(self.n_shown, client.journal.path, client.model)
        else:
            answer = ask_a_model(self.n_shown, self.agent, self.values(), self.seed)
        return whole_cell(
            draw,
            answer,
            pair=list(self.pair),
            n_places=N_PLACES,
            n_shown=self.n_shown,
            agent=self.agent,
            title=self.title,
        )

    def _not_asked(self) -> str:
        client = self._connected()
        cost = client.estimate(self.probing().requests)
        price = "" if cost.usd_at_most is None else f" and cost at most {cost.usd_at_most:.2f} USD"
        return (
            f"{client.model} has answered {cost.n_in_journal} of {cost.n_requests} questions about this view; places that it "
            f"was not asked about are white. The others have about {cost.prompt_tokens:,} tokens{price}."
        )


@cache
def _trials(
    source: str, number: int, pair: tuple[int, int], n_shown: int, seed: int, *, at_places: bool
) -> Trials:
    """Probes at the places, or at the points that were not shown."""
    one = Browser(source, number, pair, "", n_shown, seed)
    x, y = one.points()
    low, high = x.min(0), x.max(0)
    span = np.where(high > low, high - low, 1)
    probes = one.places() if at_places else x[n_shown:]
    return probes_after((x[:n_shown] - low) / span, y[:n_shown], (probes - low) / span, len(one.categories))
