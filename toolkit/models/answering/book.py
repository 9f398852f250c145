"""Recorded answers, found again by what was seen, told and chosen before them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from toolkit.models.answering.tables import KEYS, numbered, read_answers

_GRADED = ("samples", "log-probabilities")


class AnswerBook:
    """Probabilities of a table of answers, by sequence.

    A sequence is known by its trials rather than by its participant, since fitting and simulation give
    participants other names: by stimuli, categories told and the person's choices, up to the last
    stimulus. If the model was not told the choices, others do as well.

    Attributes
    ----------
    mode
        What the model was told of earlier trials, see :class:`toolkit.models.answering.Procedure`.
    n_options
        Categories.
    is_graded
        Whether probabilities are not just those of one reply.
    """

    def __init__(self, answers: str | Path | pd.DataFrame) -> None:
        table = read_answers(answers)
        self.mode = str(table["mode"].iloc[0])
        self.is_graded = bool(table["source"].isin(_GRADED).any())
        self.n_options = numbered(table, "p").shape[1]
        self._p: list[np.ndarray] = []
        self._by_choices: dict[bytes, int] = {}
        self._by_told: dict[bytes, int] = {}
        for _, rows in table.sort_values("trial", kind="stable").groupby(KEYS, sort=False):
            self._add(rows)

    def find(self, stimulus: np.ndarray, category: np.ndarray, choice: np.ndarray) -> tuple[np.ndarray, int]:
        """Probabilities of the trials of one sequence, and how many of them are known.

        Parameters
        ----------
        stimulus, category, choice
            (trials, features), (trials,) and (trials,).

        Returns
        -------
        (trials, options), NaN from the first unknown trial on, and its number.
        """
        n_trials = len(stimulus)
        for known, told in self._ways(category, choice):
            *_, whole = _keys(stimulus, told)
            if whole in known:
                p = self._p[known[whole]][:n_trials]
                missing = np.isnan(p).any(1)
                return p, int(missing.argmax()) if missing.any() else n_trials
        n_known = max(
            sum(key in known for key in _keys(stimulus, told)) for known, told in self._ways(category, choice)
        )
        return np.full((n_trials, self.n_options), np.nan), n_known

    def _add(self, rows: pd.DataFrame) -> None:
        stimulus, number = numbered(rows, "stimulus"), len(self._p)
        self._p.append(numbered(rows, "p"))
        for known, told in self._ways(rows["category"].to_numpy(), rows["choice"].to_numpy()):
            for key in _keys(stimulus, told):
                known.setdefault(key, number)

    def _ways(self, category: np.ndarray, choice: np.ndarray) -> list[tuple[dict[bytes, int], np.ndarray]]:
        """Ways to know a sequence, and what they hang on besides stimuli: (trials, columns)."""
        exact = (self._by_choices, np.stack([category, choice], -1))
        return [exact] if self.mode == "human" else [exact, (self._by_told, category[:, None])]


def _keys(stimulus: np.ndarray, told: np.ndarray) -> Iterator[bytes]:
    """For every trial a hash of its stimulus and all that came before it."""
    digest = hashlib.sha256()
    # Single precision, since fits may use it.
    for shown, afterwards in zip(stimulus.astype(np.float32), told.astype(np.int64), strict=True):
        digest.update(shown.tobytes())
        yield digest.digest()
        digest.update(afterwards.tobytes())
