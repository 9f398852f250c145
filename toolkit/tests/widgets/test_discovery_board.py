"""The discovery board without a browser: rounds, two programs, a click, and strangers' text."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from toolkit.discovery.demonstration import DEMO, demo_path
from toolkit.discovery.search import read_search
from toolkit.errors import DataError
from toolkit.widgets.discovery_board import DiscoveryBoard


@pytest.fixture(autouse=True)
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder without a run."""
    monkeypatch.setenv("TOOLKIT_RUNS", str(tmp_path / "runs"))
    return tmp_path / "runs"


def test_without_a_run_the_recording_is_shown_and_said_to_be_one() -> None:
    dashboard = DiscoveryBoard()
    assert dashboard.source.options == (DEMO,)
    assert dashboard.shown.layout.title.text.startswith("Recorded search, simulated people")
    assert "40 programs in 5 rounds, 6 rejected" in dashboard.message.value
    assert dashboard.second.value in dashboard.view().search.ancestors(dashboard.first.value)
    assert "B is among A&#x27;s" in dashboard.message.value
    for reason in ("not allowed", "unused parameter", "invalid probabilities", "it took longer than"):
        assert reason in dashboard.tables.value


def test_the_code_shows_what_the_board_shows(capsys: pytest.CaptureFixture[str]) -> None:
    dashboard = DiscoveryBoard()
    dashboard.rounds.value = 3
    names: dict = {}
    exec(dashboard.code, names)
    assert names["figure"].to_json() == dashboard.view().figure().to_json()
    assert "widget" not in dashboard.code and capsys.readouterr().out.count("HTML object") == 3


def test_fewer_rounds_leave_fewer_programs() -> None:
    dashboard = DiscoveryBoard()
    last = dashboard.first.value
    dashboard.rounds.value = 1
    assert len(dashboard.first.options) == 8
    assert dashboard.first.value.startswith("r00") and last not in dict(dashboard.first.options).values()
    assert "8 programs in 1 rounds" in dashboard.message.value
    best = read_search(DEMO).until(1)
    assert f"BIC {best[best.names[0]].score.mean:.1f}" in dashboard.programs.value


def test_a_rejected_program_is_shown_with_the_reason() -> None:
    dashboard = DiscoveryBoard()
    dashboard.second.value = "r00.i0.c3"
    assert "B was rejected, so there is nothing to compare" in dashboard.message.value
    assert "rejected (not allowed)" in dashboard.programs.value
    assert "open(&#x27;choices.csv&#x27;)" in dashboard.programs.value


def test_a_click_on_a_dot_makes_it_program_a() -> None:
    dashboard = DiscoveryBoard()
    trace = next(one for one in dashboard.shown.data if one.name == "rejected")
    dashboard._click(trace, SimpleNamespace(point_inds=[0]), None)
    assert dashboard.first.value == "r00.i0.c3"


def test_tags_in_a_journal_do_not_reach_the_page(runs: Path) -> None:
    folder = runs / "discovery" / "evil"
    folder.mkdir(parents=True)
    text = demo_path().read_text(encoding="utf-8")
    text = text.replace("return softmax(drive)", "return '<img src=x onerror=alert(1)>'")
    (folder / "search.jsonl").write_text(text.replace('"name": "with surprise', '"name": "<img src=y> '))
    dashboard = DiscoveryBoard()
    assert dashboard.source.value == "discovery/evil"
    everything = dashboard.programs.value + dashboard.tables.value + dashboard.shown.to_json()
    assert "&lt;img src=x" in dashboard.programs.value and "&lt;img src=y" in dashboard.tables.value
    assert "<img" not in everything


def test_a_search_that_went_away_is_a_sentence(runs: Path) -> None:
    folder = runs / "discovery" / "gone"
    folder.mkdir(parents=True)
    shutil.copy(demo_path(), folder / "search.jsonl")
    dashboard = DiscoveryBoard(DEMO)
    shutil.rmtree(folder)
    dashboard.source.value = "discovery/gone"
    assert "there is no search" in dashboard.message.value
    dashboard.source.value = DEMO
    assert "40 programs" in dashboard.message.value
    with pytest.raises(DataError, match="there is no search"):
        DiscoveryBoard(folder)
