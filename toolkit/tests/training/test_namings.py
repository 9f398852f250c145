"""Problems under two namings, and what answers that depend on names cost."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from toolkit.models.encoders import UNKNOWN
from toolkit.seeds import Seeds
from toolkit.training import TrainingConfig
from toolkit.training.batches import Batch, Batcher
from toolkit.training.namings import disagreement, name_twice
from toolkit.training.trainer import Trainer


@pytest.fixture
def batch(tiny: TrainingConfig) -> Batch:
    config = tiny.changed(hidden_feedback=1.0, classes={2: 1, 3: 1, 5: 1}, trials_per_step=1600)
    return Batcher(config, Seeds(4), torch.device("cpu")).draw()


def test_the_second_naming_is_another_one_of_the_same_labels(batch: Batch) -> None:
    twice, names = name_twice(batch, torch.Generator().manual_seed(1))
    half = len(names)
    assert half == len(batch.x[::2]) and len(twice.x) == 2 * half
    assert torch.equal(twice.x[:half], twice.x[half:]) and torch.equal(twice.y[:half], batch.y[::2])
    possible = twice.possible[:half]
    labels = torch.arange(possible.shape[1]).expand_as(names)
    assert torch.equal(names.sort(1).values, labels)
    assert (names != labels)[possible].all() and torch.equal(names[~possible], labels[~possible])
    for first, second in ((twice.y[:half], twice.y[half:]), (twice.seen[:half], twice.seen[half:])):
        for problem in range(half):
            expected = [UNKNOWN if y == UNKNOWN else int(names[problem, y]) for y in first[problem].tolist()]
            assert second[problem].tolist() == expected
    assert (twice.seen == UNKNOWN).any()


def renamed(log_p: Tensor, names: Tensor) -> Tensor:
    return torch.empty_like(log_p).scatter_(2, names[:, None, :].expand_as(log_p), log_p)


def test_answers_that_go_with_the_names_cost_nothing(batch: Batch) -> None:
    twice, names = name_twice(batch, torch.Generator().manual_seed(1))
    scores = torch.randn(len(names), 4, names.shape[1], generator=torch.Generator().manual_seed(2))
    log_p = scores.masked_fill(~twice.possible[: len(names), None, :], -torch.inf).log_softmax(-1)
    assert disagreement(torch.cat([log_p, renamed(log_p, names)]), names, twice.possible) == 0
    assert disagreement(torch.cat([log_p, log_p]), names, twice.possible) > 0.1


def test_what_is_paid_for_lessens(tiny: TrainingConfig) -> None:
    """A network's answers depend less on names than without the price."""
    left = []
    for two in (None, {"weight": 30.0}):
        trainer = Trainer(tiny.changed(steps=40, two_namings=two), 0)
        for _ in range(40):
            trainer.step()
        twice, names = name_twice(trainer.batcher.draw(), torch.Generator().manual_seed(1))
        with torch.no_grad():
            log_p, _ = trainer.network.compute(twice.x, twice.seen, twice.used, twice.possible)
        left.append(disagreement(log_p, names, twice.possible).item())
    assert left[1] < 0.7 * left[0]
