"""What tests of models of category learning have in common: problems, and ways to look at a learner."""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Sequence

import numpy as np
import pandas as pd

from toolkit.models import Model
from toolkit.models.sequential import SequentialModel
from toolkit.trials import Trials

CUBE = np.array(list(itertools.product([0.0, 1.0], repeat=3)))
"""The eight stimuli of three binary features."""

SHEPARD = {
    name: ~np.isin(np.arange(8), stimuli)
    for name, stimuli in {
        "I": (0, 1, 2, 3),
        "II": (0, 1, 6, 7),
        "III": (0, 1, 2, 5),
        "IV": (0, 1, 2, 4),
        "V": (0, 1, 2, 7),
        "VI": (0, 3, 5, 6),
    }.items()
}
"""The six problems of Shepard, Hovland and Jenkins (1961): which stimuli are in the second category."""


def learned(
    model: SequentialModel,
    theta: Sequence[float],
    stimulus: np.ndarray,
    category: Sequence[int],
    choice: Sequence[int] | None = None,
    n_options: int = 2,
) -> np.ndarray:
    """(trials, options) from the plain function, not compiled."""
    p = np.zeros((len(stimulus), n_options))
    choice = np.full(len(stimulus), -1) if choice is None else np.asarray(choice, dtype=int)
    given = dict(zip([parameter.name for parameter in model.parameters], theta, strict=True))
    given |= {"stimulus": stimulus, "category": np.asarray(category, dtype=int), "choice": choice, "p": p}
    names = inspect.signature(model.learn).parameters
    model.learn(*(given[name] if name in given else getattr(model, name) for name in names))
    return p


def shepard_trials(n_participants: int, n_blocks: int, seed: int) -> Trials:
    """Every participant learns all six problems, in blocks of the eight stimuli in random order."""
    rng = np.random.default_rng(seed)
    tables = []
    for participant, (problem, second) in itertools.product(range(n_participants), SHEPARD.items()):
        order = np.concatenate([rng.permutation(8) for _ in range(n_blocks)])
        columns = {f"stimulus_{i}": CUBE[order, i] for i in range(3)}
        columns |= {"category": second[order].astype(int), "choice": -1, "problem": problem}
        tables.append(pd.DataFrame({"participant": participant, **columns}))
    return Trials.from_table(pd.concat(tables), "category_learning")


def random_problems(
    n_participants: int, n_trials: int, seed: int, *, n_categories: int = 2, continuous: bool = False
) -> Trials:
    """Stimuli in random order with random categories; some feedback and some choices are missing."""
    rng = np.random.default_rng(seed)
    tables = []
    for participant in range(n_participants):
        shown = rng.random((8, 3)) if continuous else CUBE
        order = rng.integers(0, 8, n_trials)
        category = rng.integers(0, n_categories, 8)[order]
        choice = np.where(rng.random(n_trials) < 0.7, category, rng.integers(0, n_categories, n_trials))
        columns = {f"stimulus_{i}": shown[order, i] for i in range(3)}
        columns["category"] = np.where(rng.random(n_trials) < 0.9, category, -1)
        columns["choice"] = np.where(rng.random(n_trials) < 0.95, choice, -1)
        tables.append(pd.DataFrame({"participant": participant, **columns}))
    return Trials.from_table(pd.concat(tables), "category_learning", n_options=n_categories)


def draw_theta(model: Model, shape: tuple[int, ...], seed: int) -> np.ndarray:
    """Parameters uniform within their bounds: (*shape, parameters)."""
    bounds = np.array([(parameter.lower, parameter.upper) for parameter in model.parameters])
    return np.random.default_rng(seed).uniform(*bounds.T, (*shape, len(bounds)))


def right_by_problem(model: Model, trials: Trials, **values: float) -> pd.Series:
    """Mean probability of the right category in every problem."""
    theta = model.theta(len(trials.participants), **values)
    p = np.take_along_axis(model.predict(theta, trials), trials.category[..., None], -1)[..., 0]
    return pd.Series(p.mean(1)).groupby(trials.sequences["problem"]).mean()


def check_batched(model: SequentialModel, trials: Trials, seed: int) -> None:
    """All participants and starts at once give what the plain function gives for each."""
    theta = draw_theta(model, (3, len(trials.participants)), seed)
    p = model.predict(theta, trials)
    for start, row in np.ndindex(theta.shape[:2]):
        shown = (trials.stimulus[row], trials.category[row], trials.choice[row])
        alone = learned(model, theta[start, row], *shown, trials.n_options)
        np.testing.assert_allclose(p[start, row], alone, rtol=1e-7, atol=1e-10)


def check_gradients(model: Model, trials: Trials, theta: np.ndarray, rtol: float = 1e-5) -> None:
    """Derivatives equal central differences."""
    _, gradient = model.log_likelihood_and_gradient(theta, trials)
    scale = np.abs(gradient).max(axis=tuple(range(gradient.ndim - 1)))
    for number, parameter in enumerate(model.parameters):
        step = np.eye(theta.shape[-1])[number] * 1e-6 * (parameter.upper - parameter.lower)
        higher, lower = (
            model.log_likelihood_and_gradient(moved, trials)[0] for moved in (theta + step, theta - step)
        )
        slope = (higher - lower) / (2 * step[number])
        np.testing.assert_allclose(gradient[..., number], slope, rtol=rtol, atol=1e-6 * scale[number] + 1e-9)
