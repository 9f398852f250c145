"""Bandits as tensors, and a network's choices in many of them at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F

from toolkit.errors import UsageError
from toolkit.models.bandit_networks import BanditNetwork, encode_past, encode_time
from toolkit.trials import MISSING, Trials

Choose = Callable[[torch.Tensor, int], torch.Tensor]
"""Options (episodes,) for log-probabilities (episodes, options) on a visit."""


class Visits:
    """Trials of sequences sorted by their sets of options: an episode is all visits to one of them, in order.

    Parameters
    ----------
    context, mask
        (sequences, trials) which set of options was on offer, and where there was a trial.
    """

    def __init__(self, context: np.ndarray, mask: np.ndarray) -> None:
        self.mask = mask
        n_contexts = int(context[mask].max(initial=0)) + 1
        here = (context[..., None] == np.arange(n_contexts)) & mask[..., None]
        visit = here.cumsum(1) - here
        sequence, trial = np.nonzero(mask)
        self._number = visit[sequence, trial, context[mask]]
        self._row = sequence * n_contexts + context[mask]
        self.shape = (len(mask) * n_contexts, int(self._number.max(initial=-1)) + 1)

    def sort(self, array: np.ndarray, fill: float = 0) -> np.ndarray:
        """(sequences, trials, …) to (episodes, visits, …), ``fill`` after the last visit."""
        found = np.full((*self.shape, *array.shape[2:]), fill, array.dtype)
        found[self._row, self._number] = array[self.mask]
        return found

    def restore(self, array: np.ndarray) -> np.ndarray:
        """(episodes, visits, …) to (sequences, trials, …), 0 where there is no trial."""
        found = np.zeros((*self.mask.shape, *array.shape[2:]), array.dtype)
        found[self.mask] = array[self._row, self._number]
        return found


@dataclass(frozen=True)
class Episodes:
    """Bandits with what every option would pay, from -1 for the smaller payoff to 1 for the larger one.

    Attributes
    ----------
    dictated
        (episodes, visits) the option that has to be taken, -1 where the choice is free.
    payoff
        (episodes, visits, options).
    full_feedback, free
        (episodes, visits) whether all payoffs are shown; whether there is a free choice.
    """

    dictated: torch.Tensor
    payoff: torch.Tensor
    full_feedback: torch.Tensor
    free: torch.Tensor

    @classmethod
    def of(cls, design: Trials, payoffs: tuple[float, float], visits: Visits) -> Episodes:
        """Those of a design that has an array ``payoff``."""
        if "payoff" not in design.arrays:
            raise UsageError("this bandit has no array 'payoff', so it cannot answer a simulated choice.")
        nowhere = np.zeros_like(design.mask)
        forced = design.arrays.get("forced", nowhere) & design.mask
        tensors = (
            visits.sort(np.where(forced, design.choice, MISSING), MISSING),
            visits.sort(scaled(design.payoff, payoffs).astype(np.float32)),
            visits.sort(design.arrays.get("full_feedback", nowhere)),
            visits.sort(design.mask & ~forced),
        )
        return cls(*map(torch.as_tensor, tensors))


class Played(NamedTuple):
    """What was read, chosen and seen: inputs (episodes, visits, inputs), choice (episodes, visits), outcome
    (episodes, visits, options), NaN where it was not seen."""

    inputs: torch.Tensor
    choice: torch.Tensor
    outcome: torch.Tensor


def scaled(amount: np.ndarray, payoffs: tuple[float, float]) -> np.ndarray:
    """Amounts from -1 for the smaller payoff to 1 for the larger one; 0 if they are the same."""
    low, high = payoffs
    return (amount - (low + high) / 2) * (2 / (high - low) if high > low else 0.0)


@torch.no_grad()
def play(network: BanditNetwork, episodes: Episodes, choose: Choose) -> Played:
    """Let a network act in all episodes, visit by visit; no visit is read twice.

    Dictated options are taken. After the last visit of an episode there are free choices without meaning.
    """
    dtype = network.actor.weight.dtype
    payoff, option = episodes.payoff.to(dtype), torch.arange(network.config.n_options)
    n_episodes, n_visits = episodes.dictated.shape
    time = encode_time(n_visits).to(dtype)
    past = torch.zeros(n_episodes, network.config.n_inputs - 1, dtype=dtype)
    inputs, choices, outcomes, memory = [], [], [], None
    for t in range(n_visits):
        inputs.append(torch.cat([time[t].expand(n_episodes, 1), past], -1))
        log_p, _, memory = network(inputs[-1][:, None], memory)
        dictated = episodes.dictated[:, t]
        choice = torch.where(dictated == MISSING, choose(log_p[:, 0], t), dictated)
        seen = (option == choice[:, None]) | episodes.full_feedback[:, t, None]
        outcome = torch.where(seen, payoff[:, t], torch.nan)
        past = encode_past(dictated != MISSING, choice, outcome)
        choices.append(choice)
        outcomes.append(outcome)
    return Played(torch.stack(inputs, 1), torch.stack(choices, 1), torch.stack(outcomes, 1))


def read(forced: torch.Tensor, choice: torch.Tensor, outcome: torch.Tensor) -> torch.Tensor:
    """Inputs of episodes that anyone played; arguments as for :func:`encode_past`.

    Returns
    -------
    (episodes, visits, inputs)
    """
    past = encode_past(forced, choice, outcome)
    time = encode_time(choice.shape[1]).to(past.dtype).expand(*choice.shape, 1)
    return torch.cat([time, F.pad(past[:, :-1], (0, 0, 1, 0))], -1)
