"""Shared fixtures."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]


def pytest_configure() -> None:
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.fixture
def checkout() -> Path:
    """Root of this checkout."""
    return CHECKOUT


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty project folder that everything is written to."""
    monkeypatch.setenv("TOOLKIT_HOME", str(tmp_path))
    for variable in ("TOOLKIT_RUNS", "TOOLKIT_FIGURES", "TOOLKIT_DATA"):
        monkeypatch.delenv(variable, raising=False)
    return tmp_path


@pytest.fixture(autouse=True)
def _registry_of_models_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    """Models that a test registers are gone after it."""
    from toolkit.models import registry

    monkeypatch.setattr(registry, "_HOME_OF", dict(registry._HOME_OF))
    monkeypatch.setattr(registry, "_own", dict(registry._own))
