"""The journal: every reply on a line of its own, on the disk before anything else happens."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from toolkit.errors import DataError
from toolkit.io import append_line, sha256_of_bytes
from toolkit.llm.budget import Cost
from toolkit.llm.messages import Reply, Request, Usage
from toolkit.llm.secrets import without_secret
from toolkit.texts import encodable


class Journal:
    """Replies by key, in a file that only grows; safe to share between threads.

    A line that was cut by a crash is passed over. Lines that another process adds are seen at the
    next :meth:`refresh`.

    Parameters
    ----------
    path
        JSON Lines; made at the first reply.
    read_only
        The file has to exist and is not touched.
    """

    def __init__(self, path: str | Path, *, read_only: bool = False) -> None:
        self.path, self.read_only, self.secret = Path(path), read_only, ""
        if read_only and not self.path.is_file():
            raise DataError("there is no such recording.", where=str(path), fix="Check the path.")
        self._lock = threading.Lock()
        self._replies: dict[str, Reply] = {}
        self._batches: dict[str, set[str]] = {}
        self._spent_by_key: dict[str, Cost] = {}
        self._model_of: dict[str, str] = {}
        self._position = self._n_lines = 0
        self.refresh()

    def __contains__(self, key: str) -> bool:
        return key in self._replies

    def __getitem__(self, key: str) -> Reply:
        return self._replies[key]

    @property
    def models(self) -> list[str]:
        """Names under which models were asked, sorted."""
        return sorted(set(self._model_of.values()))

    def replies_of(self, model: str) -> list[Reply]:
        """All replies of a model, in the order in which they came."""
        return [reply for key, reply in self._replies.items() if self._model_of[key] == model]

    @property
    def spent(self) -> Cost:
        """What everything in it cost, lost attempts at the most they can have cost."""
        costs = self._spent_by_key.values()
        return Cost(sum(cost.usd for cost in costs), sum(cost.tokens for cost in costs))

    @property
    def open_batches(self) -> dict[str, set[str]]:
        """Batches with the keys whose results have not been fetched."""
        return {name: set(keys) for name, keys in self._batches.items() if keys}

    def refresh(self) -> None:
        """Read the lines that were added since the last time."""
        with self._lock:
            if not self.path.is_file():
                return
            with self.path.open("rb") as file:
                file.seek(self._position)
                added = file.read()
            *whole, rest = added.split(b"\n")
            if _parsed(rest) is not None:
                # A recording from an editor may lack the last line break.
                whole, rest = [*whole, rest], b""
            self._position += len(added) - len(rest)
            for line in whole:
                self._n_lines += 1
                self._read(line)

    def add_reply(self, request: Request, reply: Reply, *, model: str, stop_reason: str) -> None:
        """Keep a reply, with the question and what the provider said about why it ended."""
        prompt = json.dumps([request.system, request.messages], ensure_ascii=False)
        self._add(
            {
                "kind": "reply",
                "key": reply.key,
                "prompt_sha256": sha256_of_bytes(prompt.encode()),
                "model": model,
                "request": asdict(request),
                "answered_by": reply.model,
                "text": reply.text,
                "stop": reply.stop,
                "stop_reason": stop_reason,
                "usage": asdict(reply.usage),
                "usd": reply.usd,
                "logprobs": None if reply.logprobs is None else dict(reply.logprobs),
            }
        )

    def add_lost(self, key: str, reason: str, at_most: Cost) -> None:
        """Keep that an attempt brought no reply but may be charged for."""
        self._add({"kind": "lost", "key": key, "reason": reason, **at_most._asdict()})

    def add_batch(self, batch: str, keys: Iterable[str]) -> None:
        """Keep that questions were handed in together."""
        self._add({"kind": "batch", "batch": batch, "keys": list(keys)})

    def add_unanswered(self, batch: str, keys: Iterable[str]) -> None:
        """Keep that a batch is over without a reply to some of its questions."""
        self._add({"kind": "unanswered", "batch": batch, "keys": list(keys)})

    def _add(self, entry: dict[str, Any]) -> None:
        if self.read_only:
            raise DataError("the recording is opened for reading only.", where=str(self.path))
        entry["at"] = datetime.now(UTC).isoformat(timespec="seconds")
        line = json.dumps(entry, ensure_ascii=False, allow_nan=False)
        line = without_secret(encodable(line), self.secret)
        with self._lock:
            append_line(self.path, line)
        self.refresh()

    def _read(self, line: bytes) -> None:
        entry = _parsed(line)
        if entry is None:
            return
        try:
            self._take_in(entry)
        except (KeyError, TypeError, AttributeError) as error:
            raise DataError(
                f"not an entry of a journal ({type(error).__name__}: {error}).",
                where=f"{self.path}, line {self._n_lines}",
                fix="Correct or remove the line.",
            ) from error

    def _take_in(self, entry: dict[str, Any]) -> None:
        kind = entry["kind"]
        if kind == "reply":
            reply = Reply(
                key=entry["key"],
                model=entry["answered_by"],
                text=entry["text"],
                stop=entry["stop"],
                usage=Usage(**entry["usage"]),
                usd=entry["usd"],
                logprobs=entry["logprobs"],
            )
            self._replies.setdefault(reply.key, reply)
            self._model_of.setdefault(reply.key, entry["model"])
            self._spend(reply.key, Cost(reply.usd or 0.0, sum(entry["usage"].values())))
            for keys in self._batches.values():
                keys.discard(reply.key)
        elif kind == "lost":
            self._spend(entry["key"], Cost(entry["usd"], entry["tokens"]))
        elif kind == "batch":
            self._batches[entry["batch"]] = set(entry["keys"]) - self._replies.keys()
        elif kind == "unanswered":
            self._batches.get(entry["batch"], set()).difference_update(entry["keys"])
        else:
            raise KeyError(kind)

    def _spend(self, key: str, cost: Cost) -> None:
        before = self._spent_by_key.get(key, Cost())
        self._spent_by_key[key] = Cost(before.usd + cost.usd, before.tokens + cost.tokens)


def _parsed(line: bytes) -> Any:
    """Content of a line, None if it is empty or was cut."""
    try:
        return json.loads(line)
    except ValueError:
        return None
