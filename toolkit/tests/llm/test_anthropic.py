"""What goes over the wire to Anthropic."""

from __future__ import annotations

import pytest

from toolkit.errors import UsageError
from toolkit.llm import Request
from toolkit.llm.providers.anthropic import DEFAULT_MODEL
from toolkit.tests.llm.server import CANARY, AnthropicServer, Say


def sent(connect, request: Request) -> dict:
    with AnthropicServer() as server:
        connect().ask([request])
        return dict(server.requests[0].body)


def test_a_plain_question_carries_nothing_it_does_not_need(connect) -> None:
    assert sent(connect, Request.of("hi")) == {
        "model": DEFAULT_MODEL,
        "max_tokens": 4000,
        "messages": [{"role": "user", "content": "hi"}],
        "stream": True,
    }


def test_every_setting_arrives(connect) -> None:
    schema = {"type": "object", "properties": {"a": {"type": "string"}}, "additionalProperties": False}
    request = Request(
        messages=(("user", "one"), ("assistant", "two"), ("user", "three")),
        system="Be brief.",
        max_tokens=100_000,
        temperature=0.0,
        schema=schema,
    )
    body = sent(connect, request)
    assert [turn["role"] for turn in body["messages"]] == ["user", "assistant", "user"]
    assert body["system"] == [
        {"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}},
    ]
    assert body["output_config"] == {"format": {"type": "json_schema", "schema": schema}}
    assert (body["temperature"], body["max_tokens"]) == (0.0, 100_000)


def test_the_key_of_the_environment_is_sent_and_no_other(connect, monkeypatch) -> None:
    monkeypatch.setenv("ANTHROPIC_AUTH_TOKEN", "another-token-0123456789")
    with AnthropicServer() as server:
        connect().ask([Request.of("hi")])
        values = list(server.requests[0].headers.values())
    assert any(CANARY in value for value in values)
    assert not any("another-token" in value for value in values)


@pytest.mark.parametrize("key", [None, "", "  "])
def test_without_a_key_nothing_is_sent(connect, monkeypatch, key) -> None:
    with AnthropicServer() as server:
        if key is None:
            monkeypatch.delenv("ANTHROPIC_API_KEY")
        else:
            monkeypatch.setenv("ANTHROPIC_API_KEY", key)
        with pytest.raises(UsageError, match="ANTHROPIC_API_KEY is not set, so nothing was sent"):
            connect().ask([Request.of("hi")])
        assert not server.requests


def test_base_url_comes_before_the_environment(connect, monkeypatch) -> None:
    with AnthropicServer(Say("here")) as server:
        monkeypatch.setenv("ANTHROPIC_BASE_URL", "http://127.0.0.1:9")
        assert connect(base_url=server.url).ask([Request.of("hi")])[0].text == "here"
