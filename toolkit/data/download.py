"""One download: continued where it was cut, repeated while the server is only busy, checked by pooch."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from toolkit.data.cache import wrong_hash
from toolkit.data.registry import DataFile
from toolkit.errors import DataError
from toolkit.io import sha256_of_file
from toolkit.io.atomic import disk_full

if TYPE_CHECKING:
    import requests

BUSY = (408, 425, 429, 500, 502, 503, 504)
PIECE = 1 << 16
LONGEST_WAIT = 60.0


class UnreachableError(DataError):
    """The server did not answer, so asking it for other files is pointless."""


class ResumingDownloader:
    """What pooch calls to get a file: keeps an unfinished one beside the target and continues it.

    Parameters
    ----------
    session
        Connection to reuse.
    part
        Where unfinished bytes are kept between attempts and between runs.
    size
        Bytes expected, 0 if unknown.
    report
        Called with the number of bytes here so far.
    attempts, wait
        Tries in a row that bring no byte, and seconds before the second one; doubled each time.
    """

    def __init__(
        self,
        session: requests.Session,
        part: Path,
        size: int = 0,
        report: Callable[[int], Any] = lambda done: None,
        *,
        attempts: int = 5,
        wait: float = 1.0,
        timeout: float = 30.0,
    ) -> None:
        self.session, self.part, self.size, self.report = session, part, size, report
        self.attempts, self.wait, self.timeout = attempts, wait, timeout
        self.digest = ""

    def __call__(self, url: str, output_file: str | Path, _pooch: object = None) -> None:
        failures = 0
        while not self._finished():
            before = self._here()
            try:
                self._continue(url)
                break
            except _Busy as busy:
                failures = 0 if self._here() > before else failures + 1
                if failures >= self.attempts:
                    raise busy.__cause__ or busy from None
                time.sleep(min(busy.wait or self.wait * 2**failures / 2, LONGEST_WAIT))
        self.digest = sha256_of_file(self.part)
        self.part.replace(output_file)

    def _here(self) -> int:
        return self.part.stat().st_size if self.part.exists() else 0

    def _finished(self) -> bool:
        if self.size and self._here() > self.size:
            self.part.unlink()
        return bool(self.size) and self._here() == self.size

    def _continue(self, url: str) -> None:
        import requests

        here = self._here()
        headers = {"Accept-Encoding": "identity", **({"Range": f"bytes={here}-"} if here else {})}
        try:
            with self.session.get(url, headers=headers, stream=True, timeout=self.timeout) as answer:
                if answer.status_code == 416:
                    self.part.unlink(missing_ok=True)
                    raise _Busy
                if answer.status_code in BUSY:
                    raise _Busy(_seconds(answer.headers.get("Retry-After"))) from requests.HTTPError(
                        f"{answer.status_code} {answer.reason}", response=answer
                    )
                answer.raise_for_status()
                continues = answer.headers.get("Content-Range", "").startswith(f"bytes {here}-")
                self._append(answer, here if answer.status_code == 206 and continues else 0)
        except (
            requests.ConnectionError,
            requests.Timeout,
            requests.exceptions.ChunkedEncodingError,
        ) as error:
            raise _Busy from error

    def _append(self, answer: requests.Response, here: int) -> None:
        self.part.parent.mkdir(parents=True, exist_ok=True)
        with self.part.open("ab" if here else "wb") as file:
            for piece in answer.iter_content(PIECE):
                file.write(piece)
                here += len(piece)
                self.report(here)
            file.flush()
            os.fsync(file.fileno())


class _Busy(Exception):
    def __init__(self, wait: float | None = None) -> None:
        super().__init__("the server did not send the file")
        self.wait = wait


def _seconds(text: str | None) -> float | None:
    return float(text) if text and text.isdecimal() else None


def download(
    session: requests.Session,
    file: DataFile,
    target: Path,
    report: Callable[[int], Any] = lambda done: None,
    **options: Any,
) -> None:
    """Download ``file`` to ``target``; it appears there only if its sha256 matches."""
    import pooch
    import requests

    pooch.get_logger().setLevel("WARNING")
    # The checksum in the name keeps a new version from being glued to the beginning of an old one.
    part = target.with_name(f".{target.name[:100]}.{file.sha256[:12]}.part")
    downloader = ResumingDownloader(session, part, file.bytes, report, **options)
    try:
        pooch.retrieve(
            file.url, f"sha256:{file.sha256}", fname=target.name, path=target.parent, downloader=downloader
        )
    except requests.HTTPError as error:
        status = error.response.status_code if error.response is not None else 0
        kind = UnreachableError if status in BUSY else DataError
        raise kind(f"the server answered {error}.", where=file.url, fix=_advice(status)) from error
    except (requests.RequestException, _Busy) as error:
        raise UnreachableError(
            f"the download failed: {_reason(error)}.",
            where=file.url,
            fix="Check the connection and run the command again: it continues; or set TOOLKIT_MIRROR.",
        ) from error
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise disk_full(target) from error
        raise
    except ValueError as error:
        if not downloader.digest or downloader.digest == file.sha256:
            raise
        raise wrong_hash(
            file,
            downloader.digest,
            file.url,
            "The download was deleted. Run the command again; if it happens again, the public file has changed.",
        ) from error


def _reason(error: Exception) -> str:
    """Why in a few words, since requests puts its whole chain of causes into one message."""
    import requests

    if isinstance(error, requests.Timeout):
        return "the server did not answer in time"
    if isinstance(error, requests.exceptions.ChunkedEncodingError):
        return "the connection broke"
    if isinstance(error, requests.ConnectionError):
        return "no connection to the server"
    return str(error)


def _advice(status: int) -> str:
    if status in BUSY:
        return "The server is busy: run the command again later, it continues where it stopped."
    return "The public file is gone: set TOOLKIT_MIRROR to a folder that holds a copy."
