"""Published files are whole, whatever happens to the writer."""

from __future__ import annotations

import errno
import json
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest

from toolkit import io
from toolkit.errors import DataError, UsageError

WRITER = """
import sys
from toolkit.io import write_json
content = {"values": list(range(20000))}
while True:
    write_json(sys.argv[1], content)
"""


def test_a_killed_writer_leaves_a_whole_file(tmp_path: Path) -> None:
    target = tmp_path / "table.json"
    pauses = random.Random(0)
    for _ in range(4):
        writer = subprocess.Popen([sys.executable, "-c", WRITER, str(target)])
        deadline = time.time() + 30
        while not target.exists() and time.time() < deadline:
            time.sleep(0.01)
        time.sleep(pauses.uniform(0.05, 0.4))
        writer.send_signal(signal.SIGKILL)
        writer.wait()
        assert len(json.loads(target.read_text())["values"]) == 20000


def test_a_failing_block_leaves_the_earlier_file_and_no_litter(tmp_path: Path) -> None:
    target = tmp_path / "a.txt"
    io.write_text(target, "before")
    with pytest.raises(RuntimeError), io.atomic_path(target) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert target.read_text() == "before"
    assert list(tmp_path.iterdir()) == [target]


def test_a_full_disk_is_said_in_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "a.txt"
    io.write_text(target, "before")

    def full(self: Path, content: bytes) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(DataError, match="disk is full.*Free some space"):
        io.write_text(target, "after")
    assert target.read_text() == "before"


def test_json_that_does_not_parse_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text("{")
    with pytest.raises(DataError, match="a.json: not valid JSON"):
        io.read_json(path)
    with pytest.raises(DataError, match="does not exist"):
        io.read_json(tmp_path / "b.json")
    with pytest.raises(ValueError, match="not JSON compliant"):
        io.write_json(path, float("nan"))


@pytest.mark.parametrize("suffix", [".parquet", ".csv"])
def test_tables(tmp_path: Path, suffix: str) -> None:
    table = pd.DataFrame({"participant": [1, 2], "model": ["gcm", "ermi"], "bic": [1.5, 2.5]})
    io.write_table(tmp_path / f"fits{suffix}", table)
    pd.testing.assert_frame_equal(io.read_table(tmp_path / f"fits{suffix}"), table)


def test_tables_that_are_not_there_or_not_whole(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="'.xlsx'"):
        io.write_table(tmp_path / "a.xlsx", pd.DataFrame())
    with pytest.raises(DataError, match="does not exist"):
        io.read_table(tmp_path / "a.parquet")
    (tmp_path / "a.parquet").write_bytes(b"PAR1 and then nothing")
    with pytest.raises(DataError, match="cannot be read"):
        io.read_table(tmp_path / "a.parquet")
