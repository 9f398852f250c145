"""Parts of transformers that learn trial by trial: causal attention to remembered trials, and layers made of it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import nn

from toolkit.errors import UsageError


@dataclass(frozen=True)
class Capacity:
    """Limits of a learner's memory; by default there are none.

    Whatever a trial takes from other trials passes through keys and values, which are made of a state of
    unit variance. That is where the limits are, so a network cannot outgrow them by larger weights.

    Attributes
    ----------
    information_cost
        Loss a nat of information that is kept of a trial, summed over layers; noise whose size is learned
        bounds the information. 0: nothing is charged.
    attention_window
        How many of the last exemplars can be used. Every layer then reads them as they were first
        encoded, so that no layer passes on what lies further back.
    memory_noise
        Standard deviation of noise added to what is kept of a trial, in training and after it.
    """

    __pydantic_config__: ClassVar = {"extra": "forbid"}

    information_cost: float = 0.0
    attention_window: int | None = None
    memory_noise: float = 0.0

    def __post_init__(self) -> None:
        if self.information_cost < 0 or self.memory_noise < 0:
            raise UsageError("information_cost and memory_noise cannot be negative.", where="capacity")
        if self.attention_window is not None and self.attention_window < 1:
            raise UsageError(
                f"attention_window is {self.attention_window}.", where="capacity", fix="1 or more, or None."
            )

    @property
    def noisy(self) -> bool:
        """Whether answers depend on random draws."""
        return self.information_cost > 0 or self.memory_noise > 0


LOG_NOISE_UNIT = 10.0
"""The logarithm of the standard deviation of noise is as many times the number that is learned."""

Past = list[tuple[torch.Tensor, torch.Tensor]]
"""Keys and values of all earlier trials, one pair an attention: (sequences, heads, trials, head width)."""


@contextlib.contextmanager
def randomness_from(generator: torch.Generator | None) -> Iterator[None]:
    """Let torch's own generators follow ``generator`` inside the block and be as before after it.

    Dropout inside fused attention and compiled code cannot be given a generator of its own.
    """
    if generator is None:
        yield
        return
    seed = torch.randint(2**62, (1,), generator=generator, device=generator.device).item()
    devices = [generator.device] if generator.device.type == "cuda" else []
    with torch.random.fork_rng(devices):
        torch.manual_seed(int(seed))
        yield


def limit_window(trials: int, window: int, device: torch.device) -> torch.Tensor:
    """Which trials (columns) each trial (row) may look at: itself and ``window`` - 1 before it."""
    distance = torch.arange(trials, device=device)[:, None] - torch.arange(trials, device=device)
    return (distance >= 0) & (distance < window)


class CausalAttention(nn.Module):
    """Attention of every trial to itself and to the trials before it.

    Parameters
    ----------
    sharpened
        Whether each head learns how its attention sharpens with the logarithm of the number of trials,
        so that a match stands out among a thousand trials as among ten.
    """

    def __init__(
        self, width: int, n_heads: int, *, dropout: float, sharpened: bool, capacity: Capacity
    ) -> None:
        super().__init__()
        self.n_heads, self.dropout, self.capacity = n_heads, dropout, capacity
        self.queries = nn.Linear(width, width)
        self.keys_values = nn.Linear(width, 2 * width)
        self.output = nn.Linear(width, width)
        bound = (6 / (4 * width)) ** 0.5  # Xavier's for the three projections taken as one matrix.
        for projection in (self.queries, self.keys_values):
            nn.init.uniform_(projection.weight, -bound, bound)
            nn.init.zeros_(projection.bias)
        nn.init.zeros_(self.output.bias)
        self.sharpening = nn.Parameter(torch.zeros(n_heads)) if sharpened else None
        # One value a channel: how much noise the state is kept with when information is charged. An optimiser
        # moves every number by about its rate a step, too little to get far in a short training; hence the unit.
        start = torch.full((width,), -2.0 / LOG_NOISE_UNIT)
        self.noise = nn.Parameter(start) if capacity.information_cost else None
        self._window_mask = torch.empty(0)

    def forward(
        self, x: torch.Tensor, source: torch.Tensor, past: tuple[torch.Tensor, torch.Tensor] | None
    ) -> tuple[torch.Tensor, tuple[torch.Tensor, torch.Tensor], torch.Tensor]:
        """Parameters
        ----------
        x
            (sequences, trials, width): who asks.
        source
            (sequences, trials, width): what keys and values are made of.
        past
            Keys and values of earlier trials; then there must be one trial in ``x``.

        Returns
        -------
        What was read (sequences, trials, width), keys and values including the past's, and the nats kept
        of each trial (sequences, trials).
        """
        source, nats = self._limited(source)
        keys, values = (self._by_head(part) for part in self.keys_values(source).chunk(2, -1))
        queries = self._by_head(self.queries(x))
        if past is not None:
            keys, values = torch.cat([past[0], keys], 2), torch.cat([past[1], values], 2)
        window = self.capacity.attention_window
        if past is not None and window is not None:
            keys, values = keys[:, :, -window:], values[:, :, -window:]
        if self.sharpening is not None:
            queries = queries * self._sharpness(queries.shape[2], keys.shape[2]).to(queries.dtype)
        read = F.scaled_dot_product_attention(
            queries,
            keys,
            values,
            attn_mask=self._mask(keys) if window is not None and past is None else None,
            is_causal=window is None and past is None,
            dropout_p=self.dropout if self.training else 0.0,
        )
        return self.output(read.transpose(1, 2).flatten(2)), (keys, values), nats

    def _by_head(self, x: torch.Tensor) -> torch.Tensor:
        return x.unflatten(-1, (self.n_heads, -1)).transpose(1, 2)

    def _limited(self, source: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """The state as it is kept, and the nats kept of each trial."""
        nats = source.new_zeros(())
        if self.noise is not None:
            variance = (2 * LOG_NOISE_UNIT * self.noise).exp()
            # Divergence of the noisy state from what all states of unit variance look like with that noise.
            excess = (source.float() ** 2 - 1) / (1 + variance)
            nats = 0.5 * (torch.log1p(1 / variance) + excess).sum(-1)
            source = source + variance.sqrt().to(source.dtype) * torch.randn_like(source)
        if self.capacity.memory_noise:
            source = source + self.capacity.memory_noise * torch.randn_like(source)
        return source, nats

    def _sharpness(self, n_queries: int, n_keys: int) -> torch.Tensor:
        """Factor of every head's logits at every trial: (heads, queries, 1)."""
        seen = torch.arange(n_keys - n_queries + 1, n_keys + 1, device=self.sharpening.device)
        if self.capacity.attention_window is not None:
            seen = seen.clamp(max=self.capacity.attention_window)
        return 1 + self.sharpening[:, None, None] * seen.log()[:, None]

    def _mask(self, keys: torch.Tensor) -> torch.Tensor:
        trials = keys.shape[2]
        if self._window_mask.shape[-1] < trials or self._window_mask.device != keys.device:
            self._window_mask = limit_window(trials, self.capacity.attention_window, keys.device)
        return self._window_mask[:trials, :trials]


class PreNormLayer(nn.Module):
    """Attention and feed-forward, each added to a state that is normalised only for reading."""

    def __init__(self, width: int, n_heads: int, feed_forward: int, capacity: Capacity) -> None:
        super().__init__()
        self.width, self.first_encoding = width, capacity.attention_window is not None
        self.attention = CausalAttention(width, n_heads, dropout=0.0, sharpened=True, capacity=capacity)
        self.expand, self.contract = nn.Linear(width, feed_forward), nn.Linear(feed_forward, width)

    def forward(self, state: torch.Tensor, encoded: torch.Tensor, past: Past | None) -> tuple:
        """State after the layer, keys and values to keep, and nats kept of each trial."""
        x = F.layer_norm(state, (self.width,))
        source = F.layer_norm(encoded, (self.width,)) if self.first_encoding else x
        read, kept, nats = self.attention(x, source, past[0] if past else None)
        state = state + read
        x = F.layer_norm(state, (self.width,))
        return state + self.contract(F.relu(self.expand(x))), [kept], nats


class PostNormLayer(nn.Module):
    """PyTorch's decoder layer with the encoded trials as memory: self-attention, cross-attention, feed-forward."""

    def __init__(self, width: int, n_heads: int, feed_forward: int, dropout: float) -> None:
        super().__init__()
        options = {"dropout": dropout, "sharpened": False, "capacity": Capacity()}
        self.itself = CausalAttention(width, n_heads, **options)
        self.across = CausalAttention(width, n_heads, **options)
        self.expand, self.contract = nn.Linear(width, feed_forward), nn.Linear(feed_forward, width)
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(3))
        self.drop = nn.Dropout(dropout)

    def forward(self, state: torch.Tensor, encoded: torch.Tensor, past: Past | None) -> tuple:
        """State after the layer, keys and values to keep, and nats kept of each trial."""
        read, kept_itself, nats = self.itself(state, state, past[0] if past else None)
        state = self.norms[0](state + self.drop(read))
        read, kept_across, _ = self.across(state, encoded, past[1] if past else None)
        state = self.norms[1](state + self.drop(read))
        changed = self.contract(self.drop(F.relu(self.expand(state))))
        return self.norms[2](state + self.drop(changed)), [kept_itself, kept_across], nats
