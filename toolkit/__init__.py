"""Toolkit for human-like learning: tasks, models and fitters for category and reward learning."""

from __future__ import annotations

import importlib
from typing import Any

__version__ = "0.1.0"

_HOME_OF = {
    "Trials": "toolkit.trials",
    "load_data": "toolkit.data",
    "get_model": "toolkit.models",
    "list_models": "toolkit.models",
    "start_section": "toolkit.session",
    "ToolkitError": "toolkit.errors",
}

__all__ = [*_HOME_OF, "__version__"]


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module 'toolkit' has no attribute '{name}'")
    return getattr(importlib.import_module(_HOME_OF[name]), name)


def __dir__() -> list[str]:
    return __all__
