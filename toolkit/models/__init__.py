"""Agents that learn by trial and error, one file each."""

from __future__ import annotations

import importlib
from typing import Any

from toolkit.models.registry import get_model, get_model_for, list_models, register_model, validate

__all__ = [
    "Model",
    "Parameter",
    "TrialTensors",
    "get_model",
    "get_model_for",
    "list_models",
    "register_model",
    "validate",
]


def __getattr__(name: str) -> Any:
    # The base imports torch, which takes longer than everything else together.
    if name in ("Model", "Parameter", "TrialTensors"):
        return getattr(importlib.import_module("toolkit.models.base"), name)
    raise AttributeError(f"module 'toolkit.models' has no attribute '{name}'")
