"""Everything that speaks OpenAI's language: OpenAI, vLLM, Ollama, OpenRouter, …"""

from __future__ import annotations

import ipaddress
import json
import os
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from toolkit.errors import UsageError
from toolkit.llm.messages import Request, Stop, Usage
from toolkit.llm.prices import price_of
from toolkit.llm.providers.base import LONGEST_CONNECT, Answer, key_from_environment, missing_key, shut_after
from toolkit.llm.retrying import Transient, error_of_status

KEY_VARIABLE = "OPENAI_API_KEY"
OWN_URL = "https://api.openai.com/v1"

_STOPS: dict[str, Stop] = {"length": "length", "content_filter": "refusal"}


class OpenAI:
    """A model behind ``/chat/completions``; the key comes from OPENAI_API_KEY.

    A server named by ``base_url``, or one on this machine, may do without a key.
    """

    def __init__(self, model: str | None = None, base_url: str | None = None) -> None:
        if not model:
            raise UsageError("the provider 'openai' has no usual model.", fix="Name one by model=….")
        url = base_url or os.environ.get("OPENAI_BASE_URL") or OWN_URL
        self.secret = key_from_environment(KEY_VARIABLE)
        self._may_ask = bool(self.secret or base_url or _is_loopback(url))
        import httpx

        self.model, self.price = model, price_of(model)
        self._url = f"{url.rstrip('/')}/chat/completions"
        # OpenAI gave the limit another name; other servers know only the first.
        self._limit = "max_completion_tokens" if url.startswith(OWN_URL) else "max_tokens"
        headers = {"authorization": f"Bearer {self.secret}"} if self.secret else {}
        self._http = httpx.Client(headers=headers)

    def ask(self, request: Request, timeout_s: float) -> Answer:
        """The reply, once it is complete."""
        if not self._may_ask:
            raise missing_key(KEY_VARIABLE, "provider 'openai'")
        import httpx

        timeout = httpx.Timeout(timeout_s, connect=min(timeout_s, LONGEST_CONNECT))
        late = Transient(f"no complete reply within {timeout_s:g} s.", perhaps_paid=True)
        is_over = None
        try:
            with (
                self._http.stream("POST", self._url, json=self._body(request), timeout=timeout) as response,
                shut_after(timeout_s, response) as is_over,
            ):
                content = response.read()
        except (httpx.ConnectError, httpx.ConnectTimeout):
            raise Transient("no connection to the server.") from None
        except httpx.TimeoutException:
            raise late from None
        except httpx.HTTPError as error:
            if is_over is not None and is_over.is_set():
                raise late from None
            raise Transient(f"the connection broke ({type(error).__name__}).", perhaps_paid=True) from None
        if is_over.is_set():
            raise late
        if response.status_code != 200:
            said = _message(content)
            raise error_of_status(
                response.status_code, said, response.headers, where="provider 'openai'", variable=KEY_VARIABLE
            )
        return self._answer(content)

    def _body(self, request: Request) -> dict[str, Any]:
        system = [{"role": "system", "content": request.system}] if request.system else []
        body: dict[str, Any] = {
            "model": self.model,
            "messages": [*system, *({"role": role, "content": text} for role, text in request.messages)],
            self._limit: request.max_tokens,
            "seed": request.sample,
        }
        if request.temperature is not None:
            body["temperature"] = request.temperature
        if request.schema is not None:
            named = {"name": "reply", "schema": dict(request.schema), "strict": True}
            body["response_format"] = {"type": "json_schema", "json_schema": named}
        if request.top_logprobs:
            body |= {"logprobs": True, "top_logprobs": request.top_logprobs}
        return body

    def _answer(self, content: bytes) -> Answer:
        try:
            reply = json.loads(content)
            choice = reply["choices"][0]
            message, stop_reason = choice["message"], choice["finish_reason"]
            text = message.get("refusal") or message["content"] or ""
            stop: Stop = "refusal" if message.get("refusal") else _STOPS.get(stop_reason, "end")
            usage, logprobs = _usage(reply.get("usage")), _first_token(choice.get("logprobs"))
            if not isinstance(text, str) or not isinstance(stop_reason, str):
                raise TypeError("content or finish_reason is not text")
            return Answer(str(reply.get("model") or self.model), text, stop, stop_reason, usage, logprobs)
        except (ValueError, KeyError, IndexError, TypeError, AttributeError) as error:
            what = f"{type(error).__name__}: {error}"
            raise Transient(
                f"a reply that makes no sense ({what}).", garbled=True, perhaps_paid=True
            ) from None


def _usage(usage: Mapping[str, Any] | None) -> Usage | None:
    if not usage:
        return None
    cached = (usage.get("prompt_tokens_details") or {}).get("cached_tokens") or 0
    return Usage(input=usage["prompt_tokens"] - cached, output=usage["completion_tokens"], read=cached)


def _first_token(logprobs: Mapping[str, Any] | None) -> dict[str, float] | None:
    """Log-probabilities of the chosen first token and its alternatives."""
    if not logprobs or not logprobs.get("content"):
        return None
    first = logprobs["content"][0]
    known: dict[str, float] = {}
    for entry in (*first["top_logprobs"], first):
        # Tokens that are parts of one character are spelled alike.
        known[entry["token"]] = max(entry["logprob"], known.get(entry["token"], float("-inf")))
    return known


def _message(content: bytes) -> str:
    """What an error says, in whatever form."""
    try:
        error = json.loads(content)["error"]
        return str(error["message"] if isinstance(error, dict) else error)
    except (ValueError, KeyError, TypeError):
        return content.decode(errors="replace")


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
