"""A training of seconds."""

from __future__ import annotations

import pytest

from toolkit.training import TrainingConfig, get_config


@pytest.fixture
def tiny() -> TrainingConfig:
    """Six steps on linear problems, validated at steps 2, 4 and 6."""
    return get_config(
        "linear", "smoke", steps=6, validate_every=2, validation_problems=8, trials_per_step=160, warm_up=2
    )
