"""Where tests find downloaded data, without ever touching the cache of the person who runs them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from toolkit.paths import mirror_dir, project_root, raw_dir


def _source() -> Path | None:
    """Folder that can serve original files: the mirror named or beside the checkout, or a filled cache."""
    beside = project_root().parent / "shared" / "data"
    candidates = (mirror_dir(), beside, raw_dir())
    return next((folder for folder in candidates if folder and (folder / "human").is_dir()), None)


@pytest.fixture(scope="session")
def _cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("raw")


@pytest.fixture(scope="module")
def public_data(_cache: Path) -> Iterator[Path]:
    """The folder that serves original files; tests are skipped where there is none."""
    source = _source()
    if source is None:
        pytest.skip("no data: run `toolkit fetch --all` or set TOOLKIT_MIRROR")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TOOLKIT_MIRROR", str(source))
        patch.setenv("TOOLKIT_DATA", str(_cache))
        yield source


@pytest.fixture
def derived(public_data: Path):
    """Reads a derived table that only a full mirror holds."""

    def read(path: str, **options) -> pd.DataFrame:
        if not (public_data / path).is_file():
            pytest.skip(f"{path} is not in {public_data}")
        return pd.read_csv(public_data / path, **options)

    return read
