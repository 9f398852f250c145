"""`toolkit ask-llm`: the cost first, then answers that the model `llm` reads."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner, Result

from toolkit.cli import main
from toolkit.data import load_data
from toolkit.fitting import fit
from toolkit.models import get_model_for
from toolkit.models.answering import read_answers
from toolkit.tests.llm.server import AnthropicServer, Asked, Fail, OpenAIServer, Say
from toolkit.tests.models.sorter import learning, letters_in, sort
from toolkit.trials import Trials

N = 18


@pytest.fixture
def trials(tmp_path: Path) -> Trials:
    """Two people with two problems each, saved as mine.safetensors."""
    made = learning((6, 4, 5, 3), n_problems=2)
    made.save(tmp_path / "mine.safetensors")
    return made


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "answers"


def ask(folder: Path, *arguments: str, data: str | None = None, **options) -> Result:
    data = data or str(folder.parent / "mine.safetensors")
    return CliRunner().invoke(main, ["ask-llm", data, "--out", str(folder), *arguments], **options)


def said(result: Result) -> str:
    return " ".join(result.output.split())


def test_the_cost_comes_first_and_the_model_reads_the_answers(trials: Trials, folder: Path) -> None:
    with AnthropicServer(sort) as server:
        declined = ask(folder, input="n\n")
        assert f"{N} trials of 4 problems: {N} requests, 0 answered already" in said(declined)
        assert (
            "at most 0.06 USD" in declined.output
            and "claude-sonnet-5-5, for at most 10 USD?" in declined.output
        )
        assert declined.exit_code == 75 and not server.requests and not folder.exists()
        nobody = ask(folder, input="")
        assert nobody.exit_code == 75 and "nothing was sent" in said(nobody) and "--yes" in nobody.output
        done = ask(folder, input="y\n")
        assert done.exit_code == 0, done.output
        assert f"{N} answers" in said(done) and "0 trials had no reply that names a category" in said(done)
        again = ask(folder)
        assert again.exit_code == 0 and f"{N} requests, {N} answered already" in said(again)
        assert len(server.requests) == N
    model = get_model_for("llm", trials, answers=folder / "answers.parquet")
    found = fit(model, trials, n_starts=3, progress=False)
    table = read_answers(folder / "answers.parquet").query("choice >= 0")
    wrong = (table["said"] != table["choice"]).groupby(table["participant"]).mean()
    np.testing.assert_allclose(found.theta[:, 0], (2 * wrong).clip(upper=1), atol=1e-4)


@pytest.mark.parametrize("mode", ["human", "own"])
def test_a_recording_makes_the_same_table_without_server_or_key(
    trials: Trials, folder: Path, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    with OpenAIServer(sort):
        sent = ask(
            folder, "--yes", "--provider", "openai", "--model", "m", "--price", "1", "1", "--mode", mode
        )
        assert sent.exit_code == 0, sent.output
    table = read_answers(folder / "answers.parquet")
    (folder / "answers.parquet").unlink()
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    replayed = ask(folder, "--provider", "recorded", "--mode", mode)
    assert replayed.exit_code == 0, replayed.output
    pd.testing.assert_frame_equal(read_answers(folder / "answers.parquet"), table)
    other = ask(folder, "--provider", "recorded", "--mode", "labels")
    assert other.exit_code == 2 and "mode is labels, but the answers that are there" in said(other)


def test_a_dry_run_shows_a_prompt_and_leaves_nothing(
    trials: Trials, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ANTHROPIC_API_KEY", raising=False)
    shown = ask(folder, "--dry-run")
    assert shown.exit_code == 0, shown.output
    assert "You are a participant" in shown.output and "Nothing was sent" in shown.output
    assert shown.output.count("you said") == 3 and "feature 3 = " in shown.output
    assert not folder.exists()
    sent = ask(folder, "--yes")
    assert sent.exit_code == 2 and "ANTHROPIC_API_KEY" in sent.output


def test_other_participants_add_to_the_answers(trials: Trials, folder: Path) -> None:
    with AnthropicServer(sort) as server:
        assert ask(folder, "--yes", "--participants", "1").exit_code == 0
        assert len(server.requests) == 10
        assert set(read_answers(folder / "answers.parquet")["participant"]) == {"p0"}
        assert ask(folder, "--yes").exit_code == 0
        assert len(server.requests) == N
        assert ask(folder, "--yes", "--participants", "1").exit_code == 0
        assert len(server.requests) == N and len(read_answers(folder / "answers.parquet")) == N
        other = ask(folder, "--yes", "--seed", "1", "--participants", "1")
    assert other.exit_code == 2 and "seed is 1, but" in said(other)


def test_failures_end_with_what_to_do_and_the_same_command_continues(trials: Trials, folder: Path) -> None:
    broken = [True]

    def sometimes(asked: Asked) -> Fail | str:
        return (
            Fail(400, "too long") if broken[0] and "Nothing has been shown" in asked.prompt else sort(asked)
        )

    with AnthropicServer(sometimes) as server:
        failed = ask(folder, "--yes")
        assert failed.exit_code == 75, failed.output
        assert f"4 of {N} trials are not answered; the first: the server answered 400: too long" in said(
            failed
        )
        assert "The same command asks them again" in said(failed)
        broken[0] = False
        assert ask(folder, "--yes").exit_code == 0
        assert len(server.requests) == N + 4


def test_the_cap_stops_it(trials: Trials, folder: Path) -> None:
    with AnthropicServer(lambda asked: Say(sort(asked), input=1300)):
        result = ask(folder, "--yes", "--max-usd", "0.02")
    assert result.exit_code == 75 and "cost cap" in said(result)
    entries = [json.loads(line) for line in (folder / "journal.jsonl").read_text().splitlines()]
    assert 0 < sum(entry["usd"] for entry in entries) <= 0.02


def test_unreadable_replies_are_counted(trials: Trials, folder: Path) -> None:
    with AnthropicServer("I cannot tell."):
        result = ask(folder, "--yes")
    assert result.exit_code == 0 and f"{N} trials had no reply that names a category" in said(result)
    assert "0 answers; none right" in said(result)


def test_settings_reach_the_server(trials: Trials, folder: Path) -> None:
    def bodies(*arguments: str) -> list[dict]:
        options = ("--provider", "openai", "--model", "m", "--price", "0", "0")
        with OpenAIServer(lambda asked: letters_in(asked.prompt)[0]) as server:
            out = folder.with_name(f"answers{len(arguments)}")
            result = ask(out, "--yes", *options, *arguments)
            assert result.exit_code == 0, result.output
            return [asked.body for asked in server.requests]

    plain = bodies()
    assert {(body["temperature"], body["top_logprobs"]) for body in plain} == {(0.0, 20)}
    sampled = bodies("--samples", "3", "--temperature", "0.7")
    assert {body["seed"] for body in sampled} == {0, 1, 2} and len(sampled) == 3 * N
    assert {body["temperature"] for body in sampled} == {0.7}
    untold = bodies("--no-temperature", "--no-log-probabilities", "--workers", "1", "--max-minutes", "5")
    assert not any({"temperature", "logprobs"} & body.keys() for body in untold)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--samples", "3"], "3 samples at temperature 0"),
        (["--temperature", "1", "--no-temperature"], "exclude each other"),
        (["--mode", "own", "--batch"], "each trial waits for the one before"),
        (["--condition", "IX"], "no sequence has"),
        (["--provider", "openai"], "no usual model"),
        (["--model", "claude-0"], "price of 'claude-0' is not known"),
        (["--provider", "recorded"], "there is no such recording"),
    ],
)
def test_settings_that_cannot_work(
    trials: Trials, folder: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], words: str
) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-0123456789")
    result = ask(folder, "--yes", *arguments)
    assert result.exit_code in (2, 3) and words in said(result)
    assert not folder.exists()


def test_data_sets_have_their_own_stories(folder: Path, public_data) -> None:
    objects = ask(folder, "--dry-run", "--participants", "2", data="badham2017")
    people = load_data("badham2017").where(participant=[0, 1])
    assert f"{people.mask.sum():,} trials of 8 problems" in objects.output
    assert "Now: " in objects.output and "triangle" in objects.output
    words = ask(
        folder,
        "--dry-run",
        "--participants",
        "1",
        "--condition",
        "control",
        "--mode",
        "labels",
        data="devraj2022_exp1",
    )
    assert "616 trials of 1 problems: 616 requests" in words.output and "made-up words" in words.output
    bandit = ask(folder, "--dry-run", data="feher2020_two_step")
    assert bandit.exit_code == 2 and "cannot be asked about two_step trials" in said(bandit)


def test_a_design_is_asked_about_by_its_name_and_nobody_chose_in_it(folder: Path) -> None:
    refused = ask(folder, "--dry-run", data="levering")
    assert refused.exit_code == 2 and "there are no people's choices to tell" in said(refused)
    shown = ask(folder, "--dry-run", "--mode", "own", "--participants", "1", data="levering")
    assert shown.exit_code == 0 and "316 trials of 2 problems: 316 requests" in said(shown)
    assert "big or small, black or white" in said(shown)
