"""Files that appear whole or not at all: temporary file beside the target, fsync, replace."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from toolkit.errors import DataError


@contextlib.contextmanager
def atomic_path(target: str | Path) -> Iterator[Path]:
    """Give a temporary path to write to; publish it as ``target`` if the block succeeds.

    The temporary file keeps the target's suffix, since writers choose a format by it.
    """
    target = Path(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(
        f".{target.stem[:80]}.{os.getpid()}-{secrets.token_hex(4)}.tmp{target.suffix}"
    )
    try:
        yield temporary
        _flush_to_disk(temporary)
        temporary.replace(target)
        _flush_to_disk(target.parent)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise disk_full(target) from error
        raise
    finally:
        temporary.unlink(missing_ok=True)


def disk_full(target: Path) -> DataError:
    """The error for a write that found no room."""
    return DataError(
        "the disk is full, so the file was not written (an earlier version of it is untouched).",
        where=str(target),
        fix="Free some space (`toolkit doctor` shows how much is left) and run the command again.",
    )


def _flush_to_disk(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        # Some network file systems cannot fsync a folder; the rename itself is still atomic there.
        if not (path.is_dir() and error.errno in (errno.EINVAL, errno.ENOTSUP, errno.EBADF)):
            raise
    finally:
        os.close(descriptor)


def write_bytes(path: str | Path, content: bytes) -> None:
    """Write ``content`` as the whole file ``path``."""
    with atomic_path(path) as temporary:
        temporary.write_bytes(content)


def write_text(path: str | Path, content: str) -> None:
    """Write ``content`` in UTF-8 as the whole file ``path``."""
    write_bytes(path, content.encode())


def write_json(path: str | Path, content: Any) -> None:
    """Write ``content`` as JSON: sorted by insertion, indented, no NaN."""
    write_text(path, json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n")
