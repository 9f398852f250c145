"""The search for programs: settings, people, scores, journal, rounds, and the report."""

from __future__ import annotations

import importlib
from typing import Any

_HOME_OF = {
    "Report": "reporting",
    "Search": "loop",
    "SearchConfig": "config",
    "best_of": "population",
    "discover": "running",
    "frontier": "population",
    "grammar_proposer": "running",
    "lineage": "population",
    "list_configs": "config",
    "load_config": "config",
    "report": "reporting",
    "table_of": "population",
}

__all__ = list(_HOME_OF)


def __getattr__(name: str) -> Any:
    # Settings are read without the sandbox and everything that it takes.
    if name in _HOME_OF:
        return getattr(importlib.import_module(f"{__name__}.{_HOME_OF[name]}"), name)
    raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
