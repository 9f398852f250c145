"""What is tried again, how often, and after how long."""

from __future__ import annotations

import time

import pytest

from toolkit.errors import UsageError
from toolkit.llm import Failure, Reply, Request
from toolkit.llm.retrying import Patience, Rejected, Transient
from toolkit.tests.llm.server import AnthropicServer, Drop, Fail, Garbage, OpenAIServer, Stall

HI = [Request.of("hi")]

SERVERS = {"anthropic": AnthropicServer, "openai": OpenAIServer}

PASSING = [
    *(Fail(status) for status in (408, 409, 429, 500, 502, 503, 504, 529)),
    Drop(),
    Drop(reset=True),
    Drop(midway=True),
    Drop(midway=True, reset=True),
    Garbage(),
    Garbage(b'event: message_start\ndata: {"type": "message_start"}\n\n'),
    Garbage(b'{"choices": []}'),
    Garbage(b'{"choices": [{"message": {"content": 3}, "finish_reason": "stop"}]}'),
]


@pytest.mark.parametrize("provider", SERVERS)
@pytest.mark.parametrize("trouble", PASSING, ids=str)
def test_what_may_pass_is_tried_again(connect, waits, provider, trouble) -> None:
    with SERVERS[provider]([trouble, trouble, "at last"]) as server:
        client = connect(provider, model="m")
        (reply,) = client.ask(HI)
        assert isinstance(reply, Reply) and reply.text == "at last"
        assert len(server.requests) == 3 and client.tally.retries == 2 == len(waits)
    assert 0.5 <= waits[0] <= 1 <= waits[1] <= 2
    if isinstance(trouble, Garbage):
        assert client.tally.garbled == 2


@pytest.mark.parametrize(("status", "attempts"), [(529, 2), (500, 2), (400, 1)])
def test_errors_inside_a_stream_count_as_what_they_are(connect, status, attempts) -> None:
    with AnthropicServer([Fail(status, "in between", midway=True), "at last"]) as server:
        (outcome,) = connect().ask(HI)
        assert len(server.requests) == attempts
    assert isinstance(outcome, Reply) == (attempts == 2)


@pytest.mark.parametrize("provider", SERVERS)
@pytest.mark.parametrize("pings", [False, True])
def test_an_attempt_ends_in_time_even_if_the_server_drips(connect, provider, pings) -> None:
    with SERVERS[provider]([Stall(pings=pings), "at last"]):
        started = time.monotonic()
        (reply,) = connect(provider, model="m", timeout_s=0.5).ask(HI)
    assert reply.text == "at last" and time.monotonic() - started < 2.5


@pytest.mark.parametrize("provider", SERVERS)
def test_the_server_says_how_long_to_wait(connect, waits, provider) -> None:
    with SERVERS[provider]([Fail(429, retry_after=17), "at last"]):
        assert connect(provider, model="m").ask(HI)[0].text == "at last"
    assert len(waits) == 1 and 17 <= waits[0] <= 18


def test_who_asks_for_an_hour_is_not_waited_for(connect, waits) -> None:
    with AnthropicServer(Fail(429, "come back later", retry_after=3600)):
        (failure,) = connect().ask(HI)
    assert "3600 s away; the last one: the server answered 429: come back later" in failure.reason
    assert not waits


def test_a_server_that_is_not_there_is_tried_and_named(connect, journal) -> None:
    with AnthropicServer() as server:
        url = server.url
        server._http.server_close()
        (failure,) = connect(base_url=url, attempts=3).ask(HI)
    assert "no reply in 3 attempts" in failure.reason and "connection" in failure.reason
    # Nobody heard the question, so nobody can charge for it.
    assert not journal.exists()


def test_used_up_attempts_are_a_failure_and_the_others_go_on(connect, waits) -> None:
    with AnthropicServer(lambda asked: Fail(500, "broken") if asked.prompt == "1" else "yes") as server:
        client = connect(attempts=4)
        outcomes = client.ask([Request.of(str(i)) for i in range(3)])
        assert server.prompts.count("1") == 4
    assert [type(outcome) for outcome in outcomes] == [Reply, Failure, Reply]
    assert outcomes[1].reason == "no reply in 4 attempts; the last one: the server answered 500: broken"
    assert client.tally.failed == 1 and client.tally.retries == 3 == len(waits)


@pytest.mark.parametrize("provider", SERVERS)
def test_a_bad_question_is_not_tried_again(connect, provider) -> None:
    with SERVERS[provider]([Fail(400, "max_tokens: too many"), "yes"]) as server:
        outcomes = connect(provider, model="m", workers=1).ask([*HI, Request.of("ho")])
        assert len(server.requests) == 2
    assert outcomes[0].reason == "the server answered 400: max_tokens: too many"
    assert outcomes[1].text == "yes"


@pytest.mark.parametrize("provider", SERVERS)
@pytest.mark.parametrize(
    ("status", "advice"), [(401, "Check {key}."), (403, "may not use"), (404, "Check the model's name")]
)
def test_a_bad_key_or_model_ends_everything(connect, provider, status, advice) -> None:
    with SERVERS[provider](Fail(status)) as server:
        with pytest.raises(UsageError, match=advice.format(key=server.variables[0])):
            connect(provider, model="m", workers=1).ask([Request.of(str(i)) for i in range(9)])
        assert len(server.requests) == 1


def test_waits_double_up_to_a_minute_and_differ_by_chance() -> None:
    def waits() -> list[float]:
        slept: list[float] = []

        def attempt() -> None:
            raise Transient("busy")

        with pytest.raises(Rejected, match="no reply in 9 attempts"):
            Patience(9, slept.append, lambda: float("inf")).get(attempt, lambda trouble, follows: None)
        return slept

    slept = waits()
    for number, wait in enumerate(slept):
        assert min(60, 2**number) / 2 <= wait <= min(60, 2**number)
    assert slept != waits()
