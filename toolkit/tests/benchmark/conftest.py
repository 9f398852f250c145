"""Small networks, made here, whose weights are random."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from toolkit.models.attention import Capacity
from toolkit.models.checkpoints import save_network
from toolkit.models.metalearner import MetaLearnerNetwork, NetworkConfig
from toolkit.seeds import Seeds

SMALL = {"width": 16, "n_layers": 2, "feed_forward": 32}
CONFIGS = {
    "modern": NetworkConfig(**SMALL),
    "few_classes": NetworkConfig(**SMALL, n_features=3, n_classes=2),
    "paper": NetworkConfig("paper", 3, 2, **SMALL, dropout=0.1),
    "window_of_3": NetworkConfig(**SMALL, capacity=Capacity(attention_window=3)),
    "window_of_1": NetworkConfig(**SMALL, capacity=Capacity(attention_window=1)),
    "noisy": NetworkConfig(**SMALL, capacity=Capacity(memory_noise=0.5)),
}


@pytest.fixture(scope="session")
def make_network() -> Callable[[str], MetaLearnerNetwork]:
    """Makes a small network of a kind."""
    return lambda kind: MetaLearnerNetwork(CONFIGS[kind], generator=Seeds(0).torch("weights")).eval()


@pytest.fixture(scope="session")
def checkpoints(
    make_network: Callable[[str], MetaLearnerNetwork], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Path]:
    """Files of the small networks."""
    folder = tmp_path_factory.mktemp("networks")
    paths = {kind: folder / f"{kind}.safetensors" for kind in CONFIGS}
    for kind, path in paths.items():
        save_network(path, make_network(kind), kind)
    return paths
