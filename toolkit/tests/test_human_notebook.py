"""The notebook about people runs where their data are not, and says so in every title."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from toolkit.manifest import read_record
from toolkit.tests.notebooks import hide_data, run_cells
from toolkit.viz import read_figure


@pytest.mark.slow
def test_simulated_people_stand_in_and_every_title_says_so(
    home: Path, checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / "data").symlink_to(checkout / "data")
    hide_data(monkeypatch)
    run_cells(
        checkout / "notebooks" / "03_human_comparison.ipynb",
        profile="smoke",
        n_people=4,
        n_starts=1,
        n_simulated=2,
    )
    folder = home / "papermill_runs" / "interactive" / "03_human_comparison"
    record = read_record(folder)
    assert record is not None and record.takeaways[0].startswith("Simulated people")
    figures = {a.name: read_figure(folder / a.path) for a in record.artifacts if a.kind == "figure"}
    assert len(figures) == 6
    for name, figure in figures.items():
        said = (
            [note.text for note in figure.layout.annotations]
            if name == "criteria"
            else [figure.layout.title.text]
        )
        assert any("Simulated people" in text for text in said), name
    groups = pd.read_parquet(folder / "artifacts" / "by_group.parquet")
    assert set(groups["group"]) == {"gcm", "prototype", "rulex", "win_stay_lose_shift"}
    published = pd.read_parquet(folder / "artifacts" / "published_badham2017.parquet")
    assert published["earlier_nll"].isna().all() and published["bic"].notna().any()
