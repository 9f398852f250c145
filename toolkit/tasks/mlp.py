"""Nonlinear problems: every problem is a random neural network of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch

from toolkit.errors import UsageError
from toolkit.tasks.problems import Problems, Source, choose, normal

REFERENCE_POINTS = 256


@dataclass(frozen=True)
class MLP(Source):
    """Standard normal features through a random network of tanh units; the highest output is the class.

    Each output is centred and brought to a standard deviation of 1 on points of its own, so that no class
    swallows the others whatever the weights are.

    Attributes
    ----------
    width, depth
        Units of a hidden layer, and number of hidden layers.
    gain
        Strength of the weights. Near 0 tanh is a line and so is the problem; :func:`affine_agreement` says
        how linear problems are.
    noise
        As for the linear source.
    """

    name: ClassVar[str] = "mlp"
    width: int = 32
    depth: int = 2
    gain: float = 3.0
    noise: float = 0.0

    def __post_init__(self) -> None:
        if self.width < 1 or self.depth < 1 or self.gain <= 0 or self.noise < 0:
            raise UsageError(f"these options make no network: {self}.", where="source 'mlp'")

    def _draw(
        self, n_problems: int, n_points: int, n_features: int, n_classes: int, generator: torch.Generator
    ) -> Problems:
        x = normal(n_problems, REFERENCE_POINTS + n_points, n_features, generator=generator)
        hidden = x
        for _ in range(self.depth):
            weights = normal(n_problems, hidden.shape[-1], self.width, generator=generator)
            constants = normal(n_problems, 1, self.width, generator=generator)
            hidden = torch.tanh(self.gain * hidden.shape[-1] ** -0.5 * (hidden @ weights) + constants)
        scores = hidden @ normal(n_problems, self.width, n_classes, generator=generator)
        reference, scores = scores[:, :REFERENCE_POINTS], scores[:, REFERENCE_POINTS:]
        scores = (scores - reference.mean(1, keepdim=True)) / reference.std(1, keepdim=True)
        return Problems(x[:, REFERENCE_POINTS:], choose(scores, self.noise, generator), n_classes)


def affine_agreement(problems: Problems, steps: int = 300) -> torch.Tensor:
    """Share of each problem's points that the best affine classifier gets right: (problems,).

    The classifier is a softmax regression fitted to all points of the problem; 1 is a linear problem.
    """
    x = (problems.x - problems.x.mean(1, keepdim=True)) / problems.x.std(1, keepdim=True).clamp(min=1e-6)
    n_problems, _, n_features = x.shape
    weights = x.new_zeros(n_problems, n_features, problems.n_classes, requires_grad=True)
    constants = x.new_zeros(n_problems, 1, problems.n_classes, requires_grad=True)
    optimiser = torch.optim.Adam([weights, constants], lr=0.3)
    for _ in range(steps):
        optimiser.zero_grad()
        scores = x @ weights + constants
        # Summed over problems, so that each one's gradient is its own.
        torch.nn.functional.cross_entropy(scores.mT, problems.y, reduction="none").mean(1).sum().backward()
        optimiser.step()
    return ((x @ weights + constants).argmax(-1) == problems.y).float().mean(1).detach()
