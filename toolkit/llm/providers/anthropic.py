"""Anthropic's models through the official SDK: streamed, or in message batches."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from toolkit.llm.messages import Request, Stop, Usage
from toolkit.llm.prices import price_of
from toolkit.llm.providers.base import LONGEST_CONNECT, Answer, key_from_environment, missing_key, shut_after
from toolkit.llm.retrying import Transient, error_of_status

if TYPE_CHECKING:
    import anthropic

_UNREADABLE = (ValueError, TypeError, AttributeError, KeyError)
"""What a reply of the wrong shape makes the SDK, which does not check replies, or us stumble over."""

KEY_VARIABLE = "ANTHROPIC_API_KEY"
DEFAULT_MODEL = "claude-sonnet-5-5"

_STOPS: dict[str, Stop] = {
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "refusal": "refusal",
}
_STATUS_OF = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "timeout_error": 504,
    "overloaded_error": 529,
}
"""HTTP statuses of errors that come inside a stream or a batch, where no status does."""


class Anthropic:
    """A model of Anthropic; its key comes from ANTHROPIC_API_KEY and nowhere else."""

    def __init__(self, model: str | None = None, base_url: str | None = None) -> None:
        self.secret = key_from_environment(KEY_VARIABLE)
        self.model = model or DEFAULT_MODEL
        self.price = price_of(self.model)
        self._base_url = base_url or os.environ.get("ANTHROPIC_BASE_URL") or None

    @cached_property
    def _sdk(self) -> anthropic.Anthropic:
        """Made for the first question, since estimates and what is in the journal need neither SDK nor key."""
        if not self.secret:
            raise missing_key(KEY_VARIABLE, "provider 'anthropic'")
        from anthropic import Anthropic as SDK

        # The client repeats and counts attempts; the SDK's own would be hidden from the budget.
        return SDK(api_key=self.secret, base_url=self._base_url, max_retries=0)

    def ask(self, request: Request, timeout_s: float) -> Answer:
        """The streamed reply, once it is complete."""
        body = self._body(request)
        required = {name: body.pop(name) for name in ("model", "max_tokens", "messages")}
        # Not every version of the SDK has a parameter for the rest; temperature, for one, went away.
        create = self._sdk.messages.create
        stream = self._call(
            lambda: create(**required, extra_body=body, stream=True, timeout=_timeout(timeout_s))
        )
        with stream, shut_after(timeout_s, stream.response) as is_over:
            try:
                return _collected(stream)
            except _IncompleteError as incomplete:
                if is_over.is_set():
                    raise Transient(f"no complete reply within {timeout_s:g} s.", perhaps_paid=True) from None
                raise Transient(str(incomplete), garbled=incomplete.garbled, perhaps_paid=True) from None

    def submit(self, requests: Mapping[str, Request], timeout_s: float) -> str:
        """Hand in questions by key; the name of the batch."""
        entries: Any = [
            {"custom_id": key, "params": self._body(request)} for key, request in requests.items()
        ]
        create = self._sdk.messages.batches.create
        return self._call(lambda: str(create(requests=entries, timeout=_timeout(timeout_s)).id))

    def is_over(self, batch: str, timeout_s: float) -> bool:
        """Whether the results of a batch can be fetched."""
        retrieve = self._sdk.messages.batches.retrieve
        status = self._call(lambda: retrieve(batch, timeout=_timeout(timeout_s)).processing_status)
        return status == "ended"

    def results(self, batch: str, timeout_s: float) -> Iterator[tuple[str, Answer | Exception]]:
        """Key, and the reply or why there is none, of every question of a batch."""
        fetch = self._sdk.messages.batches.results
        entries = self._call(lambda: fetch(batch, timeout=_timeout(timeout_s)))
        try:
            for entry in entries:
                yield entry.custom_id, _result(entry.result)
        except Exception as error:
            # The SDK lets the errors of its HTTP library through, whichever library that is.
            is_garbled = isinstance(error, _UNREADABLE)
            what = "make no sense" if is_garbled else "were cut off"
            raise Transient(f"the results {what} ({type(error).__name__}).", garbled=is_garbled) from None

    def _body(self, request: Request) -> dict[str, Any]:
        body: dict[str, Any] = {
            "model": self.model,
            "max_tokens": request.max_tokens,
            "messages": [{"role": role, "content": text} for role, text in request.messages],
        }
        if request.system:
            cached = {"type": "text", "text": request.system, "cache_control": {"type": "ephemeral"}}
            body["system"] = [cached]
        if request.schema is not None:
            body["output_config"] = {"format": {"type": "json_schema", "schema": dict(request.schema)}}
        if request.temperature is not None:
            body["temperature"] = request.temperature
        return body

    def _call(self, use_sdk: Callable[[], Any]) -> Any:
        """What the SDK returns, its errors put into our words."""
        import anthropic

        try:
            return use_sdk()
        except anthropic.APIStatusError as error:
            raise _judged(error) from None
        except anthropic.APIConnectionError as error:
            # Whoever never got through has nothing to pay.
            unheard = type(error.__cause__).__name__ in ("ConnectError", "ConnectTimeout")
            late = isinstance(error, anthropic.APITimeoutError)
            reason = "no reply in time." if late else "the connection failed."
            raise Transient(reason, perhaps_paid=not unheard) from None
        except (anthropic.APIResponseValidationError, *_UNREADABLE) as error:
            raise Transient(
                f"a reply that makes no sense ({error}).", garbled=True, perhaps_paid=True
            ) from None


class _IncompleteError(Exception):
    def __init__(self, what: str, *, garbled: bool) -> None:
        super().__init__(what)
        self.garbled = garbled


def _collected(stream: Iterable[Any]) -> Answer:
    """The whole reply; a stream may just stop, which only the missing stop_reason shows."""
    import anthropic

    message, texts, stop_reason, output = None, [], None, 0
    try:
        for event in stream:
            if event.type == "message_start":
                message = event.message
            elif event.type == "content_block_delta" and event.delta.type == "text_delta":
                texts.append(event.delta.text)
            elif event.type == "message_delta":
                stop_reason, output = event.delta.stop_reason, event.usage.output_tokens
        text = "".join(texts)
        if message is not None and stop_reason is not None:
            return _answer(message.model, text, stop_reason, message.usage, output)
    except anthropic.APIStatusError as error:
        raise _judged(error) from None
    except _UNREADABLE as error:
        raise _IncompleteError(f"a reply that makes no sense ({error}).", garbled=True) from None
    except Exception as error:
        # The SDK lets the errors of its HTTP library through, whichever library that is.
        raise _IncompleteError(f"the reply was cut off ({type(error).__name__}).", garbled=False) from None
    if message is None:
        raise _IncompleteError("a reply that is not a stream of events.", garbled=True)
    raise _IncompleteError("the reply was cut off.", garbled=False)


def _answer(model: str, text: str, stop_reason: str, usage: Any, output: int) -> Answer:
    paid = Usage(
        input=int(usage.input_tokens),
        output=int(output),
        read=usage.cache_read_input_tokens or 0,
        written=usage.cache_creation_input_tokens or 0,
    )
    return Answer(model, text, _STOPS.get(stop_reason, "end"), stop_reason, paid)


def _result(result: Any) -> Answer | Exception:
    if result.type == "succeeded":
        message = result.message
        text = "".join(block.text for block in message.content if block.type == "text")
        return _answer(message.model, text, message.stop_reason, message.usage, message.usage.output_tokens)
    if result.type == "errored":
        error = result.error.error
        return _error(_STATUS_OF.get(error.type, 500), error.message, {})
    return Transient(f"the batch ended before this question was answered ({result.type}).")


def _judged(error: Any) -> Exception:
    """Our exception for a status error of the SDK."""
    message = error.api_message or str(error)
    if error.status_code < 400:
        # Inside a stream that began well.
        found = _error(_STATUS_OF.get(error.type, 500), message, {})
        return Transient(found.reason, perhaps_paid=True) if isinstance(found, Transient) else found
    return _error(error.status_code, message, error.response.headers)


def _error(status: int, message: str, headers: Mapping[str, str]) -> Exception:
    return error_of_status(status, message, headers, where="provider 'anthropic'", variable=KEY_VARIABLE)


def _timeout(seconds: float) -> Any:
    import anthropic

    return anthropic.Timeout(seconds, connect=min(seconds, LONGEST_CONNECT))
