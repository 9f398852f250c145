"""Which problems are trained on, validated on and tested on: decided by their names alone."""

from __future__ import annotations

import hashlib
from typing import Literal

from toolkit.data.bank import BankProblem, load_bank

Part = Literal["train", "validation", "test"]


def part_of(identifier: str) -> Part:
    """Part that a problem belongs to: 80 % train, 10 % validation, 10 % test.

    A hash of the name decides, so a problem stays where it is when others are added.

    >>> part_of("animals-001")
    'train'
    """
    digest = hashlib.sha256(f"split/{identifier}".encode()).digest()
    place = int.from_bytes(digest[:8], "big") / 2**64
    return "train" if place < 0.8 else "validation" if place < 0.9 else "test"


def bank_part(part: Part) -> list[BankProblem]:
    """Problems of the ecological bank that belong to ``part``."""
    return [problem for problem in load_bank() if part_of(problem.id) == part]
