"""Programs read from what a language model replied, however it was wrapped; what is wrong is said exactly."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from toolkit.discovery.program import Program
from toolkit.discovery.rejection import Rejected
from toolkit.discovery.search.journal import as_kept
from toolkit.discovery.task import Task
from toolkit.llm import Reply

FENCE = "```"


def read_programs(reply: Reply) -> list[dict[str, Any]]:
    """The descriptions of programs in a reply: the JSON alone, or in one or several fences.

    Raises
    ------
    Rejected
        where there is none, with the reason: cut off, refused, prose, or JSON that cannot be read.
    """
    found: list[dict[str, Any]] = []
    trouble = ""
    for text in (reply.text, *_fenced(reply.text)):
        try:
            content = _parsed(text)
        except ValueError as error:
            trouble = trouble or str(error)
            continue
        found += _descriptions(content)
        if text is reply.text:
            break
    if found:
        return found
    if reply.stop == "length":
        raise Rejected(
            "contract", "the reply was cut off before its end.", fix="Write fewer, shorter programs."
        )
    if reply.stop == "refusal":
        raise Rejected("contract", "the model would not answer.")
    raise Rejected(
        "contract",
        f"the reply is not JSON with a list 'programs': {trouble or 'it has no such list'}.",
        fix="Reply with the JSON alone, without any other text.",
    )


def _parsed(text: str) -> Any:
    """JSON that can be kept in a journal: without numbers and characters that Python reads and JSON does not have."""
    try:
        content = json.loads(text)
        as_kept(content)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    return content


def fault_of(content: Mapping[str, Any], task: Task) -> Rejected | None:
    """What is wrong with a program, as far as can be told without executing it."""
    try:
        Program.from_json(content, task).contract()
    except Rejected as error:
        return error
    return None


def _fenced(text: str) -> Iterator[str]:
    """The contents of all fences, the last of which may lack its end."""
    for part in text.split(FENCE)[1::2]:
        first, _, rest = part.partition("\n")
        yield rest if first.strip().isalnum() else part


def _descriptions(content: Any) -> list[dict[str, Any]]:
    """Programs in JSON of the form asked for, or in a list, or a single one."""
    if isinstance(content, Mapping):
        content = content.get("programs", [content] if "code" in content else [])
    return [dict(one) for one in content if isinstance(one, Mapping)] if isinstance(content, list) else []
