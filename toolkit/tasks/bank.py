"""Problems of the ecological bank: points drawn from the distributions that were elicited for it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
import torch

from toolkit.data.bank import BankFeature, BankProblem, load_bank
from toolkit.errors import UsageError
from toolkit.tasks.problems import Source, normal, uniform

N_FEATURES, MOST_CLASSES = 6, 4
WHOLE = ("count", "ordinal", "binary")

_GRID = np.linspace(-4.0, 4.0, 257)


class Bank(Source):
    """Class by base rate, then features by a Gaussian copula, in a random order and with classes renamed.

    Standard normal draws with the problem's correlations pass through a table for every feature and class
    that maps them to values: normal, log-normal, negative binomial, Beta and so on by the feature's kind.
    The tables are made once; after that drawing is a look-up on the device.
    """

    name: ClassVar[str] = "bank"
    most_features: ClassVar[int] = N_FEATURES
    most_classes: ClassVar[int] = MOST_CLASSES

    def __init__(self, problems: Sequence[BankProblem] | None = None) -> None:
        """Parameters
        ----------
        problems
            Those to draw from, for instance one part of a split; the whole bank by default.
        """
        self.problems = list(load_bank() if problems is None else problems)
        if any(len(problem.features) != N_FEATURES for problem in self.problems):
            raise UsageError(f"problems of the bank have {N_FEATURES} features.", where="source 'bank'")
        self._tables = _Tables(self.problems)

    def draw_named(
        self, which: Sequence[int], n_points: int, *, generator: torch.Generator
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Points of certain problems in their own units, features and classes as the bank lists them.

        Returns
        -------
        Features (problems, points, 6) and classes (problems, points).
        """
        return self._points(torch.as_tensor(which, device=generator.device), n_points, generator)

    def _draw(
        self, n_problems: int, n_points: int, n_features: int, n_classes: int, generator: torch.Generator
    ) -> tuple[torch.Tensor, torch.Tensor]:
        tables = self._tables.to(generator.device)
        fitting = (tables.n_classes == n_classes).nonzero()[:, 0]
        if not len(fitting):
            raise UsageError(f"no problem has {n_classes} categories.", where="source 'bank'")
        drawn = (uniform(n_problems, generator=generator) * len(fitting)).long()
        x, y = self._points(fitting[drawn], n_points, generator)
        order = uniform(n_problems, N_FEATURES, generator=generator).argsort(1)[:, :n_features]
        names = uniform(n_problems, n_classes, generator=generator).argsort(1)
        return x.gather(2, order[:, None].expand(-1, n_points, -1)), names.gather(1, y)

    def _points(
        self, which: torch.Tensor, n_points: int, generator: torch.Generator
    ) -> tuple[torch.Tensor, torch.Tensor]:
        tables = self._tables.to(generator.device)
        rates = tables.base_rates[which].cumsum(1)
        # Classes that a problem does not have follow its last one in the cumulated rates.
        y = torch.searchsorted(rates, uniform(len(which), n_points, generator=generator))
        y = torch.minimum(y, tables.n_classes[which][:, None] - 1)
        z = normal(len(which), n_points, N_FEATURES, generator=generator) @ tables.cholesky[which].mT
        return tables.values(which, y, z), y


class _Tables:
    """Everything that drawing needs, as tensors; problems with fewer classes are padded."""

    def __init__(self, problems: Sequence[BankProblem]) -> None:
        shape = (len(problems), MOST_CLASSES)
        rates = np.zeros(shape)
        table = np.zeros((*shape, N_FEATURES, len(_GRID)))
        correlation = np.tile(np.eye(N_FEATURES), (len(problems), 1, 1))
        for row, problem in enumerate(problems):
            rates[row, : len(problem.categories)] = problem.base_rates
            for i, j, r in problem.correlations:
                correlation[row, i, j] = correlation[row, j, i] = r
            for column, feature in enumerate(problem.features):
                table[row, : len(problem.categories), column] = quantiles(feature)
        limits = [[feature.range for feature in problem.features] for problem in problems]
        whole = [[feature.kind in WHOLE for feature in problem.features] for problem in problems]
        self.base_rates = torch.tensor(rates, dtype=torch.float32)
        self.n_classes = torch.tensor([len(problem.categories) for problem in problems])
        self.cholesky = torch.linalg.cholesky(torch.tensor(correlation)).float()
        self.table = torch.tensor(table, dtype=torch.float32)
        self.limits = torch.tensor(limits, dtype=torch.float32)
        self.whole = torch.tensor(whole)

    def to(self, device: torch.device) -> _Tables:
        """The tables on a device, moved at most once."""
        if self.table.device != device:
            for name, tensor in vars(self).items():
                setattr(self, name, tensor.to(device))
        return self

    def values(self, which: torch.Tensor, y: torch.Tensor, z: torch.Tensor) -> torch.Tensor:
        """Values of the features at standard normal ``z`` (problems, points, features) given the class."""
        step = float(_GRID[1] - _GRID[0])
        position = ((z - float(_GRID[0])) / step).clamp(0, len(_GRID) - 1.001)
        left = position.long()
        feature = torch.arange(N_FEATURES, device=z.device)
        index = (which[:, None, None], y[..., None], feature)
        below, above = self.table[(*index, left)], self.table[(*index, left + 1)]
        low, high = self.limits[which][:, None].unbind(-1)
        x = torch.lerp(below, above, position - left).clamp(low, high)
        return torch.where(self.whole[which][:, None], x.round(), x)


def quantiles(feature: BankFeature) -> np.ndarray:
    """Value of a feature at every point of the grid of standard normal deviates: (categories, grid).

    Values of whole numbers are steps; a binary feature is a ramp whose half lies where the 1s begin.
    """
    from scipy import special

    mean, sd = np.array(feature.means)[:, None], np.array(feature.sds)[:, None]
    low, high = feature.range
    share_below = special.ndtr(_GRID)
    if feature.kind == "binary":
        return 0.5 + _GRID + special.ndtri(np.clip(mean, 1e-9, 1 - 1e-9))
    if feature.kind == "skewed" and (mean > 0).all():
        sigma = np.sqrt(np.log1p((sd / mean) ** 2))
        return np.exp(np.log(mean) - sigma**2 / 2 + sigma * _GRID)
    if feature.kind == "proportion":
        share, variance = (mean - low) / (high - low), (sd / (high - low)) ** 2
        concentration = np.maximum(share * (1 - share) / np.maximum(variance, 1e-12) - 1, 1e-3)
        inside = np.clip(share, 1e-6, 1 - 1e-6) * concentration
        return low + (high - low) * special.betaincinv(inside, concentration - inside, share_below)
    if feature.kind == "count":
        wide = (sd**2 > mean * 1.02) & (mean > 0)
        size = np.where(wide, mean, 1) ** 2 / np.where(wide, sd**2 - mean, 1)
        success = np.where(wide, mean / np.where(wide, sd**2, 1), 0.5)
        counts = np.ceil(special.nbdtrik(share_below, size, success))
        return np.where(wide, np.nan_to_num(counts), mean + sd * _GRID)
    return mean + sd * _GRID
