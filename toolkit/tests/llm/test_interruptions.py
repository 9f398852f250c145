"""A process that is killed loses no reply and pays for none a second time."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from toolkit.llm import Reply, Request
from toolkit.tests.llm.server import AnthropicServer, Asked, Stall

QUESTIONS = 8
ASK = f"""
import sys
from toolkit.llm import Request, get_client
client = get_client("anthropic", journal=sys.argv[1], workers=int(sys.argv[2]), batch=sys.argv[3] == "batch")
client.ask([Request.of(f"question {{i}}") for i in range({QUESTIONS})])
"""


def start(journal: Path, workers: int, how: str) -> subprocess.Popen:
    return subprocess.Popen([sys.executable, "-c", ASK, str(journal), str(workers), how])


def all_questions() -> list[Request]:
    return [Request.of(f"question {i}") for i in range(QUESTIONS)]


@pytest.mark.parametrize("workers", [1, pytest.param(3, marks=pytest.mark.slow)])
def test_a_killed_process_is_continued(connect, journal: Path, workers: int) -> None:
    process = None

    def kill_at_the_sixth(asked: Asked) -> str | Stall:
        if process.poll() is None and len(server.requests) >= 6:
            process.kill()
            process.wait()
            return Stall(0)
        return f"re {asked.prompt}"

    with AnthropicServer(kill_at_the_sixth) as server:
        process = start(journal, workers, "single")
        process.wait(60)
        n_sent = len(server.requests)
        kept = [json.loads(line)["text"] for line in journal.read_text().splitlines()]
        assert n_sent >= 6 and n_sent - workers <= len(kept) < n_sent
        replies = connect().ask(all_questions())
        assert len(server.requests) == n_sent + QUESTIONS - len(kept)
    assert [reply.text for reply in replies] == [f"re question {i}" for i in range(QUESTIONS)]


def test_a_batch_is_waited_for_by_the_next_process(connect, journal: Path) -> None:
    with AnthropicServer(lambda asked: f"re {asked.prompt}", polls=10**9) as server:
        process = start(journal, 1, "batch")
        deadline = time.monotonic() + 60
        while not (journal.exists() and journal.read_text().endswith("\n")) and time.monotonic() < deadline:
            time.sleep(0.05)
        process.kill()
        process.wait()
        server.polls = 0
        replies = connect(batch=True).ask(all_questions())
        assert len(server.batches) == 1
    assert [reply.text for reply in replies] == [f"re question {i}" for i in range(QUESTIONS)]
    assert all(
        isinstance(reply, Reply) for reply in connect("recorded", model=replies[0].model).ask(all_questions())
    )
