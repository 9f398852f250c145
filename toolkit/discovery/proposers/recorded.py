"""The proposer that replays a search: the same proposals, round by round, and so the same results."""

from __future__ import annotations

from pathlib import Path

from toolkit.discovery.proposers.base import Proposal, Proposer, Situation
from toolkit.discovery.search.config import SearchConfig, check_settings
from toolkit.discovery.search.journal import SearchJournal
from toolkit.errors import DataError


class RecordedProposer(Proposer):
    """Proposes what was proposed in a search before.

    Parameters
    ----------
    path
        The journal of that search.

    Attributes
    ----------
    config
        What that search was told to do, without its caps on seconds.
    """

    name = "recorded"

    def __init__(self, path: str | Path) -> None:
        path = Path(path)
        if not path.is_file():
            raise DataError("there is no such recording.", where=str(path), fix="Check the path.")
        self._journal = SearchJournal(path)
        if not self._journal.start:
            raise DataError(
                "this is not the journal of a search.", where=str(path), fix="Give its search.jsonl."
            )

    @property
    def config(self) -> SearchConfig:
        settings = check_settings(self._journal.start.get("settings"), str(self._journal.path))
        return settings.changed(**{"budget.seconds": None, "budget.processor_seconds": None})

    def propose(self, situation: Situation) -> list[Proposal]:
        """What was proposed in this round, on this island; nothing behind the last round."""
        return self._journal.proposals(situation.round, situation.island) or []

    def close(self, situation: Situation) -> list[Proposal]:
        """What was left to try of the best of that search."""
        return self.propose(situation)
