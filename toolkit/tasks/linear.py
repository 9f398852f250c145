"""Linear problems: the class is the one with the highest weighted sum of features."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch

from toolkit.errors import UsageError
from toolkit.tasks.problems import Problems, Source, choose, normal


@dataclass(frozen=True)
class Linear(Source):
    """Features and weights are standard normal; with two classes the boundary is a plane.

    Attributes
    ----------
    intercept
        Standard deviation of a constant added to each class; at 0 the plane goes through the middle.
    noise
        0 gives the class for certain; the larger, the more the classes overlap. Scores have a standard
        deviation of 1.
    """

    name: ClassVar[str] = "linear"
    intercept: float = 0.0
    noise: float = 0.0

    def __post_init__(self) -> None:
        if self.noise < 0 or self.intercept < 0:
            raise UsageError("noise and intercept cannot be negative.", where="source 'linear'")

    def _draw(
        self, n_problems: int, n_points: int, n_features: int, n_classes: int, generator: torch.Generator
    ) -> Problems:
        x = normal(n_problems, n_points, n_features, generator=generator)
        weights = normal(n_problems, n_features, n_classes, generator=generator) / n_features**0.5
        constants = self.intercept * normal(n_problems, 1, n_classes, generator=generator)
        return Problems(x, choose(x @ weights + constants, self.noise, generator), n_classes)
