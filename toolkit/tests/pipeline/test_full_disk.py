"""A full disk ends as a failure that says so, whoever met it: the notebook or the runner."""

from __future__ import annotations

import errno
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from toolkit.manifest import read_manifest
from toolkit.pipeline import runs, section
from toolkit.pipeline.section import run_section
from toolkit.tests.pipeline.conftest import Project
from toolkit.tests.pipeline.test_freshness import pretend


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 4 MB."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        pytest.skip("only root can mount a small file system")
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(folder)], capture_output=True
    )
    if mounted.returncode != 0:
        pytest.skip(f"no tmpfs can be mounted here: {mounted.stderr.decode().strip()}")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=False)


@pytest.mark.parametrize("who", ["the notebook", "a library"])
def test_the_disk_fills_while_the_notebook_runs(
    project: Project, small_disk: Path, monkeypatch: pytest.MonkeyPatch, who: str
) -> None:
    monkeypatch.setenv("TOOLKIT_RUNS", str(small_disk))
    if who == "the notebook":
        cell = 'import numpy as np\nrun.save("large", {"x": np.zeros(10**6)})'
    else:
        cell = 'with open(run.folder / "large", "wb") as file: file.write(bytes(10**7))'
    project.add("01_a", cell)
    run = project.run()
    manifest = run_section(run, "01_a")
    assert manifest.status == "failed"
    assert f"the disk that holds {run.folder} is full" in manifest.reason
    assert "Free some space" in manifest.advice
    assert read_manifest(run.section_folder("01_a")) == manifest
    assert not (run.section_folder("01_a") / "executed.ipynb").exists()
    assert not list(run.work.glob("*"))


def test_no_room_at_all_is_an_error_on_the_terminal(project: Project, small_disk: Path) -> None:
    project.add("01_a")
    (small_disk / "filler").write_bytes(b"")
    with pytest.raises(OSError), (small_disk / "filler").open("wb") as file:
        while True:
            file.write(bytes(4096))
    result = project.toolkit("run", "--profile", "smoke", TOOLKIT_RUNS=str(small_disk))
    assert result.returncode in (3, 4), result.stdout + result.stderr
    message = " ".join(result.stderr.split())
    assert "the disk" in message and "full" in message and "Free some space" in message
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("place", ["notebook", "manifest"])
def test_the_disk_fills_while_a_success_is_published(
    project: Project, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    project.add("01_a")
    run = project.run()
    calls = []

    def full(*_: object) -> None:
        calls.append(1)
        raise OSError(errno.ENOSPC, "No space left on device")

    if place == "notebook":
        monkeypatch.setattr(section, "write_text", _only_for("executed.ipynb", full, section.write_text))
    else:
        monkeypatch.setattr(section, "write_manifest", _first_time(full, section.write_manifest))
    manifest = run_section(run, "01_a")
    assert calls and manifest.status == "failed" and "is full" in manifest.reason
    folder = run.section_folder("01_a")
    assert read_manifest(folder) == manifest
    assert not (folder / "artifacts").exists() and not (folder / "executed.ipynb").exists()


def test_when_not_even_the_reason_finds_room_the_last_result_stays(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.add("01_a")
    run = project.run()
    first = pretend(project, run, "01_a")
    project.add("01_a", before="1 / 0")

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(section, "write_manifest", full)
    manifest = run_section(run, "01_a")
    assert manifest.status == "failed" and "ZeroDivisionError" in manifest.reason
    assert read_manifest(run.section_folder("01_a")) == first
    assert not list(run.work.glob("*"))
    assert runs.read_run(run.run_id) == run


def _only_for(name: str, fail, work):
    return lambda path, content: fail() if Path(path).name == name else work(path, content)


def _first_time(fail, work):
    state = {"first": True}

    def either(*arguments: object) -> object:
        if state.pop("first", False):
            return fail()
        return work(*arguments)

    return either
