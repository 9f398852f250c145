"""Data: a registry of public files, fetched with checksums, and loaders that return Trials or tables."""

from __future__ import annotations

from toolkit.data.bank import load_bank
from toolkit.data.belief_updating import load_belief_updating
from toolkit.data.cache import checksums
from toolkit.data.cc18 import list_cc18, load_cc18
from toolkit.data.fetching import fetch
from toolkit.data.loaders import load, load_curve, load_data
from toolkit.data.loaders.badham2017 import correct_to_criterion
from toolkit.data.registry import describe, list_datasets
from toolkit.data.tables import load_table
from toolkit.data.transcripts import load_transcripts

__all__ = [
    "checksums",
    "correct_to_criterion",
    "describe",
    "fetch",
    "list_cc18",
    "list_datasets",
    "load",
    "load_bank",
    "load_belief_updating",
    "load_cc18",
    "load_curve",
    "load_data",
    "load_table",
    "load_transcripts",
]
