"""Files that only grow, a line at a time, each on the disk before anything else happens."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from toolkit.io.atomic import disk_full


def append_line(path: Path, line: str) -> None:
    """Add a line to a file, which is made if it is not there.

    What a crash left unfinished before stays on a line of its own.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab+") as file:
            if file.tell():
                file.seek(-1, os.SEEK_END)
                line = line if file.read(1) == b"\n" else "\n" + line
            file.write(f"{line}\n".encode())
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise disk_full(path) from error
        raise
