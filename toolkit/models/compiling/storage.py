"""Where generated modules are kept, so that a machine compiles a model once."""

from __future__ import annotations

import importlib.util
import sys
from functools import cache
from pathlib import Path
from types import ModuleType

from toolkit.errors import UsageError
from toolkit.io import sha256_of_bytes, write_text
from toolkit.paths import cache_dir

COMPILER_VERSION = "1"
"""To be raised when the generated text stays the same but means something else."""


def load_module(name: str, text: str) -> ModuleType:
    """Import a module with this text.

    The file is named by the sha256 of its text and of the versions of everything that compiles it. It
    therefore never changes once it is there, and numba keeps the machine code beside it.
    """
    import numba

    content = f"{text}\n# numba {numba.__version__}, compiler {COMPILER_VERSION}\n"
    return _load(f"{name}_{sha256_of_bytes(content.encode())[:24]}", content)


@cache
def _load(name: str, content: str) -> ModuleType:
    # In a folder of this user alone, since numba's files run when they are read.
    path = cache_dir() / "compiled" / f"{name}.py"
    if not _holds(path, content):
        try:
            write_text(path, content)
        except OSError as error:
            raise UsageError(
                f"compiled models cannot be kept in {path.parent}: {error.strerror}.",
                fix="Set TOOLKIT_CACHE to a folder that can be written.",
            ) from error
    # numba finds the globals of cached functions through this name.
    full_name = f"toolkit_compiled_{name}"
    specification = importlib.util.spec_from_file_location(full_name, path)
    module = importlib.util.module_from_spec(specification)
    sys.modules[full_name] = module
    specification.loader.exec_module(module)
    return module


def _holds(path: Path, content: str) -> bool:
    """Whether the file is there and whole; someone may have changed it."""
    try:
        return path.read_text(encoding="utf-8") == content
    except (OSError, UnicodeDecodeError):
        return False
