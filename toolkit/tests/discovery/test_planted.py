"""Stand-ins for people whose data are not here: named as such, and doing what their program says."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from toolkit.discovery import planted
from toolkit.discovery.grammar import grammar_for, write
from toolkit.discovery.planted import (
    ALIKE,
    PLANTED,
    PLANTED_SEARCH,
    bandit_design,
    find_again,
    how_far_apart,
    load_people,
    rate_of,
    simulate_planted,
)
from toolkit.discovery.sandbox import Sandbox
from toolkit.discovery.search.scoring import Scorer
from toolkit.discovery.signatures import repetitions
from toolkit.discovery.simulation import COMMON
from toolkit.discovery.task import Task
from toolkit.errors import DataError
from toolkit.seeds import Seeds
from toolkit.trials import MISSING, Trials


def _not_here(name: str) -> Trials:
    raise DataError("there is no such file.", where=name)


def test_people_whose_data_are_not_here_are_simulated_and_called_so(workers: Sandbox) -> None:
    people, title = load_people(_not_here, Seeds(0), workers)
    assert title.startswith("Simulated people")
    assert (people.choice != MISSING).all() and (people.choice_2 != MISSING).all()
    assert set(np.unique(people.state)) == {0, 1} and set(np.unique(people.outcome)) == {0.0, 1.0}
    assert (people.state == people.choice).mean() == pytest.approx(COMMON, abs=0.03)
    # They also plan: a reward is a better reason to come back where the first choice commonly leads.
    repeats = repetitions(people).groupby(["transition", "outcome"])["repeats"].mean()
    gain = repeats.xs("reward", level=1) - repeats.xs("no reward", level=1)
    assert gain["common"] > gain["rare"] + 0.05


def test_programs_are_judged_by_what_they_predict_and_not_by_their_names(
    tmp_path: Path, workers: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOOLKIT_CACHE", str(tmp_path))
    design = bandit_design(3, 60, np.random.default_rng(0))
    task, grammar = Task.of(design), grammar_for(Task.of(design))
    by_sign, confirming, habit = (
        write(grammar, grammar.sketch(genes), task, "made")
        for genes in ({"values": "by sign"}, {"values": "confirming"}, PLANTED["habit and bias"])
    )
    people = simulate_planted(by_sign, design, Seeds(0), workers)
    final = Scorer(people, task, PLANTED_SEARCH.fit, "choices", workers).on(people)
    # Where only what was chosen is paid, bad news never come from the other option.
    assert how_far_apart(by_sign, confirming, final) < 1e-3
    assert how_far_apart(by_sign, habit, final) > 2 * ALIKE
    # Whoever chose nothing before the end has no estimate, and does not make the end look foreseen.
    late = people.participant_index == 1
    choice = np.where(late[:, None] & (np.arange(people.n_trials) < 45), MISSING, people.choice)
    with_late, without = people.updated(choice=choice), people.take(~late)
    assert final.on(with_late).held_out(habit) == pytest.approx(final.on(without).held_out(habit), abs=1e-4)


def test_every_planted_program_is_searched_for_among_other_people(
    tmp_path: Path, workers: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOOLKIT_CACHE", str(tmp_path))
    monkeypatch.setattr(planted, "N_TRIALS", 60)
    config = PLANTED_SEARCH.changed(
        **{"loop.rounds": 1, "loop.candidates": 2, "splits.evaluation": "0:2", "splits.test": "2:4"},
        **{"fit.starts": 1, "fit.exchange_rounds": 0, "fit.final_starts": 1, "fit.final_exchange_rounds": 0},
    )
    table = find_again(config, {"values": PLANTED["values"]}, tmp_path, workers, n_searches=2)
    assert list(table["planted"]) == ["values", "values"] and list(table["search"]) == [1, 2]
    assert (table["n_tried"] >= 2).all() and table["apart"].between(0, 1).all()
    assert (table["alike"] == (table["apart"] <= ALIKE)).all() and (table["shared"] <= 1).all()
    assert set(table["verdict"]) <= {"same", "alike", "other"}
    assert table["apart"].nunique() == 2, "both searches were among the same people"
    assert "Of 2 searches for 1 planted program " in rate_of(table)


def test_rates_count_what_has_the_mechanisms_and_what_predicts_the_same() -> None:
    verdicts = ["same", "alike", "same", "other"]
    table = pd.DataFrame({"planted": list("aabb"), "verdict": verdicts, "shared": [1.0, 0.5, 1.0, 0.1]})
    said = rate_of(table)
    assert said.startswith("Of 4 searches for 2 planted programs 3 found what was planted (75%): 2 exactly")
    assert "and 1 a program of others" in said and "65% of mechanisms" in said
