"""How asking went, in counts."""

from __future__ import annotations

import threading
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

from toolkit.llm.messages import Failure, Reply, Usage

if TYPE_CHECKING:
    import pandas as pd


@dataclass
class Tally:
    """Counts of everything a client was asked.

    Attributes
    ----------
    asked
        Different questions of each call: answered + refused + truncated + failed.
    from_journal
        Those among them that were answered earlier and cost nothing now.
    retries
        Attempts after the first one.
    garbled
        Attempts that brought something other than a reply.
    usage, usd
        Tokens and money of the replies of this client; the journal's are not among them.
    """

    asked: int = 0
    from_journal: int = 0
    answered: int = 0
    refused: int = 0
    truncated: int = 0
    failed: int = 0
    retries: int = 0
    garbled: int = 0
    usage: Usage = field(default_factory=Usage)
    usd: float = 0.0

    def __post_init__(self) -> None:
        self._lock = threading.Lock()

    def add(self, outcome: Reply | Failure, *, from_journal: bool = False) -> None:
        """Count what became of a question."""
        with self._lock:
            self.asked += 1
            self.from_journal += from_journal
            if isinstance(outcome, Failure):
                self.failed += 1
                return
            name = {"end": "answered", "length": "truncated", "refusal": "refused"}[outcome.stop]
            setattr(self, name, getattr(self, name) + 1)
            if not from_journal:
                sums = {name: n + getattr(self.usage, name) for name, n in asdict(outcome.usage).items()}
                self.usage = Usage(**sums)
                self.usd += outcome.usd or 0.0

    def add_trouble(self, *, retried: bool, garbled: bool) -> None:
        """Count an attempt that brought no reply."""
        with self._lock:
            self.retries += retried
            self.garbled += garbled

    def table(self) -> pd.DataFrame:
        """The counts, one a row: columns ``count`` and ``n``."""
        import pandas as pd

        counts = asdict(self)
        tokens = {f"tokens_{name}": n for name, n in counts.pop("usage").items()}
        usd = counts.pop("usd")
        rows = {**counts, **tokens, "usd": usd}
        return pd.DataFrame({"count": list(rows), "n": list(rows.values())})
