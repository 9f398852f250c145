"""What tokens cost: USD for a million, by model."""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass

from toolkit.llm.messages import Request, Usage


@dataclass(frozen=True)
class Price:
    """USD for a million tokens of a model.

    Attributes
    ----------
    input, output
        Of the prompt and of the reply; thinking is paid as output.
    read, written
        Multiples of ``input`` for tokens read from the prompt cache and written to it.
    batch
        Multiple of everything for questions asked in a batch.
    long_from, long
        Prompts of more tokens than the first cost the second times as much.
    """

    input: float
    output: float
    read: float = 0.1
    written: float = 1.25
    batch: float = 0.5
    long_from: int | None = None
    long: float = 1.0

    def of(self, usage: Usage, *, batch: bool = False) -> float:
        """USD for ``usage``.

        >>> Price(input=2, output=10).of(Usage(input=500_000, output=100_000))
        2.0
        """
        prompt = usage.input + usage.read * self.read + usage.written * self.written
        usd = (prompt * self.input + usage.output * self.output) / 1e6
        if self.long_from is not None and usage.input + usage.read + usage.written > self.long_from:
            usd *= self.long
        return usd * self.batch if batch else usd

    def at_most(self, request: Request, *, batch: bool = False) -> float:
        """USD for the longest reply to ``request``, its prompt counted as :func:`prompt_tokens_at_most`."""
        # Whether the prompt is written to the cache is the provider's choice.
        tokens = math.ceil(prompt_tokens_at_most(request) * max(1.0, self.written))
        return self.of(Usage(input=tokens, output=request.max_tokens), batch=batch)


FREE = Price(0, 0)

# Compared with the providers' price lists on 2026-11-25.
PRICES = {
    "claude-fable-5-1": Price(10, 50, read=0.025),
    "claude-fable-5": Price(10, 50),
    "claude-opus-5-5": Price(4, 20, read=0.05),
    "claude-opus-5": Price(5, 25),
    "claude-opus-4-8": Price(5, 25),
    "claude-opus-4-7": Price(5, 25),
    "claude-opus-4-6": Price(5, 25),
    "claude-opus-4-5": Price(5, 25),
    "claude-sonnet-5-5": Price(2, 10, read=0.05),
    "claude-sonnet-5": Price(2, 10),
    "claude-sonnet-4-6": Price(3, 15),
    "claude-sonnet-4-5": Price(3, 15),
    "claude-haiku-5-5": Price(0.1, 0.5, long_from=100_000, long=5.0),
    "claude-haiku-4-5": Price(1, 5),
}


def price_of(model: str) -> Price | None:
    """Price of a model, also of one named with its date; None if the table does not know it.

    >>> price_of("claude-haiku-4-5-20251001") == price_of("claude-haiku-4-5")
    True
    """
    return PRICES.get(re.sub(r"-20\d{6}$", "", model))


def prompt_tokens_at_most(request: Request) -> int:
    """Tokens that the prompt cannot exceed: one for every byte, and what providers wrap around it."""
    texts = [request.system, *(text for _, text in request.messages)]
    if request.schema is not None:
        texts.append(json.dumps(dict(request.schema)))
    wrapping = 500 + 20 * len(request.messages)
    return sum(len(text.encode()) for text in texts) + wrapping


def prompt_tokens_likely(request: Request) -> int:
    """Tokens of the prompt on the high side of what English text needs: one for three bytes."""
    return -(-prompt_tokens_at_most(request) // 3)
