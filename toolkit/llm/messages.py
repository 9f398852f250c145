"""What is asked of a language model and what comes back, the same for every provider."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Role = Literal["user", "assistant"]

Stop = Literal["end", "length", "refusal"]
"""Why a reply ended: by itself, cut off at ``max_tokens``, or because the model would not answer."""


@dataclass(frozen=True)
class Request:
    """One question.

    Attributes
    ----------
    messages
        Turns as (role, text), the first and the last by the user.
    system
        Instructions that stand before the conversation; providers that cache prompts cache them.
    sample
        Number of the draw: the same prompt with another number is another question.
    temperature
        None leaves it to the model; some models refuse to be told.
    schema
        JSON schema that the reply has to obey.
    top_logprobs
        How many alternatives to the first token to return with their log-probabilities, where the
        provider knows them.
    """

    messages: tuple[tuple[Role, str], ...]
    system: str = ""
    max_tokens: int = 4000
    temperature: float | None = None
    sample: int = 0
    schema: Mapping[str, Any] | None = None
    top_logprobs: int = 0

    @classmethod
    def of(cls, text: str, **settings: Any) -> Request:
        """A question of a single turn."""
        return cls(messages=(("user", text),), **settings)

    def key(self, model: str) -> str:
        """Hash of everything that decides the reply; the name under which it is kept."""
        content = {"model": model, **asdict(self)}
        return hashlib.sha256(json.dumps(content, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


@dataclass(frozen=True)
class Usage:
    """Tokens that were paid for; ``read`` and ``written`` are those of the prompt cache."""

    input: int = 0
    output: int = 0
    read: int = 0
    written: int = 0


@dataclass(frozen=True)
class Reply:
    """One answer, whole or cut off.

    Attributes
    ----------
    key
        Of the request, see :meth:`Request.key`.
    model
        The model that answered, as the provider names it.
    usd
        What it cost; None if the price of the model is not known.
    logprobs
        Alternatives to the first token with their log-probabilities, if they were asked for and given.
    """

    key: str
    model: str
    text: str
    stop: Stop
    usage: Usage = field(default_factory=Usage)
    usd: float | None = None
    logprobs: Mapping[str, float] | None = None


@dataclass(frozen=True)
class Failure:
    """A request that has no answer, and why: attempts used up, refused by the provider, or cap reached."""

    key: str
    reason: str
