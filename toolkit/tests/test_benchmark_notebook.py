"""The notebook of the benchmark runs where CC18 cannot be had, and its titles say so."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from toolkit import benchmark
from toolkit.manifest import read_record
from toolkit.tests.notebooks import hide_data, run_cells
from toolkit.viz import read_figure

SOME = ["ermi", "ermi_single", "pfn", "gcm", "naive_bayes", "xgboost_untuned"]


@pytest.mark.slow
def test_scikit_learns_tables_stand_in_for_cc18(
    home: Path, checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / "data").symlink_to(checkout / "data")
    hide_data(monkeypatch)
    monkeypatch.delenv("TOOLKIT_MIRROR", raising=False)
    monkeypatch.setenv("TOOLKIT_DATA", str(home / "raw"))
    monkeypatch.setenv("OPENML_CACHE_DIR", str(home / "openml"))
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "")
    monkeypatch.setattr(benchmark, "list_classifiers", lambda: SOME, raising=False)
    run_cells(
        checkout / "notebooks" / "07_benchmark.ipynb",
        profile="smoke",
        n_tasks=4,
        n_sets=1,
        n_tables=1,
        most_rows=30,
    )
    folder = home / "papermill_runs" / "interactive" / "07_benchmark"
    record = read_record(folder)
    assert record is not None and "scikit-learn's tables, not CC18" in record.takeaways[1]
    figures = [artifact for artifact in record.artifacts if artifact.kind == "figure"]
    titles = {artifact.name: read_figure(folder / artifact.path).layout.title.text for artifact in figures}
    assert set(titles) == {"tasks", "ranks", "leads", "explanations", "context_sizes", "calibration"}
    assert all("not CC18" in title for title in titles.values())
    assert not record.inputs
    scores = pd.read_parquet(folder / "artifacts" / "published_scores.parquet")
    assert set(scores["model"]) == set(SOME) and scores["value"].notna().all()
