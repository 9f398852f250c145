"""Starts cover the parameters and stay inside; what is taken over from others differs."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy import stats

from toolkit.fitting.starts import MARGIN, bounds_of, clip_inside, draw_starts, most_different
from toolkit.models import Parameter

NARROW = Parameter("narrow", -1.0, 1.0, "")
WIDE = Parameter("wide", 0.0, 100.0, "")
KNOWN = Parameter("known", 0.0, 100.0, "", prior=stats.gamma(4, scale=2))
FEW = Parameter("few", 0, 2, "", values=(0, 1, 2))
TWO = Parameter("two", -1, 3, "", values=(-1, 3))


@pytest.mark.parametrize("n_starts", [1, 5, 16, 100])
@pytest.mark.parametrize("wide", [WIDE, KNOWN])
def test_starts_lie_strictly_inside_and_are_the_same_again(n_starts: int, wide: Parameter) -> None:
    parameters = (NARROW, wide)
    starts = draw_starts(parameters, n_starts, seed=3)
    lower, upper = bounds_of(parameters)
    assert starts.shape == (n_starts, 2)
    assert (starts >= lower + 0.99 * MARGIN * (upper - lower)).all()
    assert (starts <= upper - 0.99 * MARGIN * (upper - lower)).all()
    np.testing.assert_array_equal(starts, draw_starts(parameters, n_starts, seed=3))
    assert not np.array_equal(starts, draw_starts(parameters, n_starts, seed=4))


def test_half_of_the_starts_are_even_and_half_close_to_zero() -> None:
    starts = (draw_starts((NARROW, WIDE), 128) - [-1, 0]) / [2, 100]
    even, close = starts[::2], starts[1::2]
    close = np.stack([0.5 + 0.5 * np.cbrt(2 * close[:, 0] - 1), np.cbrt(close[:, 1])], -1)
    for spread in (even, close):
        cells = {tuple(cell) for cell in (spread * 8).astype(int)}
        assert len(cells) > 55  # Of 64; random points fill about 40.


def test_close_to_zero_is_close_to_the_nearest_bound_where_zero_is_outside() -> None:
    above, below = Parameter("above", 1.0, 3.0, ""), Parameter("below", -3.0, -1.0, "")
    starts = draw_starts((above, below), 64)
    even, close = starts[::2], starts[1::2]
    assert np.median(close[:, 0]) < 1.4 < 1.9 < np.median(even[:, 0])
    assert np.median(close[:, 1]) > -1.4 > -1.9 > np.median(even[:, 1])


def test_starts_from_priors_follow_their_quantiles() -> None:
    starts = draw_starts((KNOWN, NARROW), 256)
    found = np.quantile(starts[:, 0], [0.25, 0.5, 0.75])
    np.testing.assert_allclose(found, KNOWN.prior.ppf([0.25, 0.5, 0.75]), rtol=0.03)
    assert abs(np.median(starts[:, 1])) < 0.05


def test_every_combination_of_values_is_started_from() -> None:
    starts = draw_starts((FEW, NARROW, TWO), 10)
    combinations = list(itertools.product(FEW.values, TWO.values))
    for few, two in combinations:
        rest = starts[(starts[:, 0] == few) & (starts[:, 2] == two), 1]
        assert len(rest) == 2 and rest[0] != rest[1]
    assert len(starts) == 2 * len(combinations)
    assert len(draw_starts((FEW, NARROW), 10)) == 12
    np.testing.assert_array_equal(draw_starts((FEW,), 10), [[0], [1], [2]])


def test_estimates_at_bounds_are_moved_inside() -> None:
    moved = clip_inside(np.array([[0.0, 50.0], [-1.0, 100.0]]), *bounds_of((NARROW, WIDE)), 0.02)
    np.testing.assert_allclose(moved, [[0, 50], [-0.96, 98]])


def test_the_median_and_who_differs_most_are_chosen() -> None:
    theta = np.array([[0.5, 0.5], [0.5, 0.5], [0.5, 0.45], [0.5, 0.55], [0.9, 0.5], [0.0, 0.5]])
    chosen = most_different(theta, 2)
    np.testing.assert_array_equal(chosen, [[0.5, 0.5], [0.0, 0.5], [0.9, 0.5]])
    assert len(most_different(theta, 10)) == 5  # None twice.
    np.testing.assert_array_equal(most_different(np.ones((4, 3)), 5), [[1, 1, 1]])
