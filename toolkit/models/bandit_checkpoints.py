"""Networks of bandits as files: safetensors weights with the network's shape in the header."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import torch

from toolkit.errors import DataError, UsageError, did_you_mean
from toolkit.io import load_arrays, save_arrays
from toolkit.models.bandit_networks import BanditNetwork, BanditNetworkConfig
from toolkit.models.checkpoints import checkpoint_dir, weights_of

SCHEMA_VERSION = 1


def bandit_checkpoint_dir() -> Path:
    """Folder of the networks that come with the project."""
    return checkpoint_dir() / "metarl"


def bandit_checkpoint(task: str, kind: str = "recurrent", seed: int = 0) -> Path:
    """Where the network of a task, kind and seed is that comes with the project."""
    return bandit_checkpoint_dir() / f"{task}_{kind}_{seed}.safetensors"


def save_bandit_network(path: str | Path, network: BanditNetwork) -> None:
    """Write weights and shape, so that :func:`load_bandit_network` gives the network back."""
    header = {"schema_version": SCHEMA_VERSION, "network": asdict(network.config)}
    save_arrays(path, weights_of(network), header)


def load_bandit_network(path: str | Path) -> BanditNetwork:
    """The network of a file, ready to be used: nothing in it is random, and it does not learn any more."""
    path = Path(path)
    if not path.is_file():
        known = sorted(file.name for file in path.parent.glob("*.safetensors"))
        advice = [did_you_mean(path.name, known)] if known else []
        advice.append("Train one: toolkit.training.metarl.train_agent(config, path).")
        raise UsageError(f"there is no network '{path.name}'.", where=str(path.parent), fix=" ".join(advice))
    arrays, header = load_arrays(path)
    if header.get("schema_version") != SCHEMA_VERSION:
        raise DataError(
            f"its schema version is {header.get('schema_version')}, this toolkit reads {SCHEMA_VERSION}.",
            where=str(path),
        )
    try:
        network = BanditNetwork(BanditNetworkConfig(**header["network"]))
        network.load_state_dict({name: torch.from_numpy(array) for name, array in arrays.items()})
    except (KeyError, TypeError, RuntimeError, UsageError) as error:
        raise DataError(f"its weights do not fit its header ({error}).", where=str(path)) from error
    return network.eval()
