"""Fetching into the cache, from a mirror or an address; loading never uses the network."""

from __future__ import annotations

import gzip
import json
import os
import zipfile

import pytest

from toolkit.data import fetch
from toolkit.data.cache import LEDGER, Cache, locate, locate_one
from toolkit.data.fetching import holdings
from toolkit.data.registry import describe
from toolkit.errors import DataError, UsageError
from toolkit.io import sha256_of_file
from toolkit.tests.data.project import Server, sha256, write_registry

FILES = {f"set/{name}.csv": f"x\n{name}\n".encode() * 50 for name in ("one", "two", "three")}


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    server = Server(b"")
    yield server
    server.close()


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project with one data set of three files at an address where nobody answers."""
    monkeypatch.setenv("TOOLKIT_HOME", str(tmp_path))
    monkeypatch.delenv("TOOLKIT_DATA", raising=False)
    monkeypatch.delenv("TOOLKIT_MIRROR", raising=False)
    write_registry(
        tmp_path, {"small": {path: ("http://127.0.0.1:9/x", content) for path, content in FILES.items()}}
    )
    return tmp_path


@pytest.fixture
def mirror(project, monkeypatch):
    folder = project / "mirror"
    (folder / "set").mkdir(parents=True)
    (folder / "set/one.csv").write_bytes(FILES["set/one.csv"])
    (folder / "set/two.csv.gz").write_bytes(gzip.compress(FILES["set/two.csv"]))
    (folder / "set/three.csv").write_bytes(FILES["set/three.csv"])
    monkeypatch.setenv("TOOLKIT_MIRROR", str(folder))
    return folder


def test_the_mirror_serves_plain_and_gzipped_files(project, mirror):
    assert fetch("small") == (0, 3, 0)
    for path, content in FILES.items():
        assert (project / "data/raw" / path).read_bytes() == content
    assert fetch("small") == (3, 0, 0)


def test_the_mirror_serves_members_of_an_archive(project, mirror):
    with zipfile.ZipFile(mirror / "set/many.zip", "w") as archive:
        archive.writestr("a/1.csv", b"1")
        archive.writestr("a/2.csv", b"2")
    lines = "".join(f"{sha256(str(n).encode())}  a/{n}.csv\n" for n in (1, 2))
    (project / "data/many.sha256").write_text(lines)
    with (project / "data/registry.toml").open("a") as file:
        file.write(
            '[[dataset.family]]\nfolder = "many/"\nurl = "http://127.0.0.1:9/"\n'
            'checksums = "many.sha256"\nbytes = 2\narchive = "set/many.zip"\n'
        )
    assert fetch("small") == (0, 5, 0)
    assert [path.read_text() for path in locate("small", "a/*.csv")] == ["1", "2"]


def test_a_wrong_file_in_the_mirror_is_refused_with_both_hashes(project, mirror):
    (mirror / "set/one.csv").write_bytes(b"other")
    with pytest.raises(DataError, match="mirror") as caught:
        fetch("small")
    assert sha256(b"other") in str(caught.value) and sha256(FILES["set/one.csv"]) in str(caught.value)
    assert not (project / "data/raw/set/one.csv").exists()


def test_a_broken_archive_in_the_mirror_is_an_error_with_its_name(project, mirror):
    whole = gzip.compress(FILES["set/two.csv"])
    for broken in (b"no gzip", whole[:10] + b"\xff" * 8 + whole[18:], whole[:-9]):
        (mirror / "set/two.csv.gz").write_bytes(broken)
        with pytest.raises(DataError, match=r"two\.csv.*cannot be read"):
            fetch("small")


def test_loading_takes_the_mirror_and_then_the_cache(project, mirror, monkeypatch):
    assert locate_one("small", "one.csv").read_bytes() == FILES["set/one.csv"]
    monkeypatch.delenv("TOOLKIT_MIRROR")
    assert locate_one("small", "one.csv").read_bytes() == FILES["set/one.csv"]


def test_loading_without_data_says_how_to_get_them(project):
    with pytest.raises(DataError, match=r"'set/one\.csv'.*toolkit fetch small.*TOOLKIT_MIRROR"):
        locate_one("small", "one.csv")
    with pytest.raises(UsageError, match="has no file"):
        locate_one("small", "four.csv")


def test_a_changed_file_is_refused_and_fetch_replaces_it(project, mirror):
    fetch("small")
    path = project / "data/raw/set/one.csv"
    path.write_bytes(FILES["set/one.csv"].replace(b"one", b"two"))
    with pytest.raises(DataError, match=r"toolkit fetch small. replaces") as caught:
        locate_one("small", "one.csv")
    assert sha256(FILES["set/one.csv"]) in str(caught.value)
    assert fetch("small") == (2, 1, 0)
    assert locate_one("small", "one.csv").read_bytes() == FILES["set/one.csv"]


def test_verified_files_are_not_hashed_again_until_they_change(project, mirror, monkeypatch):
    fetch("small")
    hashed = []
    monkeypatch.setattr(
        "toolkit.data.cache.sha256_of_file", lambda path: hashed.append(path.name) or sha256_of_file(path)
    )
    fetch("small")
    hashed.clear()
    fetch("small")
    assert hashed == []
    os.utime(project / "data/raw/set/two.csv", (1, 1))
    fetch("small")
    assert hashed == ["two.csv"]


@pytest.mark.parametrize("content", ["", "[]", "{", '{"set/one.csv": 3}', '{"set/one.csv": [1, 2]}'])
def test_a_damaged_ledger_only_costs_hashing(project, mirror, content):
    fetch("small")
    (project / "data/raw" / LEDGER).write_text(content)
    assert fetch("small") == (3, 0, 0)


def test_the_ledger_is_not_believed_for_another_hash(project, mirror):
    fetch("small")
    fetch("small")
    ledger = json.loads((project / "data/raw" / LEDGER).read_text())
    assert set(ledger) == set(FILES)
    with Cache() as cache:
        file = describe("small").files[0]
        assert cache.holds(file)
        assert not cache.holds(file.model_copy(update={"sha256": "0" * 64}))


def test_fetch_downloads_what_the_mirror_lacks(project, mirror, server):
    server.content = FILES["set/three.csv"]
    addresses = {path: (server.url("right"), content) for path, content in FILES.items()}
    write_registry(project, {"small": addresses})
    (mirror / "set/three.csv").unlink()
    assert fetch("small") == (0, 2, 1)
    assert (project / "data/raw/set/three.csv").read_bytes() == FILES["set/three.csv"]


def test_one_bad_file_does_not_keep_the_others_away(project, server):
    server.content = FILES["set/two.csv"]
    addresses = {
        path: (server.url("right" if "two" in path else "nowhere"), content)
        for path, content in FILES.items()
    }
    write_registry(project, {"small": addresses})
    with pytest.raises(DataError, match="2 of 3 files") as caught:
        fetch("small")
    assert str(caught.value).count("404") == 2
    assert holdings(["small"])[0].n_here == 1
    assert holdings(["small"])[0].state == "partly"


def test_an_unreachable_server_is_asked_once_only(project, monkeypatch):
    monkeypatch.setattr("toolkit.data.download.time.sleep", lambda seconds: None)
    with pytest.raises(DataError, match="Check the connection"):
        fetch("small")


def test_files_that_were_not_tried_are_not_said_to_be_here(project, server, monkeypatch):
    monkeypatch.setattr("toolkit.data.download.time.sleep", lambda seconds: None)
    one, *others = FILES.items()
    addresses = {path: ("http://127.0.0.1:9/x", content) for path, content in others}
    write_registry(project, {"small": {one[0]: (server.url("nowhere"), one[1]), **addresses}})
    with pytest.raises(DataError, match=r"2 of 3 files .* Not tried: 1\. Run the command again"):
        fetch("small")


def test_an_unknown_name_is_an_error_with_a_suggestion(project):
    with pytest.raises(UsageError, match="Did you mean 'small'"):
        fetch("smal")
