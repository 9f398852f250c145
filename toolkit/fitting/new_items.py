"""Single people's answers to new things: foretold by a rule on one dimension, or by exemplars?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product

import numpy as np
import pandas as pd

from toolkit.errors import DataError
from toolkit.trials import MISSING, Trials

STUDIES = {"bartlema2014_diagonal": "diagonal", "bartlema2014_crisscross": "criss-cross"}
"""Data sets with people's answers to things that were never trained, and how their categories lie."""

STRATEGIES = {"exemplar": "exemplars", "rule": "rules on one dimension", "preference": "a preference"}
"""What may foretell an answer, in words."""

_DOUBLES = 10
_LAPSES = np.linspace(0, 1, 21)[:-1] + 0.025
_SENSITIVITIES = 2.0 ** np.arange(-1, 5)
_ATTENTION = np.linspace(0.1, 0.9, 9)


@dataclass(frozen=True)
class Asked:
    """Things that were asked about after learning, without feedback, and what everybody answered.

    Attributes
    ----------
    stimuli
        (things, features).
    category
        (things,): what was trained, -1 for new things.
    times, second
        (people, things): how often each was asked, and how often the answer was the second category.
    """

    stimuli: np.ndarray
    category: np.ndarray
    times: np.ndarray
    second: np.ndarray

    @property
    def new(self) -> np.ndarray:
        """(things,): which were never trained."""
        return self.category == MISSING

    @classmethod
    def of(cls, trials: Trials) -> Asked:
        """Of trials with the arrays ``transfer``, ``stimulus_id`` and ``answer``."""
        number, first = np.unique(trials.stimulus_id[trials.mask], return_index=True)
        asked = trials.mask & trials.transfer.astype(bool) & (trials.choice != MISSING)
        shown = asked[..., None] & (trials.stimulus_id[..., None] == number)
        return cls(
            trials.stimulus[trials.mask][first],
            trials.answer[trials.mask][first].astype(int),
            shown.sum(1),
            (shown & (trials.choice == 1)[..., None]).sum(1),
        )


def strategies(asked: Asked) -> dict[str, np.ndarray]:
    """Probabilities of the second category, (ways, things), for every way to follow each strategy.

    A rule divides one dimension between two neighbouring values. Exemplars are the trained things: an answer goes by
    summed similarity, exp(-sensitivity × distance), with attention to either dimension. Either is followed but for a
    share of guesses. A preference answers everything alike. All ways are equally likely before anything is known.
    """
    rules = [
        (values > cut) == way for values in asked.stimuli.T for cut in _cuts(values) for way in (False, True)
    ]
    trained = ~asked.new
    apart = np.abs(asked.stimuli[:, None] - asked.stimuli[trained])
    shares = []
    for sensitivity, attention in product(_SENSITIVITIES, _ATTENTION):
        similarity = np.exp(-sensitivity * apart @ (attention, 1 - attention))
        shares.append(similarity[:, asked.category[trained] == 1].sum(1) / similarity.sum(1))
    return {
        "exemplar": _with_lapses(np.array(shares)),
        "rule": _with_lapses(np.unique(rules, axis=0).astype(float)),
        "preference": np.tile(_LAPSES[:, None], len(asked.stimuli)),
    }


def foretell(asked: Asked) -> pd.DataFrame:
    """How well each strategy foretells everybody's answers to new things from those to trained ones.

    Ways to follow a strategy count as much as the answers to trained things make them likely.

    Returns
    -------
    One row a person: by strategy the log-probability of an answer to a new thing (nats), and ``best``.
    """
    found = {name: _log_predictive(asked, ways) for name, ways in strategies(asked).items()}
    table = pd.DataFrame(found) / asked.times[:, asked.new].sum(1)[:, None]
    return table.assign(best=table.idxmax(axis=1))


def recognised(asked: Asked, rng: np.random.Generator) -> pd.Series:
    """Share of simulated people whose strategy :func:`foretell` finds, by strategy.

    Every person has some doubles, who follow the strategy in ways that suit that person's answers to trained things.
    """
    found = {}
    times = np.repeat(asked.times, _DOUBLES, axis=0)
    for name, ways in strategies(asked).items():
        weights = np.exp(_log_likelihood(asked, ways, ~asked.new))
        chosen = [rng.choice(len(ways), _DOUBLES, p=one / one.sum()) for one in weights]
        second = rng.binomial(times, ways[np.concatenate(chosen)])
        doubles = Asked(asked.stimuli, asked.category, times, second)
        found[name] = (foretell(doubles)["best"] == name).mean()
    return pd.Series(found)


def say_people(load: Callable[[str], Trials], rng: np.random.Generator) -> str:
    """Which strategies foretell single people's answers to new things, as a sentence; "" where data are absent.

    Parameters
    ----------
    load
        What gives Trials by name, such as ``run.load``.
    """
    said = []
    for name, shape in STUDIES.items():
        try:
            asked = Asked.of(load(name))
        except DataError:
            return ""
        people, found = foretell(asked)["best"].value_counts(), recognised(asked, rng)
        each = [f"{words} for {people.get(strategy, 0)}" for strategy, words in STRATEGIES.items()]
        shares = ", ".join(f"{found[strategy]:.0%}" for strategy in STRATEGIES)
        said.append(
            f"{', '.join(each)} of {len(asked.times)} people with {shape} categories (of their simulated doubles "
            f"{shares} are recognised)"
        )
    return (
        "Single people's answers to other new things (Bartlema et al., 2014) are foretold best, from their answers to trained "
        f"ones, by {'; by '.join(said)}."
    )


def _cuts(values: np.ndarray) -> np.ndarray:
    """Between all neighbouring values."""
    ordered = np.unique(values)
    return (ordered[1:] + ordered[:-1]) / 2


def _with_lapses(shares: np.ndarray) -> np.ndarray:
    """(ways, things) -> (ways × lapses, things)."""
    lapse = _LAPSES[:, None, None]
    return ((1 - lapse) * shares + lapse / 2).reshape(-1, shares.shape[1])


def _log_likelihood(asked: Asked, ways: np.ndarray, which: np.ndarray) -> np.ndarray:
    """(people, ways) of the answers to some things."""
    ways = ways[:, which]
    return (
        asked.second[:, which] @ np.log(ways).T + (asked.times - asked.second)[:, which] @ np.log1p(-ways).T
    )


def _log_predictive(asked: Asked, ways: np.ndarray) -> np.ndarray:
    """(people,): log-probability of answers to new things given those to trained ones."""
    trained = _log_likelihood(asked, ways, ~asked.new)
    both = trained + _log_likelihood(asked, ways, asked.new)
    return np.logaddexp.reduce(both, 1) - np.logaddexp.reduce(trained, 1)
