"""Batches of category-learning problems as tensors, and what every source of them is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import ClassVar, Literal

import torch

from toolkit.errors import UsageError

Scaling = Literal["feature", "matrix", "none"]


@dataclass(frozen=True)
class Problems:
    """Problems of one size.

    Attributes
    ----------
    x
        (problems, points, features), floating point.
    y
        (problems, points), classes 0 to ``n_classes`` - 1.
    origin
        (problems,), number of the table or description that each was drawn from; None if each was made
        anew. Problems of one origin are not independent.
    """

    x: torch.Tensor
    y: torch.Tensor
    n_classes: int
    origin: torch.Tensor | None = None

    def scaled(self, how: Scaling = "feature") -> Problems:
        """The same problems with features between 0 and 1.

        "feature" takes smallest and largest value of each feature of each problem; "matrix" those of the
        whole problem, as earlier work did. What does not vary becomes one half.
        """
        if how == "none":
            return self
        axes = 1 if how == "feature" else (1, 2)
        low, high = self.x.amin(axes, keepdim=True), self.x.amax(axes, keepdim=True)
        span = high - low
        return replace(self, x=torch.where(span > 0, (self.x - low) / span, 0.5))


class Source(ABC):
    """Something that problems are drawn from, fresh ones for ever.

    Attributes
    ----------
    dataset
        Name of the data set it reads, None if it reads none.
    """

    name: ClassVar[str]
    dataset: str | None = None
    most_features: ClassVar[int] = 16
    most_classes: ClassVar[int] = 10

    def draw(
        self,
        n_problems: int,
        n_points: int,
        n_features: int = 3,
        n_classes: int = 2,
        *,
        generator: torch.Generator,
        scaling: Scaling = "feature",
    ) -> Problems:
        """Problems on the generator's device, all at once.

        Parameters
        ----------
        generator
            Decides the draws; `Seeds.torch` makes one.
        scaling
            See :meth:`Problems.scaled`; the same for every source unless earlier work is reproduced.
        """
        limits = {
            "n_problems": (n_problems, 1, None),
            "n_points": (n_points, 1, None),
            "n_features": (n_features, 1, self.most_features),
            "n_classes": (n_classes, 2, self.most_classes),
        }
        for name, (value, least, most) in limits.items():
            if value < least or (most is not None and value > most):
                upper = " or more" if most is None else f" to {most}"
                raise UsageError(
                    f"{name} is {value}.", where=f"source '{self.name}'", fix=f"It can be {least}{upper}."
                )
        return self._draw(n_problems, n_points, n_features, n_classes, generator).scaled(scaling)

    @abstractmethod
    def _draw(
        self, n_problems: int, n_points: int, n_features: int, n_classes: int, generator: torch.Generator
    ) -> Problems:
        """Problems with features in their own units."""


def normal(*shape: int, generator: torch.Generator) -> torch.Tensor:
    """Standard normal draws on the generator's device."""
    return torch.randn(*shape, generator=generator, device=generator.device)


def uniform(*shape: int, generator: torch.Generator) -> torch.Tensor:
    """Draws between 0 and 1, neither included, on the generator's device."""
    return torch.rand(*shape, generator=generator, device=generator.device).clamp(1e-7, 1 - 1e-7)


def choose(scores: torch.Tensor, noise: float, generator: torch.Generator) -> torch.Tensor:
    """Class of the highest score, or a draw from softmax(scores / noise): (…, classes) -> (…)."""
    if noise > 0:
        scores = scores - noise * (-uniform(*scores.shape, generator=generator).log()).log()
    return scores.argmax(-1)
