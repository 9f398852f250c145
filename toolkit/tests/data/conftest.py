"""Derived tables that loaders are compared with."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest


@pytest.fixture
def derived(public_data: Path):
    """Reads a derived table that only a full mirror holds."""

    def read(path: str, **options) -> pd.DataFrame:
        if not (public_data / path).is_file():
            pytest.skip(f"{path} is not in {public_data}")
        return pd.read_csv(public_data / path, **options)

    return read
