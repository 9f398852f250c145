"""Downloads against a server on this machine that is right, wrong, cut short, slow, busy or gone."""

from __future__ import annotations

import errno

import pytest

from toolkit.data.download import UnreachableError, download
from toolkit.data.registry import DataFile
from toolkit.errors import DataError
from toolkit.tests.data.project import Server, sha256

CONTENT = bytes(range(256)) * 2000


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    server = Server(CONTENT)
    yield server
    server.close()


@pytest.fixture
def get(server, tmp_path):
    import requests

    def get(how: str, *, content: bytes = CONTENT, size: int | None = None, **options):
        size = len(content) if size is None else size
        file = DataFile(path="a.bin", url=server.url(how), sha256=sha256(content), bytes=size)
        with requests.Session() as session:
            download(session, file, tmp_path / "a.bin", **{"wait": 0.01, "timeout": 5.0, **options})
        return (tmp_path / "a.bin").read_bytes()

    return get


def _start(wanted: str | None) -> int:
    return int(wanted.removeprefix("bytes=").rstrip("-")) if wanted else 0


def test_a_right_file_arrives_whole_and_nothing_else_stays(get, tmp_path):
    seen = []
    assert get("right", report=seen.append) == CONTENT
    assert seen[-1] == len(CONTENT) and seen == sorted(seen)
    assert [path.name for path in tmp_path.iterdir()] == ["a.bin"]


def test_a_wrong_hash_deletes_the_file_and_names_both_hashes(get, tmp_path):
    with pytest.raises(DataError) as caught:
        get("corrupt")
    assert sha256(CONTENT) in str(caught.value)
    assert sha256(b"?" + CONTENT[1:]) in str(caught.value)
    assert "corrupt" in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_a_wrong_file_never_replaces_what_was_there(get, tmp_path):
    (tmp_path / "a.bin").write_bytes(b"old")
    with pytest.raises(DataError):
        get("corrupt")
    assert (tmp_path / "a.bin").read_bytes() == b"old"


@pytest.mark.parametrize("size", [None, 0])
def test_a_cut_connection_is_continued_where_it_broke(get, server, size):
    assert get("cut", size=size) == CONTENT
    assert [_start(wanted) > 0 for _, wanted in server.asked] == [False, True]


def test_a_later_run_continues_an_unfinished_file(get, server, tmp_path):
    server.cuts_left = 1
    with pytest.raises(UnreachableError, match=r"connection broke\..*it continues"):
        get("cut", attempts=0)
    assert not (tmp_path / "a.bin").exists()
    assert get("cut") == CONTENT
    assert [_start(wanted) > 0 for _, wanted in server.asked] == [False, True]


def test_a_server_that_cannot_continue_starts_over(get, server):
    seen = []
    assert get("forgetful", report=seen.append) == CONTENT
    assert server.asked[1][1] is not None
    assert seen[-1] == len(CONTENT)


def test_the_beginning_of_another_version_is_not_used(get, server):
    server.cuts_left = 1
    with pytest.raises(UnreachableError):
        get("cut", attempts=0)
    server.content = CONTENT[::-1]
    assert get("right", content=CONTENT[::-1]) == CONTENT[::-1]


def test_a_complete_but_unpublished_file_is_checked_not_asked_for(get, server, tmp_path):
    (tmp_path / f".a.bin.{sha256(CONTENT)[:12]}.part").write_bytes(CONTENT)
    assert get("right") == CONTENT
    assert server.asked == []


def test_too_long_a_part_is_thrown_away(get, tmp_path):
    (tmp_path / f".a.bin.{sha256(CONTENT)[:12]}.part").write_bytes(CONTENT + b"more")
    assert get("right") == CONTENT


def test_a_busy_server_is_asked_again(get, server):
    assert get("busy") == CONTENT
    assert len(server.asked) == 3


def test_a_slow_answer_is_asked_for_again(get, server):
    assert get("slow", timeout=0.2) == CONTENT
    assert len(server.asked) == 2


def test_a_server_that_stays_busy_is_given_up(get, server):
    with pytest.raises(UnreachableError, match=r"503.*run the command again later"):
        get("down", attempts=3)
    assert len(server.asked) == 3


def test_a_file_that_is_gone_is_not_asked_for_twice(get, server):
    with pytest.raises(DataError, match=r"404.*TOOLKIT_MIRROR"):
        get("nowhere")
    assert len(server.asked) == 1


def test_no_connection_says_what_to_do(get, server):
    server.close()
    with pytest.raises(UnreachableError, match=r"no connection to the server\. Check the connection"):
        get("right", attempts=1)


def test_a_full_disk_is_said_in_words(get, monkeypatch):
    def full(descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("toolkit.data.download.os.fsync", full)
    with pytest.raises(DataError, match=r"disk is full.*Free some space"):
        get("right")
