"""Published results of groups, and what is said where there are none."""

from __future__ import annotations

from typing import Any

from toolkit.errors import DataError
from toolkit.fitting.groups import load_group


def test_absent_results_are_said_to_be_absent() -> None:
    def absent(name: str) -> Any:
        raise DataError(f"{name} is not here.")

    found = load_group("shepard", absent)
    assert found.results is None
    assert found.title == "Agents alone; people's results (Nosofsky et al. (1994)) are not here"
    two = load_group("five_four", absent)
    assert "Johansen & Palmeri (2002)" in two.title
