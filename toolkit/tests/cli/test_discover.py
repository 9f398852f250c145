"""`toolkit discover`: a user's file from the settings to the winner, a replay, and prompts before any cost."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner, Result

from toolkit.cli import main
from toolkit.discovery import planted
from toolkit.discovery.search import compare_runs
from toolkit.discovery.search.loop import JOURNAL
from toolkit.tests.discovery.searches import LEARN, people
from toolkit.tests.llm.server import AnthropicServer

SETTINGS = """
name: mine
title: My task
description: People choose between two options.
data: {file: FILE, family: bandit}
splits: {prompt: "0:1", evaluation: "1:4", test: "4:"}
loop: {rounds: 1, candidates: 1}
fit: {starts: 2, final_starts: 2, exchange_rounds: 0, final_exchange_rounds: 0}
"""


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A search in a user's own file."""
    monkeypatch.setenv("TOOLKIT_CACHE", str(tmp_path / "cache"))
    people().to_table().to_csv(tmp_path / "mine.csv", index=False)
    path = tmp_path / "mine.yaml"
    path.write_text(SETTINGS.replace("FILE", str(tmp_path / "mine.csv")))
    return path


def discover(*arguments: str, **options) -> Result:
    return CliRunner().invoke(main, ["discover", *arguments], **options)


def test_a_users_file_is_searched_and_reported(settings: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    done = discover("--config", str(settings), "--out", str(out), "--seed", "9", "--cores", "1")
    assert done.exit_code == 0, done.output
    assert "r00.i0.c0" in done.output and "Winner" in done.output and "def predict" in done.output
    run = out / "run_0"
    table = pd.read_csv(run / "table.csv")
    assert set(table["kind"]) == {"winner", "baseline"} and "chance" in set(table["model"])
    assert (
        json.loads((run / "winner.json").read_text())["code"].strip()
        == (run / "winner.py").read_text().strip()
    )
    frontier = json.loads((run / "frontier.json").read_text())
    assert frontier and all(one["name"] in done.output for one in frontier)


def test_a_language_model_is_asked_after_the_cost_was_accepted_and_replayed_without_it(
    settings: Path, tmp_path: Path
) -> None:
    arguments = (
        "--config",
        str(settings),
        "--proposer",
        "llm",
        "--out",
        str(tmp_path / "out"),
        "--cores",
        "1",
    )
    with AnthropicServer(json.dumps({"programs": [LEARN]})) as server:
        declined = discover(*arguments, input="n\n")
        assert declined.exit_code == 75 and "costs at most" in declined.output and not server.requests
        done = discover(*arguments, "--yes")
        assert done.exit_code == 0, done.output
        assert len(server.requests) == 1 and "learn" in done.output
    run = tmp_path / "out" / "run_0"
    assert (run / "asking.jsonl").is_file()
    again = discover(
        "--proposer", "recorded", "--recording", str(run / JOURNAL), "--out", str(tmp_path / "again"), "--cores", "1"
    )  # fmt: skip
    assert again.exit_code == 0, again.output
    assert (tmp_path / "again" / "run_0" / "table.csv").read_text() == (run / "table.csv").read_text()


def test_prompts_are_shown_by_section_without_key_and_nothing_is_sent(settings: Path) -> None:
    with AnthropicServer("x") as server:
        shown = discover("--config", str(settings), "--show-prompt", "--proposer", "llm")
        assert shown.exit_code == 0, shown.output
        assert not server.requests
    for heading in ("System (", "Task (", "People (", "What a program is (", "Reply ("):
        assert heading in shown.output
    assert "Participant 0, problem 0:" in shown.output


def test_searches_are_listed_and_wrong_names_get_advice() -> None:
    assert discover("--list").output.split() == ["bandits", "multi_attribute", "rlwm", "shepard", "two_step"]
    wrong = discover("--config", "two_stepp")
    assert wrong.exit_code == 2 and "Did you mean 'two_step'?" in " ".join(wrong.output.split())
    lacking = discover("--proposer", "recorded")
    assert lacking.exit_code == 2 and "--recording" in lacking.output


def test_runs_are_compared_and_say_when_they_were_first_as_good_as_the_literature(
    settings: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    done = discover("--config", str(settings), "--out", str(out), "--runs", "2", "--progress", "--cores", "1")
    assert done.exit_code == 0, done.output
    progress = pd.read_csv(out / "run_0" / "progress.csv")
    table = pd.read_csv(out / "run_0" / "table.csv").set_index("kind")
    assert (
        progress["evaluation"].is_monotonic_decreasing
        and progress["processor_seconds"].is_monotonic_increasing
    )
    assert progress["test"].iloc[-1] == pytest.approx(table.loc["winner", "test"])
    compared = compare_runs(out)
    assert list(compared["run"]) == ["run_0", "run_1"] and (compared["baseline"] == "chance").all()
    assert compared["test"].iloc[0] == pytest.approx(table.loc["winner", "test"])
    beaten = progress[progress["test"] <= table.loc["baseline", "test"]]
    assert compared["beaten_after"].iloc[0] == pytest.approx(beaten["processor_seconds"].min(), nan_ok=True)
    assert "beaten_after" in done.output


def test_planted_programs_are_searched_for_and_the_rate_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOOLKIT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(planted, "N_PEOPLE", 12)
    monkeypatch.setattr(planted, "N_TRIALS", 60)
    done = discover("--planted", "1", "--rounds", "1", "--out", str(tmp_path / "out"), "--cores", "1")
    assert done.exit_code == 0, done.output
    assert "Of 1 search for 1 planted program " in done.output
    assert list(pd.read_csv(tmp_path / "out" / "planted.csv")["planted"]) == ["values"]
