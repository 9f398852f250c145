"""Toolkit for human-like learning: tasks, models and fitters for category and reward learning."""

from __future__ import annotations

from toolkit.lazy import lazily

__version__ = "0.1.0"

_HOME_OF = {
    "Trials": "trials",
    "load_data": "data",
    "get_model": "models",
    "list_models": "models",
    "start_section": "session",
    "ToolkitError": "errors",
}

__getattr__, __dir__, _names = lazily(__name__, _HOME_OF)
__all__ = [*_names, "__version__"]
