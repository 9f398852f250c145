"""What strangers wrote, replies and journals: refused in words or kept as it is, never an error of ours."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
import pytest

from toolkit.cli.discover import _tell
from toolkit.discovery.demonstration import demo_path
from toolkit.discovery.proposers import RecordedProposer
from toolkit.discovery.proposers.base import Candidate, Proposal
from toolkit.discovery.proposers.replies import fault_of, read_programs
from toolkit.discovery.rejection import Rejected
from toolkit.discovery.search import read_search
from toolkit.discovery.search.journal import SearchJournal
from toolkit.discovery.search.scoring import Score
from toolkit.discovery.task import Task
from toolkit.errors import ToolkitError
from toolkit.llm import Reply
from toolkit.tests.discovery.searches import LEARN, people


def changed(**fields: Any) -> str:
    return json.dumps({"programs": [{**LEARN, **fields}]})


def bound(upper: Any) -> str:
    first, *rest = LEARN["parameters"]
    return changed(parameters=[{**first, "upper": upper}, *rest])


@pytest.mark.parametrize(
    "reply",
    [
        "[" * 100_000,
        '{"a":' * 100_000,
        bound(float("nan")),
        bound(float("inf")),
        bound(7.25).replace("7.25", "1e999"),
        bound(7.25).replace("7.25", "9" * 5_000),
        bound(10**400),
        bound("x"),
        bound([1]),
        bound(-1e308),
        changed(idea="half a pair \ud800"),
        changed(code="# \ud800"),
        changed(code=None),
        changed(parameters={"rate": 1}),
        changed(parameters=[None]),
        changed(**{"\ud800": 1}),
    ],
)
def test_a_reply_is_refused_in_words_that_can_be_kept(reply: str, tmp_path: Path) -> None:
    journal = SearchJournal(tmp_path / "search.jsonl")
    try:
        contents = read_programs(Reply("key", "model", reply, "end"))
    except Rejected as error:
        proposals = [Proposal(fault=(error.reason, str(error)))]
    else:
        faults = [fault_of(one, Task.of(people())) for one in contents]
        assert all(faults)
        proposals = [
            Proposal(one, {}, (fault.reason, str(fault))) for one, fault in zip(contents, faults, strict=True)
        ]
    journal.add_proposals(0, 0, proposals)
    assert SearchJournal(journal.path).proposals(0, 0) == proposals


def spoiled(tmp_path: Path, kind: str, **fields: Any) -> Path:
    """The recorded search with other values in its first entry of a kind."""
    entries = [json.loads(line) for line in demo_path().read_text(encoding="utf-8").splitlines()]
    entry = next(one for one in entries if one["kind"] == kind)
    for place, value in fields.items():
        *outer, last = place.split("__")
        part = entry
        for name in outer:
            part = part[int(name) if name.isdecimal() else name]
        part[last] = value
    path = tmp_path / "search.jsonl"
    path.write_text("\n".join(map(json.dumps, entries)), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        ("score", {"score__mean": "best"}),
        ("score", {"score__mean": float("nan")}),
        ("score", {"score__log_likelihood": ["x"]}),
        ("score", {"score__n_parameters": None}),
        ("score", {"score__what": 5}),
        ("score", {"score__what": "\ud800"}),
        ("score", {"score": [["x"]]}),
        ("proposals", {"round": "0"}),
        ("proposals", {"proposals__0__origin": [1]}),
        ("proposals", {"proposals__0__origin__parents": "r00.i0.c0"}),
        ("proposals", {"proposals__0__origin__parents": [1]}),
        ("proposals", {"proposals__0__content": [1]}),
        ("proposals", {"proposals__0__fault": ["one"]}),
        ("round", {"seconds": "long"}),
        ("start", {"settings": 5}),
    ],
)
def test_a_journal_that_is_none_is_refused_by_line(kind: str, fields: dict[str, Any], tmp_path: Path) -> None:
    path = spoiled(tmp_path, kind, **fields)
    for read in (read_search, RecordedProposer):
        with pytest.raises(ToolkitError, match=r"search\.jsonl, line \d+"):
            read(path)


@pytest.mark.parametrize("fields", [{"settings": {}}, {"settings__loop": 5}, {"settings__budget__usd": "x"}])
def test_settings_of_a_recording_are_checked(fields: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(ToolkitError, match=r"search\.jsonl"):
        _ = RecordedProposer(spoiled(tmp_path, "start", **fields)).config


def test_a_name_steers_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    proposal = Proposal({"name": "good\x1b]0;evil\x07\n\u202erejected"})
    _tell(Candidate("r00.i0.c0", 0, 0, proposal, Score(1.0)))
    said = click.unstyle(capsys.readouterr().out)
    assert said == "r00.i0.c0       1.00  good\\x1b]0;evil\\x07\\n\\u202erejected\n"
