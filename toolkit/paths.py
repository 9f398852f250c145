"""Where things are: the project folder and the places in it."""

from __future__ import annotations

import os
from pathlib import Path

from toolkit.errors import UsageError

FOLDER_VARIABLE = "TOOLKIT_SECTION_FOLDER"
"""Environment variable by which the runner names the private folder a section writes to."""

RUN_VARIABLE = "TOOLKIT_RUN_FOLDER"
"""Environment variable by which the runner names the run whose other sections can be loaded."""

_CHECKOUT = Path(__file__).resolve().parent.parent


def project_root() -> Path:
    """Folder that holds notebooks/, data/ and papermill_runs/.

    ``TOOLKIT_HOME`` names it; otherwise it is the nearest parent of the working
    directory with a ``notebooks/pipeline.yaml``, otherwise the checkout this package lies in.
    """
    named = os.environ.get("TOOLKIT_HOME")
    if named:
        root = Path(named).expanduser().resolve()
        if not root.is_dir():
            raise UsageError(f"TOOLKIT_HOME names {root}, which is not a folder.", fix="Correct or unset it.")
        return root
    here = Path.cwd().resolve()
    for folder in (here, *here.parents):
        if (folder / "notebooks" / "pipeline.yaml").is_file():
            return folder
    return _CHECKOUT


def data_dir() -> Path:
    """Embedded data sets and the registry of downloadable ones: the project's own, else this checkout's."""
    own = project_root() / "data"
    return own if (own / "registry.toml").is_file() else _CHECKOUT / "data"


def raw_dir() -> Path:
    """Cache of downloaded files; ``TOOLKIT_DATA`` moves it, to a shared disk for instance."""
    named = os.environ.get("TOOLKIT_DATA")
    return Path(named).expanduser().resolve() if named else project_root() / "data" / "raw"


def mirror_dir() -> Path | None:
    """Local folder that serves downloads without network, named by ``TOOLKIT_MIRROR``."""
    named = os.environ.get("TOOLKIT_MIRROR")
    if not named:
        return None
    folder = Path(named).expanduser()
    folder = folder if folder.is_absolute() else Path.cwd() / folder
    if not folder.is_dir():
        raise UsageError(
            f"TOOLKIT_MIRROR names {folder}, which is not a folder.",
            fix="Set it to the folder that holds human/, bandits/ and openml_cc18/, or unset it.",
        )
    return folder.resolve()


def cache_dir() -> Path:
    """What can be made again, of this user; ``TOOLKIT_CACHE`` moves it."""
    named = os.environ.get("TOOLKIT_CACHE") or os.environ.get("XDG_CACHE_HOME")
    root = Path(named).expanduser().resolve() if named else Path.home() / ".cache"
    return root / "human-like-learning"


def own_dir() -> Path:
    """Choices that people made here and asked to keep; git ignores it."""
    return project_root() / "data" / "own"


def notebooks_dir() -> Path:
    """The notebooks, one for each section."""
    return project_root() / "notebooks"


def runs_dir() -> Path:
    """Executed runs; ``TOOLKIT_RUNS`` moves it."""
    named = os.environ.get("TOOLKIT_RUNS")
    return Path(named).expanduser().resolve() if named else project_root() / "papermill_runs"


def figures_dir() -> Path:
    """The latest figures of all sections; ``TOOLKIT_FIGURES`` moves it."""
    named = os.environ.get("TOOLKIT_FIGURES")
    return Path(named).expanduser().resolve() if named else project_root() / "figures"
