"""Is everything here that the toolkit needs? One check a line, with the command that mends it."""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass

from toolkit.errors import ToolkitError
from toolkit.paths import mirror_dir, project_root, raw_dir

OLDEST_PYTHON = (3, 11)
ENOUGH_FREE_GB = 5
KEYS = {"ANTHROPIC_API_KEY": "Anthropic models", "OPENAI_API_KEY": "OpenAI-compatible endpoints"}


@dataclass(frozen=True)
class Check:
    """Outcome of one check; ``ok`` is None where something optional is absent."""

    name: str
    ok: bool | None
    detail: str
    fix: str = ""


def run_checks() -> list[Check]:
    """All checks, in the order in which they are worth mending."""
    return [_guarded(name, check) for name, check in _CHECKS.items()]


def _guarded(name: str, check: Callable[[], tuple[bool | None, str, str]]) -> Check:
    try:
        return Check(name, *check())
    except ToolkitError as error:
        return Check(name, False, f"{error.where}: {error.what}".removeprefix(": "), error.fix)
    except Exception as error:
        # A package that is installed but broken, by a missing GPU library for instance, is a finding.
        return Check(name, False, f"{type(error).__name__}: {error}", "make clean, then make again")


def _python() -> tuple[bool, str, str]:
    good = sys.version_info >= OLDEST_PYTHON
    version = ".".join(map(str, sys.version_info[:3]))
    return good, f"{version} at {sys.executable}", "" if good else "install Python 3.11 or newer"


def _packages() -> tuple[bool, str, str]:
    needed = (
        "numpy",
        "pandas",
        "scipy",
        "sklearn",
        "papermill",
        "nbconvert",
        "snakemake",
        "pooch",
        "openml",
        "anthropic",
    )
    absent = [name for name in needed if importlib.util.find_spec(name) is None]
    if absent:
        return False, f"missing: {', '.join(absent)}", "pip install -e '.[dev,figures]' -c constraints.txt"
    return True, f"all {len(needed)} found", ""


def _torch() -> tuple[bool, str, str]:
    if importlib.util.find_spec("torch") is None:
        return False, "not installed", "pip install torch"
    import torch

    if torch.cuda.is_available():
        return True, f"{torch.__version__} on {torch.cuda.get_device_name()}", ""
    return True, f"{torch.__version__} on CPU ({torch.get_num_threads()} threads), no GPU seen", ""


def _browser() -> tuple[bool | None, str, str]:
    from toolkit.viz import find_browser

    browser = find_browser()
    if browser is None:
        return (
            None,
            "no Chrome or Chromium, so figures stay HTML and JSON",
            "apt-get install chromium  (or plotly_get_chrome)",
        )
    if importlib.util.find_spec("kaleido") is None:
        return None, f"{browser}, but kaleido is missing", "pip install kaleido"
    return True, str(browser), ""


def _widgets() -> tuple[bool, str, str]:
    absent = [
        name for name in ("ipywidgets", "anywidget", "jupyterlab") if importlib.util.find_spec(name) is None
    ]
    if absent:
        return False, f"missing: {', '.join(absent)}", f"pip install {' '.join(absent)}"
    import plotly.graph_objects as go

    # Making one would leave 5 MB of widget state in the notebook that asks.
    if go.FigureWidget.__module__.startswith("plotly.missing"):
        return False, "plotly found no anywidget, so FigureWidget does not work", "pip install anywidget"
    versions = (
        f"{name} {importlib.metadata.version(name)}" for name in ("jupyterlab", "ipywidgets", "anywidget")
    )
    return True, ", ".join(versions), ""


def _key(variable: str) -> Callable[[], tuple[bool | None, str, str]]:
    def check() -> tuple[bool | None, str, str]:
        if os.environ.get(variable):
            return True, f"{variable} is set", ""
        return None, f"{variable} is not set; recorded replies are replayed", f"export {variable}=…"

    return check


def _data() -> tuple[bool | None, str, str]:
    from toolkit.data import list_datasets
    from toolkit.data.fetching import holdings

    states = [holding.state for holding in holdings(list_datasets())]
    detail = f"{states.count('here')} of {len(states)} data sets in {raw_dir()}"
    if mirror := mirror_dir():
        return True, f"{detail}, others from the mirror {mirror}", ""
    complete = set(states) == {"here"}
    return complete or None, detail, "" if complete else "toolkit fetch --all"


def _sandbox() -> tuple[bool | None, str, str]:
    from toolkit.discovery import describe_layers

    layers = describe_layers()
    absent = [layer for layer in layers if not layer.active]
    detail = f"active: {', '.join(layer.name for layer in layers if layer.active)}"
    if absent:
        detail += f"; not active: {', '.join(f'{layer.name} ({layer.detail})' for layer in absent)}"
    if any(layer.needed for layer in absent):
        return None, f"{detail}; models written by a machine do not run", "use Linux 5.13 or newer, or macOS"
    return True, detail, ""


def _disk() -> tuple[bool, str, str]:
    free = shutil.disk_usage(project_root()).free / 1e9
    enough = free > ENOUGH_FREE_GB
    return (
        enough,
        f"{free:.0f} GB free at {project_root()}",
        "" if enough else f"free at least {ENOUGH_FREE_GB} GB",
    )


_CHECKS: dict[str, Callable[[], tuple[bool | None, str, str]]] = {
    "Python": _python,
    "packages": _packages,
    "torch": _torch,
    "browser": _browser,
    "widgets": _widgets,
    **{f"key for {use}": _key(variable) for variable, use in KEYS.items()},
    "data": _data,
    "sandbox": _sandbox,
    "disk": _disk,
}
