"""The journal of a search: a file that only grows, from which everything else can be made again."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from toolkit.discovery.proposers.base import Candidate, Proposal
from toolkit.discovery.search.scoring import Score
from toolkit.discovery.search.spending import Spent
from toolkit.errors import DataError, UsageError
from toolkit.io import append_line, read_json

WHOLE = ".json"
"""Suffix of a journal in one piece."""


class SearchJournal:
    """What happened in a search.

    A line that was cut by a crash is passed over, so that a search goes on from any point.

    Parameters
    ----------
    path
        JSON Lines; made when something happens. Or a .json file of what :meth:`whole` gave, which is read only.

    Attributes
    ----------
    start
        What the search was begun with; empty before it was.
    baselines
        Scores of models of the literature and of chance.
    spent
        By all rounds that are over, and by the fits of baselines before them.
    spent_until
        The same up to the end of each round.
    title
        What was searched, and among whom.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.start: dict[str, Any] = {}
        self.baselines: dict[str, Score] = {}
        self.spent = Spent()
        self.spent_until: dict[int, Spent] = {}
        self._title = ""
        self._proposals: dict[tuple[int, int], list[Proposal]] = {}
        self._scores: dict[str, Score] = {}
        if self.path.is_file():
            self._read()

    @property
    def title(self) -> str:
        return self._title or str(self.start.get("settings", {}).get("title", ""))

    def whole(self, title: str) -> dict[str, Any]:
        """Everything in one piece of JSON, to be kept as a result; ``title`` says who was searched for."""
        return {"title": title, "entries": [entry for _, entry in self._entries()]}

    def begin(self, about: Mapping[str, Any], settings: Mapping[str, Any]) -> None:
        """Begin, or go on with what was begun in the same way.

        Parameters
        ----------
        about
            What has to be the same to go on.
        settings
            All settings, to begin the same search elsewhere.

        Raises
        ------
        UsageError
            where the file holds another search.
        """
        about = json.loads(json.dumps(about))
        if not self.start:
            self._add({"kind": "start", **about, "settings": dict(settings)})
            return
        different = [name for name in about if about[name] != self.start.get(name)]
        if different:
            raise UsageError(
                f"another search was begun here: its {', '.join(different)} differ.",
                where=str(self.path),
                fix="Use another folder, or the settings of that search.",
            )

    def add_baseline(self, name: str, score: Score) -> None:
        """Keep the score of a baseline."""
        self._add({"kind": "baseline", "name": name, "score": score.to_json()})

    def add_proposals(self, round_: int, island: int, proposals: list[Proposal]) -> None:
        """Keep what was proposed, before it is tried."""
        content = [
            {"content": dict(one.content), "origin": dict(one.origin), "fault": one.fault}
            for one in proposals
        ]
        self._add({"kind": "proposals", "round": round_, "island": island, "proposals": content})

    def add_score(self, name: str, score: Score) -> None:
        """Keep what came of a candidate."""
        self._add({"kind": "score", "name": name, "score": score.to_json()})

    def end_round(self, round_: int, spent: Spent) -> None:
        """Keep that a round is over, and what it took this time."""
        self._add({"kind": "round", "round": round_, **asdict(spent)})

    def proposals(self, round_: int, island: int) -> list[Proposal] | None:
        """What was proposed there; None if nobody was asked yet."""
        return self._proposals.get((round_, island))

    def score(self, name: str) -> Score | None:
        """What came of a candidate; None if it was not tried yet."""
        return self._scores.get(name)

    def candidates(self) -> list[Candidate]:
        """Everything that was tried, by round, island and number."""
        found = []
        for (round_, island), proposals in sorted(self._proposals.items()):
            for number, proposal in enumerate(proposals):
                name = name_of(round_, island, number)
                if name in self._scores:
                    found.append(Candidate(name, round_, island, proposal, self._scores[name]))
        return found

    def _add(self, entry: dict[str, Any]) -> None:
        if self.path.suffix == WHOLE:
            raise UsageError("a search that was kept whole cannot go on.", where=str(self.path))
        append_line(self.path, as_kept(entry))
        self._take_in(entry)

    def _entries(self) -> Iterator[tuple[int, dict[str, Any]]]:
        """Everything in the file, with numbers of lines."""
        if self.path.suffix == WHOLE:
            content = read_json(self.path)
            if not isinstance(content, dict) or not isinstance(content.get("entries"), list):
                raise DataError("this is not the journal of a search.", where=str(self.path))
            self._title = str(content.get("title", ""))
            yield from enumerate(content["entries"], 1)
            return
        for number, line in enumerate(self.path.read_bytes().split(b"\n"), 1):
            try:
                entry = json.loads(line)
            except ValueError:
                continue  # Empty, or cut by a crash.
            yield number, entry

    def _read(self) -> None:
        for number, entry in self._entries():
            try:
                as_kept(entry)
                self._take_in(entry)
            except (KeyError, IndexError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
                raise DataError(
                    f"not an entry of a search ({type(error).__name__}: {error}).",
                    where=f"{self.path}, line {number}",
                    fix="Correct or remove the line.",
                ) from error

    def _take_in(self, entry: dict[str, Any]) -> None:
        match entry["kind"]:
            case "start":
                if not isinstance(entry["settings"], dict):
                    raise TypeError("settings are fields and values")
                self.start = self.start or {name: value for name, value in entry.items() if name != "kind"}
            case "baseline":
                self.baselines[entry["name"]] = Score.from_json(entry["score"])
            case "proposals":
                proposals = [_proposal(one) for one in entry["proposals"]]
                self._proposals.setdefault((_whole(entry["round"]), _whole(entry["island"])), proposals)
            case "score":
                self._scores[entry["name"]] = Score.from_json(entry["score"])
            case "round":
                self.spent += Spent(float(entry["seconds"]), float(entry.get("processor_seconds", 0.0)))
                self.spent_until[_whole(entry["round"])] = self.spent
            case other:
                raise KeyError(other)


def name_of(round_: int, island: int, number: int) -> str:
    """How a candidate is called: r02.i0.c1 is the second of the first island in the third round."""
    return f"r{round_:02d}.i{island}.c{number}"


def as_kept(entry: Any) -> str:
    """A line of JSON; ValueError where there is a number or a character that JSON or a file does not have."""
    line = json.dumps(entry, ensure_ascii=False, allow_nan=False)
    line.encode()
    return line


def _whole(number: Any) -> int:
    if type(number) is not int:
        raise TypeError(f"{number!r} is no number of a round or an island")
    return number


def _proposal(content: Mapping[str, Any]) -> Proposal:
    """A proposal as it was kept; its program is looked at only when it is tried, where it comes from now."""
    fault, origin = content["fault"], content["origin"]
    parents = origin.get("parents", [])
    if not isinstance(content["content"], dict) or not isinstance(parents, list):
        raise TypeError("a program is fields and values, and its parents are a list")
    if not all(isinstance(one, str) for one in (*parents, *(fault or ()))):
        raise TypeError("parents and faults are text")
    return Proposal(content["content"], origin, None if fault is None else (fault[0], fault[1]))
