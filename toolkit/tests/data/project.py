"""A tiny project with a registry of its own, and a server that misbehaves on request."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

HEAD = """[[dataset]]
name = "{name}"
title = "A set"
kind = "human"
citation = "A. Uthor (2000)"
licence = "MIT"
caveats = []
[dataset.columns]
x = "a number"
"""


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def write_registry(root: Path, sets: dict[str, dict[str, tuple[str, bytes]]]) -> None:
    """``sets``: data set -> path -> (address, right content)."""
    parts = []
    for name, files in sets.items():
        parts.append(HEAD.format(name=name))
        for path, (url, content) in files.items():
            parts.append(
                f'[[dataset.file]]\npath = "{path}"\nurl = "{url}"\nsha256 = "{sha256(content)}"\n'
                f"bytes = {len(content)}\n"
            )
    (root / "data").mkdir(exist_ok=True)
    (root / "data" / "registry.toml").write_text("".join(parts))


class Server:
    """Serves ``content`` at any path; the path says how: /right, /corrupt, /cut, /busy, …"""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.asked: list[tuple[str, str | None]] = []
        self.cuts_left = 1
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                server.answer(self)

            def log_message(self, *_: object) -> None:
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self._http.server_port}/{path}"

    def close(self) -> None:
        self._http.shutdown()
        self._http.server_close()

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        how = request.path.strip("/").partition("/")[0]
        wanted = request.headers.get("Range")
        self.asked.append((how, wanted))
        n_before = sum(1 for asked, _ in self.asked if asked == how) - 1
        behaviour: Callable | None = getattr(self, f"_{how}", None)
        if behaviour:
            behaviour(request, n_before, wanted)
        else:
            request.send_error(404)

    def _send(
        self, request: BaseHTTPRequestHandler, body: bytes, wanted: str | None, upto: int | None = None
    ) -> None:
        start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted else 0
        if start >= len(body):
            request.send_error(416)
            return
        request.send_response(206 if wanted else 200)
        if wanted:
            request.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
        request.send_header("Content-Length", str(len(body) - start))
        request.end_headers()
        request.wfile.write(body[start:upto])
        request.close_connection = True

    def _right(self, request, n_before, wanted) -> None:
        self._send(request, self.content, wanted)

    def _corrupt(self, request, n_before, wanted) -> None:
        self._send(request, b"?" + self.content[1:], wanted)

    def _cut(self, request, n_before, wanted) -> None:
        cut = n_before < self.cuts_left
        self._send(request, self.content, wanted, len(self.content) // 2 if cut else None)

    def _forgetful(self, request, n_before, wanted) -> None:
        self._send(request, self.content, None, len(self.content) // 2 if n_before < self.cuts_left else None)

    def _busy(self, request, n_before, wanted) -> None:
        request.send_error(503) if n_before < 2 else self._send(request, self.content, wanted)

    def _down(self, request, n_before, wanted) -> None:
        request.send_error(503)

    def _slow(self, request, n_before, wanted) -> None:
        if n_before == 0:
            time.sleep(0.6)
        self._send(request, self.content, wanted)
