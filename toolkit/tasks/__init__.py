"""Where learning problems come from: priors and the ecological bank, drawn as tensors."""

from __future__ import annotations

import importlib
import inspect
from typing import TYPE_CHECKING, Any

from toolkit.errors import UsageError, check_options, did_you_mean

if TYPE_CHECKING:
    from toolkit.tasks.problems import Source

_HOME_OF = {
    "linear": "toolkit.tasks.linear:Linear",
    "mlp": "toolkit.tasks.mlp:MLP",
    "rational": "toolkit.tasks.rational:Rational",
    "bank": "toolkit.tasks.bank:Bank",
    "openml": "toolkit.tasks.openml:Tables",
    "written": "toolkit.tasks.written:Written",
}

__all__ = ["get_source", "list_sources"]


def list_sources() -> list[str]:
    """Names of all sources of problems."""
    return list(_HOME_OF)


def get_source(name: str, **options: Any) -> Source:
    """The source called ``name``, made with ``options``.

    >>> get_source("linear", noise=0.5)
    Linear(intercept=0.0, noise=0.5)
    """
    if name not in _HOME_OF:
        raise UsageError(f"there is no source '{name}'.", fix=did_you_mean(name, _HOME_OF))
    module, _, attribute = _HOME_OF[name].partition(":")
    source = getattr(importlib.import_module(module), attribute)
    check_options(options, inspect.signature(source).parameters, f"source '{name}'")
    return source(**options)
