"""Text of unknown origin is checked, and then run only by locked processes that can do nothing but calculate."""

from __future__ import annotations

import importlib
from typing import Any

_HOME_OF = {
    "Layer": "layers",
    "Limits": "limits",
    "Sandbox": "pool",
    "Worker": "process",
    "check_text": "gate",
    "default_sandbox": "pool",
    "describe_layers": "pool",
}

__all__ = list(_HOME_OF)


def __getattr__(name: str) -> Any:
    # A worker imports parts of this package and must not import the others.
    if name in _HOME_OF:
        return getattr(importlib.import_module(f"{__name__}.{_HOME_OF[name]}"), name)
    raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
