"""Published results of groups of people, where they are here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pandas as pd

from toolkit.errors import DataError
from toolkit.experiments import get_design


@dataclass(frozen=True)
class GroupResults:
    """What groups of people did in a design.

    Attributes
    ----------
    results
        Of the design's ``people()``; None if they are not here.
    title
        For figures: whose people they are, or that there are none.
    """

    results: pd.DataFrame | None
    title: str


def load_group(design: str, load: Callable[[str], Any]) -> GroupResults:
    """Published results of people in a design.

    Parameters
    ----------
    design
        Its name, for instance "shepard".
    load
        What gives data by name, such as ``run.load``, which keeps their checksums.
    """
    known = get_design(design)
    names, _, rest = known.citation.partition(" (")
    authors = names.replace(" &", ",").split(", ")
    whose = f"{names if len(authors) < 3 else f'{authors[0]} et al.'} ({rest.partition(')')[0]})"
    try:
        load(known.curve)
    except DataError:
        return GroupResults(None, f"Agents alone; people's results ({whose}) are not here")
    return GroupResults(known.people(), f"People: {whose}")
