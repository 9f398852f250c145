"""What agents say of the seven new items of the five-four structure, after more and more training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from toolkit.experiments import get_design
from toolkit.experiments.five_four import NAMES, TESTS_AFTER, TRAINED, TRANSFER
from toolkit.experiments.strategies import chance_shares, classify_transfer, strategy_shares
from toolkit.fitting.typical import Answers, TypicalAgent
from toolkit.models.base import draw_options
from toolkit.trials import Trials

PUBLISHED_ERMI = {"T1": 0.797, "T2": 0.272, "T3": 0.956, "T4": 0.372, "T5": 0.482, "T6": 0.675, "T7": 0.125}
"""Shares of answers A of the published ERMI after 32 blocks, read off its figure (within .003); its inverse temperature was
chosen to be closest to people on these very items."""

ITEM_ORDER = ("T7", "T5", "T2", "T4", "T6", "T1", "T3")
"""From the fewest answers A of people after 32 blocks to the most."""

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
        One row an agent and strategy: ``agent, strategy, share`` of simulated learners whose seven answers
        after the last block follow it.
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
        """How often some agents answer A to each of the seven items: ``agent, block, T1, …, T7``."""
        some = self.shares[self.shares["agent"].isin(agents)]
        wide = some.pivot_table("share", ["agent", "block"], "stimulus", sort=False)
        return wide[list(TRANSFER)].loc[list(agents)].reset_index()

    def followed(self) -> pd.DataFrame:
        """Share of learners all of whose answers follow a rule, or exemplars; by agent: ``rule, exemplar``.

        The last row, "guessing", says of how many that seems true when all answers are guesses.
        """
        by = self.strategies.pivot_table("share", "agent", "strategy", sort=False)
        by.loc["guessing"] = chance_shares()
        return pd.DataFrame({kind: by.filter(like=kind).sum(axis=1) for kind in ("rule", "exemplar")})


def learn_transfer(
    agents: Mapping[str, TypicalAgent],
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
        Sequences; ten learners of each are classified by strategy.
    """
    last = max(blocks)
    designs = {
        block: get_design("five_four", tests_after=(block,)).draw(
            n_orders * (_LEARNERS_PER_ORDER if block == last else 1),
            rng=rng,
            n_blocks=block,
            n_orders=n_orders,
        )
        for block in blocks
    }
    shares, strategies, responses = [], [], {}
    for name, agent in agents.items():
        answers = {block: agent.answers(design) for block, design in designs.items()}
        responses[name] = _fitted(answers[last], people)
        for block, own in answers.items():
            shares.append(_by_item(own, responses[name]).assign(agent=name, block=block))
        tested = answer_tests(agent, answers[last], responses[name], rng)
        followed = strategy_shares(classify_transfer(tested))
        followed = followed.groupby("strategy", sort=False, as_index=False)["share"].mean()
        strategies.append(followed.assign(agent=name))
    table = pd.concat(shares, ignore_index=True)[["agent", "block", "stimulus", "role", "share"]]
    return Transfer(table, responses, pd.concat(strategies, ignore_index=True))


def answer_tests(agent: TypicalAgent, answers: Answers, response: float, rng: np.random.Generator) -> Trials:
    """The design of ``answers`` with choices in the tests at the end of every sequence, and nowhere else.

    An agent that holds one hypothesis at a time answers all items by it, so what it says of one makes others
    likelier: its test is answered trial by trial, given its answers so far and all that it may
    have thought before.
    """
    trials = answers.trials
    draws = rng.random(trials.mask.shape)
    if not answers.guessing:
        choice = draw_options(answers.chosen(response), draws)
        return trials.updated(choice=np.where(trials.test, choice, trials.choice))
    model = agent.model_for(trials)
    theta = agent.theta(model, len(trials.participants), lapse=response)
    for t in np.flatnonzero(trials.test.any(0)):
        p = model.predict(theta, trials.until(t + 1))[:, t]
        trials = trials.answered(t, draw_options(p, draws[:, t]))
    return trials


def _published() -> pd.DataFrame:
    """:data:`PUBLISHED_ERMI` as ``stimulus, share, agent``."""
    shares = pd.Series(PUBLISHED_ERMI, name="share").rename_axis("stimulus").reset_index()
    return shares.assign(agent="published ermi")


def _by_item(answers: Answers, response: float) -> pd.DataFrame:
    """Mean probability of A for every item in the tests: ``stimulus, role, share``."""
    test, item = answers.trials.test, answers.trials.stimulus_id
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
