"""Named random streams grown from one seed, so that adding a stream never moves another."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import torch


class Seeds:
    """Independent generators, one a name, all decided by one root seed.

    >>> first, again = Seeds(7).numpy("starts"), Seeds(7).numpy("starts")
    >>> bool(first.random() == again.random())
    True
    """

    def __init__(self, root: int) -> None:
        self.root = int(root)
        self._streams: dict[str, int] = {}

    def integer(self, name: str) -> int:
        """64-bit seed of the stream ``name``."""
        digest = hashlib.sha256(f"{self.root}/{name}".encode()).digest()
        return self._streams.setdefault(name, int.from_bytes(digest[:8], "big"))

    def numpy(self, name: str) -> np.random.Generator:
        """A fresh numpy generator at the start of the stream ``name``."""
        return np.random.default_rng(self.integer(name))

    def torch(self, name: str, device: str = "cpu") -> torch.Generator:
        """A fresh torch generator at the start of the stream ``name``."""
        import torch

        return torch.Generator(device=device).manual_seed(self.integer(name) >> 1)

    @property
    def streams(self) -> dict[str, int]:
        """Streams asked for so far, for the manifest."""
        return dict(self._streams)
