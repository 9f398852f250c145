"""The notebook of the benchmark runs where CC18 cannot be had, and its titles say so."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from toolkit import benchmark
from toolkit.tests.notebooks import hide_data, read_section, run_cells

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
    folder, record, figures = read_section(home, "07_benchmark")
    assert "scikit-learn's tables, not CC18" in record.takeaways[1]
    titles = {name: figure.layout.title.text for name, figure in figures.items()}
    assert set(titles) == {"tasks", "ranks", "leads", "explanations", "context_sizes", "calibration"}
    assert all("not CC18" in title for title in titles.values())
    assert not record.inputs
    scores = pd.read_parquet(folder / "artifacts" / "published_scores.parquet")
    assert set(scores["model"]) == set(SOME) and scores["value"].notna().all()
