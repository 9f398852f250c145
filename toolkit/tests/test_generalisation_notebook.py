"""The notebook about generalisation runs where people's data are not, and says so."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from toolkit.fitting import people, players
from toolkit.io import write_table
from toolkit.models.answering.scripted import scripted_answers_path
from toolkit.tests.notebooks import hide_data, read_section, run_cells


@pytest.mark.slow
def test_agents_stand_alone_and_titles_say_so(
    home: Path, checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / "data").symlink_to(checkout / "data")
    hide_data(monkeypatch)
    # One agent of each kind shows as much as all of them.
    some = ["ermi", "gcm", "prototype", "rulex", "random"]
    monkeypatch.setattr(
        people, "list_agents", lambda trials, fixed_rules=False: some + ["rule"] * fixed_rules
    )
    # A language model has answered one of the designs.
    monkeypatch.setattr(players, "answers_path", lambda design: home / f"{design}.parquet")
    table = pd.read_parquet(scripted_answers_path("shepard"))
    write_table(home / "shepard.parquet", table[table["participant"] == 0].assign(model="some-model"))
    run_cells(
        checkout / "notebooks" / "04_generalisation.ipynb",
        profile="smoke",
        n_people=2,
        n_orders=2,
        n_problems=2,
        n_trials=32,
    )
    folder, record, figures = read_section(home, "04_generalisation")
    assert "Simulated people" in record.takeaways[0]
    titles = {name: figure.layout.title.text for name, figure in figures.items()}
    assert set(titles) == {"types", "order", "segments", "transfer", "speed", "scope"}
    for name in ("types", "order", "transfer", "speed", "scope"):
        assert "Agents alone" in titles[name], name
    assert "Simulated people" in titles["segments"] and "Simulated people" in titles["speed"]
    order = pd.read_parquet(folder / "artifacts" / "type_order.parquet")
    named = set(order["agent"])
    assert "people" not in named and {"published ermi", "rule_with_exceptions", "llm"} <= named
    assert "scripted_player" not in named
    strategies = pd.read_parquet(folder / "artifacts" / "strategies.parquet")
    assert "scripted_player" in set(strategies["agent"]) and "llm" not in set(strategies["agent"])
    assert {"rule", "scripted_player"} <= set(
        pd.read_parquet(folder / "artifacts" / "strategy_shifts.parquet")["learner"]
    )
    learners = pd.read_parquet(folder / "artifacts" / "learners.parquet")
    assert learners["judged"].isna().all() and learners["nats_per_trial"].notna().all()


def test_learners_of_other_steps_have_places_of_their_own(checkout: Path) -> None:
    # Otherwise another `limit_steps` in the same notebook meets the checkpoints of the last one.
    text = (checkout / "notebooks" / "04_generalisation.ipynb").read_text()
    assert 'run.scratch / f\\"limited_{limit_steps}\\"' in text
