"""How a trial becomes a vector: its features, and what the trial before was."""

from __future__ import annotations

import math

import torch
from torch import nn

UNKNOWN = -1
"""Label of a trial whose category was not shown, or that is padding."""


class ExemplarEncoder(nn.Module):
    """A trial's features, plus the whole exemplar of the trial before: its features beside its label.

    With both in one place attention can compare trials at once; in the usual layout a first layer has to
    learn to bring them together.
    """

    def __init__(self, n_features: int, n_classes: int, width: int) -> None:
        super().__init__()
        self.n_classes = n_classes
        self.features = _two_layers(2 * n_features + n_classes, width)
        self.exemplar = _two_layers(2 * n_features + n_classes, width)
        self.nothing_yet = nn.Parameter(torch.zeros(width))

    def forward(
        self,
        x: torch.Tensor,
        x_before: torch.Tensor,
        y_before: torch.Tensor,
        first: torch.Tensor,
        used: torch.Tensor,
        possible: torch.Tensor,
        position: int,
    ) -> torch.Tensor:
        """(sequences, trials, width)."""
        trials = x.shape[1]
        used_here = used[:, None].expand(-1, trials, -1)
        possible_here = possible[:, None].expand(-1, trials, -1)
        label = y_before[..., None] == torch.arange(self.n_classes, device=x.device)
        present = torch.cat([2 * x - 1, used_here, possible_here], -1)
        before = torch.cat([2 * x_before - 1, used_here, label], -1)
        exemplar = torch.where(first[:, None], self.nothing_yet, self.exemplar(before))
        return self.features(present) + exemplar


class PaperEncoder(nn.Module):
    """Features beside the label of the trial before, and a sinusoid of the trial's number.

    An unknown label, that of the first trial included, is a coin in training and one half after it.
    """

    def __init__(self, n_features: int, width: int, dropout: float) -> None:
        super().__init__()
        self.width = width
        self.linear = nn.Linear(n_features + 1, width)
        self.drop = nn.Dropout(dropout)

    def forward(
        self,
        x: torch.Tensor,
        x_before: torch.Tensor,
        y_before: torch.Tensor,
        first: torch.Tensor,
        used: torch.Tensor,
        possible: torch.Tensor,
        position: int,
    ) -> torch.Tensor:
        """(sequences, trials, width)."""
        label = y_before.to(x.dtype)
        unknown = torch.rand_like(label).round() if self.training else torch.full_like(label, 0.5)
        label = torch.where(y_before == UNKNOWN, unknown, label)
        trials = torch.arange(position, position + x.shape[1], device=x.device)
        return self.drop(
            self.linear(torch.cat([x, label[..., None]], -1)) + _sinusoids(trials, self.width).to(x.dtype)
        )


def _sinusoids(trials: torch.Tensor, width: int) -> torch.Tensor:
    """Sines and cosines of trial numbers at falling frequencies: (trials, width)."""
    frequency = torch.exp(torch.arange(0, width, 2, device=trials.device) * (-math.log(10_000.0) / width))
    angle = trials[:, None] * frequency
    return torch.stack([angle.sin(), angle.cos()], -1).flatten(1)


def _two_layers(n_inputs: int, width: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(n_inputs, width), nn.ReLU(), nn.Linear(width, width))
