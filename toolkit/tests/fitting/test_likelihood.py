"""Rows of any units in any order have the likelihoods that the model gives one by one, at a bounded cost."""

from __future__ import annotations

import numpy as np
import pytest

from toolkit.errors import UsageError
from toolkit.fitting import likelihood
from toolkit.fitting.likelihood import Likelihood, units_of
from toolkit.models import get_model
from toolkit.tests.fitting.agents import Logistic, design_of, logistic_trials
from toolkit.tests.strategies import random_trials


def rows(n_rows: int, n_units: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.uniform(-2, 2, (n_rows, 3)), rng.integers(0, n_units, n_rows)


@pytest.mark.parametrize("numbers_at_once", [1, 200, 1_000_000])
def test_rows_have_the_likelihood_of_their_unit(
    monkeypatch: pytest.MonkeyPatch, numbers_at_once: int
) -> None:
    monkeypatch.setattr(likelihood, "NUMBERS_AT_ONCE", numbers_at_once)
    trials, _ = logistic_trials(5)
    trials = trials.take([3, 0, 1, 9, 7, 6, 2, 8, 4, 5])  # Sequences of a participant need not be neighbours.
    grouped, _ = units_of(trials, "participant")
    shared = Likelihood(Logistic(), grouped)
    for seed, n_rows in enumerate((40, 3, 17, 1, 60)):
        theta, unit = rows(n_rows, 5, seed)
        total, gradient = shared.evaluate(theta, unit)
        for row in range(0, n_rows, 4):
            alone = trials.take(trials.participant_index == unit[row])
            expected = Logistic().log_likelihood_and_gradient(theta[[row]], alone)
            np.testing.assert_allclose(total[row], expected[0][0], atol=1e-10)
            np.testing.assert_allclose(gradient[row], expected[1][0], atol=1e-10)


def test_the_cost_follows_the_rows_not_the_fullest_unit() -> None:
    grouped, _ = units_of(logistic_trials(8, 1, 10)[0], "participant")
    model = Logistic()
    shared = Likelihood(model, grouped)
    trials_a_row = 10
    for unit in (np.repeat(np.arange(8), 6), np.array([0] * 6 + [3]), np.array([2])):
        model.numbers.clear()
        shared.evaluate(rows(len(unit), 8)[0], unit)
        assert sum(model.numbers) <= 2 * len(unit) * trials_a_row


def test_a_model_never_works_on_more_numbers_than_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(likelihood, "NUMBERS_AT_ONCE", 500)
    grouped, _ = units_of(logistic_trials(8, 2, 20)[0], "everyone")
    model = Logistic()
    theta, unit = rows(30, 1)
    total, _ = Likelihood(model, grouped).evaluate(theta, unit)
    assert max(model.numbers) * 2 <= 500
    expected = Logistic().log_likelihood_and_gradient(theta[:, None], grouped)[0][:, 0]
    np.testing.assert_allclose(total, expected)


def test_what_is_known_of_all_trials_is_looked_up_once() -> None:
    """Searches end and begin again; the whole set of trials stays prepared."""
    grouped, _ = units_of(design_of(6, 1, 8), "participant")
    prepared = []

    class Watched(Logistic):
        def probabilities(self, theta, data):
            data.remember("watched", lambda: prepared.append(len(data.mask)))
            return super().probabilities(theta, data)

    shared = Likelihood(Watched(), grouped)
    everyone = np.repeat(np.arange(6), 4)
    for unit in (everyone, everyone, np.array([1, 1]), np.array([1]), everyone, everyone[::2]):
        shared.evaluate(rows(len(unit), 6)[0], unit)
    assert prepared.count(6) == 1
    assert sum(prepared) <= 6 + 6


def test_units_by_what_is_shared() -> None:
    trials = random_trials("category_learning", (4, 3, 5, 6), n_problems=2)
    grouped, units = units_of(trials, "participant")
    assert grouped.participants == [0, 1] and units["participant"].tolist() == ["p0", "p1"]
    grouped, units = units_of(trials, "problem")
    assert grouped.participants == [0, 1, 2, 3]
    assert list(units.itertuples(index=False, name=None)) == [("p0", 0), ("p0", 1), ("p1", 0), ("p1", 1)]
    np.testing.assert_array_equal(grouped.n_scored, trials.scored.sum(1))
    grouped, units = units_of(trials, "everyone")
    assert grouped.participants == [0] and units["participant"].tolist() == ["everyone"]
    assert grouped.n_scored.sum() == trials.scored.sum()
    with pytest.raises(UsageError, match="shared by 'problems'. Did you mean 'problem'"):
        units_of(trials, "problems")


def test_sharing_does_not_change_what_the_model_sees() -> None:
    """One's own choices stay one's own, whoever the parameters belong to."""
    trials = random_trials("category_learning", (9, 7, 5, 6), n_problems=2)
    model = get_model("win_stay_lose_shift")
    theta = np.array([[0.8, 0.3]])
    expected = model.log_likelihood(np.repeat(theta, 2, 0), trials).sum()
    for share in ("participant", "problem", "everyone"):
        grouped, units = units_of(trials, share)
        number = np.arange(len(units))
        total, _ = Likelihood(model, grouped).evaluate(np.repeat(theta, len(units), 0), number)
        assert total.sum() == pytest.approx(expected)
