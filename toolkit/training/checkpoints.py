"""Trained networks as files: safetensors weights, and beside them a card that says how they came about."""

from __future__ import annotations

import importlib.metadata
import platform
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import torch
from pydantic import BaseModel, ConfigDict, ValidationError

from toolkit.errors import DataError, Fault
from toolkit.io import read_json, sha256_of_file, write_json
from toolkit.models.checkpoints import (
    SCHEMA_VERSION,
    checkpoint_dir,
    find_checkpoint,
    list_checkpoints,
    load_network,
    save_network,
)
from toolkit.models.metalearner import MetaLearnerNetwork
from toolkit.training.config import TrainingConfig

__all__ = [
    "ModelCard",
    "card_path",
    "checkpoint_dir",
    "describe_software",
    "find_checkpoint",
    "list_checkpoints",
    "load_checkpoint",
    "now",
    "parse_card",
    "read_card",
    "save_checkpoint",
]

Card = TypeVar("Card", bound=BaseModel)
_PACKAGES = ("torch", "numpy", "safetensors")
_CARD_SUFFIX = ".card.json"


class ModelCard(BaseModel):
    """How a network was trained and how well it does.

    Attributes
    ----------
    config
        With it and ``seed`` the training can be repeated.
    steps, best_step
        Steps made, and the step of the weights that were kept.
    seconds
        Time in training steps, over all interruptions.
    curve
        One row a validation.
    evaluation
        One row a prior, agent and range of trials; see :func:`toolkit.training.compare`.
    provenance
        Commit of the project and machine, where they are known.
    weights_sha256
        Of the checkpoint's file.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: int = SCHEMA_VERSION
    name: str
    config: TrainingConfig
    seed: int
    n_parameters: int
    steps: int
    best_step: int
    seconds: float
    device: str
    precision: str
    curve: list[dict[str, Any]]
    evaluation: list[dict[str, Any]] = []
    other_seeds: dict[int, float] = {}
    created: str
    provenance: dict[str, Any] = {}
    packages: dict[str, str] = {}
    weights_sha256: str = ""


def card_path(checkpoint: str | Path) -> Path:
    """Where the card of a checkpoint lies."""
    checkpoint = Path(checkpoint)
    return checkpoint.with_name(checkpoint.stem + _CARD_SUFFIX)


def save_checkpoint(path: str | Path, network: MetaLearnerNetwork, card: ModelCard) -> ModelCard:
    """Write weights and card; the card as written."""
    path = Path(path)
    save_network(path, network, card.name)
    card = card.model_copy(update={"weights_sha256": sha256_of_file(path)})
    write_json(card_path(path), card.model_dump(mode="json"))
    return card


def load_checkpoint(
    path_or_name: str | Path, *, device: str | torch.device = "cpu"
) -> tuple[MetaLearnerNetwork, ModelCard | None]:
    """The network of a checkpoint, ready to be used, and its card where there is one.

    Parameters
    ----------
    path_or_name
        A file, or one of :func:`list_checkpoints`, for instance "ermi".
    """
    path = find_checkpoint(path_or_name)
    network = load_network(path, device=device)
    card = read_card(path) if card_path(path).is_file() else None
    if card is not None and card.weights_sha256 != sha256_of_file(path):
        raise DataError(
            f"the card {card_path(path).name} belongs to other weights.",
            where=str(path),
            fix="Restore both files from one place.",
        )
    return network, card


def read_card(path_or_name: str | Path) -> ModelCard:
    """The card of a checkpoint: its own path, the checkpoint's, or the name of a shipped one."""
    path = Path(path_or_name)
    if not path.name.endswith(_CARD_SUFFIX):
        path = card_path(find_checkpoint(path_or_name))
    return parse_card(path, ModelCard)


def parse_card(path: Path, kind: type[Card]) -> Card:
    """The card in a file, checked; an error names the field."""
    try:
        return kind.model_validate(read_json(path))
    except ValidationError as error:
        fault = Fault.of(error)
        raise DataError(
            f"field '{fault.place or 'card'}': {fault.what}.",
            where=str(path),
            fix="Restore the card, or train again.",
        ) from error


def describe_software() -> dict[str, str]:
    """Versions that a training depends on."""
    versions = {name: importlib.metadata.version(name) for name in _PACKAGES}
    return {"python": platform.python_version(), **versions}


def now() -> str:
    """Time of day, with its zone."""
    return datetime.now(UTC).isoformat(timespec="seconds")
