"""The notebook about discovery runs where people's data are not, and says so."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from toolkit.discovery.search import read_search
from toolkit.tests.notebooks import hide_data, read_section, run_cells


@pytest.mark.slow
def test_programs_are_found_among_simulated_people_and_titles_say_so(
    home: Path, checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hide_data(monkeypatch)
    monkeypatch.setenv("TOOLKIT_CACHE", str(home / "cache"))
    names = run_cells(
        checkout / "notebooks" / "05_discovery.ipynb",
        profile="smoke",
        n_rounds=1,
        n_candidates=2,
        n_simulated=1,
    )
    folder, record, figures = read_section(home, "05_discovery")
    assert record.takeaways[0].startswith("Simulated people, two-step task: the winner's")
    titles = {name: figure.layout.title.text for name, figure in figures.items()}
    assert set(titles) == {"lineage", "differences", "repetitions", "recovery", "found_again"}
    assert all("Simulated people" in title for title in titles.values())
    tried = pd.read_parquet(folder / "artifacts" / "candidates.parquet")
    assert (tried["operator"] != "ablate").sum() == 2 and tried["mean"].notna().any()
    kept = read_search("interactive/05_discovery")
    assert kept.title.startswith("Simulated people") and kept.table["name"].tolist() == tried["name"].tolist()
    table = pd.read_parquet(folder / "artifacts" / "test_table.parquet")
    assert set(table.loc[table["kind"] == "baseline", "model"]) == {"chance", "daw_hybrid"}
    planted = pd.read_parquet(folder / "artifacts" / "planted.parquet")
    assert len(planted) == 1 and "Of 1 search for 1 planted program " in record.takeaways[1]
    assert names["found"].program.text in names["found"].winner.proposal.content["code"]
