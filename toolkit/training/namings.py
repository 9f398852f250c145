"""The same problems under two namings of their labels, and how far answers to them differ."""

from __future__ import annotations

import torch

from toolkit.models.encoders import UNKNOWN
from toolkit.training.batches import Batch

_LEAST_LOG_P = -8.0
"""Differences between labels that are ruled out either way do not count."""


def name_twice(batch: Batch, generator: torch.Generator) -> tuple[Batch, torch.Tensor]:
    """Every second problem of a batch, and below them the same ones with other names of their labels.

    Returns
    -------
    The batch, and (problems / 2, classes): the second name of each label. No possible label keeps its name.
    """
    half = Batch(*(part[::2] for part in (batch.x, batch.y, batch.seen, batch.used, batch.possible)))
    names = _other_names(half.possible, generator)
    renamed = names.gather(1, half.y)
    seen = torch.where(half.seen == UNKNOWN, UNKNOWN, names.gather(1, half.seen.clamp(min=0)))
    twice = Batch(
        half.x.repeat(2, 1, 1),
        torch.cat([half.y, renamed]),
        torch.cat([half.seen, seen]),
        half.used.repeat(2, 1),
        half.possible.repeat(2, 1),
    )
    return twice, names


def disagreement(log_p: torch.Tensor, names: torch.Tensor, possible: torch.Tensor) -> torch.Tensor:
    """Mean squared difference of a label's log-probability between its two names.

    Parameters
    ----------
    log_p, possible
        (problems, trials, classes) and (problems, classes), the second half being the first with the
        ``names`` that :func:`name_twice` gave.
    """
    one, other = log_p.float().clamp(min=_LEAST_LOG_P).chunk(2)
    other = other.gather(2, names[:, None, :].expand_as(other))
    counted = possible[: len(names), None, :]
    squares = (one - other).square().where(counted, 0.0)
    return squares.sum() / (counted.sum() * log_p.shape[1])


def _other_names(possible: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """(problems, classes): possible labels pass their names on along a random ring."""
    draws = torch.rand(possible.shape, generator=generator, device=possible.device)
    ring = draws.masked_fill(~possible, 2.0).argsort(1)
    place = torch.arange(possible.shape[1], device=possible.device).expand_as(ring)
    n_possible = possible.sum(1, keepdim=True)
    following = torch.where(place < n_possible, (place + 1) % n_possible, place)
    return torch.empty_like(ring).scatter_(1, ring, ring.gather(1, following))
