"""One sandbox for all tests of programs, whose workers take seconds to start, and a program to try."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from toolkit.discovery.program import ProgramModel
from toolkit.discovery.sandbox import Limits, Sandbox
from toolkit.tests.discovery.programs import bandit, delta_rule
from toolkit.trials import Trials


@pytest.fixture(scope="session")
def workers() -> Iterator[Sandbox]:
    with Sandbox(1, limits=Limits(seconds=120, start_seconds=120)) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def trials() -> Trials:
    return bandit()


@pytest.fixture(scope="module")
def model(trials, workers) -> ProgramModel:
    return delta_rule(trials).model(workers)
