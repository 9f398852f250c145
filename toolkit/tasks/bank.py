"""Problems of the ecological bank: points drawn from the distributions that were elicited for it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
import torch

from toolkit.data.bank import BankProblem, load_bank
from toolkit.errors import UsageError
from toolkit.tasks.copula import N_TERMS, hermite_series, latent_correlations, nearest_correlation
from toolkit.tasks.marginals import GRID, WHOLE, matched_quantiles, values_of
from toolkit.tasks.problems import Problems, Source, normal, uniform

N_FEATURES, MOST_CLASSES = 6, 4


class Bank(Source):
    """Class by base rate, then features by a Gaussian copula, in a random order and with classes renamed.

    Correlated standard normal draws pass through a table for every feature and class that maps them to
    values: normal, log-normal, negative binomial, Beta and so on by the feature's kind. Means, spreads and
    correlations are those of the values, after rounding and within the feature's range. The tables are made
    once; after that drawing is a look-up on the device.
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
        if any(len(problem.categories) > MOST_CLASSES for problem in self.problems):
            raise UsageError(
                f"problems of the bank have up to {MOST_CLASSES} categories.", where="source 'bank'"
            )
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
    ) -> Problems:
        tables = self._tables.to(generator.device)
        fitting = (tables.n_classes == n_classes).nonzero()[:, 0]
        if not len(fitting):
            raise UsageError(f"no problem has {n_classes} categories.", where="source 'bank'")
        drawn = (uniform(n_problems, generator=generator) * len(fitting)).long()
        which = fitting[drawn]
        x, y = self._points(which, n_points, generator)
        order = uniform(n_problems, N_FEATURES, generator=generator).argsort(1)[:, :n_features]
        names = uniform(n_problems, n_classes, generator=generator).argsort(1)
        x = x.gather(2, order[:, None].expand(-1, n_points, -1))
        return Problems(x, names.gather(1, y), n_classes, which)

    def _points(
        self, which: torch.Tensor, n_points: int, generator: torch.Generator
    ) -> tuple[torch.Tensor, torch.Tensor]:
        tables = self._tables.to(generator.device)
        rates = tables.base_rates[which].cumsum(1)
        # Classes that a problem does not have follow its last one in the cumulated rates.
        y = torch.searchsorted(rates, uniform(len(which), n_points, generator=generator))
        y = torch.minimum(y, tables.n_classes[which][:, None] - 1)
        free = normal(len(which), n_points, N_FEATURES, generator=generator)
        z = (tables.cholesky[which[:, None], y] @ free[..., None]).squeeze(-1)
        return tables.values(which, y, z), y


class _Tables:
    """Everything that drawing needs, as tensors; problems with fewer classes are padded."""

    def __init__(self, problems: Sequence[BankProblem]) -> None:
        shape = (len(problems), MOST_CLASSES)
        rates = np.zeros(shape)
        for row, problem in enumerate(problems):
            rates[row, : len(problem.categories)] = problem.base_rates
        table, series = _feature_tables(problems)
        limits = [[feature.range for feature in problem.features] for problem in problems]
        whole = [[feature.kind in WHOLE for feature in problem.features] for problem in problems]
        self.base_rates = torch.tensor(rates, dtype=torch.float32)
        self.n_classes = torch.tensor([len(problem.categories) for problem in problems])
        self.cholesky = torch.linalg.cholesky(torch.tensor(_correlations(problems, series))).float()
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
        step = float(GRID[1] - GRID[0])
        position = ((z - float(GRID[0])) / step).clamp(0, len(GRID) - 1.001)
        left = position.long()
        feature = torch.arange(N_FEATURES, device=z.device)
        index = (which[:, None, None], y[..., None], feature)
        below, above = self.table[(*index, left)], self.table[(*index, left + 1)]
        low, high = self.limits[which][:, None].unbind(-1)
        x = torch.lerp(below, above, position - left).clamp(low, high)
        return torch.where(self.whole[which][:, None], x.round(), x)


def _feature_tables(problems: Sequence[BankProblem]) -> tuple[np.ndarray, np.ndarray]:
    """Values by deviate and Hermite series of every feature in every class.

    Returns
    -------
    (problems, classes, features, grid) and (problems, classes, features, terms).
    """
    rows: dict[str, list[tuple[tuple[int, int, int], tuple[float, float, float, float]]]] = {}
    for row, problem in enumerate(problems):
        for column, feature in enumerate(problem.features):
            for category, (mean, sd) in enumerate(zip(feature.means, feature.sds, strict=True)):
                place = (row, category, column)
                rows.setdefault(feature.kind, []).append((place, (mean, sd, *feature.range)))
    shape = (len(problems), MOST_CLASSES, N_FEATURES)
    table, series = np.zeros((*shape, len(GRID))), np.zeros((*shape, N_TERMS))
    for kind, found in rows.items():
        index = tuple(np.array([place for place, _ in found]).T)
        mean, sd, low, high = np.array([numbers for _, numbers in found], float).T
        table[index] = matched_quantiles(kind, mean, sd, low, high)
        series[index] = hermite_series(values_of(kind, table[index], low, high))
    return table, series


def _correlations(problems: Sequence[BankProblem], series: np.ndarray) -> np.ndarray:
    """Correlations of the deviates in every class: (problems, classes, features, features)."""
    pairs = [
        (row, category, i, j, r)
        for row, problem in enumerate(problems)
        for i, j, r in problem.correlations
        for category in range(len(problem.categories))
    ]
    matrices = np.tile(np.eye(N_FEATURES), (len(problems), MOST_CLASSES, 1, 1))
    if pairs:
        row, category, i, j = np.array([pair[:4] for pair in pairs]).T
        wanted = np.array([pair[4] for pair in pairs])
        found = latent_correlations(series[row, category, i], series[row, category, j], wanted)
        matrices[row, category, i, j] = matrices[row, category, j, i] = found
    return nearest_correlation(matrices)
