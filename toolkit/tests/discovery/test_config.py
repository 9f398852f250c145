"""Settings of searches: checked before anything happens, with advice; and what they say about people."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from toolkit.discovery.search import list_configs, load_config
from toolkit.discovery.search.config import SearchConfig, TextPart
from toolkit.discovery.search.examples import tell
from toolkit.discovery.search.study import prepare, without_incomplete
from toolkit.discovery.task import Task
from toolkit.errors import DataError, UsageError
from toolkit.tests.strategies import random_trials
from toolkit.trials import MISSING

MINE = """
name: mine
title: My task
description: People choose between two options.
data:
  file: {file}
  family: bandit
  columns: {{choice: pressed}}
splits: {{prompt: "0:1", evaluation: "1:3", test: "3:"}}
"""


def test_the_searches_that_come_with_the_toolkit_cover_five_families() -> None:
    assert list_configs() == ["bandits", "multi_attribute", "rlwm", "shepard", "two_step"]
    for name in list_configs():
        config = load_config(name)
        assert config.name == name and config.text.template


@pytest.mark.data
@pytest.mark.parametrize("name", ["bandits", "multi_attribute", "rlwm", "shepard", "two_step"])
def test_every_search_finds_its_people_and_can_tell_of_them(public_data: Path, name: str) -> None:
    config = load_config(name)
    study = prepare(config)
    assert len(study.evaluation.participants) >= 9 and len(study.test.participants) >= 9
    told = tell(study.prompt, study.task, config.text)
    assert told.count("Participant") == len(study.prompt) and "{" not in told
    if name == "two_step":
        assert list(study.evaluation.participants) == list(range(4, 14))
        assert (study.evaluation.mask.sum(1) == 201).all()
        assert "alien P" in told and "alien W" in told


def test_a_users_file_takes_ten_lines(tmp_path: Path) -> None:
    table = random_trials("bandit", (5, 4, 6, 5), seed=2).to_table().rename(columns={"choice": "pressed"})
    table.to_csv(tmp_path / "mine.csv", index=False)
    text = MINE.format(file=tmp_path / "mine.csv")
    (tmp_path / "mine.yaml").write_text(text)
    assert len(text.strip().splitlines()) <= 10
    study = prepare(load_config(tmp_path / "mine.yaml"))
    assert len(study.prompt.participants) == len(study.test.participants) == 1
    assert study.task.schema == "bandit"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("bogus: 1", "bogus"),
        ("loop: {round: 3}", "Did you mean 'rounds'"),
        ("loop: {rounds: 0}", "loop.rounds"),
        ("data: {name: x, file: y}", "either the name of a data set or a file"),
        ("asking: {feedback: loud}", "asking.feedback"),
        ("name: ../up", "name of a folder"),
    ],
)
def test_wrong_settings_are_named_with_what_there_is_instead(tmp_path: Path, change: str, said: str) -> None:
    base = {"name": "mine", "title": "t", "description": "d", "data": {"name": "rlwm"}}
    import yaml

    content = {**base, **yaml.safe_load(change)}
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump(content))
    with pytest.raises(UsageError) as error:
        load_config(tmp_path / "mine.yaml")
    assert said in str(error.value)


def test_files_and_names_that_do_not_exist_are_errors_with_advice(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="two_step"):
        load_config("two_stp")
    with pytest.raises(UsageError, match="no such file"):
        load_config(tmp_path / "none.yaml")
    (tmp_path / "odd.yaml").write_text("- just\n- a list")
    with pytest.raises(DataError, match="fields and their values"):
        load_config(tmp_path / "odd.yaml")
    with pytest.raises(UsageError, match="Did you mean 'rounds'"):
        load_config("rlwm").changed(**{"loop.rouns": 3})


def test_trials_with_a_missed_choice_are_taken_out_and_the_others_keep_their_order() -> None:
    trials = random_trials("two_step", (9, 6), seed=3)
    left = without_incomplete(trials)
    table, kept = trials.to_table(), left.to_table()
    whole = table[(table["choice"] != MISSING) & (table["choice_2"] != MISSING)]
    assert len(kept) == len(whole) < len(table)
    for name in ("choice", "state", "choice_2", "outcome", "response_time"):
        np.testing.assert_array_equal(kept[name].to_numpy(), whole[name].to_numpy())
    assert without_incomplete(left) is left


def test_values_are_told_in_words_that_may_depend_on_another_column() -> None:
    trials = random_trials("two_step", (4,), seed=5)
    arrays = {"choice": [[0, 1, 0, -1]], "state": [[0, 1, 1, -1]], "choice_2": [[1, 1, 0, -1]]}
    trials = trials.updated(
        **{name: np.array(values) for name, values in arrays.items()}, outcome=np.array([[1, 0, 1, np.nan]])
    )
    how = TextPart(
        template="{trial}: {choice} {state} {choice_2} {reward}",
        words={"choice": {"0": "left"}, "choice_2/state": {"1/0": "S", "1/1": "H"}},
        missing="{trial}: nothing",
        trials=3,
    )
    told = tell(trials, Task.of(trials), how).splitlines()
    assert told == [
        "Participant p0, problem 0:",
        "1: left 0 S 1",
        "2: 1 1 H 0",
        "4: nothing",
        "(4 trials in all)",
    ]
    with pytest.raises(UsageError, match="Did you mean 'choice'"):
        tell(trials, Task.of(trials), TextPart(template="{choise}"))


def test_a_configuration_survives_json() -> None:
    config = load_config("two_step")
    assert SearchConfig.model_validate_json(config.model_dump_json()) == config
    assert config.changed(seed=3).seed == 3 and config.seed == 0
    assert pd.Series(config.data.validities).empty
