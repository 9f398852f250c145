"""The profile that confines a worker on macOS, where ``sandbox-exec`` applies it before Python starts."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterable
from pathlib import Path

PROGRAM = "sandbox-exec"

_RULES = """(version 1)
(deny default)
(allow process-exec {programs})
(allow sysctl-read)
(allow mach-lookup (global-name "com.apple.system.opendirectoryd.libinfo"))
(allow file-read-metadata)
(allow file-read* (literal "/") (literal "/dev/null") (literal "/dev/urandom") (literal "/dev/random"))
(allow file-read* (subpath "/usr/lib") (subpath "/System") (subpath "/Library/Apple"))
(allow file-read* {folders})
(allow file-write* (literal "/dev/null"))
(allow signal (target self))
(deny network*)
(deny process-fork)
"""


def available() -> bool:
    """Whether this is a Mac that has the program."""
    return sys.platform == "darwin" and shutil.which(PROGRAM) is not None


def profile(python: str, readable: Iterable[str]) -> str:
    """The rules: Python and its folders can be read; nothing can be written, sent or started.

    Parameters
    ----------
    python
        The interpreter, the only program that can be started.
    readable
        Folders of Python, its packages and its libraries, and of the toolkit.
    """
    # Some builds of Python are a small program that starts another one, which lies in its folder.
    inner = Path(sys.base_prefix) / "Resources" / "Python.app"
    programs = [f"(literal {_quoted(path)})" for path in (python, str(Path(python).resolve()))]
    programs.append(f"(subpath {_quoted(str(inner))})")
    folders = " ".join(f"(subpath {_quoted(folder)})" for folder in readable)
    return _RULES.format(programs=" ".join(programs), folders=folders)


def command(python: str, readable: Iterable[str]) -> list[str]:
    """What stands before the command of a worker."""
    return [PROGRAM, "-p", profile(python, readable)]


def _quoted(path: str) -> str:
    escaped = path.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
