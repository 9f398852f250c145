"""Meta-training: networks that learn to learn from fresh problems, their checkpoints and cards."""

from __future__ import annotations

import importlib
from typing import Any

_HOME_OF = {
    "Component": "config",
    "ModelCard": "checkpoints",
    "TrainingConfig": "config",
    "bank_part": "splits",
    "best_logistic_regression": "evaluation",
    "compare": "evaluation",
    "evaluate": "evaluation",
    "evaluate_on_all_priors": "evaluation",
    "get_config": "config",
    "list_checkpoints": "checkpoints",
    "list_priors": "config",
    "list_profiles": "config",
    "load_checkpoint": "checkpoints",
    "logistic_regression": "evaluation",
    "nearest_neighbours": "evaluation",
    "part_of": "splits",
    "read_card": "checkpoints",
    "save_checkpoint": "checkpoints",
    "standard_problems": "evaluation",
    "train": "loop",
}

__all__ = list(_HOME_OF)


def __getattr__(name: str) -> Any:
    # Torch takes longer to import than everything else together.
    if name in _HOME_OF:
        return getattr(importlib.import_module(f"toolkit.training.{_HOME_OF[name]}"), name)
    raise AttributeError(f"module 'toolkit.training' has no attribute '{name}'")
