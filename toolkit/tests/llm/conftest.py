"""A client that does not really sleep."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from toolkit.llm import Client, get_client


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    """Where the replies of a test go."""
    return tmp_path / "journal.jsonl"


@pytest.fixture
def waits() -> list[float]:
    """Seconds that the clients of a test would have slept."""
    return []


@pytest.fixture
def connect(journal: Path, waits: list[float]) -> Callable[..., Client]:
    """Makes clients of one journal; options are those of ``get_client``."""

    def make(provider: str = "anthropic", **options) -> Client:
        return get_client(
            provider, **{"journal": journal, "sleep": waits.append, "timeout_s": 5.0, **options}
        )

    return make
