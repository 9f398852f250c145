"""Names of a package that are imported when somebody asks for them."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from typing import Any


def lazily(
    package: str, home_of: Mapping[str, str]
) -> tuple[Callable[[str], Any], Callable[[], list[str]], list[str]]:
    """The ``__getattr__``, ``__dir__`` and ``__all__`` of a package whose modules wait until they are used.

    Parameters
    ----------
    package
        The package's ``__name__``.
    home_of
        For every public name the module that defines it, seen from the package: ``"fitting"`` is its own module.

    Examples
    --------
    >>> get, names, public = lazily("toolkit", {"UsageError": "errors"})
    >>> get("UsageError").exit_code, names(), public
    (2, ['UsageError'], ['UsageError'])
    """
    public = list(home_of)

    def get(name: str) -> Any:
        if name not in home_of:
            raise AttributeError(f"module '{package}' has no attribute '{name}'")
        return getattr(importlib.import_module(f"{package}.{home_of[name]}"), name)

    return get, lambda: public, public
