"""What came of asking or reading: what is kept, what is not and why, in counts and one by one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import pandas as pd

from toolkit.llm import Failure, Reply
from toolkit.tasks.writing.parsing import Parsed, Reason, Rejection, Unfit, WrittenProblem

Item = TypeVar("Item")


@dataclass
class Harvest(Generic[Item]):
    """Everything that one stage brought.

    Attributes
    ----------
    stage
        "labels", "data", "distributions", or the name of a file.
    kept
        Problems or proposals that can be used.
    counts
        By (unit, outcome): units are "request", "label", "problem" and "row".
    """

    stage: str
    kept: list[Item] = field(default_factory=list)
    rejections: list[Rejection] = field(default_factory=list)
    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    _known: dict[Hashable, str] = field(default_factory=dict, repr=False)

    def add_outcome(self, name: str, outcome: Reply | Failure) -> Reply | None:
        """Count what became of a request; the reply if there is something in it to read."""
        self.counts["request", "asked"] += 1
        if isinstance(outcome, Failure):
            self._reject_request(Rejection(name, None, Reason.FAILED, outcome.reason))
        elif outcome.stop == "refusal":
            self._reject_request(Rejection(name, None, Reason.REFUSED, outcome.text[:200]))
        else:
            self.counts["request", "answered" if outcome.stop == "end" else "truncated"] += 1
            return outcome
        return None

    def _reject_request(self, rejection: Rejection) -> None:
        self.counts["request", str(rejection.reason)] += 1
        self.rejections.append(rejection)

    def add(self, unit: str, item: Item, name: str, content: Hashable) -> bool:
        """Keep an item, unless something with the same content was kept before."""
        self.counts[unit, "read"] += 1
        first = self._known.setdefault(content, name)
        if first != name:
            reason = Reason.REPEATED if unit == "problem" else Reason.DUPLICATE
            self._count(unit, Rejection(name, None, reason, f"the same as {first}"))
            return False
        self.counts[unit, "kept"] += 1
        self.kept.append(item)
        return True

    def reject(self, unit: str, name: str, unfit: Unfit, row: int | None = None) -> None:
        """Count an item that cannot be used."""
        self.counts[unit, "read"] += 1
        self._count(unit, Rejection(name, row, unfit.reason, unfit.detail))

    def add_parsed(self: Harvest[WrittenProblem], name: str, parsed: Parsed) -> None:
        """Keep a problem given by points, or count why not."""
        self.counts["row", "read"] += parsed.n_rows
        for rejection in parsed.rejections:
            self._count("problem" if rejection.row is None else "row", rejection)
        if parsed.problem is None:
            self.counts["problem", "read"] += 1
        elif self.add("problem", parsed.problem, name, content_of(parsed.problem)):
            self.counts["row", "kept"] += len(parsed.problem.y)

    def _count(self, unit: str, rejection: Rejection) -> None:
        self.counts[unit, str(rejection.reason)] += 1
        self.rejections.append(rejection)


def content_of(problem: WrittenProblem) -> Hashable:
    """What two problems share that differ only in names, order of points or order of categories."""
    x, y = problem.x.tolist(), problem.y.tolist()
    classes: list[list[tuple[float, ...]]] = [[] for _ in problem.categories]
    for values, label in zip(x, y, strict=True):
        classes[label].append(tuple(values))
    return frozenset(map(frozenset, classes))


_ORDER = ("asked", "answered", "truncated", Reason.REFUSED, Reason.FAILED, "read", "kept")


def yield_table(harvests: Sequence[Harvest]) -> pd.DataFrame:
    """Counts of all stages: columns ``stage``, ``unit``, ``outcome`` and ``count``.

    Outcomes are those of requests (asked, answered, truncated, refused, failed), how many labels, problems
    and rows were read and kept, and the reasons why the others were not. Rows kept are those of problems
    that are kept.
    """
    units = ("request", "label", "problem", "row")
    rows = []
    for harvest in harvests:
        always = [("request", name) for name in _ORDER[:5]] if harvest.counts["request", "asked"] else []
        found = {**dict.fromkeys(always, 0), **harvest.counts}
        for unit in units:
            outcomes = [outcome for one, outcome in found if one == unit]
            for outcome in sorted(outcomes, key=lambda name: _ORDER.index(name) if name in _ORDER else 99):
                rows.append((harvest.stage, unit, outcome, found[unit, outcome]))
    return pd.DataFrame(rows, columns=["stage", "unit", "outcome", "count"])


def rejection_table(harvests: Sequence[Harvest]) -> pd.DataFrame:
    """Every rejection: columns ``stage``, ``problem``, ``row`` (missing: all of it), ``reason``, ``detail``."""
    rows = [
        (harvest.stage, one.problem, one.row, str(one.reason), one.detail)
        for harvest in harvests
        for one in harvest.rejections
    ]
    table = pd.DataFrame(rows, columns=["stage", "problem", "row", "reason", "detail"])
    return table.astype({"row": "Int64"})
