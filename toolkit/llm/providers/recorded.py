"""Replays a journal: needs neither key nor network, and writes nothing."""

from __future__ import annotations

from toolkit.llm.messages import Request
from toolkit.llm.prices import FREE
from toolkit.llm.providers.base import Answer
from toolkit.llm.retrying import Rejected


class Recorded:
    """Knows only what is in the journal, so whatever reaches it has no answer."""

    secret = ""
    price = FREE

    def __init__(self, model: str, base_url: str | None = None) -> None:
        self.model = model

    def ask(self, request: Request, timeout_s: float) -> Answer:
        """Always a refusal that says what to do."""
        raise Rejected(
            f"the recording has no reply of '{self.model}' to this question. Ask it with another provider "
            "and the same journal, or ask only what was recorded: every setting of a request counts."
        )
