"""`toolkit write-tasks` and its stages, end to end against a server that speaks Anthropic's language."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from click.testing import CliRunner, Result

from toolkit.cli import main
from toolkit.data import load_bank
from toolkit.errors import UsageError
from toolkit.llm import Budget, Client, get_client
from toolkit.seeds import Seeds
from toolkit.tasks import get_source
from toolkit.tasks.writing.files import load_labels
from toolkit.tasks.writing.harvest import yield_table
from toolkit.tasks.writing.prompts import LABELS_SYSTEM, labels_request
from toolkit.tasks.writing.stages import Folder, Settings, planned_requests, write_tasks
from toolkit.tests.llm.server import AnthropicServer, Drop, Fail, Garbage, OpenAIServer, Say
from toolkit.tests.tasks.writer import Writer, points

TROUBLES = (Fail(429, retry_after=0), Fail(500), Fail(529), Drop(), Drop(midway=True), Garbage())

SETTINGS = Settings(
    provider="anthropic",
    model="claude-sonnet-5-5",
    n_problems=12,
    n_features=3,
    n_points=20,
    least_points=15,
    domains=("fish", "wine", "music"),
)


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path / "mine")


def client(folder: Folder, *, usd: float | None = None, **options: Any) -> Client:
    return get_client(
        "anthropic",
        journal=folder.journal,
        budget=Budget(usd=usd),
        sleep=lambda seconds: None,
        **options,
    )


def counts(harvests: list) -> dict[tuple[str, str, str], int]:
    return yield_table(harvests).set_index(["stage", "unit", "outcome"])["count"].to_dict()


def test_both_stages_through_every_kind_of_trouble(folder: Folder) -> None:
    slips = {
        "/1,": Say("I would rather not.", stop="refusal"),
        "/2,": Say("1: 1, 2, 3, kind", stop="length"),
        "/3,": Say("Nothing comes to mind."),
    }
    with AnthropicServer(Writer(*TROUBLES, slips=slips)) as server:
        harvests = write_tasks(client(folder), SETTINGS, folder)
        n_requests = len(server.requests)
    assert n_requests == len(TROUBLES) + 2 + 12
    found = counts(harvests)
    # Two requests for labels give twenty, two of each ten unusable; twelve are used, 1 to 3 of both tens.
    assert found["labels", "request", "answered"] == 2 and found["labels", "label", "kept"] == 16
    assert found["labels", "label", "wrong number of columns"] == 2
    assert found["labels", "label", "unusable names"] == 2
    assert found["data", "request", "asked"] == 12
    assert found["data", "request", "refused"] == 2
    assert found["data", "request", "truncated"] == 2
    assert found["data", "request", "answered"] == 8
    assert found["data", "request", "failed"] == 0
    assert found["data", "problem", "read"] == 10
    assert found["data", "problem", "too few points"] == 4
    assert found["data", "problem", "kept"] == 6
    assert found["data", "row", "kept"] == 6 * 18
    assert found["data", "row", "not a number"] == found["data", "row", "label misspelt"] == 6
    assert found["data", "row", "cut off"] == 2
    pd.testing.assert_frame_equal(pd.read_csv(folder.yields), yield_table(harvests))
    rejections = pd.read_csv(folder.rejections)
    assert set(rejections.query("reason == 'refused'")["detail"]) == {"I would rather not."}
    problems = get_source("written", tables=folder.problems)
    assert len(problems.problems) == 6
    drawn = problems.draw(8, 18, 3, 2, generator=Seeds(0).torch("problems"))
    assert drawn.x.shape == (8, 18, 3)


def test_every_reply_is_kept_and_nothing_is_asked_twice(folder: Folder) -> None:
    with AnthropicServer(Writer()) as server:
        write_tasks(client(folder), SETTINGS, folder)
        first, n_requests = folder.problems.read_bytes(), len(server.requests)
        again = client(folder)
        write_tasks(again, SETTINGS, folder)
        assert len(server.requests) == n_requests == 14
        assert folder.problems.read_bytes() == first and again.tally.usd == 0
        more = SETTINGS.model_copy(update={"n_problems": 14})
        write_tasks(client(folder), more, folder)
        assert len(server.requests) == n_requests + 2
        assert folder.problems.read_bytes().startswith(first)
    entries = [json.loads(line) for line in folder.journal.read_text().splitlines()]
    assert len(entries) == 16 and all(len(entry["prompt_sha256"]) == 64 for entry in entries)
    assert sum("Here they are" in entry["text"] for entry in entries) == 2


def test_an_interruption_in_the_middle_of_points_costs_nothing(folder: Folder) -> None:
    asking = None

    class Stop(BaseException):
        pass

    def stop_at_the_seventh(*arguments: Any, **options: Any) -> None:
        count(*arguments, **options)
        if asking.tally.asked == 7:
            raise Stop

    with AnthropicServer(Writer()) as server:
        asking = client(folder, workers=1)
        count, asking.tally.add = asking.tally.add, stop_at_the_seventh
        with pytest.raises(Stop):
            write_tasks(asking, SETTINGS, folder)
        assert not folder.problems.exists() and 7 <= len(server.requests) < 14
        harvests = write_tasks(client(folder), SETTINGS, folder)
        assert len(server.requests) == 14
    assert counts(harvests)["data", "request", "answered"] == 12


def test_the_cap_holds_and_a_higher_one_continues(folder: Folder) -> None:
    with AnthropicServer(lambda asked: Say(Writer()(asked).text, output=900)) as server:
        low = client(folder, usd=0.1)
        found = counts(write_tasks(low, SETTINGS, folder))
        assert low.tally.usd <= 0.1
        assert 0 < found["data", "request", "answered"] < 12
        assert found["data", "request", "failed"] == 12 - found["data", "request", "answered"]
        assert "cost cap" in pd.read_csv(folder.rejections)["detail"].str.cat()
        found = counts(write_tasks(client(folder, usd=10), SETTINGS, folder))
        assert found["data", "request", "answered"] == 12 and len(server.requests) == 14


def test_points_wait_for_labels_that_failed(folder: Folder) -> None:
    with AnthropicServer(Writer(*[Fail(500)] * 2)) as server:
        found = counts(write_tasks(client(folder, attempts=2, workers=1), SETTINGS, folder))
        assert found["labels", "request", "failed"] == 1 and not folder.problems.exists()
        found = counts(write_tasks(client(folder), SETTINGS, folder, "data"))
        assert found["data", "problem", "kept"] == 8
        found = counts(write_tasks(client(folder), SETTINGS, folder))
        assert found["data", "problem", "kept"] == 12
        assert len(server.requests) == 2 + 2 + 12


def test_labels_are_asked_for_again_if_too_few_can_be_used_but_not_for_ever(folder: Folder) -> None:
    settings = SETTINGS.model_copy(update={"n_problems": 9})
    with AnthropicServer(Writer()) as server:
        harvests = write_tasks(client(folder), settings, folder, "labels")
        assert len(server.requests) == 2 and len(harvests[0].kept) == 16
        assert len(load_labels(folder.labels)) == 16
    with AnthropicServer("I know none.") as server:
        other = Folder(folder.path / "other")
        write_tasks(client(other), settings, other)
        assert len(server.requests) == 3 and other.problems.read_text() == ""


def test_one_folder_for_one_kind_of_problems(folder: Folder) -> None:
    folder.claim(SETTINGS)
    other = SETTINGS.model_copy(update={"n_features": 4})
    with pytest.raises(UsageError, match="n_features is 4, but what is here was written with 3"):
        planned_requests(other, folder)


def test_standing_instructions_are_cached_and_the_same_for_all(folder: Folder) -> None:
    with AnthropicServer(Writer()) as server:
        write_tasks(client(folder), SETTINGS, folder)
    systems = {json.dumps(asked.body["system"]) for asked in server.requests}
    assert len(systems) == 2 and all("cache_control" in system for system in systems)
    assert len(set(server.prompts)) == 14


def test_distributions_become_a_bank(folder: Folder) -> None:
    settings = SETTINGS.model_copy(update={"mode": "distributions", "n_features": 6, "n_problems": 5})
    settings = settings.model_copy(update={"domains": tuple("abcde")})
    broken = json.dumps({"domain": "a"})
    with AnthropicServer([broken, Say('{"domain', stop="length"), Writer()._description("b")]) as server:
        harvests = write_tasks(client(folder, workers=1), settings, folder)
        assert all("json_schema" in json.dumps(asked.body["output_config"]) for asked in server.requests)
    found = counts(harvests)
    assert found["distributions", "problem", "read"] == 5 and found["distributions", "problem", "kept"] == 1
    assert found["distributions", "problem", "invalid field"] == 1
    assert found["distributions", "problem", "cut off"] == 1
    assert found["distributions", "problem", "same as another"] == 2
    (problem,) = load_bank(folder.bank)
    assert problem.id == "0002"
    drawn = get_source("bank", problems=[problem]).draw(3, 20, 4, generator=Seeds(0).torch("problems"))
    assert drawn.x.isfinite().all()


def test_only_providers_that_can_are_asked_to_force_the_format(folder: Folder) -> None:
    changes = {"mode": "distributions", "n_features": 6}
    for provider, forced in (("anthropic", True), ("openai", True), ("local", False)):
        settings = SETTINGS.model_copy(update={**changes, "provider": provider})
        (requests,) = planned_requests(settings, folder).values()
        assert all((request.schema is not None) == forced for request in requests)
        assert len({request.key("any") for request in requests}) == 12


def test_batches_bring_the_same_problems(folder: Folder) -> None:
    with AnthropicServer(Writer()):
        write_tasks(client(folder), SETTINGS, folder)
        other = Folder(folder.path / "batch")
        write_tasks(client(other, batch=True), SETTINGS, other)
    assert other.problems.read_bytes() == folder.problems.read_bytes()


def run(folder: Folder, *arguments: str, **options: Any) -> Result:
    sizes = ("--problems", "3", "--features", "3", "--points", "20", "--domain", "fish")
    command = ["write-tasks", "--out", str(folder.path), *sizes, *arguments]
    return CliRunner().invoke(main, command, **options)


def test_the_command_shows_the_cost_asks_and_reports(folder: Folder) -> None:
    with AnthropicServer(Writer()) as server:
        declined = run(folder, input="n\n")
        assert "data: 3 requests, 0 answered already" in declined.output
        assert "at most 0." in declined.output and "claude-sonnet-5-5" in declined.output
        assert declined.exit_code == 75 and not server.requests and not folder.path.exists()
        done = run(folder, input="y\n")
        assert done.exit_code == 0, done.output
        assert "label misspelt" in done.output and "problems.jsonl" in done.output
        again = run(folder)
        assert "labels: 1 requests, 1 answered already" in again.output
        assert "data: 3 requests, 3 answered already" in again.output
        assert again.exit_code == 0 and len(server.requests) == 4


def test_a_dry_run_needs_no_key_and_leaves_nothing(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ANTHROPIC_API_KEY", raising=False)
    shown = run(folder, "--dry-run")
    assert shown.exit_code == 0, shown.output
    assert "Propose 10 problems, each with 3 features" in shown.output
    assert "Write 20 cases" in shown.output and "Nothing was sent" in shown.output
    assert not folder.path.exists()
    sent = run(folder, "--yes")
    assert sent.exit_code == 2 and "ANTHROPIC_API_KEY" in sent.output


def test_the_command_says_how_to_go_on_after_failures(folder: Folder) -> None:
    with AnthropicServer(Fail(400, "too long")):
        result = run(folder, "--yes")
    said = " ".join(result.output.split())
    assert result.exit_code == 75 and "1 requests were not answered" in said and "--stage data" in said
    assert "too long" in folder.rejections.read_text()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--least-points", "30"], "least_points is 30, n_points only 20"),
        (["--mode", "distributions"], "have 6 features"),
        (["--categories", "1"], "n_categories"),
        (["--stage", "data"], "the file does not exist"),
        (["--provider", "openai"], "no usual model"),
        (["--model", "claude-0"], "price of 'claude-0' is not known"),
    ],
)
def test_settings_that_cannot_work(
    folder: Folder, monkeypatch: pytest.MonkeyPatch, arguments: list[str], words: str
) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-0123456789")
    result = run(folder, "--yes", *arguments)
    assert result.exit_code in (2, 3) and words in " ".join(result.output.split())


def test_other_servers_write_too(folder: Folder) -> None:
    with OpenAIServer(Writer()) as server:
        result = run(folder, "--yes", "--provider", "openai", "--model", "small", "--price", "0", "0")
    assert result.exit_code == 0, result.output
    assert len(server.requests) == 4 and "20 cases" in server.prompts[-1]


@pytest.mark.slow
def test_a_model_on_this_machine_writes_too(folder: Folder, tmp_path: Path) -> None:
    """It only babbles, which is read without complaint and gives no problem."""
    pytest.importorskip("transformers")
    from toolkit.tests.llm.test_local import build

    model = build(tmp_path / "tiny")
    config = tmp_path / "tiny" / "config.json"
    prompt = f"{LABELS_SYSTEM}{labels_request(0, 3, 2, ['fish']).messages[0][1]}"
    # A token is a letter or more; the prompt should fit, and a few words after it.
    longer = json.loads(config.read_text()) | {"max_position_embeddings": len(prompt.encode()) + 20}
    config.write_text(json.dumps(longer))
    result = run(folder, "--yes", "--provider", "local", "--model", model)
    assert result.exit_code == 0, result.output
    replies = [json.loads(line) for line in folder.journal.read_text().splitlines()]
    assert len(replies) == 3 and all(reply["usd"] == 0 for reply in replies)
    assert folder.labels.read_text() == folder.problems.read_text() == ""


def test_the_writer_of_these_tests_writes_what_it_should() -> None:
    text = points("Features: a, b\nCategories: x, y\nWrite 6 cases.")
    assert len(text.splitlines()) == 6 and " cm," in text.splitlines()[2]
