"""Where generated modules are kept, so that a machine compiles a model once."""

from __future__ import annotations

import importlib.util
import sys
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path
from types import ModuleType
from typing import Any

from toolkit.errors import UsageError
from toolkit.io import sha256_of_bytes, write_text
from toolkit.paths import cache_dir

COMPILER_VERSION = "1"
"""To be raised when the generated text stays the same but means something else."""


@dataclass(frozen=True)
class StoredModule:
    """A generated module in its file; numba, which takes a moment, is imported when the first function is asked for."""

    name: str
    content: str

    @property
    def __file__(self) -> str:
        return str(_stored(self.name, self.content))

    def __getattr__(self, name: str) -> Any:
        return getattr(self.load(), name)

    def load(self) -> ModuleType:
        """The module itself."""
        return _load(self.name, self.content)


def store_module(name: str, text: str) -> StoredModule:
    """Keep a module with this text.

    The file is named by the sha256 of its text and of the versions of everything that compiles it. It
    therefore never changes once it is there, and numba keeps the machine code beside it.
    """
    content = f"{text}\n# numba {version('numba')}, compiler {COMPILER_VERSION}\n"
    stored = StoredModule(f"{name}_{sha256_of_bytes(content.encode())[:24]}", content)
    _stored(stored.name, content)
    return stored


def _stored(name: str, content: str) -> Path:
    """The module's file, written where it is not there or not whole."""
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
    return path


@cache
def _load(name: str, content: str) -> ModuleType:
    path = _stored(name, content)
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
