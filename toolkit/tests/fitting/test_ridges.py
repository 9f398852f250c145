"""Ridges are left where that pays, though all searches agree on their height."""

from __future__ import annotations

import numpy as np
import torch

from toolkit.fitting import fit
from toolkit.fitting.ridges import N_LEAVING, leave_ridges
from toolkit.fitting.starts import draw_starts
from toolkit.models import Model, Parameter, TrialTensors
from toolkit.tests.fitting.agents import design_of

LOWER, UPPER = np.zeros(3), np.array([1.0, 1.0, 10.0])


def two_ways(theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A weight under 1 pays where the second parameter is under 0.1, costs elsewhere; the third is best at 4."""
    weight, place, other = np.moveaxis(theta, -1, 0)
    gain = np.where(place < 0.1, 1.0, -1.0)
    value = gain * (1 - weight) - (other - 4) ** 2
    return value, np.stack([-gain, np.zeros_like(gain), -2 * (other - 4)], -1)


def test_a_ridge_is_left_where_it_rises_and_a_top_is_no_ridge() -> None:
    places = draw_starts([Parameter(name, 0.0, 1.0, "") for name in "abc"], 32) * UPPER
    best = np.array([[1.0, 0.5, 4.0], [0.0, 0.05, 4.0], [np.nan] * 3])
    starts = leave_ridges(two_ways, best, places, LOWER, UPPER)
    assert starts.shape == (N_LEAVING, 3, 3)
    left = starts[:, 0]
    assert (left[:, [0, 2]] == best[0, [0, 2]]).all() and (left[:, 1] < 0.1).any()
    assert np.isnan(starts[:, 1:]).all()


class Hidden(Model):
    """Follows the first feature, and by the rest of a weight the second one, rightly from few places only."""

    name = "test_hidden"
    schemas = ("category_learning",)
    reads_choices = False
    parameters = (
        Parameter("weight", 0.0, 1.0, "follows the first feature alone"),
        Parameter("place", 0.0, 1.0, "how the second one is followed"),
    )

    def probabilities(self, theta: torch.Tensor, data: TrialTensors) -> torch.Tensor:
        weight, place = theta[..., 0, None], theta[..., 1, None]
        follows = 4 * torch.exp(-((place / 0.08) ** 2)) - 2
        logit = 2 * data.stimulus[..., 0] + (1 - weight) * follows * data.stimulus[..., 1]
        return torch.stack([torch.sigmoid(-logit), torch.sigmoid(logit)], -1)


def test_fits_find_what_searches_from_their_starts_miss() -> None:
    model, theta = Hidden(), np.tile([0.2, 0.0], (4, 1))
    trials = model.simulate(theta, design_of(4, 1, 80, seed=0), np.random.default_rng(0))
    found = fit(model, trials, n_starts=1, progress=False).table
    truth = model.log_likelihood(theta, trials).sum(-1)
    on_ridge = model.log_likelihood(np.tile([1.0, 0.5], (4, 1)), trials).sum(-1)
    assert (truth > on_ridge + 2).all()
    assert (found["log_likelihood"] > truth).all()
