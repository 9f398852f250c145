"""Questions to language models: asked once, kept for good, within a budget."""

from __future__ import annotations

from toolkit.lazy import lazily

_HOME_OF = {
    "get_client": "client",
    "list_providers": "client",
    "Client": "client",
    "Request": "messages",
    "Reply": "messages",
    "Failure": "messages",
    "Usage": "messages",
    "Budget": "budget",
    "Estimate": "budget",
    "Price": "prices",
    "Tally": "tally",
}

__getattr__, __dir__, __all__ = lazily(__name__, _HOME_OF)
