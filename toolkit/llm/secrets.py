"""Keeps the key of a provider out of everything that is written or shown."""

from __future__ import annotations

import json

_SHORTEST = 8
"""Shorter values would blot out ordinary words."""


def without_secret(text: str, secret: str) -> str:
    """``text`` with ``secret`` blotted out, also where it is spelled as in JSON.

    >>> without_secret("the key sk-0123456789 is wrong", "sk-0123456789")
    'the key [secret] is wrong'
    """
    if len(secret) >= _SHORTEST:
        for spelling in {secret, json.dumps(secret)[1:-1]}:
            text = text.replace(spelling, "[secret]")
    return text
