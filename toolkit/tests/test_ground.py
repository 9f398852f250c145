"""Errors, paths, seeds and progress."""

from __future__ import annotations

import pickle
import sys
from pathlib import Path

import numpy as np
import pytest

from toolkit import paths
from toolkit.errors import DataError, InterruptedRunError, SectionError, ToolkitError, UsageError
from toolkit.io import read_json
from toolkit.progress import FILE_VARIABLE, say, track
from toolkit.seeds import Seeds


def test_an_error_says_what_where_and_the_fix() -> None:
    error = DataError("it is empty.", where="a.csv", fix="Fill it.")
    assert str(error) == "a.csv: it is empty. Fill it."
    again = pickle.loads(pickle.dumps(error))  # noqa: S301
    assert (type(again), again.what, again.where, again.fix) == (
        DataError,
        "it is empty.",
        "a.csv",
        "Fill it.",
    )


def test_exit_codes() -> None:
    codes = {
        kind: kind.exit_code
        for kind in (ToolkitError, UsageError, DataError, SectionError, InterruptedRunError)
    }
    assert list(codes.values()) == [1, 2, 3, 4, 75]


def test_streams_are_reproducible_and_independent_of_each_other() -> None:
    first, second = Seeds(3), Seeds(3)
    second.numpy("another")
    np.testing.assert_array_equal(first.numpy("starts").random(5), second.numpy("starts").random(5))
    assert first.numpy("starts").random() != first.numpy("draws").random()
    assert Seeds(3).integer("starts") != Seeds(4).integer("starts")
    assert set(first.streams) == {"starts", "draws"}
    assert first.torch("starts").initial_seed() == second.torch("starts").initial_seed()


def test_the_project_is_where_the_pipeline_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("TOOLKIT_HOME", "TOOLKIT_DATA"):
        monkeypatch.delenv(variable, raising=False)
    (tmp_path / "notebooks" / "explore").mkdir(parents=True)
    (tmp_path / "notebooks" / "pipeline.yaml").touch()
    monkeypatch.chdir(tmp_path / "notebooks" / "explore")
    assert paths.project_root() == tmp_path
    assert (paths.data_dir() / "registry.toml").is_file()
    assert paths.raw_dir() == tmp_path / "data" / "raw"
    monkeypatch.setenv("TOOLKIT_HOME", str(tmp_path / "nowhere"))
    with pytest.raises(UsageError, match="TOOLKIT_HOME"):
        paths.project_root()


def test_the_mirror_must_exist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOOLKIT_MIRROR", "")
    assert paths.mirror_dir() is None
    monkeypatch.setenv("TOOLKIT_MIRROR", str(tmp_path))
    assert paths.mirror_dir() == tmp_path
    monkeypatch.setenv("TOOLKIT_MIRROR", "no/such/folder")
    with pytest.raises(UsageError, match="TOOLKIT_MIRROR"):
        paths.mirror_dir()


def test_progress_goes_to_the_file_of_a_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(FILE_VARIABLE, str(tmp_path / "progress.json"))
    assert list(track(range(3), "fitting")) == [0, 1, 2]
    state = read_json(tmp_path / "progress.json")
    assert (state["what"], state["done"], state["total"], state["left_s"]) == ("fitting", 3, 3, 0)


def test_a_line_does_not_end_up_in_the_middle_of_a_bar(capsys: pytest.CaptureFixture[str]) -> None:
    from tqdm.auto import tqdm

    for number in tqdm(range(2), desc="trying", leave=False, file=sys.stdout, mininterval=0.0, delay=0.0):
        say(f"line {number}")
    shown = [line.rpartition("\r")[2] for line in capsys.readouterr().out.split("\n")]
    assert shown[:2] == ["line 0", "line 1"]


def test_progress_is_a_bar_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(FILE_VARIABLE, raising=False)
    assert list(track(iter("ab"), "reading")) == ["a", "b"]
