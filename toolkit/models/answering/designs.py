"""Designs that language models are asked about, so that their answers stand beside those of agents in notebook 04."""

from __future__ import annotations

from pathlib import Path

from toolkit.errors import UsageError, did_you_mean
from toolkit.experiments import get_design
from toolkit.paths import data_dir
from toolkit.seeds import Seeds
from toolkit.trials import Trials

N_LEARNERS = 4
"""Most learners that can be asked for, each with sequences of its own."""

_DESIGNS = ("shepard", "five_four", "levering", "smith_minda")


def list_designs_to_answer() -> list[str]:
    """Names of the designs."""
    return list(_DESIGNS)


def design_to_answer(name: str) -> Trials:
    """The trials of a design that is asked about, the same at every call.

    >>> len(design_to_answer("shepard"))
    24
    """
    if name not in _DESIGNS:
        raise UsageError(f"no language model is asked about '{name}'.", fix=did_you_mean(name, _DESIGNS))
    rng = Seeds(0).numpy(f"design to answer {name}")
    return get_design(name).draw(N_LEARNERS, rng=rng)


def answers_path(name: str) -> Path:
    """Where your language model's answers to a design are looked for; `toolkit ask-llm` writes them."""
    return data_dir() / "answers" / name / "answers.parquet"
