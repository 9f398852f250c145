"""Questions to language models: asked once, kept for good, within a budget."""

from __future__ import annotations

import importlib
from typing import Any

_HOME_OF = {
    "get_client": "toolkit.llm.client",
    "list_providers": "toolkit.llm.client",
    "Client": "toolkit.llm.client",
    "Request": "toolkit.llm.messages",
    "Reply": "toolkit.llm.messages",
    "Failure": "toolkit.llm.messages",
    "Usage": "toolkit.llm.messages",
    "Budget": "toolkit.llm.budget",
    "Estimate": "toolkit.llm.budget",
    "Price": "toolkit.llm.prices",
    "Tally": "toolkit.llm.tally",
}

__all__ = [*_HOME_OF]


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module 'toolkit.llm' has no attribute '{name}'")
    return getattr(importlib.import_module(_HOME_OF[name]), name)


def __dir__() -> list[str]:
    return __all__
