"""Discovery of models: programs of unknown origin, checked, locked in, and fitted like any other model."""

from __future__ import annotations

import importlib
from typing import Any

_HOME_OF = {
    "LegacyProgram": "legacy",
    "Limits": "sandbox",
    "Program": "program",
    "Rejected": "rejection",
    "Sandbox": "sandbox",
    "Task": "task",
    "describe_layers": "sandbox",
    "fit_program": "caching",
    "probe": "probes",
    "recheck": "checking",
}

__all__ = list(_HOME_OF)


def __getattr__(name: str) -> Any:
    # A worker imports a part of this package and must not import the others.
    if name in _HOME_OF:
        return getattr(importlib.import_module(f"{__name__}.{_HOME_OF[name]}"), name)
    raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
