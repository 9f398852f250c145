"""Language models among agents: their recorded answers to designs; until there are some, those of a script that says so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from toolkit.errors import DataError
from toolkit.fitting.typical import Answers
from toolkit.models import get_model_for
from toolkit.models.answering import played, read_answers
from toolkit.models.answering.designs import answers_path, design_to_answer, list_designs_to_answer
from toolkit.models.answering.scripted import MODEL, scripted_answers_path
from toolkit.trials import Trials

SCRIPTED, SPOKEN = "scripted_player", "llm"
_AS_ANSWERED = {"inverse_temperature": 1.0, "lapse": 0.0}


@dataclass(frozen=True)
class Player:
    """Recorded answers to a design.

    Attributes
    ----------
    speaker
        The language model, or that there is none.
    chosen
        The design with the choices that were made.
    p
        (sequences, trials, options) how likely every option was.
    graded
        Whether these are more than the options that were named.
    """

    speaker: str
    chosen: Trials
    p: np.ndarray
    graded: bool

    def answers(self, design: Trials) -> Answers:
        """What was answered in as many blocks as this design has; the sequences are those of the recording."""
        here = (self.chosen.block <= design.block.max()).any(0)
        n_trials = int(np.flatnonzero(here).max()) + 1
        trials = self.chosen.unanswered().until(n_trials)
        return Answers(trials, self.p[:, :n_trials], guessing=not self.graded)


def load_players() -> dict[str, dict[str, Player]]:
    """Who answered each of the designs, by the design's name; see :func:`load_player`."""
    return {design: load_player(design) for design in list_designs_to_answer()}


def introduce(players: Mapping[str, Mapping[str, Player]]) -> str:
    """Who answered what, as a sentence.

    Parameters
    ----------
    players
        Of :func:`load_players`.
    """
    designs: dict[str, list[str]] = {}
    for design, by_name in players.items():
        for player in by_name.values():
            designs.setdefault(player.speaker, []).append(design)
    who = "; ".join(f"{speaker}: {', '.join(names)}" for speaker, names in designs.items())
    return f"Prompts for language models were answered by: {who}."


def load_player(design: str) -> dict[str, Player]:
    """Who answered a design, by the name that figures know: "llm", or "scripted_player" if no language model did.

    Parameters
    ----------
    design
        One of :func:`toolkit.models.answering.designs.list_designs_to_answer`.
    """
    path = answers_path(design)
    path = path if path.is_file() else scripted_answers_path(design)
    table = read_answers(path)
    trials = _answered(table, design_to_answer(design), path)
    model = get_model_for("llm", trials, answers=table)
    names = [parameter.name for parameter in model.parameters]
    theta = model.theta(len(trials.participants), **{name: _AS_ANSWERED[name] for name in names})
    player = Player(
        speaker=str(table["model"].iloc[0]),
        chosen=played(table, trials),
        p=model.predict(theta, trials),
        graded="inverse_temperature" in names,
    )
    return {SCRIPTED if player.speaker == MODEL else SPOKEN: player}


def _answered(table: pd.DataFrame, design: Trials, path: Path) -> Trials:
    """The part of a design whose learners answered everything."""
    n_needed = pd.Series(design.mask.sum(1)).groupby(design.sequences["participant"].to_numpy()).sum()
    n_answered = table[table["source"] != "missing"].groupby("participant").size()
    whole = n_needed.index[n_needed == n_answered.reindex(n_needed.index)]
    if whole.empty:
        raise DataError(
            "no learner answered all trials of the design.",
            where=str(path),
            fix="`toolkit ask-llm` with the same --out asks what is absent; or remove the file.",
        )
    return design.where(participant=whole.tolist())
