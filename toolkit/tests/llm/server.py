"""Servers on this machine that speak Anthropic's and OpenAI's language, and misbehave on demand."""

from __future__ import annotations

import json
import socket
import struct
import threading
from collections.abc import Iterator, Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

import pytest

from toolkit.tests.llm.behaviours import Answer, Asked, Behaviour, Drop, Expired, Fail, Garbage, Say, Stall

__all__ = [
    "CANARY",
    "AnthropicServer",
    "Asked",
    "Drop",
    "Expired",
    "Fail",
    "Garbage",
    "OpenAIServer",
    "Say",
    "Stall",
]

CANARY = "sk-canary-0123456789abcdef"
"""The key in the environment while a server runs."""


class Server:
    """Answers every question as told.

    While it runs, the key and the address of the provider are in the environment.

    Parameters
    ----------
    answer
        What to do: a behaviour, a list of them in the order of the questions (the last one for all that
        follow), or a function of the question. A text is short for a reply.

    Attributes
    ----------
    requests
        Everything that arrived.
    most_at_once
        Questions that were open at the same time.
    """

    variables: ClassVar[tuple[str, str]]
    path = ""

    def __init__(self, answer: Answer = "yes") -> None:
        self._answer, self._turn = answer, 0
        self.requests: list[Asked] = []
        self.most_at_once = self._open = 0
        self._lock, self._closing = threading.Lock(), threading.Event()
        self._environment = pytest.MonkeyPatch()

    def __enter__(self) -> Server:
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                server.handle(self, json.loads(self.rfile.read(int(self.headers["content-length"]))))

            def do_GET(self) -> None:
                server.handle(self, {})

            def log_message(self, *_: object) -> None:
                pass

        class Quiet(ThreadingHTTPServer):
            def handle_error(self, *_: object) -> None:
                """Clients that hang up are part of the tests."""

        self._http = Quiet(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._http.serve_forever, args=(0.01,), daemon=True).start()
        key, address = self.variables
        self._environment.setenv(key, CANARY)
        self._environment.setenv(address, self.url)
        return self

    def __exit__(self, *_: object) -> None:
        self._environment.undo()
        self._closing.set()
        self._http.shutdown()
        self._http.server_close()

    @property
    def url(self) -> str:
        """Address for ``base_url``."""
        return f"http://127.0.0.1:{self._http.server_port}{self.path}"

    @property
    def prompts(self) -> list[str]:
        """Last turns of all questions asked one by one."""
        return [asked.prompt for asked in self.requests if "messages" in asked.body]

    def handle(self, http: BaseHTTPRequestHandler, body: Mapping[str, Any]) -> None:
        """Answer a request."""
        asked = Asked(http.path, dict(http.headers), body)
        with self._lock:
            self.requests.append(asked)
            self._open += 1
            self.most_at_once = max(self.most_at_once, self._open)
        try:
            self._route(http, asked)
        finally:
            with self._lock:
                self._open -= 1

    def _route(self, http: BaseHTTPRequestHandler, asked: Asked) -> None:
        self._behave(http, asked, self.behaviour(asked))

    def behaviour(self, asked: Asked) -> Behaviour:
        """What to do about a question."""
        answer = self._answer
        if callable(answer):
            answer = answer(asked)
        elif isinstance(answer, Sequence) and not isinstance(answer, str):
            with self._lock:
                answer = answer[min(self._turn, len(answer) - 1)]
                self._turn += 1
        return Say(answer) if isinstance(answer, str) else answer

    def _behave(self, http: BaseHTTPRequestHandler, asked: Asked, how: Behaviour) -> None:
        if isinstance(how, Say):
            self._closing.wait(how.after)
            self._send(http, self._reply(how, asked), self.media)
        elif isinstance(how, Fail) and not how.midway:
            headers = {} if how.retry_after is None else {"retry-after": f"{how.retry_after:g}"}
            self._send(http, json.dumps(_error(how)).encode(), status=how.status, **headers)
        elif isinstance(how, Garbage):
            self._send(http, how.body, "text/html")
        elif isinstance(how, Drop):
            whole = self._reply(Say("half of it"), asked)
            if how.midway:
                self._send(
                    http, whole[: len(whole) // 2], self.media, length=None if not how.reset else 10**6
                )
            if how.reset:
                http.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            http.connection.close()
        elif isinstance(how, Stall):
            self._stall(http, how)
        else:
            self._send(http, self._midway(how, asked), self.media)

    def _stall(self, http: BaseHTTPRequestHandler, how: Stall) -> None:
        if not how.pings:
            self._closing.wait(how.seconds)
            return
        self._send(http, b"", self.media)
        for _ in range(int(how.seconds / 0.05)):
            if self._closing.wait(0.05):
                return
            http.wfile.write(self.ping)

    def _send(
        self,
        http: BaseHTTPRequestHandler,
        body: bytes,
        media: str = "application/json",
        *,
        status: int = 200,
        length: int | None = None,
        **headers: str,
    ) -> None:
        http.send_response(status)
        for name, value in {"content-type": media, **headers}.items():
            http.send_header(name, value)
        if length is not None:
            http.send_header("content-length", str(length))
        http.end_headers()
        http.wfile.write(body)

    media = "application/json"
    ping = b" "

    def _reply(self, say: Say, asked: Asked) -> bytes:
        raise NotImplementedError

    def _midway(self, how: Any, asked: Asked) -> bytes:
        raise NotImplementedError


class AnthropicServer(Server):
    """Speaks ``/v1/messages``, streamed, and ``/v1/messages/batches``.

    Parameters
    ----------
    polls
        How often a batch is asked about before it is over.
    """

    variables = ("ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL")
    media = "text/event-stream"
    ping = b'event: ping\ndata: {"type": "ping"}\n\n'

    def __init__(self, answer: Answer = "yes", *, polls: int = 1) -> None:
        super().__init__(answer)
        self.polls = polls
        self.batches: dict[str, list[dict[str, Any]]] = {}
        self._polled: dict[str, int] = {}

    def _route(self, http: BaseHTTPRequestHandler, asked: Asked) -> None:
        parts = asked.path.partition("?")[0].strip("/").split("/")
        if parts[:3] != ["v1", "messages", "batches"]:
            super()._route(http, asked)
        elif len(parts) == 3:
            name = f"msgbatch_{len(self.batches) + 1}"
            self.batches[name] = asked.body["requests"]
            self._send(http, json.dumps(self._batch(name)).encode())
        elif len(parts) == 4:
            self._polled[parts[3]] = self._polled.get(parts[3], 0) + 1
            self._send(http, json.dumps(self._batch(parts[3])).encode())
        else:
            lines = (json.dumps(self._result(entry)) + "\n" for entry in reversed(self.batches[parts[3]]))
            self._send(http, "".join(lines).encode(), "application/x-jsonl")

    def _batch(self, name: str) -> dict[str, Any]:
        over = self._polled.get(name, 0) >= self.polls
        return {
            "id": name,
            "type": "message_batch",
            "processing_status": "ended" if over else "in_progress",
            "results_url": f"{self.url}/v1/messages/batches/{name}/results" if over else None,
        }

    def _result(self, entry: dict[str, Any]) -> dict[str, Any]:
        how = self.behaviour(Asked("batch", {}, entry["params"]))
        if isinstance(how, Say):
            message = _message(how, entry["params"], content=[{"type": "text", "text": how.text}])
            result = {"type": "succeeded", "message": message}
        elif isinstance(how, Fail):
            result = {"type": "errored", "error": _error(how)}
        else:
            result = {"type": "expired"}
        return {"custom_id": entry["custom_id"], "result": result}

    def _reply(self, say: Say, asked: Asked) -> bytes:
        return b"".join(_event(event) for event in _events(say, asked.body))

    def _midway(self, how: Any, asked: Asked) -> bytes:
        ends = ("message_delta", "message_stop")
        started = [event for event in _events(Say(), asked.body) if event["type"] not in ends]
        return b"".join(map(_event, [*started, _error(how)]))


class OpenAIServer(Server):
    """Speaks ``/chat/completions``."""

    variables = ("OPENAI_API_KEY", "OPENAI_BASE_URL")
    path = "/v1"

    def _reply(self, say: Say, asked: Asked) -> bytes:
        choice: dict[str, Any] = {
            "index": 0,
            "message": {"role": "assistant", "content": say.text},
            "finish_reason": _OPENAI_STOPS[say.stop],
        }
        if say.logprobs:
            entries = [{"token": token, "logprob": value} for token, value in say.logprobs.items()]
            choice["logprobs"] = {"content": [{**entries[0], "top_logprobs": entries}]}
        usage = {
            "prompt_tokens": say.input + say.read,
            "completion_tokens": say.output,
            "prompt_tokens_details": {"cached_tokens": say.read},
        }
        return json.dumps({"model": asked.body["model"], "choices": [choice], "usage": usage}).encode()


_ANTHROPIC_STOPS = {"end": "end_turn", "length": "max_tokens", "refusal": "refusal"}
_OPENAI_STOPS = {"end": "stop", "length": "length", "refusal": "content_filter"}
_ERROR_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    429: "rate_limit_error",
    529: "overloaded_error",
}


def _error(how: Fail) -> dict[str, Any]:
    kind = _ERROR_TYPES.get(how.status, "api_error")
    return {"type": "error", "error": {"type": kind, "message": how.message}}


def _message(say: Say, body: Mapping[str, Any], **changes: Any) -> dict[str, Any]:
    usage = {
        "input_tokens": say.input,
        "output_tokens": say.output,
        "cache_read_input_tokens": say.read,
        "cache_creation_input_tokens": say.written,
    }
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": body["model"],
        "content": [],
        "stop_reason": _ANTHROPIC_STOPS[say.stop],
        "stop_sequence": None,
        "usage": usage,
        **changes,
    }


def _events(say: Say, body: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    message = _message(say, body, stop_reason=None)
    message["usage"] = {**message["usage"], "output_tokens": 1}
    yield {"type": "message_start", "message": message}
    yield {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}
    for start in range(0, len(say.text), 7):
        delta = {"type": "text_delta", "text": say.text[start : start + 7]}
        yield {"type": "content_block_delta", "index": 0, "delta": delta}
    yield {"type": "content_block_stop", "index": 0}
    ended = {"stop_reason": _ANTHROPIC_STOPS[say.stop], "stop_sequence": None}
    yield {"type": "message_delta", "delta": ended, "usage": {"output_tokens": say.output}}
    yield {"type": "message_stop"}


def _event(content: dict[str, Any]) -> bytes:
    return f"event: {content['type']}\ndata: {json.dumps(content)}\n\n".encode()
