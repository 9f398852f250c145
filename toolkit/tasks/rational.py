"""Problems as the rational model of categorisation expects them: clusters of like things (Anderson, 1991)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import torch

from toolkit.errors import UsageError
from toolkit.tasks.problems import Problems, Source, choose, normal, uniform


@dataclass(frozen=True)
class Rational(Source):
    """Things join clusters by a Chinese restaurant process; a cluster decides features and class.

    Attributes
    ----------
    coupling
        Chance that two things share a cluster; Nosofsky et al. (1994) estimated .318.
    features
        "binary": each is 1 with the cluster's own chance; "gaussian": normal around the cluster's mean.
    feature_concentration, label_concentration
        Of the Beta or Dirichlet distributions that chances come from; near 0 clusters are pure.
    spread
        Standard deviation within a cluster for Gaussian features, whose means are standard normal.
    """

    name: ClassVar[str] = "rational"
    coupling: float = 0.318
    features: Literal["binary", "gaussian"] = "binary"
    feature_concentration: float = 0.488
    label_concentration: float = 0.046
    spread: float = 0.3

    def __post_init__(self) -> None:
        if not 0 < self.coupling < 1:
            raise UsageError(
                f"coupling is {self.coupling}.", where="source 'rational'", fix="It lies between 0 and 1."
            )
        if self.features not in ("binary", "gaussian"):
            raise UsageError(
                f"features are '{self.features}'.", where="source 'rational'", fix="binary or gaussian."
            )

    def _draw(
        self, n_problems: int, n_points: int, n_features: int, n_classes: int, generator: torch.Generator
    ) -> Problems:
        cluster = self._clusters(n_problems, n_points, generator)
        # Each cluster draws its class distribution once; logs of Gamma draws are scores of a Dirichlet draw.
        gammas = _log_gamma_draws(self.label_concentration, (n_problems, n_points, n_classes), generator)
        y = choose(_of_cluster(gammas, cluster), 1.0, generator)
        if self.features == "gaussian":
            means = normal(n_problems, n_points, n_features, generator=generator)
            noise = self.spread * normal(n_problems, n_points, n_features, generator=generator)
            return Problems(_of_cluster(means, cluster) + noise, y, n_classes)
        pair = _log_gamma_draws(self.feature_concentration, (n_problems, n_points, n_features, 2), generator)
        chance = torch.softmax(pair, -1)[..., 0]
        x = uniform(n_problems, n_points, n_features, generator=generator) < _of_cluster(chance, cluster)
        return Problems(x.float(), y, n_classes)

    def _clusters(self, n_problems: int, n_points: int, generator: torch.Generator) -> torch.Tensor:
        """Cluster of every point, numbered by first appearance: (problems, points)."""
        draws = uniform(n_points, n_problems, generator=generator)
        sizes = torch.zeros(n_problems, n_points, device=generator.device)
        cluster = torch.zeros(n_problems, n_points, dtype=torch.long, device=generator.device)
        problem, used = torch.arange(n_problems, device=generator.device), torch.zeros_like(cluster[:, 0])
        for t in range(n_points):
            # Existing clusters come first, by size; what is left of the unit interval is a new one.
            share = self.coupling * sizes / (1 - self.coupling + self.coupling * t)
            chosen = (share.cumsum(1) < draws[t, :, None]).sum(1)
            chosen = torch.minimum(chosen, used)
            cluster[:, t] = chosen
            sizes[problem, chosen] += 1
            used = torch.maximum(used, chosen + 1)
        return cluster


def _log_gamma_draws(
    concentration: float, shape: tuple[int, ...], generator: torch.Generator
) -> torch.Tensor:
    """Logs of Gamma(concentration) draws: log G(a) = log G(a + 1) + log(U) / a holds also where G underflows."""
    alpha = torch.full(shape, concentration + 1, device=generator.device)
    larger = torch._standard_gamma(alpha, generator=generator)
    return larger.log() + uniform(*shape, generator=generator).log() / concentration


def _of_cluster(values: torch.Tensor, cluster: torch.Tensor) -> torch.Tensor:
    """Each point's row of what its cluster has: (problems, clusters, …) -> (problems, points, …)."""
    index = cluster.reshape(*cluster.shape, *[1] * (values.dim() - 2)).expand(
        *cluster.shape, *values.shape[2:]
    )
    return values.gather(1, index)
