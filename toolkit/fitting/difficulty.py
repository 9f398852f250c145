"""Errors on Shepard's six types: agents get one number of choice from two types and are judged on the other four."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from toolkit.data import correct_to_criterion
from toolkit.experiments.shepard import faulty, type_of
from toolkit.experiments.summaries import error_by_block, order_of_conditions, with_intervals
from toolkit.fitting.people import Study
from toolkit.fitting.typical import Agent, Answers
from toolkit.trials import Trials

FITTED_ON = ("I", "VI")
"""The easiest and the hardest type."""

BLOCK = 16
"""Trials of a block."""

N_BLOCKS = 6
"""Blocks that all people and agents learned: problems of Badham et al. have 96 trials."""

TIE = 0.005
"""Difference of mean errors below which two types count as equally hard."""

PUBLISHED_ERMI = {
    "I": (0.274, 0.072, 0.053, 0.051, 0.050, 0.049),
    "II": (0.395, 0.142, 0.082, 0.070, 0.068, 0.067),
    "III": (0.357, 0.132, 0.082, 0.076, 0.072, 0.071),
    "IV": (0.330, 0.122, 0.083, 0.075, 0.071, 0.067),
    "V": (0.369, 0.143, 0.087, 0.076, 0.074, 0.069),
    "VI": (0.436, 0.238, 0.125, 0.101, 0.091, 0.088),
}
"""Errors of blocks 1 to 6 of the published ERMI, read off the coordinates of its figure (within .003). Types III and V were
drawn by the faulty generator, and the inverse temperature was chosen to be closest to people on all types."""


def published_errors() -> pd.DataFrame:
    """:data:`PUBLISHED_ERMI` as one row a type and block: ``condition, block, error``."""
    rows = [
        (condition, block, error)
        for condition, errors in PUBLISHED_ERMI.items()
        for block, error in enumerate(errors, start=1)
    ]
    return pd.DataFrame(rows, columns=["condition", "block", "error"])


def learn_types(
    agents: Mapping[str, Agent],
    design: Trials,
    people: pd.DataFrame | None,
    *,
    fitted_on: Sequence[str] = FITTED_ON,
) -> tuple[pd.DataFrame, dict[str, float]]:
    """What agents' errors are expected to be, with the number of choice that suits people on two types best.

    Parameters
    ----------
    design
        Of "shepard" or another with blocks.
    people
        Mean errors: ``condition, block, error``. Without them answers stay as they are.
    fitted_on
        Conditions whose mean squared distance from people over blocks is made small.

    Returns
    -------
    Errors, one row an agent, sequence and block: ``agent`` and the columns of
    :func:`toolkit.experiments.summaries.error_by_block`; and every agent's number.
    """
    errors, responses = [], {}
    for name, agent in agents.items():
        answers = agent.answers(design)
        responses[name] = answers.neutral if people is None else fit_to_types(answers, people, fitted_on)
        errors.append(expected_errors(answers, responses[name]).assign(agent=name))
    table = pd.concat(errors, ignore_index=True)
    return table[["agent", *table.columns.drop("agent")]], responses


def fit_to_types(answers: Answers, people: pd.DataFrame, fitted_on: Sequence[str] = FITTED_ON) -> float:
    """The number of choice with which errors on some types are closest to people's."""
    rows = answers.trials.sequences["condition"].isin(fitted_on).to_numpy()
    # The others are left out before probabilities are raised, which is what takes time.
    some = Answers(answers.trials.take(rows), answers.p[rows], answers.guessing)
    target = people.set_index(["condition", "block"])["error"]

    def distance(response: float) -> float:
        mean = expected_errors(some, response).groupby(["condition", "block"])["error"].mean()
        return float(((mean - target.reindex(mean.index)) ** 2).mean())

    return some.fit_response(distance)


def expected_errors(answers: Answers, response: float) -> pd.DataFrame:
    """Mean probability of a wrong choice of every sequence in every block."""
    return error_by_block(answers.trials, correct=answers.correct(response))


def mean_errors(
    agents: Mapping[str, Agent],
    design: Trials,
    responses: Mapping[str, float],
    people: pd.DataFrame | None,
) -> pd.DataFrame:
    """Mean error in every condition (columns) of agents and people (rows).

    Parameters
    ----------
    responses
        Agents' numbers of choice, from elsewhere; answers of others stay as they are.
    people
        Mean errors: ``condition, block, error``, if they are known.
    """
    answers = {name: agent.answers(design) for name, agent in agents.items()}
    errors = {name: expected_errors(own, responses.get(name, own.neutral)) for name, own in answers.items()}
    errors |= {} if people is None else {"people": people}
    return pd.DataFrame({name: own.groupby("condition")["error"].mean() for name, own in errors.items()}).T


def judge_types(
    errors: pd.DataFrame,
    people: pd.DataFrame | None,
    *,
    rng: np.random.Generator,
    fitted_on: Sequence[str] = FITTED_ON,
) -> pd.DataFrame:
    """How far agents are from people, and whether they find the same types hard.

    Parameters
    ----------
    errors
        Of :func:`learn_types`.
    people
        As there; without them nobody can be judged.

    Returns
    -------
    One row an agent, the closest first: ``agent``; root mean squared distance from people's mean errors over
    blocks on the types that were ``fitted`` and on those that are ``judged``; ``rank_correlation`` of the types'
    mean errors with people's; and ``same_order``, the probability that all types are ordered as people's are,
    over bootstrap samples of the sequences learned.
    """
    columns = ["agent", "fitted", "judged", "rank_correlation", "same_order"]
    if people is None:
        return pd.DataFrame({"agent": errors["agent"].unique()}).reindex(columns=columns)
    target = people.set_index(["condition", "block"])["error"]
    expected = target.groupby("condition").mean().sort_values().index.tolist()
    rows = []
    for name, own in errors.groupby("agent", sort=False):
        mean = own.groupby(["condition", "block"])["error"].mean()
        both = pd.DataFrame({"agent": mean, "people": target}).dropna()
        gap = both["agent"] - both["people"]
        fitted = gap.index.get_level_values("condition").isin(fitted_on)
        ranks = both.groupby("condition").mean().rank()
        order = order_of_conditions(own, expected=expected, rng=rng, unit="order")
        correlation = ranks["agent"].corr(ranks["people"])
        rows.append((name, _size(gap[fitted]), _size(gap[~fitted]), correlation, order.probability))
    return pd.DataFrame(rows, columns=columns).sort_values("judged", ignore_index=True)


def order_types(
    errors: pd.DataFrame,
    people: pd.DataFrame | None,
    study: Study,
    *,
    rng: np.random.Generator,
    n_blocks: int = N_BLOCKS,
) -> pd.DataFrame:
    """Mean errors on every type over the first blocks: people, groups of people, the published ERMI, and agents.

    Parameters
    ----------
    errors
        Of :func:`learn_types`.
    study
        People who learned the types themselves; of simulated ones nothing is shown.

    Returns
    -------
    One row an agent and type: ``agent, condition, mean, low, high``. Intervals are over participants of the study
    and over the sequences that agents learned; published means have none.
    """
    parts = []
    for name, means in {"people": people, "published ermi": published_errors()}.items():
        if means is not None:
            early = means[means["block"] <= n_blocks]
            mean = (
                early.groupby("condition", as_index=False)["error"].mean().rename(columns={"error": "mean"})
            )
            parts.append(mean.assign(agent=name, low=mean["mean"], high=mean["mean"]))
        if name == "people" and not study.simulated:
            parts += _groups_in(study, n_blocks, rng)
    early = errors[errors["block"] <= n_blocks]
    parts.append(with_intervals(early, by=("agent", "condition"), rng=rng, unit="order"))
    return pd.concat(parts, ignore_index=True)[["agent", "condition", "mean", "low", "high"]]


def say_orders(order: pd.DataFrame) -> dict[str, str]:
    """Every agent's types from easy to hard, "≈" between neighbours whose means are closer than :data:`TIE`.

    >>> say_orders(pd.DataFrame({"agent": "rule", "condition": ["I", "VI", "II"], "mean": [0.1, 0.5, 0.1]}))
    {'rule': 'I ≈ II, VI'}
    """
    said = {}
    for agent, own in order.sort_values("mean", kind="stable").groupby("agent", sort=False):
        steps = own["mean"].diff().to_numpy()[1:]
        marks = ["", *(" ≈ " if step < TIE else ", " for step in steps)]
        said[str(agent)] = "".join(
            f"{mark}{name}" for mark, name in zip(marks, own["condition"], strict=True)
        )
    return said


def beside_published(errors: pd.DataFrame) -> pd.DataFrame:
    """Our ERMI's errors on every type and block, and the published ones: ``condition, block, ours, published``."""
    own = errors[errors["agent"] == "ermi"].groupby(["condition", "block"], sort=False)["error"].mean()
    published = published_errors().set_index(["condition", "block"])["error"]
    return pd.DataFrame({"ours": own, "published": published}).dropna().reset_index()


def legacy_effect(errors: pd.DataFrame, n_blocks: int = N_BLOCKS) -> pd.DataFrame:
    """What the generator of earlier work does to errors on Types III and V, for which it draws others as well.

    Parameters
    ----------
    errors
        Of :func:`learn_types`, all six types.

    Returns
    -------
    One row an agent: ``agent``, and by how much the mean error over the first blocks is larger with the faulty
    generator, in the columns ``III`` and ``V``.
    """
    early = errors[errors["block"] <= n_blocks]
    mean = early.pivot_table("error", "agent", "condition", sort=False)
    change = {}
    for condition in ("III", "V"):
        drawn = pd.Series([type_of(half) for half in faulty(condition)]).value_counts(normalize=True)
        change[condition] = mean[drawn.index] @ drawn - mean[condition]
    return pd.DataFrame(change).reset_index()


def _groups_in(study: Study, n_blocks: int, rng: np.random.Generator) -> list[pd.DataFrame]:
    """Mean errors of every group of a study; problems that ended at criterion go on without errors."""
    trials = study.everyone
    errors = error_by_block(trials, block=BLOCK, correct=correct_to_criterion(trials))
    group = trials.sequences.groupby("participant")[study.groups].first()
    errors = errors.assign(group=errors["participant"].map(group))
    return [
        with_intervals(own[own["block"] <= n_blocks], by=("condition",), rng=rng).assign(
            agent=f"{name} people"
        )
        for name, own in errors.groupby("group", sort=True)
    ]


def _size(gap: pd.Series) -> float:
    """Root mean square."""
    return float(np.sqrt((gap**2).mean()))
