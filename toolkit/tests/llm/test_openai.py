"""What goes over the wire to servers that speak OpenAI's language."""

from __future__ import annotations

import math

import pytest

from toolkit.errors import UsageError
from toolkit.llm import Request, Usage
from toolkit.llm.providers.openai import OpenAI
from toolkit.tests.llm.server import CANARY, OpenAIServer, Say


def test_every_setting_arrives(connect) -> None:
    schema = {"type": "object", "properties": {"a": {"type": "string"}}}
    request = Request.of(
        "hi", system="Be brief.", max_tokens=9, temperature=0.0, sample=4, schema=schema, top_logprobs=3
    )
    with OpenAIServer() as server:
        connect("openai", model="m").ask([request, Request.of("plain")])
        body, plain = sorted((asked.body for asked in server.requests), key=len, reverse=True)
    assert body == {
        "model": "m",
        "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "hi"}],
        "max_tokens": 9,
        "seed": 4,
        "temperature": 0.0,
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "reply", "schema": schema, "strict": True},
        },
        "logprobs": True,
        "top_logprobs": 3,
    }
    assert set(plain) == {"model", "messages", "max_tokens", "seed"}


def test_replies_are_read_in_full(connect) -> None:
    logprobs = {"A": math.log(0.7), "B": math.log(0.2)}
    with OpenAIServer([Say("A", read=4, logprobs=logprobs), Say(stop="length"), Say(stop="refusal")]):
        replies = connect("openai", model="m", workers=1).ask([Request.of(str(i)) for i in range(3)])
        kept = connect("recorded", model="m").ask([Request.of("0")])
    assert replies[0].logprobs == logprobs and replies[0].usage == Usage(input=10, output=5, read=4)
    assert [reply.stop for reply in replies] == ["end", "length", "refusal"]
    assert kept == replies[:1]


def test_the_key_is_sent_where_there_is_one(connect, monkeypatch) -> None:
    with OpenAIServer() as server:
        connect("openai", model="m").ask([Request.of("hi")])
        monkeypatch.delenv("OPENAI_API_KEY")
        connect("openai", model="m").ask([Request.of("ho")])
        with_key, without = server.requests
    assert with_key.headers["authorization"] == f"Bearer {CANARY}"
    assert not any(name.lower() == "authorization" for name in without.headers)


def test_openai_itself_needs_a_key(monkeypatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    with pytest.raises(UsageError, match="OPENAI_API_KEY is not set"):
        OpenAI("gpt").ask(Request.of("hi"), 1.0)
    assert OpenAI("gpt", "http://gpu-server:8000/v1").secret == ""
    monkeypatch.setenv("OPENAI_BASE_URL", "http://gpu-server:8000/v1")
    with pytest.raises(UsageError, match="OPENAI_API_KEY is not set"):
        OpenAI("gpt").ask(Request.of("hi"), 1.0)
    for address in ("http://localhost:8000/v1", "http://127.0.0.1:11434/v1", "http://[::1]:1/v1"):
        monkeypatch.setenv("OPENAI_BASE_URL", address)
        assert OpenAI("gpt").secret == ""
