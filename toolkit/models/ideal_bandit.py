"""Ideal Bayesian learner of bandits that pay one of two amounts: exact beliefs about every option's chance."""

from __future__ import annotations

from typing import Any, Literal, Self, get_args

import numpy as np
import torch

from toolkit.errors import UsageError, did_you_mean
from toolkit.models.base import Model, TrialTensors
from toolkit.models.reward_learning import INVERSE_TEMPERATURE, LAPSE, range_of_outcomes, with_priors
from toolkit.trials import Trials

Choice = Literal["softmax", "thompson"]
_N_NODES = 256


class IdealBandit(Model):
    """Believes at first that every chance of the larger payoff is equally likely, and counts what is shown.

    After w larger and l smaller payoffs the belief about an option is Beta(1 + w, 1 + l). Chances are taken not
    to change, so this is the best that can be learned in a stationary bandit.

    Parameters
    ----------
    choice
        "softmax" over the payoffs expected, with an inverse temperature; "thompson": with the probability that
        the option is the best of all, apart from lapses.
    payoffs
        The smaller and the larger amount; made for trials, the smallest and the largest outcome. Outcomes above
        their middle count as the larger one.
    """

    name = "ideal_bandit"
    schemas = ("bandit",)
    parameters = (INVERSE_TEMPERATURE,)
    choice: Choice = "softmax"

    def __init__(self, *, choice: Choice | None = None, payoffs: tuple[float, float] = (-1.0, 1.0)) -> None:
        self.choice = self.choice if choice is None else choice
        if self.choice not in get_args(Choice):
            raise UsageError(
                f"the ideal learner cannot choose by '{choice}'.", fix=did_you_mean(choice, get_args(Choice))
            )
        self.payoffs = tuple(map(float, payoffs))
        self.parameters = with_priors((INVERSE_TEMPERATURE if self.choice == "softmax" else LAPSE,))

    @classmethod
    def for_trials(cls, trials: Trials, **options: Any) -> Self:
        return cls(**{"payoffs": range_of_outcomes(trials), **options})

    def probabilities(self, theta: torch.Tensor, data: TrialTensors) -> torch.Tensor:
        wins, losses = data.remember((self.name, self.payoffs), lambda: self._counts(data))
        if self.choice == "softmax":
            low, high = self.payoffs
            value = low + (high - low) * (wins + 1) / (wins + losses + 2)
            return torch.softmax(theta[..., :1, None] * value, -1)
        key = (self.name, "thompson", self.payoffs)
        best = data.remember(key, lambda: probability_of_being_best(wins + 1, losses + 1).to(theta))
        lapse = theta[..., :1, None]
        return (1 - lapse) * best + lapse / data.n_options

    def _counts(self, data: TrialTensors) -> tuple[torch.Tensor, torch.Tensor]:
        """Larger and smaller payoffs seen of each option before a trial: (sequences, trials, options) each."""
        here = torch.nn.functional.one_hot(data.context.clamp(min=0)).to(data.outcome)
        counts = []
        for seen in (data.outcome > sum(self.payoffs) / 2, data.outcome <= sum(self.payoffs) / 2):
            # (sequences, trials, contexts, options)
            by_context = torch.einsum("stc,stk->stck", here, seen.to(here))
            before = by_context.cumsum(1) - by_context
            counts.append(torch.einsum("stck,stc->stk", before, here))
        return counts[0], counts[1]


class ThompsonBandit(IdealBandit):
    """The ideal learner that chooses every option as often as it believes it to be the best."""

    name = "thompson_bandit"
    parameters = (LAPSE,)
    choice: Choice = "thompson"


def probability_of_being_best(first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    """Probability that each of several independent Beta variables is the largest.

    Parameters
    ----------
    first, second
        (…, options) parameters of the distributions, at least 1.

    Returns
    -------
    (…, options), by quadrature, computed once for equal rows.
    """
    from scipy.special import betainc
    from scipy.stats import beta

    n_options = first.shape[-1]
    given = torch.stack([first, second], -1).cpu().numpy()
    pairs, which = np.unique(given.reshape(-1, 2), axis=0, return_inverse=True)
    rows, row = np.unique(which.reshape(-1, n_options), axis=0, return_inverse=True)
    node, weight = np.polynomial.legendre.leggauss(_N_NODES)
    x, a, b = (node + 1) / 2, pairs[:, :1], pairs[:, 1:]
    density, below = beta.pdf(x, a, b) * weight, betainc(a, b, x)
    best = np.empty(rows.shape)
    for k in range(n_options):
        largest = density[rows[:, k]]
        for other in range(n_options):
            if other != k:
                largest = largest * below[rows[:, other]]
        best[:, k] = largest.sum(-1)
    best /= best.sum(-1, keepdims=True)
    return torch.as_tensor(best[row.reshape(-1)].reshape(first.shape), device=first.device)
