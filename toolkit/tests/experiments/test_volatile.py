"""Prediction tasks: how often worlds change, what they are like, and errors after changes."""

from __future__ import annotations

import numpy as np
import pytest

from toolkit.errors import UsageError
from toolkit.experiments.volatile import CategoricalTask, GaussianTask


def test_numbers_lie_around_means_that_change() -> None:
    streams = GaussianTask(noise=0.5, change_rate=0.05, prior_mean=2, prior_sd=3).draw(
        20, 5000, rng=np.random.default_rng(0)
    )
    assert streams.observed.shape == streams.changed.shape == (20, 5000)
    assert streams.changed[:, 0].all() and streams.changed[:, 1:].mean() == pytest.approx(0.05, abs=0.003)
    assert len(streams.worlds) == streams.changed.sum()
    assert streams.worlds.mean() == pytest.approx(2, abs=0.2)
    assert streams.worlds.std() == pytest.approx(3, abs=0.15)
    noise = streams.observed - streams.hidden[..., 0]
    assert noise.std() == pytest.approx(0.5, abs=0.01) and abs(noise.mean()) < 0.01
    same = ~streams.changed[:, 1:]
    moved = np.diff(streams.hidden[..., 0], axis=1)
    assert (moved[same] == 0).all() and (moved[~same] != 0).all()


@pytest.mark.parametrize("concentration", [0.01, 0.5, 5])
def test_symbols_follow_frequencies_that_change(concentration: float) -> None:
    streams = CategoricalTask(concentration, 0.01, n_symbols=4).draw(5, 20_000, rng=np.random.default_rng(1))
    np.testing.assert_allclose(streams.worlds.sum(-1), 1)
    spread = 3 / (16 * (4 * concentration + 1))
    assert streams.worlds.var(0).mean() == pytest.approx(spread, rel=0.15)
    assert set(np.unique(streams.observed)) == {0, 1, 2, 3}
    chance = np.take_along_axis(streams.hidden, streams.observed[..., None], -1)
    # The expected frequency of what is observed is the mean sum of squared frequencies.
    assert chance.mean() == pytest.approx((streams.hidden**2).sum(-1).mean(), abs=0.01)


def test_errors_are_counted_from_the_last_change() -> None:
    streams = GaussianTask(1.0, 0.2).draw(2, 300, rng=np.random.default_rng(2))
    since = streams.steps_since_change
    for stream in range(2):
        last = 0
        for step in range(300):
            last = step if streams.changed[stream, step] else last
            assert since[stream, step] == step - last
    estimate = streams.hidden + since[..., None]
    np.testing.assert_allclose(streams.error_after_change(estimate, 4), [0, 1, 4, 9])
    assert np.isnan(streams.error_after_change(estimate, 300)[-1])
    assert streams.squared_error(estimate)[since == 3] == pytest.approx(9)


def test_a_world_that_never_changes() -> None:
    streams = GaussianTask(1.0, 0.0).draw(3, 50, rng=np.random.default_rng(3))
    assert (streams.changed.sum(1) == 1).all() and (streams.hidden == streams.hidden[:, :1]).all()


def test_same_generator_same_streams() -> None:
    first, second = (GaussianTask(1.0, 0.1).draw(2, 20, rng=np.random.default_rng(4)) for _ in range(2))
    assert (first.observed == second.observed).all()


def test_wrong_numbers_say_so() -> None:
    with pytest.raises(UsageError, match="change_rate is 1"):
        GaussianTask(1.0, 1.0)
    with pytest.raises(UsageError, match="noise is 0"):
        GaussianTask(0.0, 0.1)
    with pytest.raises(UsageError, match="n_symbols is 1"):
        CategoricalTask(1.0, 0.1, n_symbols=1)
    with pytest.raises(UsageError, match="n_steps is 0"):
        GaussianTask(1.0, 0.1).draw(1, 0, rng=np.random.default_rng(0))
