"""Fixtures for tests of models: small networks in place of those that come with the project."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from toolkit.models.bandit_checkpoints import save_bandit_network
from toolkit.models.bandit_networks import BanditNetwork, BanditNetworkConfig
from toolkit.models.checkpoints import PRIOR_OF, save_network
from toolkit.models.metalearner import MetaLearnerNetwork, NetworkConfig
from toolkit.seeds import Seeds

SMALL = NetworkConfig(n_features=4, n_classes=5, width=8, n_layers=1, feed_forward=8)


@pytest.fixture(scope="module")
def small_networks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """An untrained network under the name of every meta-learner; the folder they lie in."""
    home = tmp_path_factory.mktemp("home")
    checkpoints = home / "data" / "checkpoints"
    checkpoints.mkdir(parents=True)
    (home / "data" / "registry.toml").touch()
    for name in PRIOR_OF:
        network = MetaLearnerNetwork(SMALL, generator=Seeds(0).torch(name))
        save_network(checkpoints / f"{name}.safetensors", network, name)
    for task in ("partial", "full", "agency"):
        network = BanditNetwork(BanditNetworkConfig(width=8), generator=Seeds(0).torch(task))
        save_bandit_network(checkpoints / "metarl" / f"{task}_recurrent_0.safetensors", network)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TOOLKIT_HOME", str(home))
        yield checkpoints
