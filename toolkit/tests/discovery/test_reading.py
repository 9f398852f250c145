"""Searches that are over: read, cut off after a round, found, and never run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from toolkit.discovery.demonstration import DEMO, demo_path, demo_search
from toolkit.discovery.program import Program
from toolkit.discovery.proposers import RecordedProposer
from toolkit.discovery.sandbox import Sandbox
from toolkit.discovery.search import find_searches, read_search
from toolkit.discovery.search.journal import SearchJournal
from toolkit.discovery.search.spending import Spent
from toolkit.errors import DataError, UsageError
from toolkit.io import write_json
from toolkit.viz import plot_programs, programs_table, rejected_table, side_by_side


def test_the_recording_is_what_its_search_would_do_again(tmp_path: Path, workers: Sandbox) -> None:
    search, recorded = demo_search(tmp_path, workers), SearchJournal(demo_path())
    about = json.loads(json.dumps(search._about()))
    assert {name: recorded.start[name] for name in about} == about
    for island in (0, 1):
        proposed = search.proposer.propose(search.situation(0, island))
        kept = recorded.proposals(0, island)
        assert [one.content for one in proposed[1:]] == [one.content for one in kept[1:]]


def test_every_slip_was_turned_down_for_what_is_wrong_with_it() -> None:
    table = read_search(DEMO).table.set_index("program")
    reasons = table.loc[table["operator"] == "slip on purpose", "reason"].to_dict()
    assert reasons == {
        "reads a file": "not allowed",
        "knows the answer": "error",
        "negative weights": "invalid probabilities",
        "idle parameter": "unused parameter",
        "divides by zero": "invalid probabilities",
        "never ends": "time",
    }
    assert table.loc[table["mean"].isna(), "operator"].eq("slip on purpose").all()


def test_a_search_can_be_seen_as_it_stood_after_a_round() -> None:
    whole = read_search(DEMO)
    early = whole.until(2)
    assert len(whole.candidates) == 40 and len(early.candidates) == 16
    assert early.names[0] == min(early.candidates, key=lambda one: one.score.mean or 1e9).name
    with pytest.raises(UsageError, match="r04.i1.c0"):
        early["r04.i1.c0"]
    line = whole.ancestors(whole.names[0])
    assert line[-1] == whole.names[0] and whole[line[0]].proposal.origin["operator"] == "draw"
    best = whole.table[whole.table["frontier"]].sort_values("n_parameters")
    assert best["log_likelihood"].is_monotonic_increasing


def test_looking_at_a_search_runs_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a program was touched")

    for owner, name in (
        (Program, "from_json"),
        (Program, "contract"),
        (Program, "model"),
        (Sandbox, "__init__"),
    ):
        monkeypatch.setattr(owner, name, refuse)
    search = read_search(DEMO)
    first, second = search.names[0], search.names[-1]
    assert plot_programs(search, first, second).data
    page = side_by_side(search[first], search[second]) + programs_table(search) + rejected_table(search)
    assert all(one.score.reason in page for one in search.candidates if not one.accepted)


def test_tags_in_names_do_not_reach_figures_and_tables() -> None:
    search = read_search(DEMO)
    for one in search.candidates:
        one.proposal.content["name"] = "<b onclick='x'>"
    assert "<b onclick" not in programs_table(search) + rejected_table(search)
    assert "<b onclick" not in plot_programs(search, *search.names[:2]).to_json()


def test_a_journal_kept_whole_is_read_like_the_file_that_grew(tmp_path: Path) -> None:
    journal = SearchJournal(demo_path())
    path = tmp_path / "journal.json"
    write_json(path, journal.whole("Simulated people"))
    read = read_search(path)
    assert [one.name for one in read.candidates] == [one.name for one in journal.candidates()]
    assert read.title == "Simulated people"
    assert RecordedProposer(path).config == RecordedProposer(demo_path()).config
    with pytest.raises(UsageError, match="cannot go on"):
        SearchJournal(path).end_round(9, Spent(1.0, 1.0))


def test_searches_are_found_and_empty_ones_explained(home: Path) -> None:
    assert find_searches() == [DEMO]
    folder = home / "papermill_runs" / "discovery" / "mine" / "run_0"
    folder.mkdir(parents=True)
    (folder / "search.jsonl").write_bytes(demo_path().read_bytes())
    assert find_searches() == ["discovery/mine/run_0", DEMO]
    assert len(read_search("discovery/mine/run_0").candidates) == 40
    (folder / "search.jsonl").write_text("")
    with pytest.raises(DataError, match="nothing has been tried"):
        read_search(folder)
    with pytest.raises(DataError, match="there is no search"):
        read_search("discovery/others")
    (folder / "journal.json").write_text("[1]")
    with pytest.raises(DataError, match="not the journal"):
        read_search(folder / "journal.json")
