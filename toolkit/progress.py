"""Progress of long work: a bar for people, a small file for `toolkit status`."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TypeVar

from toolkit.io import write_json

Item = TypeVar("Item")

FILE_VARIABLE = "TOOLKIT_PROGRESS_FILE"
"""Environment variable by which a runner asks for progress in a file."""

_SECONDS_BETWEEN_WRITES = 1.0


def track(items: Iterable[Item], what: str, total: int | None = None) -> Iterator[Item]:
    """Go through ``items`` and show how far it is.

    In a run started by the pipeline the state goes to the file that ``toolkit status --follow``
    reads; elsewhere it is a progress bar.

    >>> list(track([1, 2], "squaring"))
    [1, 2]
    """
    if total is None and hasattr(items, "__len__"):
        total = len(items)
    target = os.environ.get(FILE_VARIABLE)
    if target:
        yield from _track_in_file(items, what, total, Path(target))
    else:
        from tqdm.auto import tqdm

        yield from tqdm(items, desc=what, total=total, leave=False, delay=1.0)


def say(line: str) -> None:
    """Print a line while bars may be shown, which then go on below it and not in the middle of it."""
    from tqdm.auto import tqdm

    tqdm.write(line)


def _track_in_file(items: Iterable[Item], what: str, total: int | None, target: Path) -> Iterator[Item]:
    started, written, done = time.time(), 0.0, 0
    for item in items:
        if time.time() - written > _SECONDS_BETWEEN_WRITES:
            _write_state(target, what, done, total, started)
            written = time.time()
        yield item
        done += 1
    _write_state(target, what, done, total, started)


def _write_state(target: Path, what: str, done: int, total: int | None, started: float) -> None:
    elapsed = time.time() - started
    left = elapsed / done * (total - done) if done and total else None
    write_json(
        target,
        {"what": what, "done": done, "total": total, "elapsed_s": elapsed, "left_s": left, "at": time.time()},
    )
