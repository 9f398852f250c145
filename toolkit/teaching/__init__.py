"""The workshop: exercises with solutions, student versions made of them, and proofs that they work."""

from __future__ import annotations

import importlib
from typing import Any

_HOME_OF = {
    "NotYet": "words",
    "build": "building",
    "check_lesson": "checking",
    "expect": "words",
    "expect_close": "words",
    "find_lessons": "lessons",
    "passed": "words",
    "read_lesson": "lessons",
    "student_version": "building",
}

__all__ = list(_HOME_OF)


def __getattr__(name: str) -> Any:
    # A notebook needs the words alone, not what starts kernels.
    if name in _HOME_OF:
        return getattr(importlib.import_module(f"toolkit.teaching.{_HOME_OF[name]}"), name)
    raise AttributeError(f"module 'toolkit.teaching' has no attribute '{name}'")
