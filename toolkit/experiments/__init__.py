"""Designs of experiments with people, to be given to any number of simulated learners."""

from __future__ import annotations

import dataclasses
import importlib
from typing import TYPE_CHECKING, Any

from toolkit.errors import UsageError, check_options, did_you_mean

if TYPE_CHECKING:
    from toolkit.experiments.base import Design

__all__ = ["get_design", "list_designs"]

_HOME_OF = {
    "shepard": "toolkit.experiments.shepard:Shepard",
    "smith_minda": "toolkit.experiments.smith_minda:SmithMinda",
    "five_four": "toolkit.experiments.five_four:FiveFour",
    "levering": "toolkit.experiments.levering:Levering",
    "instance_frequency": "toolkit.experiments.instance_frequency:InstanceFrequency",
    "weather": "toolkit.experiments.weather:Weather",
    "separable": "toolkit.experiments.separable:Separable",
}


def list_designs() -> list[str]:
    """Names of all designs."""
    return list(_HOME_OF)


def get_design(name: str, **options: Any) -> Design:
    """The design called ``name``, made with ``options``.

    >>> get_design("shepard").conditions
    ('I', 'II', 'III', 'IV', 'V', 'VI')
    """
    if name not in _HOME_OF:
        raise UsageError(f"there is no design '{name}'.", fix=did_you_mean(name, _HOME_OF))
    module, _, attribute = _HOME_OF[name].partition(":")
    design = getattr(importlib.import_module(module), attribute)
    check_options(options, (field.name for field in dataclasses.fields(design)), f"design '{name}'")
    return design(**options)
