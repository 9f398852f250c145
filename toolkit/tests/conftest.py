"""Shared fixtures: an empty project, and public data that never touch the cache of whoever runs the tests."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from toolkit.paths import mirror_dir, project_root, raw_dir

CHECKOUT = Path(__file__).resolve().parents[2]


def pytest_configure() -> None:
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    # A shell lets jobs in the background ignore interruptions, and all that they start with them.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def checkout() -> Path:
    """Root of this checkout."""
    return CHECKOUT


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty project folder that everything is written to."""
    monkeypatch.setenv("TOOLKIT_HOME", str(tmp_path))
    for variable in ("TOOLKIT_RUNS", "TOOLKIT_FIGURES", "TOOLKIT_DATA"):
        monkeypatch.delenv(variable, raising=False)
    return tmp_path


@pytest.fixture(autouse=True)
def _registry_of_models_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    """Models that a test registers are gone after it."""
    from toolkit.models import registry

    monkeypatch.setattr(registry, "_HOME_OF", dict(registry._HOME_OF))
    monkeypatch.setattr(registry, "_own", dict(registry._own))


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
