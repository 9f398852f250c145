"""Limited learners: a grid that differs in nothing else, trained once and found again."""

from __future__ import annotations

from pathlib import Path

import pytest

from toolkit.errors import UsageError
from toolkit.models.attention import Capacity
from toolkit.models.checkpoints import load_network
from toolkit.training import read_card
from toolkit.training.limited import (
    LIMITS,
    describe,
    find_limited,
    limit_of,
    limited_config,
    train_limited,
)


def test_configs_differ_in_name_and_limit_alone() -> None:
    configs = [limited_config(name, capacity).model_dump() for name, capacity in LIMITS.items()]
    for config in configs:
        config.pop("name")
        config["network"].pop("capacity")
    assert all(config == configs[0] for config in configs)
    assert LIMITS["ermi-unlimited"] == Capacity()


def test_every_limit_of_the_default_grid_is_one() -> None:
    kinds = [limit_of(capacity)[0] for capacity in LIMITS.values()]
    assert {kind: kinds.count(kind) for kind in kinds} == {
        "no limit": 1,
        "information cost": 3,
        "attention window": 3,
        "memory noise": 3,
    }
    with pytest.raises(UsageError, match="2 limits"):
        limit_of(Capacity(attention_window=4, memory_noise=1.0))


def test_shipped_learners_are_those_of_the_grid_and_can_be_trained_again() -> None:
    found = find_limited()
    assert [(one.limit, one.strength) for one in found] == [
        ("no limit", 0),
        ("information cost", 0.0003),
        ("information cost", 0.001),
        ("information cost", 0.003),
        ("attention window", 32),
        ("attention window", 16),
        ("attention window", 8),
        ("memory noise", 0.5),
        ("memory noise", 1),
        ("memory noise", 2),
    ]
    for one in found:
        card = read_card(one.path)
        assert card.config == limited_config(one.name, LIMITS[one.name])
        assert one.path.stat().st_size < 100_000


def test_tiny_grid_is_trained_found_and_not_repeated(tmp_path: Path) -> None:
    limits = {name: LIMITS[name] for name in ("ermi-unlimited", "ermi-noise-1")}
    found = train_limited(tmp_path, limits, prior="linear", steps=2, device="cpu")
    assert describe(found).to_dict("list") == {
        "learner": ["ermi-unlimited", "ermi-noise-1"],
        "limit": ["no limit", "memory noise"],
        "strength": [0.0, 1.0],
    }
    assert load_network(found[1].path).config.capacity == Capacity(memory_noise=1.0)
    said: list[str] = []
    train_limited(tmp_path, limits, prior="linear", steps=2, device="cpu", report=said.append)
    assert len(said) == 2 and all("trained already" in line for line in said)


def test_an_empty_folder_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="train_limited"):
        find_limited(tmp_path)
