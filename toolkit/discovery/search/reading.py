"""Searches that are over, read to be looked at: nothing is fitted and no program is run."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pandas as pd

from toolkit.discovery.demonstration import DEMO, demo_path
from toolkit.discovery.proposers.base import Candidate
from toolkit.discovery.search.journal import SearchJournal
from toolkit.discovery.search.loop import JOURNAL
from toolkit.discovery.search.population import best_of, frontier, lineage, table_of
from toolkit.errors import DataError, UsageError
from toolkit.io import read_table
from toolkit.manifest import find_finished
from toolkit.paths import runs_dir

SECTION, KEPT, TESTED = "05_discovery", "journal", "test_table"
"""The section that searches, and its results that are read here."""


@dataclass(frozen=True)
class FinishedSearch:
    """What was tried in a search, up to the end of one of its rounds.

    Attributes
    ----------
    journal
        Everything that happened.
    title
        What was searched, and among whom, for figures.
    tested
        The table of the report on test participants, as :class:`toolkit.discovery.search.Report` has it; empty where
        there was none.
    n_rounds
        Rounds that are looked at.
    """

    journal: SearchJournal
    title: str
    tested: pd.DataFrame
    n_rounds: int

    @cached_property
    def candidates(self) -> list[Candidate]:
        """Programs that were tried, in order."""
        return [one for one in self.journal.candidates() if one.round < self.n_rounds]

    @cached_property
    def table(self) -> pd.DataFrame:
        """One row a candidate, as :func:`toolkit.discovery.search.table_of` gives them, and ``what``: why it was rejected, in a sentence; ``log_likelihood``, its
        mean over participants; and ``frontier``, whether no other explains people better with as few parameters.
        """
        best = {one.name for one in frontier(self.candidates)}
        each = [one.score.log_likelihood for one in self.candidates]
        return table_of(self.candidates).assign(
            what=[one.score.what for one in self.candidates],
            log_likelihood=[sum(values) / len(values) if values else float("nan") for values in each],
            frontier=[one.name in best for one in self.candidates],
        )

    @property
    def baselines(self) -> dict[str, float]:
        """Mean criterion of models of the literature and of chance, on the same participants."""
        return {name: one.mean for name, one in self.journal.baselines.items() if one.mean is not None}

    @property
    def names(self) -> list[str]:
        """Of all candidates: best first, then those that were rejected."""
        scored = [one.name for one in best_of(self.candidates)]
        return scored + [one.name for one in self.candidates if not one.accepted]

    def __getitem__(self, name: str) -> Candidate:
        """A candidate by its name."""
        found = next((one for one in self.candidates if one.name == name), None)
        if found is None:
            raise UsageError(
                f"no program '{name}' was tried in {self.n_rounds} rounds.", fix="Choose another."
            )
        return found

    def ancestors(self, name: str) -> list[str]:
        """A candidate and all that it descends from, oldest first."""
        return [one.name for one in lineage(self[name], self.candidates)]

    def until(self, n_rounds: int) -> FinishedSearch:
        """The search as it stood after so many rounds."""
        return FinishedSearch(self.journal, self.title, self.tested, n_rounds)


def find_searches() -> list[str]:
    """Searches that can be read, as :func:`read_search` takes them: of finished runs, newest first, of
    ``toolkit discover``, and the recorded one that comes with the project.
    """
    runs = runs_dir()
    of_notebooks = [
        f"{one.run}/{one.name}"
        for one in find_finished(runs)
        if one.name == SECTION and any(artifact.name == KEPT for artifact in one.artifacts)
    ]
    journals = sorted((runs / "discovery").rglob(JOURNAL), key=lambda path: -path.stat().st_mtime_ns)
    return [*of_notebooks, *(path.parent.relative_to(runs).as_posix() for path in journals), DEMO]


def read_search(source: str | Path) -> FinishedSearch:
    """A search by what :func:`find_searches` calls it, its folder, or its journal.

    Raises
    ------
    DataError
        where there is no search, or nothing has been tried in it yet.
    """
    path, table = _files(source)
    if not path.is_file():
        raise DataError(
            "there is no search.", where=str(path), fix=f"There are: {', '.join(find_searches())}."
        )
    journal = SearchJournal(path)
    candidates = journal.candidates()
    if not candidates:
        raise DataError("nothing has been tried in this search yet.", where=str(path), fix="Let it run on.")
    title = journal.title
    if source == DEMO:
        title = f"Recorded search, simulated people: {title}"
    tested = read_table(table) if table is not None and table.is_file() else pd.DataFrame()
    return FinishedSearch(journal, title, tested, 1 + max(one.round for one in candidates))


def _files(source: str | Path) -> tuple[Path, Path | None]:
    """Where the journal is, and the table of the report, if there is one."""
    if source == DEMO:
        return demo_path(), None
    path = Path(source)
    if path.is_file():
        return path, path.with_name("table.csv")
    folder = path if path.is_dir() else runs_dir() / path
    for one in find_finished(runs_dir()):
        if one.folder == folder:
            paths = {artifact.name: folder / artifact.path for artifact in one.artifacts}
            return paths.get(KEPT, folder / JOURNAL), paths.get(TESTED)
    return folder / JOURNAL, folder / "table.csv"
