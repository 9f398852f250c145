"""The notebook about training runs where no trained network is, and says how to make them."""

from __future__ import annotations

import shutil
from pathlib import Path

import pandas as pd
import pytest

from toolkit.tests.notebooks import read_section, run_cells
from toolkit.training import load_checkpoint, read_card


@pytest.fixture
def without_checkpoints(home: Path, checkout: Path) -> Path:
    """A project with the bank and nothing that was trained."""
    (home / "data").mkdir()
    shutil.copy(checkout / "data" / "registry.toml", home / "data")
    (home / "data" / "ecological_tasks").symlink_to(checkout / "data" / "ecological_tasks")
    return home


@pytest.mark.slow
def test_a_live_learner_alone_is_enough(without_checkpoints: Path, checkout: Path) -> None:
    names = run_cells(
        checkout / "notebooks" / "02_training.ipynb",
        profile="smoke",
        learner="smoke",
        steps=20,
        n_problems=20,
    )
    assert "toolkit train --profile shipped --prior linear --out data/checkpoints/mi.safetensors" in " ".join(
        names["said"]
    )
    folder, record, figures = read_section(without_checkpoints, "02_training")
    assert "Live learner" in record.takeaways[0]
    assert len(figures) == 5
    matrix = pd.read_parquet(folder / "artifacts" / "matrix.parquet")
    assert set(matrix["tested_on"]) == {"ecological", "linear", "mlp", "rational"}
    assert set(matrix["learner"]) == {"live", "logistic_regression"}
    weights = folder / "artifacts" / "learner.safetensors"
    network, card = load_checkpoint(weights)
    assert card == read_card(weights) and network.n_parameters == card.n_parameters
    assert {c.source: c.weight for c in card.config.prior} == {"bank": 0.85, "written": 0.0}
