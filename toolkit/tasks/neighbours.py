"""The vote of the nearest earlier points, on every trial of many problems at once."""

from __future__ import annotations

import torch
from torch.nn import functional

N_NEIGHBOURS = 5
_NUMBERS_AT_ONCE = 20_000_000


def running_votes(x: torch.Tensor, y: torch.Tensor, n_classes: int) -> torch.Tensor:
    """How many of the nearest earlier points are of each class: (problems, points, classes).

    The nearest are :data:`N_NEIGHBOURS`, all earlier points while there are not more, and any others as
    near as the last of them.
    """
    n_points = y.shape[1]
    earlier = torch.ones(n_points, n_points, dtype=torch.bool, device=x.device).tril(-1)
    one_hot = functional.one_hot(y, n_classes).double()
    size = max(1, _NUMBERS_AT_ONCE // n_points**2)
    parts = []
    for points, classes in zip(x.split(size), one_hot.split(size), strict=True):
        distance = torch.cdist(points, points, compute_mode="donot_use_mm_for_euclid_dist")
        distance = distance.masked_fill(~earlier, torch.inf)
        furthest = distance.topk(min(N_NEIGHBOURS, n_points), largest=False).values[..., -1:]
        # Sums in another order of features must not part distances that are equal.
        parts.append(((distance <= furthest * (1 + 1e-9) + 1e-12) & earlier).double() @ classes)
    return torch.cat(parts)
