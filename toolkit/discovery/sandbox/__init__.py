"""Text of unknown origin is checked, and then run only by locked processes that can do nothing but calculate."""

from __future__ import annotations

from toolkit.lazy import lazily

_HOME_OF = {
    "Layer": "layers",
    "Limits": "limits",
    "Sandbox": "pool",
    "Worker": "process",
    "check_text": "gate",
    "default_sandbox": "pool",
    "describe_layers": "pool",
}

# A worker imports parts of this package and must not import the others.
__getattr__, __dir__, __all__ = lazily(__name__, _HOME_OF)
