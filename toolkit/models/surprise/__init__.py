"""Learners in a changing world: exact Bayes, and rules that learn the more, the more surprising an observation is."""

from __future__ import annotations

import importlib
from typing import Any

_HOME_OF = {"RULES": "predictors", "predict_stream": "predictors", "tune_rule": "predictors"}

__all__ = list(_HOME_OF)


def __getattr__(name: str) -> Any:
    if name in _HOME_OF:
        return getattr(importlib.import_module(f"toolkit.models.surprise.{_HOME_OF[name]}"), name)
    raise AttributeError(f"module 'toolkit.models.surprise' has no attribute '{name}'")
