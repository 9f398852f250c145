"""Networks that learn a bandit while they act in it: recurrent ones, and causal transformers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import nn

from toolkit.errors import UsageError
from toolkit.models.attention import Capacity, PreNormLayer, randomness_from
from toolkit.trials import MISSING

Kind = Literal["recurrent", "transformer"]
Memory = Any
"""State of a recurrent network, or keys and values of a transformer's earlier trials; None before the first."""

_LONG = 100.0
"""Trials that count as one unit of time."""


@dataclass(frozen=True)
class BanditNetworkConfig:
    """Shape of a network.

    Attributes
    ----------
    kind
        "recurrent": one layer of gated recurrent units. "transformer": layers of causal attention, whose keys
        and values of earlier trials are kept, so that no trial is read twice.
    n_options
        Of a bandit.
    width
        Of a trial's state.
    n_layers, n_heads, feed_forward
        Of a transformer.
    """

    kind: Kind = "recurrent"
    n_options: int = 2
    width: int = 48
    n_layers: int = 2
    n_heads: int = 4
    feed_forward: int = 64

    def __post_init__(self) -> None:
        if self.kind not in ("recurrent", "transformer"):
            raise UsageError(f"there is no network of kind '{self.kind}'.", fix="recurrent or transformer.")
        if self.width % self.n_heads:
            raise UsageError(f"width {self.width} cannot be shared by {self.n_heads} heads.")

    @property
    def n_inputs(self) -> int:
        """Numbers that are read on a trial."""
        return 3 * self.n_options + 2


class BanditNetwork(nn.Module):
    """Reads what became of the trial before; says what to choose now and what that is worth.

    Nothing about a bandit is in the weights: what is learned about it is in the memory of its trials.

    Parameters
    ----------
    generator
        Decides the initial weights.
    """

    def __init__(self, config: BanditNetworkConfig, *, generator: torch.Generator | None = None) -> None:
        super().__init__()
        self.config = config
        width = config.width
        with randomness_from(generator):
            if config.kind == "recurrent":
                self.recurrent = nn.GRU(config.n_inputs, width, batch_first=True)
            else:
                self.embedding = nn.Linear(config.n_inputs, width)
                self.layers = nn.ModuleList(
                    PreNormLayer(width, config.n_heads, config.feed_forward, Capacity())
                    for _ in range(config.n_layers)
                )
            self.actor, self.critic = nn.Linear(width, config.n_options), nn.Linear(width, 1)

    @property
    def n_parameters(self) -> int:
        """How many numbers are learned."""
        return sum(parameter.numel() for parameter in self.parameters())

    def forward(
        self, inputs: torch.Tensor, memory: Memory = None
    ) -> tuple[torch.Tensor, torch.Tensor, Memory]:
        """What to choose on every trial, given the trials before it.

        Parameters
        ----------
        inputs
            (sequences, trials, ``config.n_inputs``); a transformer with a memory takes one trial at a time.
        memory
            Of all trials before ``inputs``.

        Returns
        -------
        Log-probabilities (sequences, trials, options), expected discounted outcomes (sequences, trials), and
        the memory afterwards.
        """
        if self.config.kind == "recurrent":
            state, memory = self.recurrent(inputs, memory)
        else:
            state, memory = self._attend(inputs, memory)
        return self.actor(state).log_softmax(-1), self.critic(state).squeeze(-1), memory

    def _attend(self, inputs: torch.Tensor, memory: Memory) -> tuple[torch.Tensor, Memory]:
        encoded = state = self.embedding(inputs)
        kept = []
        for number, layer in enumerate(self.layers):
            state, own, _ = layer(state, encoded, memory[number] if memory else None)
            kept.append(own)
        return F.layer_norm(state, (self.config.width,)), kept


def encode_time(n_trials: int) -> torch.Tensor:
    """What is known before choosing, how late it is: (trials, 1)."""
    return torch.arange(n_trials)[:, None] / _LONG


def encode_past(forced: torch.Tensor, choice: torch.Tensor, outcome: torch.Tensor) -> torch.Tensor:
    """What became of trials: (…, 3 × options + 1) numbers.

    Parameters
    ----------
    forced, choice
        (…) each, -1 where no choice was made.
    outcome
        (…, options) from -1 for the smaller payoff to 1 for the larger one, NaN where it was not seen.
    """
    unit = F.one_hot(choice.clamp(min=0), outcome.shape[-1]) * (choice != MISSING)[..., None]
    parts = [unit, forced[..., None], outcome.nan_to_num(0.0), ~outcome.isnan()]
    return torch.cat([part.to(outcome.dtype) for part in parts], -1)
