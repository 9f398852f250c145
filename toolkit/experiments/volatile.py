"""Prediction tasks in a world that changes now and then: numbers around a mean, or symbols with frequencies."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from toolkit.errors import UsageError


@dataclass(frozen=True)
class Streams:
    """What was observed, and what it came from.

    Attributes
    ----------
    observed
        (streams, steps) numbers, or symbols counted from 0.
    changed
        (streams, steps) whether the world is a new one from this step on; true at the first.
    worlds
        (all worlds, dimensions) mean, or frequency of every symbol, stream after stream.
    """

    observed: np.ndarray
    changed: np.ndarray
    worlds: np.ndarray

    @cached_property
    def hidden(self) -> np.ndarray:
        """(streams, steps, dimensions) what is to be estimated."""
        return self.worlds[self.changed.ravel().cumsum().reshape(self.changed.shape) - 1]

    @cached_property
    def steps_since_change(self) -> np.ndarray:
        """(streams, steps) 0 on the first observation of a world, then 1, 2, …"""
        step = np.broadcast_to(np.arange(self.changed.shape[1]), self.changed.shape)
        return step - np.maximum.accumulate(np.where(self.changed, step, 0), axis=1)

    def squared_error(self, estimate: np.ndarray) -> np.ndarray:
        """(streams, steps) squared distance of ``estimate`` (streams, steps, dimensions) to the truth."""
        return ((estimate - self.hidden) ** 2).sum(-1)

    def error_after_change(self, estimate: np.ndarray, n_steps: int) -> np.ndarray:
        """(n_steps,) mean squared error 0, 1, 2, … steps after a change; NaN where no world lasted that long."""
        since, error = self.steps_since_change.ravel(), self.squared_error(estimate).ravel()
        early = since < n_steps
        count = np.bincount(since[early], minlength=n_steps)
        total = np.bincount(since[early], error[early], n_steps)
        return np.divide(total, count, out=np.full(n_steps, np.nan), where=count > 0)


class VolatileTask(ABC):
    """A world that changes with a small probability at every step, and is then drawn anew."""

    change_rate: float

    def draw(self, n_streams: int, n_steps: int, *, rng: np.random.Generator) -> Streams:
        """Independent streams of observations."""
        for number, name in ((n_streams, "n_streams"), (n_steps, "n_steps")):
            if number < 1:
                raise UsageError(f"{name} is {number}.", fix="Use 1 or more.")
        changed = rng.random((n_streams, n_steps)) < self.change_rate
        changed[:, 0] = True
        worlds = self._worlds(int(changed.sum()), rng)
        number = changed.ravel().cumsum() - 1
        return Streams(self._observe(worlds, number, rng).reshape(changed.shape), changed, worlds)

    @abstractmethod
    def _worlds(self, n_worlds: int, rng: np.random.Generator) -> np.ndarray:
        """(worlds, dimensions)."""

    @abstractmethod
    def _observe(self, worlds: np.ndarray, number: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """(steps,) an observation from the world with each ``number``."""

    def _check(self, *positive: str) -> None:
        if not 0 <= self.change_rate < 1:
            raise UsageError(f"change_rate is {self.change_rate}.", fix="Use a probability below 1.")
        for name in positive:
            if not getattr(self, name) > 0:
                raise UsageError(f"{name} is {getattr(self, name)}.", fix="Use a number above 0.")


@dataclass(frozen=True)
class GaussianTask(VolatileTask):
    """Numbers from a normal distribution whose mean changes.

    Attributes
    ----------
    noise
        Standard deviation of observations around the mean.
    prior_mean, prior_sd
        Of the normal distribution that means are drawn from.
    """

    noise: float
    change_rate: float
    prior_mean: float = 0.0
    prior_sd: float = 1.0

    def __post_init__(self) -> None:
        self._check("noise", "prior_sd")

    def _worlds(self, n_worlds: int, rng: np.random.Generator) -> np.ndarray:
        return rng.normal(self.prior_mean, self.prior_sd, (n_worlds, 1))

    def _observe(self, worlds: np.ndarray, number: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        return worlds[number, 0] + self.noise * rng.standard_normal(len(number))


@dataclass(frozen=True)
class CategoricalTask(VolatileTask):
    """Symbols whose frequencies change.

    Attributes
    ----------
    concentration
        Of the symmetric Dirichlet distribution that frequencies are drawn from: below 1 few symbols dominate.
    """

    concentration: float
    change_rate: float
    n_symbols: int = 5

    def __post_init__(self) -> None:
        self._check("concentration")
        if self.n_symbols < 2:
            raise UsageError(f"n_symbols is {self.n_symbols}.", fix="Use 2 or more.")

    def _worlds(self, n_worlds: int, rng: np.random.Generator) -> np.ndarray:
        return rng.dirichlet([self.concentration] * self.n_symbols, n_worlds)

    def _observe(self, worlds: np.ndarray, number: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        up_to = worlds.cumsum(-1)[:, :-1]
        return (up_to[number] < rng.random(len(number))[:, None]).sum(-1)
