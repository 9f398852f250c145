"""Keys and tokens of the environment: found, and kept out of everything a run leaves behind."""

from __future__ import annotations

import html
import json
import os
import re
import urllib.parse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_LOOKS_SECRET = re.compile(r"KEY|TOKEN|SECRET|PASSW|PASSPHRASE|CREDENTIAL|_(PASS|PWD|PAT)$", re.IGNORECASE)
_PASSWORD_IN_URL = re.compile(r"://[^/@:\s]*:([^/@\s]+)@")
_NOT_SECRET = re.compile(r"^(SSH_AUTH_SOCK|GPG_KEY|.*_(FILE|PATH|DIR))$", re.IGNORECASE)
_SHORTEST = 8
"""Shorter values would blot out ordinary words."""


class Secrets:
    """Secret values of an environment.

    >>> secrets = Secrets({"SERVICE_API_KEY": "sk-1234567890", "USER": "ada lovelace"})
    >>> secrets.redact("the key is sk-1234567890.")
    'the key is [secret SERVICE_API_KEY].'
    """

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        environment = os.environ if environment is None else environment
        spellings = [
            (form, name)
            for name, value in environment.items()
            for secret in _secrets_of(name, value)
            for form in _spellings(secret)
        ]
        # The longest first: one secret may be the beginning of another.
        self._spellings = sorted(spellings, key=lambda pair: -len(pair[0]))

    def redact(self, text: str) -> str:
        """``text`` with every secret replaced by its name."""
        for spelling, name in self._spellings:
            if spelling in text:
                text = text.replace(spelling, f"[secret {name}]")
        return text

    def redact_tree(self, content: Any) -> Any:
        """JSON content with every secret replaced, in keys as in values."""
        if not self._spellings:
            return content
        if isinstance(content, str):
            return self.redact(content)
        if isinstance(content, Mapping):
            return {self.redact(str(name)): self.redact_tree(value) for name, value in content.items()}
        if isinstance(content, list | tuple):
            return [self.redact_tree(value) for value in content]
        return content

    def redact_file(self, path: Path) -> None:
        """Rewrite a text file without the secrets it holds, if it holds any."""
        from toolkit.io import write_text

        text = path.read_text(encoding="utf-8", errors="replace")
        clean = self.redact(text)
        if clean != text:
            write_text(path, clean)

    def found_in_text(self, text: str) -> str | None:
        """Name of the variable whose value is in ``text``, or None."""
        return next((name for spelling, name in self._spellings if spelling in text), None)

    def found_in_file(self, path: Path) -> str | None:
        """Name of the variable whose value is in a file, or None; looks into parquet's columns too."""
        if not self._spellings:
            return None
        content = path.read_bytes()
        for spelling, name in self._spellings:
            if spelling.encode() in content:
                return name
        return self.found_in_text(_text_of_table(path)) if path.suffix == ".parquet" else None


def _secrets_of(name: str, value: str) -> list[str]:
    """What must not be seen of a variable: its value, each of its lines, or the password in its address."""
    if not _LOOKS_SECRET.search(name):
        found = _PASSWORD_IN_URL.findall(value)
    elif _NOT_SECRET.match(name):
        found = []
    else:
        # A log is written line by line, so a key of many lines is never seen there as a whole.
        found = [value.strip(), *map(str.strip, value.splitlines())]
    return [secret for secret in dict.fromkeys(found) if len(secret) >= _SHORTEST]


def _spellings(value: str) -> set[str]:
    """The forms in which a value turns up in text, JSON, Python, HTML and URLs."""
    return {
        value,
        html.escape(value),
        html.escape(value, quote=False),
        json.dumps(value)[1:-1],
        json.dumps(value, ensure_ascii=False)[1:-1],
        repr(value)[1:-1],
        urllib.parse.quote(value, safe=""),
    }


def _text_of_table(path: Path) -> str:
    """All text of a table: parquet compresses it, so its bytes do not show it."""
    import pandas as pd

    table = pd.read_parquet(path)
    columns = table.select_dtypes(exclude=["number", "bool", "datetime"])
    values = (str(value) for name in columns for value in columns[name].unique())
    return "\n".join([*map(str, table.columns), *values])
