"""What a reply says: which category it names, and how probable that makes each of them."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

import numpy as np

from toolkit.llm import Reply
from toolkit.trials import MISSING

Source = Literal["letter", "samples", "log-probabilities", "none", "missing"]
"""Where probabilities come from: one reply, the shares of several, the letters' log-probabilities; nowhere,
since no reply named a category (chance); or there is no reply yet."""

_LEAST_NAMED = 0.5
_SMALLEST = 1e-9


class Judgement(NamedTuple):
    """What a model thinks of a trial: ``p`` (options,), where it comes from, and the category it said."""

    p: np.ndarray
    source: Source
    said: int


def named_category(text: str, letters: Sequence[str]) -> int | None:
    """The category that a text names, None if it names none or several.

    >>> named_category("It is K.", "KQ"), named_category("K or Q?", "KQ"), named_category("q", "KQ")
    (0, None, 1)
    """
    bare = re.sub(r"\W", "", text).upper()
    if bare in letters:
        return letters.index(bare)
    words = set(re.findall(r"(?<!\w)[A-Z](?!\w)", text)) & set(letters)
    return letters.index(words.pop()) if len(words) == 1 else None


def letter_probabilities(logprobs: Mapping[str, float], letters: Sequence[str]) -> np.ndarray | None:
    """Probability of every category (options,) by how likely its letter is as the first token.

    None if the first token is more likely something else than a letter. A letter that is not among the
    alternatives gets what they leave over, but at most as much as the least likely of them.
    """
    listed = {token: math.exp(value) for token, value in logprobs.items()}
    p = np.zeros(len(letters))
    for token, probability in listed.items():
        bare = re.sub(r"\W", "", token).upper()
        if bare in letters:
            p[letters.index(bare)] += probability
    if p.sum() < _LEAST_NAMED:
        return None
    absent = p == 0
    if absent.any():
        left_over = max(0.0, 1 - sum(listed.values())) / absent.sum()
        p[absent] = max(_SMALLEST, min(left_over, *listed.values()))
    return p / p.sum()


def is_usable(reply: Reply, letters: Sequence[str]) -> bool:
    """Whether a reply says something about the category."""
    return _probabilities(reply, letters) is not None or _named(reply, letters) is not None


def judge(replies: Sequence[Reply], letters: Sequence[str]) -> Judgement:
    """What replies to one question, the last of each sample, say together.

    One reply makes the category it names certain, unless its log-probabilities are known; of several,
    every category counts once more than it was named.
    """
    for reply in replies:
        p = _probabilities(reply, letters)
        if p is not None:
            named = _named(reply, letters)
            return Judgement(p, "log-probabilities", int(p.argmax()) if named is None else named)
    named = [category for reply in replies if (category := _named(reply, letters)) is not None]
    n_options = len(letters)
    if not named:
        return Judgement(np.full(n_options, 1 / n_options), "none", MISSING)
    counts = np.bincount(named, minlength=n_options)
    if len(replies) == 1:
        return Judgement(counts.astype(float), "letter", named[0])
    return Judgement((counts + 1) / (len(named) + n_options), "samples", named[0])


def _named(reply: Reply, letters: Sequence[str]) -> int | None:
    return None if reply.stop == "refusal" else named_category(reply.text, letters)


def _probabilities(reply: Reply, letters: Sequence[str]) -> np.ndarray | None:
    return None if not reply.logprobs else letter_probabilities(reply.logprobs, letters)
