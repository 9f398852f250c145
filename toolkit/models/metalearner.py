"""The network of meta-learners: a causal transformer that learns a problem by reading its trials."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import ClassVar, Literal

import torch
import torch.nn.functional as F
from torch import nn

from toolkit.errors import UsageError
from toolkit.models.attention import Capacity, Past, PostNormLayer, PreNormLayer, randomness_from
from toolkit.models.encoders import UNKNOWN, ExemplarEncoder, PaperEncoder


@dataclass(frozen=True)
class NetworkConfig:
    """Shape of a network.

    Attributes
    ----------
    kind
        "modern": any number of features and classes up to the limits, no positions, so sequences of any
        length. "paper": the decoder of earlier work: exactly ``n_features`` features, two classes,
        sinusoidal positions, dropout, cross-attention to the encoded trials.
    n_features, n_classes
        Most features and classes there can be.
    feed_forward
        Units between the two linear maps of a layer.
    """

    # In a header a misspelt limit must not pass for a network without the limit.
    __pydantic_config__: ClassVar = {"extra": "forbid"}

    kind: Literal["modern", "paper"] = "modern"
    n_features: int = 10
    n_classes: int = 10
    width: int = 64
    n_layers: int = 6
    n_heads: int = 2
    feed_forward: int = 128
    dropout: float = 0.0
    capacity: Capacity = field(default_factory=Capacity)

    @classmethod
    def paper(cls, n_features: int = 3) -> NetworkConfig:
        """Earlier work's network; 400,897 parameters for three features."""
        return cls("paper", n_features, 2, n_layers=6, n_heads=8, feed_forward=256, dropout=0.1)

    def __post_init__(self) -> None:
        if self.kind not in ("modern", "paper"):
            raise UsageError(f"there is no network of kind '{self.kind}'.", fix="modern or paper.")
        sizes = ("n_features", "n_classes", "width", "n_layers", "n_heads", "feed_forward")
        if wrong := [name for name in sizes if getattr(self, name) < 1]:
            raise UsageError(f"{wrong[0]} is {getattr(self, wrong[0])}.", where="network", fix="1 or more.")
        if self.width % self.n_heads or self.width % 2:
            raise UsageError(f"width {self.width} cannot be shared by {self.n_heads} heads.")
        if self.kind == "paper" and (self.n_classes != 2 or self.capacity != Capacity()):
            raise UsageError("the paper's network has two classes and no limits of capacity.")
        if self.kind == "modern" and self.dropout:
            raise UsageError("the modern network has no dropout; fresh problems do not need it.")


@dataclass(frozen=True)
class State:
    """What a network remembers between two trials of :meth:`MetaLearnerNetwork.step`."""

    past: list[Past]
    position: int
    last_features: torch.Tensor
    used: torch.Tensor
    possible: torch.Tensor


class MetaLearnerNetwork(nn.Module):
    """Reads a trial's features and the label of the trial before, and predicts the trial's label.

    Nothing about a problem is in the weights: what is learned about it is in the states of its trials.
    Features are expected between 0 and 1 (:meth:`toolkit.tasks.problems.Problems.scaled`).

    Parameters
    ----------
    generator
        Decides the initial weights.
    """

    def __init__(self, config: NetworkConfig, *, generator: torch.Generator | None = None) -> None:
        super().__init__()
        self.config = config
        modern = config.kind == "modern"
        with randomness_from(generator):
            self.encoder = (
                ExemplarEncoder(config.n_features, config.n_classes, config.width)
                if modern
                else PaperEncoder(config.n_features, config.width, config.dropout)
            )
            self.layers = nn.ModuleList(
                PreNormLayer(config.width, config.n_heads, config.feed_forward, config.capacity)
                if modern
                else PostNormLayer(config.width, config.n_heads, config.feed_forward, config.dropout)
                for _ in range(config.n_layers)
            )
            self.read_out = nn.Linear(config.width, config.n_classes if modern else 1)

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return self.read_out.weight.device

    @property
    def n_parameters(self) -> int:
        """How many numbers are learned."""
        return sum(parameter.numel() for parameter in self.parameters())

    def forward(
        self,
        x: torch.Tensor,
        y: torch.Tensor,
        *,
        n_classes: int | torch.Tensor,
        feature_mask: torch.Tensor | None = None,
        generator: torch.Generator | None = None,
    ) -> torch.Tensor:
        """Log-probabilities of every trial's label, given the trials before it and its own features.

        Parameters
        ----------
        x
            (sequences, trials, features), any floating type.
        y
            (sequences, trials) labels as integers, -1 where none was shown or the trial is padding.
        n_classes
            How many classes are possible, for all or for each sequence.
        feature_mask
            (sequences, features) or (features,): which are used; all by default.
        generator
            Decides dropout and noise of memory, where the network has any.

        Returns
        -------
        (sequences, trials, classes); minus infinity for classes that are not possible.
        """
        return self.forward_with_cost(x, y, n_classes, feature_mask, generator)[0]

    def forward_with_cost(
        self,
        x: torch.Tensor,
        y: torch.Tensor,
        n_classes: int | torch.Tensor,
        feature_mask: torch.Tensor | None = None,
        generator: torch.Generator | None = None,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """As :meth:`forward`, and the nats of information kept a trial, averaged over trials."""
        x, used, possible = self._inputs(x, n_classes, feature_mask)
        y = y.to(self.device)
        if y.shape != x.shape[:2]:
            raise UsageError(
                f"labels are {tuple(y.shape)}, features {tuple(x.shape[:2])} (sequences, trials).",
                fix="Give every trial a label, -1 where none was shown.",
            )
        if y.numel() and (y.min() < UNKNOWN or (y.amax(1) >= possible.sum(1)).any()):
            raise UsageError(
                f"labels go from {int(y.min())} to {int(y.max())}, beyond n_classes.",
                fix="Labels are 0 to n_classes - 1, or -1 where none was shown.",
            )
        self._check_generator(generator)
        with randomness_from(generator):
            return self.compute(x, y, used, possible)

    def compute(
        self, x: torch.Tensor, y: torch.Tensor, used: torch.Tensor, possible: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """The arithmetic of :meth:`forward_with_cost` alone, on inputs of full width; can be compiled."""
        before = F.pad(x[:, :-1], (0, 0, 1, 0)), F.pad(y[:, :-1], (1, 0), value=UNKNOWN)
        first = torch.arange(x.shape[1], device=x.device) == 0
        encoded = self.encoder(x, *before, first, used, possible, 0)
        log_p, nats, _ = self._answer(encoded, possible, None)
        return log_p, nats

    def start(
        self, n_sequences: int, *, n_classes: int | torch.Tensor, feature_mask: torch.Tensor | None = None
    ) -> State:
        """State before the first trial of ``n_sequences`` sequences."""
        nothing = torch.zeros(n_sequences, 1, self.config.n_features, device=self.device)
        if feature_mask is not None and feature_mask.shape[-1] < self.config.n_features:
            nothing = nothing[..., : feature_mask.shape[-1]]
        nothing, used, possible = self._inputs(nothing, n_classes, feature_mask)
        return State([], 0, nothing, used, possible)

    def step(
        self,
        state: State,
        x: torch.Tensor,
        last_label: torch.Tensor | None = None,
        *,
        generator: torch.Generator | None = None,
    ) -> tuple[torch.Tensor, State]:
        """Log-probabilities of one trial's label, and the state after it.

        Parameters
        ----------
        x
            (sequences, features) of this trial.
        last_label
            (sequences,) labels of the trial before, -1 where none was shown; None on the first trial.

        Returns
        -------
        (sequences, classes), equal to what :meth:`forward` gives for the whole sequence, and the state.
        """
        self._check_generator(generator)
        first = torch.tensor([state.position == 0], device=self.device)
        if last_label is None:
            if state.position:
                raise UsageError("step needs the label of the trial before.", fix="-1 where none was shown.")
            last_label = torch.full((len(x),), UNKNOWN)
        x, label = self._padded(x[:, None], state.used), last_label.to(self.device)[:, None]
        with randomness_from(generator):
            encoded = self.encoder(
                x, state.last_features, label, first, state.used, state.possible, state.position
            )
            log_p, _, past = self._answer(encoded, state.possible, state.past)
        return log_p[:, 0], State(past, state.position + 1, x, state.used, state.possible)

    def _answer(
        self, encoded: torch.Tensor, possible: torch.Tensor, past: list[Past] | None
    ) -> tuple[torch.Tensor, torch.Tensor, list[Past]]:
        """Log-probabilities, nats kept a trial, and the keys and values of every layer."""
        state, nats, kept = encoded, encoded.new_zeros(()), []
        for number, layer in enumerate(self.layers):
            state, keys_values, layer_nats = layer(state, encoded, past[number] if past else None)
            kept.append(keys_values)
            nats = nats + layer_nats.float().mean()
        if self.config.kind == "paper":
            logit = self.read_out(state).float()
            return F.logsigmoid(torch.cat([-logit, logit], -1)), nats, kept
        logits = self.read_out(F.layer_norm(state, (self.config.width,))).float()
        return logits.masked_fill(~possible[:, None], -math.inf).log_softmax(-1), nats, kept

    def _inputs(
        self, x: torch.Tensor, n_classes: int | torch.Tensor, feature_mask: torch.Tensor | None
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Features at full width, and which features and classes there are, a row a sequence."""
        most, (n_sequences, _, n_features) = self.config.n_features, x.shape
        if n_features > most or (self.config.kind == "paper" and n_features != most):
            limit = f"exactly {most}" if self.config.kind == "paper" else f"1 to {most}"
            raise UsageError(f"the network takes {limit} features, not {n_features}.")
        count = torch.as_tensor(n_classes, device=self.device).expand(n_sequences)
        if count.min() < 2 or count.max() > self.config.n_classes:
            wrong = int(count.min() if count.min() < 2 else count.max())
            raise UsageError(f"the network knows 2 to {self.config.n_classes} classes, not {wrong}.")
        used = torch.ones(n_sequences, n_features, dtype=torch.bool, device=self.device)
        if feature_mask is not None:
            if feature_mask.shape[-1] != n_features:
                raise UsageError(
                    f"feature_mask says of {feature_mask.shape[-1]} features whether they are used, "
                    f"there are {n_features}."
                )
            used = used & feature_mask.to(self.device, torch.bool)
        used = F.pad(used, (0, most - n_features))
        possible = torch.arange(self.config.n_classes, device=self.device) < count[:, None]
        return self._padded(x, used), used, possible

    def _padded(self, x: torch.Tensor, used: torch.Tensor) -> torch.Tensor:
        x = x.to(self.device, self.read_out.weight.dtype)
        x = F.pad(x, (0, self.config.n_features - x.shape[-1]))
        return x.masked_fill(~used[:, None], 0.5)  # One half is where features are centred.

    def _check_generator(self, generator: torch.Generator | None) -> None:
        dropping = self.training and self.config.dropout > 0
        if generator is None and (dropping or self.config.capacity.noisy):
            raise UsageError(
                "this network draws random numbers.", fix="Pass generator=, for instance from toolkit.seeds."
            )
