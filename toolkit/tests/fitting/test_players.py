"""Recorded answers among agents: whose they are is said, and yours take the place of the script's."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from toolkit.errors import DataError
from toolkit.experiments import get_design
from toolkit.fitting import players
from toolkit.fitting.difficulty import expected_errors
from toolkit.fitting.players import introduce, load_player, load_players
from toolkit.io import write_table
from toolkit.models.answering.designs import design_to_answer, list_designs_to_answer
from toolkit.models.answering.scripted import scripted_answers_path


@pytest.fixture
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where your answers to Levering's problems are looked for."""
    monkeypatch.setattr(players, "answers_path", lambda design: tmp_path / f"{design}.parquet")
    return tmp_path / "levering.parquet"


def scripted() -> pd.DataFrame:
    return pd.read_parquet(scripted_answers_path("levering"))


def test_without_recordings_a_script_answers_and_is_never_called_a_language_model(mine: Path) -> None:
    found = load_players()
    assert list(found) == list_designs_to_answer()
    assert {name for by_name in found.values() for name in by_name} == {"scripted_player"}
    assert introduce(found) == (
        "Prompts for language models were answered by: scripted learner (no language model): shepard, five_four, "
        "levering, smith_minda."
    )
    for design, by_name in found.items():
        player = by_name["scripted_player"]
        assert player.chosen.mask.shape == design_to_answer(design).mask.shape
        assert (player.chosen.choice[player.chosen.mask] >= 0).all()


def test_a_copy_of_the_script_among_yours_is_still_a_script(mine: Path) -> None:
    write_table(mine, scripted())
    assert list(load_player("levering")) == ["scripted_player"]


def test_yours_come_first_and_bare_letters_are_mixed_with_guesses(mine: Path) -> None:
    said = scripted().assign(model="some-model", source="letter")
    said["p_0"], said["p_1"] = (said["said"] == 0).astype(float), (said["said"] == 1).astype(float)
    write_table(mine, said)
    found = load_players()
    assert list(found["levering"]) == ["llm"] and list(found["shepard"]) == ["scripted_player"]
    assert "some-model: levering" in introduce(found)
    player = found["levering"]["llm"]
    answers = player.answers(design_to_answer("levering"))
    assert answers.guessing and not answers.by_choices
    error = expected_errors(answers, 0.0)["error"].mean()
    trained = ~player.chosen.test
    assert error == pytest.approx(1 - np.mean(player.chosen.correct[trained]))
    half = expected_errors(answers, 0.5)["error"].mean()
    assert half == pytest.approx(0.25 + error / 2)


def test_learners_who_have_not_answered_everything_are_left_out(mine: Path) -> None:
    table = scripted().assign(model="some-model")
    table.loc[(table["participant"] > 0) & (table["trial"] > 3), "source"] = "missing"
    write_table(mine, table)
    assert load_player("levering")["llm"].chosen.participants == [0]
    write_table(mine, table[table["participant"] > 0])
    with pytest.raises(DataError, match="no learner answered all trials"):
        load_player("levering")


def test_a_shorter_design_is_answered_as_far_as_it_goes() -> None:
    player = load_player("five_four")["scripted_player"]
    for n_blocks in (2, 32):
        shorter = get_design("five_four").draw(1, rng=np.random.default_rng(0), n_blocks=n_blocks)
        answers = player.answers(shorter)
        block = answers.trials.block[answers.trials.mask]
        assert block.max() + 1 == n_blocks and answers.p.shape[1] == answers.trials.n_trials
        last = answers.trials.test & (answers.trials.block == n_blocks - 1)
        assert (last.sum(1) == 16).all()
