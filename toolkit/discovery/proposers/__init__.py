"""Who thinks of programs: a grammar of mechanisms, a language model, or a search that is replayed."""

from __future__ import annotations

import importlib
from typing import Any

_HOME_OF = {
    "Candidate": "base",
    "GrammarProposer": "grammar",
    "LanguageModelProposer": "llm",
    "Proposal": "base",
    "Proposer": "base",
    "RecordedProposer": "recorded",
    "Situation": "base",
}

__all__ = list(_HOME_OF)


def __getattr__(name: str) -> Any:
    if name in _HOME_OF:
        return getattr(importlib.import_module(f"{__name__}.{_HOME_OF[name]}"), name)
    raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
