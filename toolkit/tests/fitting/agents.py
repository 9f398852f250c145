"""Small agents and designs with answers that can be worked out."""

from __future__ import annotations

import numpy as np
import pandas as pd
import torch
from scipy import stats

from toolkit.models import Model, Parameter, TrialTensors
from toolkit.trials import Trials


class Logistic(Model):
    """Logistic regression of the choice on two features, with a prior; learns nothing."""

    name = "test_logistic"
    schemas = ("category_learning",)
    reads_choices = False
    parameters = (
        Parameter("weight_1", -6.0, 6.0, "the first feature counts for more", stats.norm(0, 1.5)),
        Parameter("weight_2", -6.0, 6.0, "the second feature counts for more", stats.norm(0, 1.5)),
        Parameter("intercept", -3.0, 3.0, "the second category is chosen more often", stats.norm(0.5, 1)),
    )

    def __init__(self) -> None:
        self.numbers: list[int] = []
        """Rows × trials of every call."""

    def probabilities(self, theta: torch.Tensor, data: TrialTensors) -> torch.Tensor:
        self.numbers.append(int(np.prod(theta.shape[:-1])) * data.mask.shape[1])
        logit = torch.einsum("...sf,stf->...st", theta[..., :2], data.stimulus) + theta[..., 2, None]
        return torch.stack([torch.sigmoid(-logit), torch.sigmoid(logit)], -1)


class Undefined(Logistic):
    """The same, but with no answer to things whose first feature is below 0."""

    def probabilities(self, theta: torch.Tensor, data: TrialTensors) -> torch.Tensor:
        return super().probabilities(theta, data) + data.stimulus[..., :1].clamp(max=0).sqrt()


class Mixture(Model):
    """Chooses the second option with one of three probabilities, or guesses; has a parameter of few values."""

    name = "test_mixture"
    schemas = ("category_learning",)
    reads_choices = False
    parameters = (
        Parameter("level", 0, 2, "which probability", values=(0, 1, 2)),
        Parameter("lapse", 0.0, 1.0, "share of guesses"),
    )

    def probabilities(self, theta: torch.Tensor, data: TrialTensors) -> torch.Tensor:
        levels = torch.tensor([0.1, 0.6, 0.95], dtype=theta.dtype)
        level = levels[theta[..., 0].round().long()]
        p = (1 - theta[..., 1]) * level + theta[..., 1] / 2
        p = p[..., None].expand(*p.shape, data.mask.shape[1])
        return torch.stack([1 - p, p], -1)


class Wavy(Model):
    """A likelihood with many optima: the frequency of a wave over the first feature."""

    name = "test_wavy"
    schemas = ("category_learning",)
    parameters = (
        Parameter("frequency", 0.0, 10.0, "faster waves"),
        Parameter("contrast", 0.0, 10.0, "choices follow the wave more strictly"),
    )

    def probabilities(self, theta, data):
        wave = torch.sin(theta[..., 0, None] * data.stimulus[..., 0])
        p = torch.sigmoid(theta[..., 1, None] * wave)
        return torch.stack([1 - p, p], -1)


def logistic_trials(
    n_participants: int = 6, n_problems: int = 2, n_trials: int = 30, seed: int = 0
) -> tuple[Trials, np.ndarray]:
    """Choices of logistic agents on random stimuli, and the parameters they had (participants, 3)."""
    rng = np.random.default_rng(seed)
    design = design_of(n_participants, n_problems, n_trials, seed)
    theta = rng.uniform([-2, -2, -1], [2, 2, 1], (n_participants, 3))
    return Logistic().simulate(theta, design, rng), theta


def design_of(n_participants: int, n_problems: int, n_trials: int, seed: int = 0) -> Trials:
    """Two features, two categories, and random answers."""
    rng = np.random.default_rng(seed)
    n_rows = n_participants * n_problems * n_trials
    table = pd.DataFrame(
        {
            "participant": [f"p{i}" for i in np.arange(n_rows) // (n_problems * n_trials)],
            "problem": np.arange(n_rows) // n_trials % n_problems,
            "stimulus_0": rng.normal(size=n_rows),
            "stimulus_1": rng.normal(size=n_rows),
            "category": rng.integers(0, 2, n_rows),
            "choice": rng.integers(0, 2, n_rows),
        }
    )
    return Trials.from_table(table, "category_learning")


def wavy_trials(n_participants: int) -> Trials:
    rng = np.random.default_rng(4)
    design = design_of(n_participants, 1, 60, seed=3)
    return Wavy().simulate(rng.uniform(0, 10, (n_participants, 2)), design, rng)
