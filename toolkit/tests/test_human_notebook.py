"""The notebook about people runs where their data are not, and says so in every title."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from toolkit.fitting import read_standings
from toolkit.tests.notebooks import hide_data, read_section, run_cells


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
    folder, record, figures = read_section(home, "03_human_comparison")
    assert record.takeaways[0].startswith("Simulated people")
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
    standings = read_standings("interactive/03_human_comparison/people_badham2017")
    assert standings.title.startswith("Simulated people") and standings.conditions == ["I", "II", "III", "IV"]
    assert set(standings.curves["agent"]) == {"people", *standings.models}
    published = pd.read_parquet(folder / "artifacts" / "published_badham2017.parquet")
    assert published["earlier_nll"].isna().all() and published["bic"].notna().any()
