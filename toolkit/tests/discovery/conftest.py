"""One sandbox for all tests of programs: workers that compile take seconds to start."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from toolkit.discovery.sandbox import Limits, Sandbox


@pytest.fixture(scope="session")
def workers() -> Iterator[Sandbox]:
    with Sandbox(1, limits=Limits(seconds=120, start_seconds=120)) as sandbox:
        yield sandbox
