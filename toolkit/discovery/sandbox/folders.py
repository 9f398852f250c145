"""The folders that Python itself needs to read, and nothing beside them."""

from __future__ import annotations

import sys
import sysconfig
from pathlib import Path

_SYSTEM = ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib")
_PATHS = ("stdlib", "platstdlib", "purelib", "platlib")


def python_folders() -> list[str]:
    """Folders of the standard library, of installed packages and of shared libraries.

    Not the prefix itself: for Python of the system that would be everything that is installed.
    """
    named = [sysconfig.get_path(name) for name in _PATHS]
    named += [str(Path(prefix) / "lib") for prefix in (sys.prefix, sys.base_prefix)]
    resolved = {str(Path(folder).resolve()) for folder in [*filter(None, named), *_SYSTEM]}
    return sorted(folder for folder in resolved if Path(folder).is_dir())


def toolkit_folder() -> Path:
    """The folder of the package."""
    return Path(__file__).resolve().parents[2]
