"""Asking: order, journal, counts and interruptions do not depend on how many ask at once."""

from __future__ import annotations

import _thread
import json
import time
from pathlib import Path

import pytest

import toolkit.llm
from toolkit.errors import UsageError
from toolkit.llm import Failure, Price, Reply, Request, Usage, list_providers
from toolkit.tests.llm.server import AnthropicServer, Asked, Fail, Say


def questions(n: int, **settings) -> list[Request]:
    return [Request.of(f"question {i}", **settings) for i in range(n)]


def repeat(asked: Asked) -> Say:
    """Later questions are answered sooner."""
    number = int(asked.prompt.split()[-1])
    return Say(f"answer {number}", output=number + 1, after=0.02 * ((7 - number) % 4))


def lines(journal: Path) -> list[dict]:
    return [json.loads(line) for line in journal.read_text().splitlines()]


def test_all_public_names_exist() -> None:
    assert [getattr(toolkit.llm, name) for name in toolkit.llm.__all__]
    assert list_providers() == ["anthropic", "openai", "local", "recorded"]


@pytest.mark.parametrize("workers", [1, 8])
def test_replies_come_in_the_order_of_the_requests(connect, workers: int) -> None:
    with AnthropicServer(repeat) as server:
        replies = connect(workers=workers).ask(questions(8))
        assert server.most_at_once <= workers and (workers == 1) == (server.most_at_once == 1)
    assert [reply.text for reply in replies] == [f"answer {i}" for i in range(8)]


def test_the_content_of_the_journal_does_not_depend_on_the_number_of_workers(connect, tmp_path) -> None:
    kept = []
    for workers in (1, 8):
        path = tmp_path / f"{workers}.jsonl"
        with AnthropicServer(repeat):
            connect(journal=path, workers=workers).ask(questions(8))
        entries = [{**entry, "at": ""} for entry in lines(path)]
        kept.append(sorted(entries, key=lambda entry: entry["key"]))
    assert kept[0] == kept[1]


def test_a_reply_is_kept_with_everything_that_led_to_it(connect, journal) -> None:
    schema = {"type": "object", "properties": {"answer": {"type": "string"}}}
    request = Request(
        messages=(("user", "one"), ("assistant", "two"), ("user", "drei — three")),
        system="Be brief.",
        max_tokens=77,
        sample=3,
        schema=schema,
    )
    with AnthropicServer(Say("ja — yes", stop="length", input=11, output=7, read=5, written=3)):
        (reply,) = connect(model="claude-sonnet-5", price=Price(2, 10)).ask([request])
    (entry,) = lines(journal)
    assert entry["key"] == reply.key == request.key("claude-sonnet-5")
    assert (
        entry["request"]["messages"][2] == ["user", "drei — three"] and entry["request"]["schema"] == schema
    )
    assert (entry["text"], entry["stop"], entry["stop_reason"]) == ("ja — yes", "length", "max_tokens")
    assert reply.usage == Usage(input=11, output=7, read=5, written=3)
    assert entry["usd"] == pytest.approx((2 * (11 + 0.1 * 5 + 1.25 * 3) + 10 * 7) / 1e6)
    assert len(entry["prompt_sha256"]) == 64 and entry["at"].startswith("20")


def test_what_is_in_the_journal_is_not_asked_again(connect) -> None:
    with AnthropicServer(["first", Say("no", stop="refusal"), "third"]) as server:
        before = connect(workers=1).ask(questions(3))
        again = connect()
        assert again.ask(questions(4)[::-1])[:0:-1] == before
        assert len(server.requests) == 4
    assert again.tally.from_journal == 3 and again.tally.usage == Usage(10, 5)


def test_the_same_question_twice_is_asked_once(connect) -> None:
    one, other = Request.of("same"), Request.of("same", sample=1)
    with AnthropicServer(["a", "b"]) as server:
        client = connect(workers=1)
        assert [reply.text for reply in client.ask([one, other, one])] == ["a", "b", "a"]
        assert len(server.requests) == 2
    assert client.tally.asked == 2


def test_every_outcome_is_counted_once(connect) -> None:
    with AnthropicServer(["yes", Say("I", stop="refusal"), Say("cut", stop="length"), Fail(400), "yes"]):
        client = connect(workers=1)
        outcomes = client.ask(questions(5))
    assert [getattr(outcome, "stop", "failed") for outcome in outcomes] == [
        "end",
        "refusal",
        "length",
        "failed",
        "end",
    ]
    table = client.tally.table().set_index("count")["n"]
    assert table["asked"] == 5 == table[["answered", "refused", "truncated", "failed"]].sum()
    assert table[["answered", "refused", "truncated", "failed"]].tolist() == [2, 1, 1, 1]
    assert table["tokens_output"] == 20 and table["usd"] == pytest.approx(4 * 70e-6)


def test_an_estimate_sends_nothing_and_is_never_too_low(connect) -> None:
    with AnthropicServer(Say(input=2, output=3)) as server:
        client = connect(price=Price(1, 1))
        first = client.estimate(questions(3, max_tokens=100))
        assert not server.requests
        assert (first.n_requests, first.n_in_journal, first.usd_likely) == (3, 0, None)
        client.ask(questions(1, max_tokens=100))
        second = client.estimate(questions(3, max_tokens=100))
    assert second.n_in_journal == 1 and second.usd_likely == pytest.approx(2 * 5e-6)
    assert second.usd_at_most == pytest.approx(first.usd_at_most * 2 / 3)
    assert first.usd_at_most > 3 * (100 + len("question 0")) / 1e6
    assert first.prompt_tokens > 3 * len("question 0") / 4


def test_an_interruption_keeps_what_was_answered_and_is_passed_on(connect, journal) -> None:
    def interrupt(asked: Asked) -> str:
        if asked.prompt == "question 3":
            _thread.interrupt_main()
        return "yes"

    with AnthropicServer(interrupt) as server:
        with pytest.raises(KeyboardInterrupt):
            connect(workers=2).ask(questions(20))
        assert 4 <= len(server.requests) < 20
        # Whatever was sent is paid for, so it is kept as well.
        assert len(lines(journal)) == len(server.requests)
        assert all(isinstance(reply, Reply) for reply in connect().ask(questions(20)))
        assert sorted(server.prompts) == sorted(f"question {i}" for i in range(20))


def test_an_interruption_wakes_who_waits_for_another_attempt(connect) -> None:
    def interrupt(asked: Asked) -> Fail | Say:
        if asked.prompt == "question 0":
            return Fail(429, retry_after=60)
        _thread.interrupt_main()
        return Say(after=0.2)

    with AnthropicServer(interrupt) as server:
        started = time.monotonic()
        with pytest.raises(KeyboardInterrupt):
            connect(workers=2, sleep=None).ask(questions(2))
        assert time.monotonic() - started < 20
        assert server.prompts.count("question 0") == 1


def test_an_error_that_concerns_all_questions_ends_it_at_once(connect) -> None:
    with AnthropicServer(Fail(403, "not for you")) as server:
        with pytest.raises(UsageError, match="403: not for you.*ANTHROPIC_API_KEY may not use this model"):
            connect(workers=2).ask(questions(20))
        assert len(server.requests) <= 3


def test_wrong_calls_say_what_is_right(connect) -> None:
    with pytest.raises(UsageError, match="Did you mean 'anthropic'"):
        connect("antropic")
    with AnthropicServer():
        with pytest.raises(UsageError, match="workers=0"):
            connect(workers=0)
        with pytest.raises(UsageError, match="'openai' has no usual model"):
            connect("openai")
        assert isinstance(connect(attempts=1).ask([Request.of("hi")])[0], Reply | Failure)
