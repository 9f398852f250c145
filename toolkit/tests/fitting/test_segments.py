"""Segments of learning: exemplars and prototypes are told apart where they differ, by fits that can be checked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from toolkit.data import load
from toolkit.errors import DataError, UsageError
from toolkit.experiments import get_design
from toolkit.experiments.smith_minda import FIRST_CATEGORY, STIMULI
from toolkit.fitting.segments import (
    SMITH_MINDA,
    SegmentFits,
    as_segments,
    fit_segments,
    load_smith_minda,
    stimuli_of,
)
from toolkit.trials import Trials


@pytest.fixture
def design() -> Trials:
    return get_design("smith_minda").draw(6, rng=np.random.default_rng(0), n_blocks=9)


def answering(design: Trials, p_second: np.ndarray, seed: int = 0) -> Trials:
    """Choices drawn from one probability a stimulus, (14,)."""
    draws = np.random.default_rng(seed).random(design.mask.shape)
    return design.updated(choice=(draws < p_second[design.stimulus_id]).astype(int))


def similarity_to(targets: list[np.ndarray], attention: float = 0.9) -> np.ndarray:
    """Probability of the second category from summed similarity to each category's targets."""
    first, second = (np.exp(-attention * np.abs(STIMULI[:, None] - one).sum(-1)).sum(1) for one in targets)
    return second / (first + second)


def test_stimuli_are_those_of_the_design(design: Trials) -> None:
    stimuli, category = stimuli_of(design)
    written = ["".join(str(int(value)) for value in row) for row in stimuli]
    assert len(stimuli) == 14
    assert {item for item, one in zip(written, category, strict=True) if one == 0} == set(FIRST_CATEGORY)


def test_different_problems_are_refused() -> None:
    trials = get_design("shepard").draw(6, rng=np.random.default_rng(0), conditions=("IV",), n_blocks=4)
    with pytest.raises(UsageError, match="two categories"):
        as_segments(trials)


def test_a_segment_is_a_test_after_one_look_at_everything(design: Trials) -> None:
    chosen = answering(design, np.full(14, 0.5))
    segments = as_segments(chosen, 56)
    assert len(segments) == 6 * 2 and segments.n_trials == 14 + 56
    assert (segments.scored[:, :14] == 0).all() and segments.scored[:, 14:].all()
    assert (segments.category[:, 14:] == -1).all() and (segments.category[:, :14] >= 0).all()
    np.testing.assert_array_equal(segments.choice[3, 14:], chosen.choice[1, 56:112])
    np.testing.assert_array_equal(segments.stimulus[3, 14:], chosen.stimulus[1, 56:112])
    assert segments.sequences["problem"].tolist() == [0, 1] * 6


def test_short_sequences_are_refused(design: Trials) -> None:
    with pytest.raises(UsageError, match="shorter segment"):
        as_segments(design.until(20))


def test_clear_learners_are_recognised_and_misfits_are_small(design: Trials) -> None:
    exemplars = similarity_to([STIMULI[:7], STIMULI[7:]], attention=2.5)
    prototypes = similarity_to([STIMULI[:1], STIMULI[7:8]], attention=0.9)
    learners = {"gcm": answering(design, exemplars), "prototype": answering(design, prototypes, seed=1)}
    found = fit_segments(learners, n_starts=1)
    assert found.table.columns.tolist() == [
        "learner", "participant", "segment", "misfit_exemplar", "misfit_prototype", "advantage", "exemplar",
    ]  # fmt: skip
    right = found.recovered().groupby("learner")["right"].mean()
    assert (right > 0.8).all() and found.recovered()["together"].all()
    by = found.table.groupby("learner")[["misfit_exemplar", "misfit_prototype"]].mean()
    assert by.loc["gcm", "misfit_exemplar"] < by.loc["gcm", "misfit_prototype"]


def test_misfit_is_the_squared_distance_of_shares(design: Trials) -> None:
    # Who gets everything right is fitted perfectly by exemplars, and not by prototypes: two exceptions are left.
    right = design.updated(choice=design.category)
    table = fit_segments({"people": right}, n_starts=3).table
    assert (table["misfit_exemplar"] < 0.02).all()
    assert table["misfit_prototype"].between(0.2, 2.01).all()
    assert (table["exemplar"] == 1).all()


def table_of(advantage: dict[tuple[str, int], list[float]]) -> pd.DataFrame:
    """Advantages of learner and participant, a number a segment."""
    rows = [
        (learner, person, segment, value, float(value > 0))
        for (learner, person), values in advantage.items()
        for segment, value in enumerate(values, start=1)
    ]
    return pd.DataFrame(rows, columns=["learner", "participant", "segment", "advantage", "exemplar"])


def test_together_counts_how_much_and_one_by_one_how_many() -> None:
    table = table_of(
        {("prototype", 0): [0.01, 0.5], ("prototype", 1): [0.01, -0.2], ("prototype", 2): [-0.1, -0.2]}
    )
    found = SegmentFits(table).recovered()
    np.testing.assert_allclose(found["right"], [1 / 3, 2 / 3])
    assert found["together"].tolist() == [True, False]


def test_gains_are_those_of_each_learner_over_its_own_participants() -> None:
    table = table_of(
        {
            ("people", 0): [-0.1, -0.1, 0.2, 0.4],
            ("people", 1): [0.1, -0.1, 0.2, 0.2],
            ("gcm", 0): [0.1, 0.1, 0.1, 0.1],
        }
    )
    found = SegmentFits(table).shifts(np.random.default_rng(0)).set_index("learner")
    np.testing.assert_allclose(found.loc["people", ["early", "late", "gain"]], [0.25, 1.0, 0.3])
    np.testing.assert_allclose(found.loc["people", ["low", "high"]], [0.2, 0.4])
    np.testing.assert_allclose(
        found.loc["gcm", ["early", "late", "gain", "low", "high"]], [1, 1, 0, 0, 0], atol=1e-12
    )


def test_people_who_are_not_here_are_left_out(design: Trials) -> None:
    def absent(name: str, **options: Any) -> Any:
        raise DataError(f"{name} is not here.")

    assert load_smith_minda(absent) == {}
    assert SegmentFits(table_of({("gcm", 0): [0.1]})).beside_published(None).empty


@pytest.mark.data
def test_published_misfits_of_smith_and_mindas_people_come_out_again(public_data: Path) -> None:
    found = fit_segments(load_smith_minda(load), n_starts=2)
    beside = found.beside_published(load("smith1998"))
    assert len(beside) == 20 and set(found.table["learner"]) == {SMITH_MINDA}
    # Published fits have the smallest squared error; ours are the likeliest, so theirs are a little smaller.
    assert (beside["ours"] - beside["published"]).abs().max() < 0.05
    assert beside["ours"].corr(beside["published"]) > 0.99
