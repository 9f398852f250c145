"""Dashboards for JupyterLab: figures of ``toolkit.viz`` with controls beside them."""

from __future__ import annotations

import importlib
from typing import Any

_HOME_OF = {
    "BanditLab": "toolkit.widgets.bandit_lab",
    "LearnerPlayground": "toolkit.widgets.learner_playground",
    "ProblemBrowser": "toolkit.widgets.problem_browser",
}

__all__ = list(_HOME_OF)


def __getattr__(name: str) -> Any:
    # A dashboard imports what it needs and no more.
    if name not in _HOME_OF:
        raise AttributeError(f"module 'toolkit.widgets' has no attribute '{name}'")
    return getattr(importlib.import_module(_HOME_OF[name]), name)


def __dir__() -> list[str]:
    return __all__
