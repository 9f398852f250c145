"""A section opened by hand: checked parameters, kept results, and what finish() leaves."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest
from pydantic import Field

import toolkit
from toolkit.errors import UsageError
from toolkit.manifest import Manifest, damaged_artifacts, read_manifest, read_record, write_manifest
from toolkit.sections import SectionParams
from toolkit.tests.strategies import random_trials


class Fits(SectionParams):
    """A section of one's own."""

    n_starts: int = Field(5, ge=1, description="starts of each fit")


def start(**params) -> toolkit.session.Run:
    return toolkit.start_section("my_fits", Fits, **params)


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"n_start": 3}, "no parameter 'n_start'. Did you mean 'n_starts'"),
        ({"n_starts": 0}, r"'n_starts' \(starts of each fit\) is 0"),
        ({"n_starts": "3"}, "'n_starts'"),
        ({"profile": "quick"}, "'profile'"),
    ],
)
def test_wrong_parameters_are_errors(home: Path, params: dict, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        start(**params)


def test_an_unknown_section_gets_a_suggestion(home: Path) -> None:
    with pytest.raises(UsageError, match="Did you mean '00_start_here'"):
        toolkit.start_section("00_start_her")


def test_parameters_are_frozen(home: Path) -> None:
    run = start(n_starts=3, seed=1)
    with pytest.raises(ValueError, match="frozen"):
        run.params.n_starts = 4


@pytest.mark.usefixtures("public_data")
def test_tables_of_the_benchmark_count_among_the_inputs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in ("TOOLKIT_RUNS", "TOOLKIT_FIGURES"):
        monkeypatch.setenv(variable, str(tmp_path))
    run = start()
    assert len(run.tables("published", origin="sklearn")) == 18
    run.finish()
    assert not read_record(run.folder).inputs
    assert len(run.tables("published")) == 22
    run.finish()
    assert "openml_cc18/openml_cc18/data/00003_kr-vs-kp.csv.gz" in read_record(run.folder).inputs


def test_results_are_recorded_with_their_checksums(home: Path) -> None:
    run = start(seed=7)
    run.seeds.numpy("starts")
    results = {
        "fits": pd.DataFrame({"participant": [1, 2], "bic": [10.0, 12.0]}),
        "summary": {"winner": "gcm", "starts": [1, 2]},
        "weights": {"a": np.arange(3.0)},
        "people": random_trials("bandit"),
    }
    for name, result in results.items():
        run.save(name, result)
    assert run.figure(go.Figure(go.Scatter(x=[0, 1], y=[1, 2])), "curve").data
    run.finish("GCM wins.")

    record = read_record(run.folder)
    assert {artifact.name: artifact.kind for artifact in record.artifacts} == {
        "fits": "table", "summary": "json", "weights": "arrays", "people": "trials", "curve": "figure",
    }  # fmt: skip
    assert set(record.seed_streams) == {"starts"}
    assert record.params == {"profile": "workshop", "seed": 7, "n_starts": 5}
    assert record.takeaways == ["GCM wins."]
    assert not damaged_artifacts(run.folder, record.artifacts)
    assert (home / "figures" / "my_fits_curve.html").is_file()


def test_a_later_section_loads_what_an_earlier_one_kept(home: Path) -> None:
    table = pd.DataFrame({"bic": [1.0]})
    trials = random_trials("category_learning")
    publish(home, {"fits": table, "people": trials, "weights": {"a": np.ones(2)}, "note": {"x": 1}})
    run = toolkit.start_section("my_plots", Fits)
    pd.testing.assert_frame_equal(run.load("my_fits/fits"), table)
    assert run.load("my_fits/people").equals(trials)
    np.testing.assert_array_equal(run.load("my_fits/weights")["a"], np.ones(2))
    assert run.load("my_fits/note") == {"x": 1}
    with pytest.raises(UsageError, match="no result 'fit'. Did you mean 'fits'"):
        run.load("my_fits/fit")
    with pytest.raises(UsageError, match="toolkit run --only 02_training"):
        run.load("02_training/checkpoint")
    run.finish()
    assert set(read_record(run.folder).inputs) == {
        f"my_fits/{name}" for name in ("fits", "people", "weights", "note")
    }


def test_a_corrupt_result_is_not_loaded(home: Path) -> None:
    folder = publish(home, {"note": {"x": 1}})
    (folder / "artifacts" / "note.json").write_text('{"x": 2}')
    with pytest.raises(UsageError, match="sha256.*Make it again: toolkit run --only my_fits"):
        toolkit.start_section("my_plots", Fits).load("my_fits/note")


def test_data_of_any_kind_load_by_name_and_are_recorded_by_data_set(home: Path, monkeypatch) -> None:
    monkeypatch.setattr("toolkit.data.loaders.load_data", lambda name: f"trials of {name}")
    monkeypatch.setattr("toolkit.data.loaders.load_curve", lambda name: f"curve of {name}")
    monkeypatch.setattr("toolkit.data.tables.load_table", lambda name: f"table of {name}")
    monkeypatch.setattr("toolkit.data.checksums", lambda name: {"file.csv": "1" * 64})
    run = start()
    assert run.load("devraj2022_exp1") == "trials of devraj2022_exp1"
    assert run.load("nosofsky1994") == "curve of nosofsky1994"
    assert run.load("ermi_fits") == "table of ermi_fits"
    run.finish()
    assert set(read_record(run.folder).inputs) == {
        "devraj2022/file.csv", "nosofsky1994/file.csv", "ermi_fits/file.csv",
    }  # fmt: skip
    with pytest.raises(UsageError, match="no data set 'badhm2017'.*Did you mean 'badham2017'"):
        run.load("badhm2017")


def test_what_cannot_be_kept_is_refused(home: Path) -> None:
    run = start()
    with pytest.raises(UsageError, match="is a set, which cannot be kept"):
        run.save("things", {1, 2})
    for name in ("../fits", "a/b", "", "two words"):
        with pytest.raises(UsageError, match="cannot be the name of a result"):
            run.save(name, {"a": 1})
    with pytest.raises(UsageError, match="cannot be the name of a result"):
        run.figure(go.Figure(), "../curve")
    run.save("fits", pd.DataFrame({"a": [1]}))
    with pytest.raises(UsageError, match="name of another result"):
        run.save("fits", {"a": 1})


def test_starting_again_by_hand_starts_clean_but_keeps_the_scratch_folder(home: Path) -> None:
    run = start()
    run.save("note", {"x": 1})
    (run.scratch / "checkpoint").touch()
    again = start()
    assert not (again.folder / "artifacts").exists()
    assert (again.scratch / "checkpoint").exists()


def publish(home: Path, results: dict) -> Path:
    """A finished section of a pipeline run, made without running a notebook."""
    run = start()
    for name, result in results.items():
        run.save(name, result)
    run.finish()
    target = home / "papermill_runs" / "20260101-000000-0123abcd" / "my_fits"
    target.parent.mkdir(parents=True)
    run.folder.rename(target)
    record = read_record(target)
    manifest = Manifest(
        section="my_fits", run_id=target.parent.name, profile="workshop", status="succeeded", key="0",
        params=record.params, artifacts=record.artifacts, started="", ended="", seconds=0.0,
    )  # fmt: skip
    write_manifest(target, manifest)
    assert read_manifest(target) == manifest
    return target
