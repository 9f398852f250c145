"""The journal survives crashes, other writers, and secrets."""

from __future__ import annotations

import json
import traceback
from pathlib import Path

import pytest

from toolkit.errors import DataError, UsageError
from toolkit.llm import Failure, Request
from toolkit.llm.journal import Journal
from toolkit.tests.llm.server import CANARY, AnthropicServer, Asked, Fail, Garbage, OpenAIServer, Say

ASKED = [Request.of(f"question {i}") for i in range(3)]


@pytest.mark.parametrize("cut", [1, 20, -1])
def test_a_line_cut_by_a_crash_costs_only_its_own_question(connect, journal: Path, cut: int) -> None:
    with AnthropicServer(lambda asked: f"re {asked.prompt} äöü") as server:
        before = connect(workers=1).ask(ASKED)
        whole = journal.read_bytes().splitlines(keepends=True)
        journal.write_bytes(b"".join(whole[:2]) + whole[2].rstrip(b"\n")[:cut])
        assert connect().ask(ASKED) == before
        assert len(server.requests) == 4
        assert connect().ask(ASKED) == before
        assert len(server.requests) == 4


def test_a_last_line_without_line_break_counts(connect, journal: Path) -> None:
    with AnthropicServer() as server:
        before = connect(workers=1).ask(ASKED)
        journal.write_bytes(journal.read_bytes().rstrip(b"\n"))
        client = connect()
        client.ask([Request.of("one more")])
        assert client.ask(ASKED) == before
        assert len(server.requests) == 4 and len(journal.read_text().splitlines()) == 4


def test_replies_that_another_client_adds_are_seen(connect) -> None:
    with AnthropicServer() as server:
        one, other = connect(), connect()
        one.ask(ASKED[:2])
        other.ask(ASKED)
        one.ask(ASKED)
        assert len(server.requests) == 3


def test_a_foreign_line_is_an_error_that_names_it(journal: Path) -> None:
    journal.write_text(
        '{"kind": "lost", "key": "k", "reason": "r", "usd": 0, "tokens": 3}\n{"question": 1}\n'
    )
    with pytest.raises(DataError, match="journal.jsonl, line 2: not an entry of a journal"):
        Journal(journal)


@pytest.mark.parametrize(
    ("provider", "server", "batch"),
    [
        ("anthropic", AnthropicServer, False),
        ("anthropic", AnthropicServer, True),
        ("openai", OpenAIServer, False),
    ],
)
def test_the_key_is_in_no_reply_and_no_reason(connect, journal: Path, provider, server, batch) -> None:
    def echo(asked: Asked) -> Say | Fail | Garbage:
        secret = asked.headers.get("Authorization") or asked.headers.get("authorization") or CANARY
        kinds = {
            "question 0": Say(f"you sent {secret}"),
            "question 1": Fail(400, f"you sent {secret}"),
            "question 2": Fail(500, f"you sent {secret}") if batch else Garbage(secret.encode()),
        }
        return kinds[asked.prompt]

    with server(echo):
        outcomes = connect(provider, model="m", attempts=2, batch=batch).ask(ASKED)
    assert outcomes[0].text.startswith("you sent") and isinstance(outcomes[1], Failure)
    assert "[secret]" in outcomes[0].text and "[secret]" in outcomes[1].reason
    assert CANARY not in str(outcomes) and CANARY not in journal.read_text()


@pytest.mark.parametrize(("provider", "server"), [("anthropic", AnthropicServer), ("openai", OpenAIServer)])
def test_the_key_is_in_no_error(connect, provider, server) -> None:
    with server(Fail(401, f"{CANARY} is no key")), pytest.raises(UsageError) as caught:
        connect(provider, model="m").ask(ASKED)
    assert CANARY not in "".join(traceback.format_exception(caught.value))
    assert "[secret] is no key" in str(caught.value)


def test_the_key_of_a_question_is_that_of_its_line(connect, journal: Path) -> None:
    with AnthropicServer():
        connect(model="m").ask(ASKED[:1])
    entry = json.loads(journal.read_text())
    settings = {**entry["request"], "messages": tuple(map(tuple, entry["request"]["messages"]))}
    assert Request(**settings).key(entry["model"]) == entry["key"]


@pytest.mark.parametrize(("provider", "server"), [("anthropic", AnthropicServer), ("openai", OpenAIServer)])
def test_half_of_a_pair_of_surrogates_is_kept_as_a_question_mark(
    connect, journal: Path, provider, server
) -> None:
    kinds = {
        "question 0": Say("half a pair: \ud83d"),
        "question 1": Fail(400, "half a pair: \ud83d"),
        "question 2": Fail(500, "half a pair: \ud83d", midway=provider == "anthropic"),
    }
    with server(lambda asked: kinds[asked.prompt]):
        outcomes = connect(provider, model="m", attempts=1).ask(ASKED)
        assert outcomes[0].text == "half a pair: ?" and "half a pair: ?" in outcomes[1].reason
        assert connect(provider, model="m", attempts=1).ask(ASKED[:1]) == outcomes[:1]
    journal.read_text(encoding="utf-8").encode()
