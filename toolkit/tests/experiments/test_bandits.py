"""Bandit tasks: the tables of the studies, balance, independence, and what learners get to see."""

from __future__ import annotations

import numpy as np
import pytest

from toolkit.errors import UsageError
from toolkit.experiments.bandits import get_task
from toolkit.models import get_model_for
from toolkit.trials import Trials, concat


def draw(name: str, n_participants: int, seed: int = 0, **options) -> Trials:
    return get_task(name).draw(n_participants, rng=np.random.default_rng(seed), **options)


def chances_of(trials: Trials) -> np.ndarray:
    return np.stack([trials.chance_0, trials.chance_1], -1)


def test_partial_interleaves_four_casinos() -> None:
    trials = draw("partial", 300)
    assert trials.mask.shape == (300, 96) and trials.mask.all()
    assert not trials.forced.any() and not trials.full_feedback.any()
    for casino, chances in enumerate([(0.25, 0.25), (0.25, 0.75), (0.75, 0.25), (0.75, 0.75)]):
        here = trials.context == casino
        assert (here.sum(1) == 24).all()
        assert (chances_of(trials)[here] == chances).all()
        assert (trials.answer[here] == {1: 1, 2: 0}.get(casino, -1)).all()
        np.testing.assert_allclose(trials.payoff[here].mean(0) * 2, chances, atol=0.02)
    assert set(np.unique(trials.payoff)) == {0, 0.5}
    switches = (trials.context[:, 1:] != trials.context[:, :-1]).mean()
    assert switches == pytest.approx(72 / 95, abs=0.01)


@pytest.mark.parametrize(
    ("name", "n_sessions", "lengths", "n_forced"),
    [
        ("full", 4, {one: 40 for one in ("high/partial", "high/full", "low/partial", "low/full")}, 20),
        ("agency", 3, {"high/free": 40, "high/mixed": 80, "low/free": 40, "low/mixed": 80}, 40),
    ],
)
def test_blocks_have_their_lengths_and_balanced_forced_choices(name, n_sessions, lengths, n_forced) -> None:
    trials = draw(name, 60)
    assert len(trials) == 60 * n_sessions * 4 and (trials.context[trials.mask] == 0).all()
    for condition, length in lengths.items():
        some = trials.where(condition=condition)
        assert len(some) == 60 * n_sessions
        assert (some.mask.sum(1) == length).all()
        dictated = 0 if condition.endswith("free") else n_forced // 2
        for option in (0, 1):
            assert ((some.choice == option) & some.forced).sum(1).tolist() == [dictated] * len(some)
        assert (some.full_feedback[some.mask] == condition.endswith("full")).all()
        expected = (0.6, 0.9) if condition.startswith("high") else (0.1, 0.4)
        assert (np.sort(chances_of(some)[some.mask]) == expected).all()
        won = np.take_along_axis((some.payoff + 1) / 2, some.answer[..., None].clip(min=0), -1)[some.mask]
        assert won.mean() == pytest.approx(expected[1], abs=0.02)
    first = trials.answer[:, 0]
    assert (trials.answer[trials.mask] == np.repeat(first, trials.mask.sum(1))).all()
    assert first.mean() == pytest.approx(0.5, abs=0.08)


def test_forced_choices_come_in_any_order() -> None:
    trials = draw("full", 100)
    by_place = trials.forced.mean(0)
    np.testing.assert_allclose(by_place, 0.5, atol=0.06)


def test_outcomes_of_both_options_are_drawn_independently() -> None:
    trials = draw("full", 200)
    rich = trials.sequences["condition"].str.startswith("high").to_numpy()
    first, second = np.moveaxis(trials.payoff[rich] - (2 * chances_of(trials)[rich] - 1), -1, 0)
    assert abs(np.corrcoef(first.ravel(), second.ravel())[0, 1]) < 0.01
    again = draw("full", 200, seed=1)
    assert (again.payoff != trials.payoff).any()
    assert draw("full", 200).equals(trials)


def test_order_of_blocks() -> None:
    fixed = draw("agency", 20, block_order="fixed").sequences["condition"].to_numpy().reshape(-1, 4)
    assert (fixed == ["high/free", "high/mixed", "low/free", "low/mixed"]).all()
    random = draw("agency", 400).sequences["condition"].to_numpy().reshape(-1, 4)
    assert (np.sort(random) == np.sort(fixed[0])).all()
    for condition in fixed[0]:
        np.testing.assert_allclose((random == condition).mean(0), 0.25, atol=0.05)


def test_uniform_chances_for_training() -> None:
    trials = draw("partial", 500, chances="uniform")
    chances = chances_of(trials)
    assert (chances == np.round(chances, 2)).all()
    assert chances.mean() == pytest.approx(0.5, abs=0.02) and chances.std() == pytest.approx(0.29, abs=0.01)
    for casino in range(4):
        here = np.where((trials.context == casino)[..., None], chances, np.nan)
        assert (np.nanmin(here, 1) == np.nanmax(here, 1)).all()
    assert (trials.answer == np.where(chances[..., 0] == chances[..., 1], -1, chances.argmax(-1))).all()


@pytest.mark.parametrize(("n_options", "n_casinos"), [(2, 4), (3, 3), (4, 2)])
@pytest.mark.parametrize("payoffs", [(0, 0.5), (-0.5, 0.5), (0, 1)])
def test_more_arms(n_options, n_casinos, payoffs) -> None:
    task = get_task("partial", n_options=n_options, payoffs=payoffs)
    trials = task.draw(5, rng=np.random.default_rng(0))
    assert trials.n_options == n_options and trials.payoff.shape == (5, 96, n_options)
    assert (np.bincount(trials.context[0]) == 96 // n_casinos).all() and len(
        set(trials.context[0])
    ) == n_casinos
    assert set(np.unique(trials.payoff)) == set(payoffs)


def test_a_learner_sees_only_what_it_may() -> None:
    """One outcome after a choice, both in blocks of full feedback, forced ones before any choice."""
    design = draw("full", 3)
    shown = ~np.isnan(design.outcome)
    assert (shown.any(-1) == design.forced).all()
    model = get_model_for("rescorla_wagner", design)
    theta = model.theta(3, inverse_temperature=3, learning_rate=0.4)
    trials = model.simulate(theta, design, np.random.default_rng(1))
    assert (trials.choice[design.forced] == design.choice[design.forced]).all()
    shown = ~np.isnan(trials.outcome)
    chosen = np.arange(2) == trials.choice[..., None]
    assert (shown[trials.mask] == (chosen | trials.full_feedback[..., None])[trials.mask]).all()
    assert (trials.outcome[shown] == trials.payoff[shown]).all()
    assert np.nanmean(trials.correct[:, 30:]) > 0.6


def test_regret() -> None:
    task = get_task("partial")
    design = task.draw(50, rng=np.random.default_rng(2))
    best = design.updated(choice=np.where(design.answer < 0, 0, design.answer))
    assert (task.regret(best) == 0).all()
    worst = design.updated(choice=np.where(design.answer < 0, 0, 1 - design.answer))
    assert (task.regret(worst)[design.answer >= 0] == 0.25).all()
    assert np.isnan(task.regret(design)).all()


def test_thousands_of_episodes_are_trials_like_any_other(tmp_path) -> None:
    trials = draw("agency", 700)
    assert trials.mask.sum() == 700 * 720
    some = draw("agency", 3)
    some.save(tmp_path / "trials.safetensors")
    assert Trials.load(tmp_path / "trials.safetensors").equals(some)
    assert len(concat([some, some])) == 2 * len(some)


def test_wrong_calls_say_so() -> None:
    with pytest.raises(UsageError, match="no task 'agensy'. Did you mean 'agency'"):
        get_task("agensy")
    with pytest.raises(UsageError, match="2, 3 or 4"):
        get_task("partial", n_options=5)
    with pytest.raises(UsageError, match="Only the partial task has more"):
        get_task("full", n_options=3)
    with pytest.raises(UsageError, match="smaller one first"):
        get_task("full", payoffs=(1, -1))
    with pytest.raises(UsageError, match="'fixd' is not known. Did you mean 'fixed'"):
        draw("full", 2, block_order="fixd")
    with pytest.raises(UsageError, match="n_participants is 0"):
        draw("full", 0)
