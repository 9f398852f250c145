"""Questions handed in together."""

from __future__ import annotations

import json
import re

import pytest

from toolkit.errors import UsageError
from toolkit.llm import Budget, Failure, Reply, Request, batches
from toolkit.tests.llm.server import AnthropicServer, Drop, Expired, Fail, Garbage, OpenAIServer, Say

ASKED = [Request.of(f"question {i}", system="Be brief.", temperature=0.5) for i in range(5)]


def test_all_go_in_one_batch_at_half_the_price(connect, waits) -> None:
    with AnthropicServer(lambda asked: f"re {asked.prompt}", polls=4) as server:
        client = connect(batch=True, model="claude-sonnet-5")
        replies = client.ask(ASKED)
        (entries,) = server.batches.values()
    assert [reply.text for reply in replies] == [f"re question {i}" for i in range(5)]
    assert [entry["custom_id"] for entry in entries] == [request.key("claude-sonnet-5") for request in ASKED]
    assert entries[0]["params"]["system"][0]["text"] == "Be brief."
    assert entries[0]["params"]["temperature"] == 0.5
    assert client.tally.usd == pytest.approx(5 * (10 * 2 + 5 * 10) / 1e6 / 2)
    assert waits == sorted(waits) and len(waits) == 3


def test_what_a_batch_leaves_unanswered_goes_into_the_next(connect, journal) -> None:
    """Results come in the reverse order: the last question hears the first answer."""
    with AnthropicServer([Expired(), Fail(529), Fail(400), Say(stop="refusal"), "a", "b"]) as server:
        client = connect(batch=True)
        outcomes = client.ask(ASKED)
        assert [len(entries) for entries in server.batches.values()] == [5, 2]
    assert [getattr(outcome, "text", None) for outcome in outcomes] == ["a", "yes", None, "b", "b"]
    assert outcomes[2].reason == "the server answered 400: no" and outcomes[1].stop == "refusal"
    tally = client.tally
    assert (tally.asked, tally.answered, tally.refused, tally.failed, tally.retries) == (5, 3, 1, 1, 2)
    kinds = [json.loads(line)["kind"] for line in journal.read_text().splitlines()]
    assert kinds.count("batch") == 2 and kinds.count("reply") == 4


def test_attempts_are_limited(connect) -> None:
    with AnthropicServer(Expired()) as server:
        outcomes = connect(batch=True, attempts=3).ask(ASKED)
        assert len(server.batches) == 3
        assert all(isinstance(outcome, Failure) and "3 attempts" in outcome.reason for outcome in outcomes)
        # The batches are over, so asking again hands in a new one.
        connect(batch=True, attempts=1).ask(ASKED)
        assert len(server.batches) == 4


def test_many_questions_are_split(connect, monkeypatch) -> None:
    monkeypatch.setattr(batches, "LARGEST_BATCH", 2)
    with AnthropicServer(lambda asked: f"re {asked.prompt}") as server:
        replies = connect(batch=True).ask(ASKED)
        assert [len(entries) for entries in server.batches.values()] == [2, 2, 1]
    assert [reply.text for reply in replies] == [f"re question {i}" for i in range(5)]


def test_a_batch_outlives_the_deadline(connect) -> None:
    with AnthropicServer(polls=10**9) as server:
        outcomes = connect(batch=True, budget=Budget(seconds=5.0)).ask(ASKED)
        assert all("time cap" in outcome.reason for outcome in outcomes)
        server.polls = 0
        assert all(isinstance(reply, Reply) for reply in connect(batch=True).ask(ASKED))
        assert len(server.batches) == 1


def test_questions_of_a_waiting_batch_are_not_asked_one_by_one(connect) -> None:
    with AnthropicServer(polls=10**9) as server:
        connect(batch=True, budget=Budget(seconds=5.0)).ask(ASKED)
        with pytest.raises(UsageError, match="in batch msgbatch_1.*Ask with batch=True"):
            connect().ask(ASKED)
        assert not [asked for asked in server.requests if asked.path.endswith("/messages")]


class Unreliable(AnthropicServer):
    """Misbehaves as told for the first requests to a kind of address, then is itself."""

    def __init__(self, where: str, troubles: list) -> None:
        super().__init__("yes", polls=0)
        self.where, self.troubles = where, troubles

    def _route(self, http, asked) -> None:
        if re.search(self.where, asked.path) and self.troubles:
            self._behave(http, asked, self.troubles.pop(0))
        else:
            super()._route(http, asked)


@pytest.mark.parametrize("where", ["msgbatch_1$", "results$"])
def test_trouble_while_waiting_does_not_cost_a_second_batch(connect, where) -> None:
    troubles = [Fail(529), Drop(), Drop(reset=True), Garbage(), Garbage(b"[]")]
    with Unreliable(where, troubles) as server:
        client = connect(batch=True, timeout_s=60.0)
        assert all(isinstance(reply, Reply) for reply in client.ask(ASKED))
        assert len(server.batches) == 1 and not server.troubles
    assert client.tally.retries == 5 and client.tally.garbled >= 2


def test_results_that_break_off_are_fetched_again(connect) -> None:
    class BreaksOff(AnthropicServer):
        def _send(self, http, body, *arguments, **options) -> None:
            if http.path.endswith("results") and len(self.requests) < 8:
                half = body[: len(body) // 2]
                super()._send(http, half, *arguments, **{**options, "length": len(body)})
            else:
                super()._send(http, body, *arguments, **options)

    with BreaksOff(polls=0) as server:
        client = connect(batch=True)
        assert all(isinstance(reply, Reply) for reply in client.ask(ASKED))
        assert len(server.batches) == 1 and client.tally.retries > 0


@pytest.mark.parametrize("trouble", [Drop(), Drop(reset=True), Garbage()])
def test_a_batch_whose_fate_is_unknown_is_not_handed_in_twice(connect, trouble) -> None:
    with Unreliable("batches$", [trouble]) as server:
        outcomes = connect(batch=True).ask(ASKED)
        assert len(server.requests) == 1
    assert all("Whether the batch was accepted is not known" in outcome.reason for outcome in outcomes)


def test_handing_in_is_tried_again_where_it_is_safe(connect) -> None:
    with Unreliable("batches$", [Fail(429, retry_after=1), Fail(529)]) as server:
        assert all(isinstance(reply, Reply) for reply in connect(batch=True).ask(ASKED))
        assert len(server.batches) == 1


def test_other_providers_have_no_batches(connect) -> None:
    with OpenAIServer(), pytest.raises(UsageError, match="cannot be asked in batches"):
        connect("openai", model="m", batch=True)
