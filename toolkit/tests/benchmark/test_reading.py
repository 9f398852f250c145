"""A query about a context is answered as if it were the next trial, however many there are."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from toolkit.benchmark import reading
from toolkit.benchmark.reading import QueryNetwork
from toolkit.models.encoders import UNKNOWN
from toolkit.models.metalearner import MetaLearnerNetwork
from toolkit.seeds import Seeds

N_CONTEXTS, N_POINTS, N_QUERIES = 3, 9, 5

Maker = Callable[[str], MetaLearnerNetwork]


def problem(n_features: int, n_classes: int = 2) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Contexts, their labels (some not shown), and queries."""
    generator = Seeds(1).torch("problem")
    x = torch.rand(N_CONTEXTS, N_POINTS, n_features, generator=generator)
    y = torch.randint(-1, n_classes, (N_CONTEXTS, N_POINTS), generator=generator)
    return x, y, torch.rand(N_CONTEXTS, N_QUERIES, n_features, generator=generator)


@torch.no_grad()
def one_by_one(
    network: MetaLearnerNetwork, x: torch.Tensor, y: torch.Tensor, queries: torch.Tensor, **options: object
) -> torch.Tensor:
    """A forward pass of the whole sequence for every query."""
    unknown = torch.full_like(y[:, :1], UNKNOWN)
    answers = [
        network(torch.cat([x, query[:, None]], 1), torch.cat([y, unknown], 1), **options)[:, -1]
        for query in queries.unbind(1)
    ]
    return torch.stack(answers, 1)


@pytest.mark.parametrize("kind", ["modern", "paper", "window_of_3", "window_of_1"])
@pytest.mark.parametrize("numbers_at_once", [2_000_000, 500])
def test_answers_are_those_of_one_forward_pass_each(
    kind: str, numbers_at_once: int, make_network: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "_NUMBERS_AT_ONCE", numbers_at_once)
    network, (x, y, queries) = make_network(kind), problem(3)
    found = QueryNetwork(network).answer(x, y, queries, n_classes=2)
    expected = one_by_one(network, x, y, queries, n_classes=2)
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)
    assert (found[:, 1:] - found[:, :1])[..., :2].abs().amax() > 1e-4


def test_every_context_can_have_its_own_features_and_classes(make_network: Maker) -> None:
    network, (x, y, queries) = make_network("modern"), problem(4)
    options = {"n_classes": torch.tensor([2, 3, 7]), "feature_mask": torch.rand(3, 4) > 0.3}
    found = QueryNetwork(network).answer(x, y, queries, **options)
    torch.testing.assert_close(found, one_by_one(network, x, y, queries, **options), atol=1e-5, rtol=1e-5)


def test_queries_do_not_see_each_other(make_network: Maker) -> None:
    network, (x, y, queries) = QueryNetwork(make_network("modern")), problem(3)
    together = network.answer(x, y, queries, n_classes=2)
    changed = queries.clone()
    changed[:, 1:] = 0
    torch.testing.assert_close(network.answer(x, y, changed, n_classes=2)[:, 0], together[:, 0])


def test_a_noisy_memory_answers_the_same_twice_and_leaves_other_draws_alone(make_network: Maker) -> None:
    network, (x, y, queries) = QueryNetwork(make_network("noisy")), problem(3)
    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    first = network.answer(x, y, queries, n_classes=2)
    assert torch.equal(torch.rand(1), expected)
    assert torch.equal(first, network.answer(x, y, queries, n_classes=2))
