"""Learners with limits of memory: a grid of small networks that differ in nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import torch

from toolkit.errors import UsageError
from toolkit.models.attention import Capacity
from toolkit.models.checkpoints import checkpoint_dir, load_network
from toolkit.models.metalearner import NetworkConfig
from toolkit.training.config import TrainingConfig, get_config
from toolkit.training.loop import Report, train

UNLIMITED = "no limit"
KINDS = {
    "information_cost": "information cost",
    "attention_window": "attention window",
    "memory_noise": "memory noise",
}
"""Names of the limits, by the field of :class:`~toolkit.models.attention.Capacity`."""

LIMITS: dict[str, Capacity] = {
    "ermi-unlimited": Capacity(),
    **{f"ermi-cost-{cost:g}": Capacity(information_cost=cost) for cost in (0.0003, 0.001, 0.003)},
    **{f"ermi-window-{window}": Capacity(attention_window=window) for window in (8, 16, 32)},
    **{f"ermi-noise-{noise:g}": Capacity(memory_noise=noise) for noise in (0.5, 1.0, 2.0)},
}
"""The grid: learners by name, one limit at a time."""

STEPS = 600


@dataclass(frozen=True)
class LimitedLearner:
    """A checkpoint of the grid.

    Attributes
    ----------
    limit
        Which limit it has, one of the values of :data:`KINDS`, or "no limit".
    strength
        Its size, 0 without a limit.
    """

    name: str
    path: Path
    limit: str
    strength: float


def limited_config(
    name: str, capacity: Capacity, *, prior: str = "ecological", steps: int = STEPS
) -> TrainingConfig:
    """Training of a small learner on problems with three features and two categories.

    Apart from ``capacity`` it is the same for all, so that they can be compared with one another. Some
    problems are as long as the longest that people learned.
    """
    return get_config(
        prior,
        "workshop",
        name=name,
        network=NetworkConfig(width=32, n_layers=2, feed_forward=64, capacity=capacity),
        lengths={100: 3.0, 250: 1.0},
        steps=steps,
        validate_every=min(100, steps),
    )


def train_limited(
    folder: str | Path,
    limits: Mapping[str, Capacity] = LIMITS,
    *,
    prior: str = "ecological",
    steps: int = STEPS,
    device: str | torch.device | None = None,
    report: Report = lambda line: None,
) -> list[LimitedLearner]:
    """Train every learner of a grid; what is finished is not repeated, what was interrupted goes on.

    Each of the default grid takes about a minute of one core.
    """
    folder = Path(folder)
    for name, capacity in limits.items():
        config = limited_config(name, capacity, prior=prior, steps=steps)
        train(config, folder / f"{name}.safetensors", device=device, report=report)
    return find_limited(folder)


def find_limited(folder: str | Path | None = None) -> list[LimitedLearner]:
    """The learners in a folder, those that come with the project by default; weaker limits first."""
    folder = checkpoint_dir() / "limited" if folder is None else Path(folder)
    paths = sorted(folder.glob("*.safetensors"))
    if not paths:
        raise UsageError(
            "there are no limited learners.",
            where=str(folder),
            fix="Train some: training.train_limited(folder).",
        )
    found = [LimitedLearner(path.stem, path, *limit_of(load_network(path).config.capacity)) for path in paths]
    kinds = [UNLIMITED, *KINDS.values()]
    # A window is the tighter the smaller it is.
    return sorted(
        found,
        key=lambda one: (kinds.index(one.limit), one.strength * (-1 if "window" in one.limit else 1)),
    )


def describe(learners: Sequence[LimitedLearner]) -> pd.DataFrame:
    """One row a learner: ``learner, limit, strength``."""
    rows = [(one.name, one.limit, one.strength) for one in learners]
    return pd.DataFrame(rows, columns=["learner", "limit", "strength"])


def limit_of(capacity: Capacity) -> tuple[str, float]:
    """Name and size of the one limit that a capacity has.

    >>> limit_of(Capacity(attention_window=8))
    ('attention window', 8.0)
    """
    there = {name: getattr(capacity, field) for field, name in KINDS.items() if getattr(capacity, field)}
    if len(there) > 1:
        raise UsageError(
            f"this learner has {len(there)} limits.", fix="Compare learners with one limit each."
        )
    return next(((name, float(size)) for name, size in there.items()), (UNLIMITED, 0.0))
