"""Rounds of a hierarchical fit: everyone's parameters, who follows which model, and groups, each given the others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from toolkit.fitting.members import Members, Searches
from toolkit.fitting.population import Group
from toolkit.fitting.starts import draw_starts
from toolkit.models import Model
from toolkit.progress import track
from toolkit.trials import Trials

_FIRST_PRECISION = 1 / 6.25
"""Of the group that everyone is in before anything is known of it."""

_CLOSE = 0.01
"""Largest change of a group, and of the number of people in it, in the last round."""


@dataclass(frozen=True)
class State:
    """What is believed after a round: everyone's parameters and the group by model, and who follows which.

    ``equal`` takes models as equally frequent, whatever the pseudo-counts ``alpha`` (models,).
    """

    members: list[Members]
    groups: list[Group]
    alpha: np.ndarray
    responsibility: np.ndarray
    bound: float = -np.inf
    n_rounds: int = 0
    converged: bool = False
    equal: bool = False

    def log_frequency(self) -> np.ndarray:
        """(models,) expected logarithms of the frequencies."""
        from scipy.special import digamma

        if self.equal:
            return np.full(len(self.alpha), -np.log(len(self.alpha)))
        return digamma(self.alpha) - digamma(self.alpha.sum())


class Scheme:
    """Rounds of searches, responsibilities and updates of groups."""

    def __init__(self, models: Mapping[str, Model], trials: Trials, *, n_starts: int, seed: int) -> None:
        self.searches = [Searches(model, trials) for model in models.values()]
        self.priors = [Group.before(search.space.centre()) for search in self.searches]
        self.starts = [
            search.space.x(draw_starts(model.parameters, n_starts, seed=seed))
            for search, model in zip(self.searches, models.values(), strict=True)
        ]

    def begin(self) -> State:
        """Everyone in wide groups, in which models are equally frequent."""
        members = []
        for search, prior, starts in zip(self.searches, self.priors, self.starts, strict=True):
            wide = np.full(len(prior.location), _FIRST_PRECISION)
            everyone = np.broadcast_to(starts[:, None], (len(starts), search.n_people, starts.shape[1]))
            members.append(search.run(prior.location, wide, everyone))
        evidence = np.stack([one.log_evidence for one in members], -1)
        none = np.zeros(len(members))
        return self._updated(State(members, self.priors, none, evidence), _shares(evidence))

    def run(self, state: State, max_rounds: int, what: str, progress: bool) -> State:
        """Rounds until nothing changes much."""
        rounds = track(range(max_rounds), what) if progress else range(max_rounds)
        for number in rounds:
            members = [
                search.run(group.location, group.precision, self._starts(own, group))
                for search, own, group in zip(self.searches, state.members, state.groups, strict=True)
            ]
            explained = self._explained(members, state)
            responsibility = _shares(explained)
            bound = self._bound(explained, responsibility, state)
            before = state
            state = self._updated(replace(state, members=members), responsibility)
            change = max(now.distance(then) for now, then in zip(state.groups, before.groups, strict=True))
            state = replace(state, bound=bound, n_rounds=number + 1, converged=change < _CLOSE)
            if state.converged:
                break
        return state

    def _starts(self, members: Members, group: Group) -> np.ndarray:
        return np.stack([members.x, np.broadcast_to(group.location, members.x.shape)])

    def _explained(self, members: list[Members], state: State) -> np.ndarray:
        """(people, models) expected log-probability of choices and parameters, and of the model."""
        return np.stack(
            [
                one.log_evidence - group.expected_loss() + log_frequency
                for one, group, log_frequency in zip(
                    members, state.groups, state.log_frequency(), strict=True
                )
            ],
            -1,
        )

    def _bound(self, explained: np.ndarray, responsibility: np.ndarray, state: State) -> float:
        """Lower bound of the log evidence of everything."""
        from scipy.special import entr

        bound = (responsibility * explained).sum() + entr(responsibility).sum()
        bound -= sum(group.divergence(prior) for group, prior in zip(state.groups, self.priors, strict=True))
        return float(bound - (0 if state.equal else _divergence_from_even(state.alpha)))

    def _updated(self, state: State, responsibility: np.ndarray) -> State:
        groups = [
            prior.updated(one.x, one.variance, own)
            for prior, one, own in zip(self.priors, state.members, responsibility.T, strict=True)
        ]
        return replace(state, groups=groups, alpha=1 + responsibility.sum(0), responsibility=responsibility)


def _shares(log_weight: np.ndarray) -> np.ndarray:
    from scipy.special import softmax

    return softmax(log_weight, axis=1)


def _divergence_from_even(alpha: np.ndarray) -> float:
    """Kullback–Leibler divergence of a Dirichlet distribution from that with a pseudo-count of 1 each."""
    from scipy.special import digamma, gammaln

    log_frequency = digamma(alpha) - digamma(alpha.sum())
    normaliser = gammaln(alpha.sum()) - gammaln(alpha).sum() - gammaln(len(alpha))
    return float(normaliser + ((alpha - 1) * log_frequency).sum())
