"""Secrets are found in every spelling, and no log holds half of one."""

from __future__ import annotations

import html
import json
import os
from pathlib import Path
from urllib.parse import quote

import pandas as pd
import pytest

from toolkit.pipeline.runlog import RunLog
from toolkit.pipeline.secrets import Secrets
from toolkit.tests.pipeline.conftest import CANARY


@pytest.mark.parametrize(
    "spelling",
    [
        CANARY,
        json.dumps(CANARY),
        json.dumps(CANARY, ensure_ascii=False),
        repr(CANARY),
        quote(CANARY),
        html.escape(CANARY),
    ],
)
def test_every_spelling_is_taken_out(spelling: str) -> None:
    secrets = Secrets({"CANARY_API_KEY": CANARY})
    assert "[secret CANARY_API_KEY]" in secrets.redact(f"before {spelling} after")
    assert "canary" not in secrets.redact(spelling)
    assert secrets.found_in_text(spelling) == "CANARY_API_KEY"


def test_a_key_of_many_lines_is_taken_out_of_a_log(tmp_path: Path) -> None:
    secrets = Secrets(
        {"SIGNING_KEY": "-----BEGIN KEY-----\nMIIEvQIBADANBg\nkqhkiG9w0BAQEF\n-----END KEY-----"}
    )
    log = RunLog(tmp_path / "run.log", secrets)
    log.write(f"loaded\n{os.linesep.join(['-----BEGIN KEY-----', 'MIIEvQIBADANBg', 'kqhkiG9w0BAQEF'])}\n")
    log.close()
    written = (tmp_path / "run.log").read_text()
    assert "loaded" in written and "MIIEv" not in written and "kqhki" not in written


def test_a_password_in_an_address() -> None:
    secrets = Secrets(
        {"HTTPS_PROXY": "http://ada:correct-horse@proxy:3128", "PAGE": "http://example.org:8080/a@b"}
    )
    assert secrets.redact("by ada:correct-horse@proxy") == "by ada:[secret HTTPS_PROXY]@proxy"
    assert secrets.redact("example.org:8080/a@b") == "example.org:8080/a@b"


def test_which_variables_hold_secrets() -> None:
    secrets = Secrets(
        {
            "HF_TOKEN": "hf_aaaaaaaaaa",
            "db_password": "correct horse",
            "MYSQL_PWD": "battery staple",
            "PWD": "/home/ada/here",
            "HOME": "/home/ada/long/path",
            "API_KEY_FILE": "/home/ada/key.txt",
            "SHORT_KEY": "abc",
            "EMPTY_TOKEN": "",
        }
    )
    text = "hf_aaaaaaaaaa, correct horse, battery staple, /home/ada/here, /home/ada/long/path, /home/ada/key.txt, abc"
    assert secrets.redact(text) == (
        "[secret HF_TOKEN], [secret db_password], [secret MYSQL_PWD], /home/ada/here, /home/ada/long/path, "
        "/home/ada/key.txt, abc"
    )


def test_the_longer_secret_goes_first() -> None:
    secrets = Secrets({"A_KEY": "12345678", "B_KEY": "12345678-abcd"})
    assert secrets.redact("12345678-abcd 12345678") == "[secret B_KEY] [secret A_KEY]"


def test_json_trees_and_files(tmp_path: Path) -> None:
    secrets = Secrets({"CANARY_API_KEY": CANARY})
    tree = {"a": [CANARY, 1, None], CANARY: {"b": f"x{CANARY}"}}
    assert CANARY not in str(secrets.redact_tree(tree))
    path = tmp_path / "some.log"
    path.write_text(f"one\n{CANARY}\n")
    secrets.redact_file(path)
    assert path.read_text() == "one\n[secret CANARY_API_KEY]\n"


def test_compressed_tables_are_looked_into(tmp_path: Path) -> None:
    secrets = Secrets({"CANARY_API_KEY": CANARY})
    clean, dirty = tmp_path / "clean.parquet", tmp_path / "dirty.parquet"
    pd.DataFrame({"a": ["x"], "b": [1]}).to_parquet(clean)
    pd.DataFrame({"a": [f"{CANARY}{i}" for i in range(50)]}).to_parquet(dirty, compression="zstd")
    assert secrets.found_in_file(clean) is None
    assert secrets.found_in_file(dirty) == "CANARY_API_KEY"


def test_a_log_holds_whole_lines_only_and_folds_progress_bars(tmp_path: Path) -> None:
    log = RunLog(tmp_path / "run.log", Secrets({"CANARY_API_KEY": CANARY}))
    log.write(f"half {CANARY[:9]}")
    assert (tmp_path / "run.log").read_text() == ""
    log.write(f"{CANARY[9:]} end\n 10%\r 50%\r")
    log.write("100%\r\n")
    log.note("[cell 2/3] x = 1")
    log.write("no newline")
    log.close()
    lines = (tmp_path / "run.log").read_text().splitlines()
    assert lines[0] == "half [secret CANARY_API_KEY] end"
    assert lines[1] == "100%"
    assert lines[2].endswith("  [cell 2/3] x = 1")
    assert lines[3:] == ["no newline"]
