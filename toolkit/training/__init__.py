"""Meta-training: networks that learn to learn from fresh problems, their checkpoints and cards."""

from __future__ import annotations

from toolkit.lazy import lazily

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

# Torch takes longer to import than everything else together.
__getattr__, __dir__, __all__ = lazily(__name__, _HOME_OF)
