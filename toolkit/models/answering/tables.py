"""Answers of a language model as a table with one row a trial.

Columns: ``participant``, ``problem``, ``condition`` and ``trial`` (from 0); ``stimulus_0`` and so on,
``category`` and ``choice`` as in the trials; ``shown``, the stimulus in words; ``letters`` that stood for the
categories; ``said``, the category that the model named, or -1; ``p_0`` and so on, the probability of every
category, and its ``source`` ("letter", "samples", "log-probabilities"; "none" if no reply named a category,
which counts as chance; "missing" if there is no reply yet); ``reply``, the first sample, or why there is none;
``n_asked``; and how it was asked: ``model, mode, story, seed, n_samples, temperature``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from toolkit.errors import DataError, UsageError
from toolkit.io import read_table
from toolkit.models.answering.prompts import Prompter
from toolkit.models.answering.replies import Judgement
from toolkit.trials import MISSING, Trials

KEYS = ["participant", "problem"]
_SETTINGS = ["model", "mode", "story", "seed", "n_samples", "temperature"]
_NEEDED = [*KEYS, "trial", "category", "choice", "said", "source", "mode"]

Place = tuple[int, int]
"""Row of a sequence in the trials, and number of a trial in it."""


class Given(NamedTuple):
    """What became of the question on a trial.

    Attributes
    ----------
    reply
        The first sample, or why there is none.
    n_asked
        Requests it took.
    """

    judgement: Judgement
    reply: str
    n_asked: int


def table_of_answers(
    trials: Trials, prompters: Sequence[Prompter], given: Mapping[Place, Given], model: str
) -> pd.DataFrame:
    """The table of all trials; those that nothing was given for are "missing"."""
    nothing = Judgement(np.full(trials.n_options, np.nan), "missing", MISSING)
    absent = Given(nothing, "an earlier trial was not answered.", 0)
    parts = []
    for prompter in prompters:
        procedure, n_trials = prompter.procedure, prompter.n_trials
        answers = [given.get((prompter.row, trial), absent) for trial in range(n_trials)]
        about = trials.sequences.iloc[prompter.row]
        columns = {name: about[name] for name in (*KEYS, "condition")}
        columns["trial"] = np.arange(n_trials)
        for name, values in _numbered("stimulus", trials.stimulus[prompter.row, :n_trials]):
            columns[name] = values
        for name in ("category", "choice"):
            columns[name] = trials.arrays[name][prompter.row, :n_trials]
        columns |= {"shown": prompter.shown, "letters": "".join(prompter.letters)}
        columns["said"] = [one.judgement.said for one in answers]
        columns |= dict(_numbered("p", np.stack([one.judgement.p for one in answers])))
        columns["source"] = [one.judgement.source for one in answers]
        columns["reply"] = [one.reply for one in answers]
        columns["n_asked"] = [one.n_asked for one in answers]
        temperature = np.nan if procedure.temperature is None else procedure.temperature
        columns |= {"model": model, "mode": procedure.mode, "story": procedure.story.name}
        columns |= {"seed": procedure.seed, "n_samples": procedure.n_samples, "temperature": temperature}
        parts.append(pd.DataFrame(columns))
    return pd.concat(parts, ignore_index=True)


def read_answers(answers: str | Path | pd.DataFrame) -> pd.DataFrame:
    """A table of answers, from its file if need be, after a check."""
    is_table = isinstance(answers, pd.DataFrame)
    table = answers if is_table else read_table(answers)
    where = "table of answers" if is_table else str(answers)
    fix = "`toolkit ask-llm` writes such a table."
    for column in [*_NEEDED, "stimulus_0", "p_0", "p_1"]:
        if column not in table:
            raise DataError(f"there is no column '{column}'.", where=where, fix=fix)
    modes = list(map(str, table["mode"].unique()))
    if len(modes) != 1:
        raise DataError(
            f"the answers should be of one mode, these are of {len(modes)}: {', '.join(modes)}.", where=where
        )
    p = numbered(table, "p")
    asked = (table["source"] != "missing").to_numpy()
    wrong = asked & ~((p >= 0).all(1) & np.isclose(p.sum(1), 1))
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        raise DataError(f"{p[row].tolist()} are no probabilities.", where=f"{where}, row {row + 1}", fix=fix)
    return table


def add_answers(old: pd.DataFrame, new: pd.DataFrame) -> pd.DataFrame:
    """Sequences of both tables, those in both as they are in ``new``; only of answers asked for alike."""
    for name in _SETTINGS:
        before, now = old[name].iloc[0], new[name].iloc[0]
        if before != now and not (pd.isna(before) and pd.isna(now)):
            raise UsageError(
                f"{name} is {now!s}, but the answers that are there were given with {before!s}.",
                fix="Use the same setting to add to them, or another folder.",
            )
    again = pd.MultiIndex.from_frame(old[KEYS]).isin(pd.MultiIndex.from_frame(new[KEYS]))
    return pd.concat([old[~again], new], ignore_index=True)


def played(table: pd.DataFrame, design: Trials) -> Trials:
    """The design with the choices that the language model made; its accuracy and curves are those of a person.

    Trials that it did not answer have no choice.
    """
    said = {key: rows["said"].to_numpy() for key, rows in table.groupby(KEYS, sort=False)}
    choice = np.full(design.mask.shape, MISSING)
    for row, key in enumerate(design.sequences[KEYS].itertuples(index=False, name=None)):
        n_trials = int(design.mask[row].sum())
        if len(said.get(key, ())) < n_trials:
            raise DataError(
                "there are no answers to these trials.",
                where=f"participant {key[0]}, problem {key[1]}",
                fix="`toolkit ask-llm` with the same --out asks what is absent.",
            )
        choice[row, :n_trials] = said[key][:n_trials]
    return design.updated(choice=choice)


def numbered(table: pd.DataFrame, name: str) -> np.ndarray:
    """Columns ``name_0``, ``name_1`` and so on: (rows, columns)."""
    columns = []
    while f"{name}_{len(columns)}" in table:
        columns.append(table[f"{name}_{len(columns)}"].to_numpy(dtype=float))
    return np.stack(columns, -1)


def _numbered(name: str, values: np.ndarray) -> list[tuple[str, np.ndarray]]:
    return [(f"{name}_{number}", column) for number, column in enumerate(values.T)]
