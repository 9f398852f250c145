"""Searches from many starts: the best is kept, blocks change nothing, and no other search does better."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import optimize

from toolkit.errors import UsageError
from toolkit.experiments import get_design
from toolkit.fitting import fit, likelihood, multistart
from toolkit.fitting.likelihood import units_of
from toolkit.fitting.multistart import N_FINISHED, MultiStart
from toolkit.fitting.priors import Prior
from toolkit.fitting.ridges import N_LEAVING
from toolkit.fitting.starts import bounds_of, draw_starts
from toolkit.models import Model, Parameter, get_model
from toolkit.tests.fitting.agents import Logistic, Wavy, design_of, logistic_trials, wavy_trials
from toolkit.trials import Trials

CHANCE = np.log(2)


def best_by_scipy(model: Model, trials: Trials, n_starts: int, seed: int = 1) -> np.ndarray:
    """Highest log-likelihood of each participant by L-BFGS-B from random starts of its own."""
    lower, upper = bounds_of(model.parameters)
    rng = np.random.default_rng(seed)

    def one(participant: int) -> float:
        own = trials.take(trials.participant_index == participant)

        def negative(theta: np.ndarray) -> tuple[float, np.ndarray]:
            value, gradient = model.log_likelihood_and_gradient(theta[None], own)
            return -value[0], -gradient[0]

        searches = (
            optimize.minimize(
                negative, rng.uniform(lower, upper), jac=True, bounds=optimize.Bounds(lower, upper)
            )
            for _ in range(n_starts)
        )
        return -min(search.fun for search in searches)

    return np.array([one(participant) for participant in range(len(trials.participants))])


def test_no_search_from_anywhere_beats_the_fit_that_is_kept() -> None:
    trials = wavy_trials(3)
    found = fit(Wavy(), trials, n_starts=40, progress=False).table
    others = best_by_scipy(Wavy(), trials, 20)
    assert (found["log_likelihood"] >= others - 1e-5).all()
    assert (found["starts_agreed"] < found["n_starts"]).all()  # It was not easy.
    assert found["converged"].all()


def test_of_all_starts_the_best_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    ends: list[np.ndarray] = []
    search = MultiStart._search

    def watched(self: MultiStart, *arguments: Any, **options: Any) -> object:
        found = search(self, *arguments, **options)
        ends.append(found.value.copy())
        return found

    monkeypatch.setattr(MultiStart, "_search", watched)
    found = fit(Wavy(), wavy_trials(5), progress=False).table
    assert [len(values) for values in ends] == [
        10,
        4,
        2,
        N_LEAVING,
        N_FINISHED,
        1,
    ]  # Five people offer six optima.
    best = -np.concatenate(ends).min(0)
    np.testing.assert_allclose(found["log_posterior"], best, atol=2e-6)
    roughly_agreed = (-np.concatenate(ends[:4]) >= best - 0.1).sum(0)
    assert (found["starts_agreed"] >= roughly_agreed).all()
    assert (found["starts_agreed"] <= found["n_starts"]).all()
    before = np.concatenate(ends[:2])
    unsure = (before <= before.min(0) + 0.1).sum(0) < 3
    on_ridges = np.isfinite(ends[3]).sum(0)
    np.testing.assert_array_equal(found["n_starts"], np.where(unsure, 16, 14) + on_ridges)


def test_optima_of_others_repair_what_starts_miss() -> None:
    """The same narrow optimum for everyone among many: some searches find it, though not everyone's."""

    class Faster(Wavy):
        parameters = (Parameter("frequency", 0.0, 60.0, "faster waves"), Wavy.parameters[1])

    design = design_of(12, 1, 80, seed=1)
    trials = Wavy().simulate(np.tile([12.0, 4.0], (12, 1)), design, np.random.default_rng(0))
    alone, together = (
        fit(Faster(), trials, n_starts=4, exchange_rounds=rounds, progress=False).table["log_likelihood"]
        for rounds in (0, 1)
    )
    truth = Wavy().log_likelihood(np.tile([12.0, 4.0], (12, 1)), trials).sum(1)
    assert (alone < truth - 10).sum() >= 3
    assert (together > truth).all()


def test_blocks_of_people_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    trials, _ = logistic_trials(9, 2, 20)
    together = fit(Logistic(), trials, progress=False)
    monkeypatch.setattr(likelihood, "NUMBERS_AT_ONCE", 300)
    monkeypatch.setattr(multistart, "NUMBERS_AT_ONCE", 5_000)
    search = MultiStart(Logistic(), units_of(trials, "participant")[0], Prior(()), np.zeros((10, 3)), print)
    assert [len(block) for block in search.blocks] == [3, 2, 2, 2]
    apart = fit(Logistic(), trials, progress=False)
    np.testing.assert_allclose(apart.theta, together.theta, atol=1e-6)
    numbers = ["log_likelihood", "laplace", "bic"]
    np.testing.assert_allclose(apart.table[numbers], together.table[numbers], atol=1e-6)


def test_an_error_in_one_block_of_people_ends_the_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken(Logistic):
        def log_likelihood_and_gradient(
            self, theta: np.ndarray, trials: Trials
        ) -> tuple[np.ndarray, np.ndarray]:
            if theta.shape[0] > 1 and 1.0 in trials.stimulus[trials.mask]:
                raise UsageError("a stimulus that nobody knows.")
            return super().log_likelihood_and_gradient(theta, trials)

    trials, _ = logistic_trials(9, 2, 20)
    stimulus = trials.stimulus.copy()
    stimulus[-1, 0, 0] = 1.0
    monkeypatch.setattr(multistart, "NUMBERS_AT_ONCE", 5_000)
    with pytest.raises(UsageError, match="nobody knows"):
        fit(Broken(), trials.updated(stimulus=stimulus), progress=False)


def test_rugged_likelihoods_are_searched_from_the_best_of_many_points(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rng = np.random.default_rng(4)
    design = get_design("shepard").draw(2, rng=rng, conditions=("II", "IV"), n_blocks=4)
    trials = get_model("alcove").simulate(np.tile([6.0, 0.1, 0.1, 2.0], (2, 1)), design, rng)
    model = get_model("rational")
    points = draw_starts(model.parameters, 400)[:, None].repeat(2, 1)
    highest = model.log_likelihood_and_gradient(points, trials)[0].max(0)
    options = {"n_starts": 2, "exchange_rounds": 0, "progress": False}
    found = fit(model, trials, **options).table
    assert (found["log_likelihood"] >= highest - 1e-6).all()
    monkeypatch.setattr(type(model), "rugged", False)
    plain = fit(model, trials, **options).table
    assert (found["log_likelihood"] > plain["log_likelihood"] + 0.5).all()
