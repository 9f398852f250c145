"""The notebook about bandits runs where people's data are not, and says so."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from toolkit.fitting import read_standings
from toolkit.tests.notebooks import hide_data, read_section, run_cells


@pytest.mark.slow
def test_simulated_people_are_called_so(home: Path, checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / "data").symlink_to(checkout / "data")
    hide_data(monkeypatch)
    notebook = checkout / "notebooks" / "06_bandits.ipynb"
    run_cells(notebook, profile="smoke", n_people=6, n_starts=1, n_studies=1, n_steps=300)
    folder, record, figures = read_section(home, "06_bandits")
    assert record.takeaways[0].startswith("Simulated people")
    assert "follows a script" in record.takeaways[1]
    titles = {name: figure.layout.title.text for name, figure in figures.items()}
    assert set(titles) == {"choices", "rates", "trace", "surprise", "told_apart"}
    for name in ("choices", "rates", "trace", "told_apart"):
        assert "Simulated people" in titles[name], name
    standings = read_standings("interactive/06_bandits/people_partial")
    assert len(standings.models) == 4 and len(standings.groups) > 1
    bias = pd.read_parquet(folder / "artifacts" / "bias.parquet")
    people = bias[bias["agent"] == "people"]
    assert people["name"].str.startswith("Simulated people").all() and bias["verdict"].notna().all()
    assert set(bias["agent"]) == {"people", "metarl", "scripted_player", "thompson_bandit"}
