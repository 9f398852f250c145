"""What agents say of the seven new items of the five-four structure, after more and more training."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from toolkit.experiments import get_design
from toolkit.experiments.five_four import NAMES, TESTS_AFTER, TRAINED, TRANSFER
from toolkit.experiments.strategies import (
    KINDS,
    chance_shares,
    classify_transfer,
    expected_shares,
    possible_shares,
    strategy_shares,
)
from toolkit.fitting import new_items
from toolkit.fitting.typical import Agent, Answers, TypicalAgent
from toolkit.models.base import draw_options
from toolkit.trials import Trials

PUBLISHED_ERMI = {"T1": 0.797, "T2": 0.272, "T3": 0.956, "T4": 0.372, "T5": 0.482, "T6": 0.675, "T7": 0.125}
"""Shares of answers A of the published ERMI after 32 blocks, read off its figure (within .003); its inverse temperature was
chosen to be closest to people on these very items."""

ITEM_ORDER = ("T7", "T5", "T2", "T4", "T6", "T1", "T3")
"""From the fewest answers A of people after 32 blocks to the most."""

FORMATS = dict.fromkeys([*TRANSFER, *KINDS], "{:.2f}")
"""How the columns of :meth:`Transfer.over_blocks` are written."""

_LEARNERS_PER_ORDER = 10


@dataclass(frozen=True)
class Transfer:
    """Tests of transfer, each agent tested once after so many blocks.

    Attributes
    ----------
    shares
        One row an agent, number of blocks and item: ``agent, block, stimulus, role`` (A, B or transfer) and ``share`` of
        answers A.
    responses
        Every agent's number of choice, fitted to what people said of the nine trained items in the end.
    strategies
        One row an agent, number of blocks and strategy: ``agent, block, strategy`` and ``share`` of learners
        all of whose seven answers follow it.
    """

    shares: pd.DataFrame
    responses: dict[str, float]
    strategies: pd.DataFrame

    def items(self, people: pd.DataFrame | None) -> pd.DataFrame:
        """Answers to the seven items after the last block, people and the published ERMI first.

        Parameters
        ----------
        people
            ``stimulus`` and ``share``, if they are known.

        Returns
        -------
        ``agent, stimulus, share``; items from the fewest answers A of people to the most.
        """
        last = self.shares[self.shares["block"] == self.shares["block"].max()]
        parts = [] if people is None else [people.assign(agent="people")]
        both = pd.concat([*parts, _published(), last], ignore_index=True)
        both = both[both["stimulus"].isin(TRANSFER)]
        order = {name: number for number, name in enumerate(ITEM_ORDER)}
        both = both.sort_values("stimulus", key=lambda names: names.map(order), kind="stable")
        return both[["agent", "stimulus", "share"]].reset_index(drop=True)

    def distances(self, people: pd.DataFrame | None) -> pd.DataFrame:
        """How far answers to the seven items are from people's after 32 blocks, the published ERMI's too.

        Returns
        -------
        One row an agent and number of blocks: ``agent, block, distance`` (Euclidean) and ``correlation``, NaN
        where an agent answers all items alike. No rows without people.
        """
        if people is None:
            return pd.DataFrame(columns=["agent", "block", "distance", "correlation"])
        every = pd.concat([_published().assign(block=self.shares["block"].max()), self.shares])
        wide = every.pivot_table("share", ["agent", "block"], "stimulus", sort=False)[list(TRANSFER)]
        target = people.set_index("stimulus")["share"].reindex(list(TRANSFER))
        gaps = wide - target
        varied = wide.where(wide.max(axis=1) > wide.min(axis=1))
        found = pd.DataFrame(
            {"distance": np.sqrt((gaps**2).sum(axis=1)), "correlation": varied.T.corrwith(target)}
        )
        return found.reset_index()

    def over_blocks(self, agents: Sequence[str]) -> pd.DataFrame:
        """How some agents answer the seven items after more and more blocks.

        Returns
        -------
        ``agent, block``; ``T1, …, T7``, share of answers A; ``rule, exemplar``, share of learners all of whose answers
        follow a rule, or exemplars.
        """
        some = self.shares[self.shares["agent"].isin(agents)]
        wide = some.pivot_table("share", ["agent", "block"], "stimulus", sort=False)[list(TRANSFER)]
        return wide.join(self._kinds()).loc[list(agents)].reset_index()

    def followed(self, *, first: bool = False) -> pd.DataFrame:
        """Share of learners all of whose answers follow a rule, or exemplars; by agent: ``rule, exemplar``.

        The last row, "guessing", says of how many that seems true when all answers are guesses.

        Parameters
        ----------
        first
            Whether after the fewest blocks; after the most by default.
        """
        blocks = self._kinds().groupby("agent", sort=False)
        by = blocks.first() if first else blocks.last()
        chance = chance_shares()
        by.loc["guessing"] = [chance.filter(like=kind).sum() for kind in KINDS]
        return by

    def patterns(self) -> pd.DataFrame:
        """Shares of :meth:`followed` after the fewest and the most blocks: ``agent, kind, block, share``."""
        long = self._kinds().melt(var_name="kind", value_name="share", ignore_index=False).reset_index()
        return long[long["block"].isin([long["block"].min(), long["block"].max()])].reset_index(drop=True)

    def _kinds(self) -> pd.DataFrame:
        """By agent and block: ``rule, exemplar``."""
        by = self.strategies.pivot_table("share", ["agent", "block"], "strategy", sort=False)
        return pd.DataFrame({kind: by.filter(like=kind).sum(axis=1) for kind in KINDS})


def say_people(people: pd.DataFrame | None, load: Callable[[str], Trials], rng: np.random.Generator) -> str:
    """Whether people follow rules or exemplars, as far as it is known: by :func:`say_possible`, and in another study.

    Parameters
    ----------
    load
        What gives Trials by name, such as ``run.load``.
    """
    return f"{say_possible(people)} {new_items.say_people(load, rng)}".strip()


def say_possible(people: pd.DataFrame | None) -> str:
    """How many people can have followed a rule, or exemplars, in all seven answers, as a sentence; "" without people.

    Parameters
    ----------
    people
        ``stimulus`` and ``share``: what single people answered is not published.
    """
    if people is None:
        return ""
    known = possible_shares(people.set_index("stimulus")["share"].reindex(list(TRANSFER)).to_numpy())
    most, single = (known[column].map("{:.0%}".format) for column in ("most", "independent"))
    return (
        f"Single people's answers to these are not published. Their means allow {most['rule']} of them at most to follow a rule in all "
        f"seven and {most['exemplar']} exemplars; it would be {single['rule']} and {single['exemplar']} if everyone answered "
        "items one by one."
    )


def learn_transfer(
    agents: Mapping[str, Agent],
    people: pd.DataFrame | None,
    *,
    rng: np.random.Generator,
    blocks: Sequence[int] = TESTS_AFTER,
    n_orders: int = 24,
) -> Transfer:
    """Teach agents the five-four structure and ask them all sixteen items once, after each of ``blocks``.

    Learners are tested once, since a network is changed by trials without feedback as well.

    Parameters
    ----------
    people
        ``stimulus`` and ``share`` of answers A after 32 blocks; without them answers stay as they are.
    n_orders
        Sequences.
    """
    designs = {
        block: get_design("five_four", tests_after=(block,)).draw(n_orders, rng=rng, n_blocks=block)
        for block in blocks
    }
    shares, strategies, responses = [], [], {}
    for name, agent in agents.items():
        answers = {block: agent.answers(design) for block, design in designs.items()}
        responses[name] = _fitted(answers[max(blocks)], people)
        for block, own in answers.items():
            shares.append(_by_item(own, responses[name]).assign(agent=name, block=block))
            followed = _followed(agent, own, responses[name], rng)
            strategies.append(followed.reset_index().assign(agent=name, block=block))
    return Transfer(
        pd.concat(shares, ignore_index=True)[["agent", "block", "stimulus", "role", "share"]],
        responses,
        pd.concat(strategies, ignore_index=True)[["agent", "block", "strategy", "share"]],
    )


def answer_tests(agent: TypicalAgent, trials: Trials, response: float, rng: np.random.Generator) -> Trials:
    """Choices in the tests at the end of every sequence of an agent whose answers hang on its earlier ones.

    An agent that holds one hypothesis at a time answers all items by it, so what it says of one makes others
    likelier: if it sums over what it may have chosen and thought before, only its tests are answered, trial by
    trial, given its answers so far. Others are simulated from the beginning.

    Parameters
    ----------
    response
        The share of guesses.
    """
    model = agent.model_for(trials)
    draws = rng.random(trials.mask.shape)
    if not model.sums_over_choices:
        chosen = model.simulate(agent.theta(model, len(trials.participants)), trials, rng)
        guesses = rng.integers(trials.n_options, size=draws.shape)
        choice = np.where(draws < response, guesses, chosen.choice)
        return trials.updated(choice=np.where(trials.test, choice, trials.choice))
    theta = agent.theta(model, len(trials.participants), lapse=response)
    for t in np.flatnonzero(trials.test.any(0)):
        p = model.predict(theta, trials.until(t + 1))[:, t]
        trials = trials.answered(t, draw_options(p, draws[:, t]))
    return trials


def _followed(agent: Agent, answers: Answers, response: float, rng: np.random.Generator) -> pd.Series:
    """Share of learners who follow each strategy in the last test, exact where answers are drawn one by one."""
    if answers.by_choices and isinstance(agent, TypicalAgent):
        tested = answer_tests(agent, _copies(answers.trials, _LEARNERS_PER_ORDER), response, rng)
        shares = strategy_shares(classify_transfer(tested))
        return shares.groupby("strategy", sort=False)["share"].mean()
    trials, p = answers.trials, answers.chosen(response)[..., 1]
    items = _last_test(trials) & (trials.stimulus_id >= len(TRAINED))
    order = np.argsort(trials.stimulus_id[items].reshape(len(trials), -1), axis=1)
    found = expected_shares(np.take_along_axis(p[items].reshape(order.shape), order, 1))
    return found.rename_axis("strategy")


def _copies(trials: Trials, n_copies: int) -> Trials:
    """Every sequence so many times, each time somebody else's."""
    some = trials.take(np.tile(np.arange(len(trials)), n_copies))
    return replace(some, sequences=some.sequences.assign(participant=np.arange(len(some))))


def _last_test(trials: Trials) -> np.ndarray:
    """(sequences, trials) where the last test is."""
    return trials.test & (trials.block == trials.block.max())


def _published() -> pd.DataFrame:
    """:data:`PUBLISHED_ERMI` as ``stimulus, share, agent``."""
    shares = pd.Series(PUBLISHED_ERMI, name="share").rename_axis("stimulus").reset_index()
    return shares.assign(agent="published ermi")


def _by_item(answers: Answers, response: float) -> pd.DataFrame:
    """Mean probability of A for every item in the last test: ``stimulus, role, share``."""
    test, item = _last_test(answers.trials), answers.trials.stimulus_id
    p = answers.chosen(response)[..., 0]
    share = np.bincount(item[test], p[test], len(NAMES)) / np.bincount(item[test], minlength=len(NAMES))
    role = ["transfer" if name in TRANSFER else name[0] for name in NAMES]
    return pd.DataFrame({"stimulus": NAMES, "role": role, "share": share})


def _fitted(answers: Answers, people: pd.DataFrame | None) -> float:
    if people is None:
        return answers.neutral
    target = people.set_index("stimulus")["share"].reindex(list(TRAINED)).to_numpy()

    def distance(response: float) -> float:
        share = _by_item(answers, response).set_index("stimulus")["share"].reindex(list(TRAINED))
        return float(((share.to_numpy() - target) ** 2).sum())

    return answers.fit_response(distance)
