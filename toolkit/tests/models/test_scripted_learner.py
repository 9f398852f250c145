"""The learner that follows a script: what it says to a prompt, and that the recording is its own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from toolkit.models.answering import Procedure, read_answers
from toolkit.models.answering.designs import design_to_answer
from toolkit.models.answering.prompts import Prompter
from toolkit.models.answering.scripted import MODEL, answer_by_script, reply_of, scripted_answers_path
from toolkit.models.answering.stories import FEATURES, OBJECTS
from toolkit.trials import Trials


def problem(n_trials: int) -> Trials:
    table = pd.DataFrame(
        {
            "participant": 0,
            "stimulus_0": [0, 1, 1, 0, 1][:n_trials],
            "stimulus_1": [0, 0, 1, 0, 0][:n_trials],
            "stimulus_2": [0, 0, 1, 0, 1][:n_trials],
            "category": [0, 1, -1, 0, 1][:n_trials],
            "choice": [1, 1, 0, 0, 1][:n_trials],
        }
    )
    return Trials.from_table(table, "category_learning")


@pytest.mark.parametrize("story", [OBJECTS, FEATURES])
@pytest.mark.parametrize("mode", ["own", "labels"])
def test_it_goes_by_the_nearest_descriptions_whatever_the_words(story, mode: str) -> None:
    """Told: 000 was 0 twice, 100 was 1, 111 nothing. Now 101: 100 is nearest, although 111 is as near, and untold."""
    trials = problem(5)
    prompter = Prompter(Procedure(story=story, mode=mode), trials, 0)
    (_, text) = prompter.request(4, prompter.lines()).messages[-1]
    found = {letter: np.exp(value) for letter, value in reply_of(text).items()}
    assert found == pytest.approx({prompter.letters[0]: 1 / 3, prompter.letters[1]: 2 / 3})
    (_, text) = prompter.request(3, prompter.lines()).messages[-1]
    again = {letter: np.exp(value) for letter, value in reply_of(text).items()}
    assert again[prompter.letters[0]] == pytest.approx(2 / 3)
    (_, text) = prompter.request(0, []).messages[-1]
    assert set(reply_of(text).values()) == {np.log(0.5)}


def test_the_recording_is_what_the_script_says_and_names_it(tmp_path: Path) -> None:
    recorded = read_answers(scripted_answers_path("levering"))
    assert set(recorded["model"]) == {MODEL} and "no language model" in MODEL
    part = design_to_answer("levering").where(participant=0, condition="linear")
    made = answer_by_script(part, "levering", tmp_path / "journal.jsonl")
    same = recorded[(recorded["participant"] == 0) & (recorded["condition"] == "linear")]
    pd.testing.assert_frame_equal(made, same.reset_index(drop=True), check_dtype=False)
