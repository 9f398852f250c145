"""run.log: what the kernel printed and when each cell began, live, without secrets."""

from __future__ import annotations

import contextlib
import os
import threading
from datetime import datetime
from pathlib import Path

from toolkit.pipeline.secrets import Secrets

LOG_NAME = "run.log"


class RunLog:
    """A log that several threads write to; whole lines only, so that no secret is cut in two.

    Behaves as papermill's ``stdout_file``: it has ``write`` and ``flush``.
    """

    def __init__(self, path: Path, secrets: Secrets) -> None:
        self._secrets = secrets
        self._lock = threading.Lock()
        self._partial = ""
        self._file = path.open("a", encoding="utf-8", errors="replace")
        path.chmod(0o600)

    def write(self, text: str) -> int:
        """Add output of the kernel; of a progress bar's states only the last one is kept."""
        with self._lock:
            *lines, self._partial = (self._partial + text).split("\n")
            for line in lines:
                self._put(_fold(line))
            # A bar may redraw itself for hours without ever ending its line.
            if "\r" in self._partial:
                self._partial = _fold(self._partial) + "\r" * self._partial.endswith("\r")
        return len(text)

    def flush(self) -> None:
        """Nothing to do: each whole line goes to the file at once."""

    def note(self, text: str) -> None:
        """Add a line of the runner's own, with the time."""
        with self._lock:
            self._end_line()
            self._put(f"{datetime.now():%H:%M:%S}  {text}")

    def close(self) -> None:
        """Write what is left and close."""
        with self._lock, contextlib.suppress(OSError):
            self._end_line()
            self._file.close()

    def _end_line(self) -> None:
        if self._partial.strip():
            self._put(_fold(self._partial))
        self._partial = ""

    def _put(self, line: str) -> None:
        # A full disk must not end the section here: publishing will notice and say so.
        with contextlib.suppress(OSError, ValueError):
            self._file.write(self._secrets.redact(line) + "\n")
            self._file.flush()


class Drain(threading.Thread):
    """A pipe whose text goes to the log: what the kernel's process says outside of its cells.

    A crash in native code speaks only there.
    """

    def __init__(self, log: RunLog) -> None:
        super().__init__(daemon=True)
        self._log = log
        self._read_end, self.write_end = os.pipe()

    def run(self) -> None:
        with os.fdopen(self._read_end, encoding="utf-8", errors="replace") as pipe:
            for line in pipe:
                self._log.write(line)

    def close(self) -> None:
        """Close our end; the thread ends once the kernel's end is closed too."""
        os.close(self.write_end)
        self.join(timeout=2)


def _fold(line: str) -> str:
    """What is left of a line after carriage returns have overwritten it."""
    return line.rstrip("\r").rpartition("\r")[2]
