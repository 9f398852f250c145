"""Networks as files: safetensors weights with the network's shape in the header."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch

from toolkit.errors import DataError, Fault, UsageError, did_you_mean
from toolkit.io import load_arrays, save_arrays
from toolkit.models.metalearner import MetaLearnerNetwork, NetworkConfig
from toolkit.paths import data_dir

SCHEMA_VERSION = 1
_ELSEWHERE = "Restore the file, or train it again (`toolkit train`)."

PRIOR_OF = {"ermi": "ecological", "mi": "linear", "pfn": "mlp", "rmc": "rational"}
"""What the meta-learners that come with the project were trained on."""


def checkpoint_dir() -> Path:
    """Folder of the checkpoints that come with the project."""
    return data_dir() / "checkpoints"


def list_checkpoints() -> list[str]:
    """Names of the checkpoints that come with the project."""
    return sorted(path.stem for path in checkpoint_dir().glob("*.safetensors"))


def absent_networks() -> set[str]:
    """Meta-learners of the project whose weights are not here."""
    return set(PRIOR_OF) - set(list_checkpoints())


def find_checkpoint(path_or_name: str | Path) -> Path:
    """File of a checkpoint, given as a path or by its name."""
    path = Path(path_or_name)
    if path.suffix == ".safetensors":
        return path
    named = checkpoint_dir() / f"{path_or_name}.safetensors"
    if not named.is_file():
        known = list_checkpoints()
        advice = [did_you_mean(str(path_or_name), known)] if known else []
        prior = PRIOR_OF.get(str(path_or_name), "PRIOR")
        advice.append(f"Make one: toolkit train --prior {prior} --out {named}")
        raise UsageError(f"there is no checkpoint '{path_or_name}'.", fix=" ".join(advice))
    return named


def load_network(path_or_name: str | Path, *, device: str | torch.device = "cpu") -> MetaLearnerNetwork:
    """The network of a checkpoint, ready to be used.

    Parameters
    ----------
    path_or_name
        A file, or one of :func:`list_checkpoints`, for instance "ermi".
    """
    path = find_checkpoint(path_or_name)
    arrays, header = load_arrays(path)
    if header.get("schema_version") != SCHEMA_VERSION:
        raise DataError(
            f"its schema version is {header.get('schema_version')}, this toolkit reads {SCHEMA_VERSION}.",
            where=str(path),
            fix="Train it again (`toolkit train`), or use the toolkit that wrote it.",
        )
    network = MetaLearnerNetwork(_network_config(header, path))
    try:
        network.load_state_dict({name: torch.from_numpy(array) for name, array in arrays.items()})
    except RuntimeError as error:
        raise DataError(
            f"its weights do not fit its header ({error}).", where=str(path), fix=_ELSEWHERE
        ) from error
    return network.to(device).eval()


def save_network(path: str | Path, network: MetaLearnerNetwork, name: str) -> None:
    """Write weights and shape of a network, so that :func:`load_network` gives it back."""
    header = {"schema_version": SCHEMA_VERSION, "name": name, "network": asdict(network.config)}
    save_arrays(path, weights_of(network), header)


def weights_of(network: torch.nn.Module) -> dict[str, np.ndarray]:
    """Copies of all weights, by name."""
    return {name: tensor.detach().cpu().numpy().copy() for name, tensor in network.state_dict().items()}


def _network_config(header: Mapping[str, Any], path: Path) -> NetworkConfig:
    from pydantic import TypeAdapter, ValidationError

    try:
        return TypeAdapter(NetworkConfig).validate_python(header.get("network"))
    except ValidationError as error:
        fault = Fault.of(error)
        said = f"{fault.place or 'network'}: {fault.what}"
    except UsageError as error:
        said = str(error)
    raise DataError(f"its header describes no network ({said}).", where=str(path), fix=_ELSEWHERE)
