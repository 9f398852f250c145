"""Batches of fresh problems, drawn on the device from a mixture of sources."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import torch
import torch.nn.functional as F

from toolkit.errors import UsageError
from toolkit.models.encoders import UNKNOWN
from toolkit.seeds import Seeds
from toolkit.tasks import get_source
from toolkit.tasks.problems import Problems, Source
from toolkit.training.config import Component, TrainingConfig
from toolkit.training.splits import Part, bank_part


@dataclass(frozen=True)
class Batch:
    """Problems of any numbers of features and classes, as the network takes them.

    Attributes
    ----------
    x
        (problems, trials, features), one half where a problem has no such feature.
    y, seen
        (problems, trials): labels, and what is shown of them.
    used, possible
        (problems, features) and (problems, classes): what each problem has.
    """

    x: torch.Tensor
    y: torch.Tensor
    seen: torch.Tensor
    used: torch.Tensor
    possible: torch.Tensor


def make_source(component: Component, part: Part = "train") -> Source:
    """The source of a component; of the bank only the problems of ``part``."""
    if component.source == "bank" and not component.options:
        return _bank(part)
    return get_source(component.source, **component.options)


@lru_cache
def _bank(part: Part) -> Source:
    # Its tables take seconds to make, and training and validation both need them.
    return get_source("bank", problems=bank_part(part))


class Batcher:
    """Draws batches; two with the same config, seed and state draw the same.

    Each group of a batch has its own source and numbers of features and classes. Sources give features in
    random order and classes with random names, so no column and no label means anything by itself.
    """

    def __init__(
        self, config: TrainingConfig, seeds: Seeds, device: torch.device, *, part: Part = "train"
    ) -> None:
        self.config, self.device = config, device
        self.components = [component for component in config.prior if component.weight]
        self.sources = [make_source(component, part) for component in self.components]
        self.choices = seeds.torch("choices")
        self.problems = seeds.torch("problems", str(device))

    @property
    def generators(self) -> dict[str, torch.Generator]:
        """What has to be restored for the same batches to follow."""
        return {"choices": self.choices, "problems": self.problems}

    def draw(self) -> Batch:
        """The next batch."""
        length = self._choose(self.config.lengths)
        n_problems = self.config.trials_per_step // (self.config.groups * length)
        batch = join([self._group(n_problems, length) for _ in range(self.config.groups)], self.config)
        return hide_feedback(batch, self.config.hidden_feedback, self.problems)

    def draw_problems(self, n_problems: int, length: int) -> list[Problems]:
        """At least ``n_problems`` in as many groups as a batch has."""
        each = -(-n_problems // self.config.groups)
        return [self._group(each, length) for _ in range(self.config.groups)]

    def _group(self, n_problems: int, length: int) -> Problems:
        number = self._choose({n: component.weight for n, component in enumerate(self.components)})
        source, component = self.sources[number], self.components[number]
        features = _up_to(component.features or self.config.features, source.most_features, source.name)
        classes = _up_to(component.classes or self.config.classes, source.most_classes, source.name)
        return source.draw(
            n_problems, length, self._choose(features), self._choose(classes), generator=self.problems
        )

    def _choose(self, chances: Mapping[int, float]) -> int:
        weights = torch.tensor(list(chances.values()), dtype=torch.float64)
        return list(chances)[int(torch.multinomial(weights, 1, generator=self.choices))]


def join(groups: Sequence[Problems], config: TrainingConfig) -> Batch:
    """One batch of groups of problems with equally many trials."""
    most_features, most_classes = config.network.n_features, config.network.n_classes
    x = torch.cat([F.pad(g.x, (0, most_features - g.x.shape[-1]), value=0.5) for g in groups])
    y = torch.cat([g.y for g in groups])
    feature, label = (torch.arange(most, device=x.device) for most in (most_features, most_classes))
    used = torch.cat([(feature < g.x.shape[-1]).expand(len(g.x), -1) for g in groups])
    possible = torch.cat([(label < g.n_classes).expand(len(g.x), -1) for g in groups])
    return Batch(x, y, y, used, possible)


def hide_feedback(batch: Batch, share: float, generator: torch.Generator) -> Batch:
    """The batch with a random share of labels not shown in a ``share`` of its problems."""
    if not share:
        return batch
    n_problems, trials = batch.y.shape
    draws = torch.rand(n_problems, trials + 2, generator=generator, device=generator.device)
    hidden = (draws[:, :1] < share) & (draws[:, 2:] < draws[:, 1:2])
    seen = batch.y.masked_fill(hidden, UNKNOWN)
    return Batch(batch.x, batch.y, seen, batch.used, batch.possible)


def _up_to(chances: Mapping[int, float], most: int, source: str) -> dict[int, float]:
    found = {value: chance for value, chance in chances.items() if value <= most}
    if not found:
        raise UsageError(
            f"none of {sorted(chances)} features or classes is possible.",
            where=f"source '{source}'",
            fix=f"It has up to {most}.",
        )
    return found
