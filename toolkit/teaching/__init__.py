"""The workshop: exercises with solutions, student versions made of them, and proofs that they work."""

from __future__ import annotations

from toolkit.lazy import lazily

_HOME_OF = {
    "NotYet": "words",
    "build": "building",
    "check_lesson": "checking",
    "expect": "words",
    "expect_array": "words",
    "expect_close": "words",
    "find_lessons": "lessons",
    "in_words": "words",
    "passed": "words",
    "read_lesson": "lessons",
    "student_version": "building",
}

# A notebook needs the words alone, not what starts kernels.
__getattr__, __dir__, __all__ = lazily(__name__, _HOME_OF)
