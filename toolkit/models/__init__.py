"""Agents that learn by trial and error, one file each."""

from __future__ import annotations

from toolkit.lazy import lazily

_HOME_OF = {
    "Model": "base",
    "Parameter": "base",
    "TrialTensors": "base",
    "get_model": "registry",
    "get_model_for": "registry",
    "list_models": "registry",
    "register_model": "registry",
    "validate": "registry",
}

# The base imports torch, which takes longer than everything else together.
__getattr__, __dir__, __all__ = lazily(__name__, _HOME_OF)
