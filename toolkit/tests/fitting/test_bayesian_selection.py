"""Frequencies of models: identities, an independent computation, and what noise must not show."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, special, stats

from toolkit.errors import UsageError
from toolkit.fitting.bayesian_selection import estimate_frequencies, exceedance_probabilities


def evidence(values: np.ndarray) -> pd.DataFrame:
    return pd.DataFrame(values, columns=[f"model {number}" for number in range(np.shape(values)[1])])


def noise(n_participants: int, n_models: int, seed: int, size: float = 2.0) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, size, (n_participants, n_models))


@pytest.mark.parametrize("prior", ["one_each", "one_in_all"])
@pytest.mark.parametrize("n_models", [2, 5])
def test_equal_columns_are_equally_frequent(prior: str, n_models: int) -> None:
    found = estimate_frequencies(evidence(np.repeat(noise(40, 1, 0), n_models, 1)), prior=prior)
    for column in ("frequency", "exceedance", "protected_exceedance"):
        np.testing.assert_allclose(found.table[column], 1 / n_models, atol=1e-9)
    np.testing.assert_allclose(found.responsibility, 1 / n_models)


@pytest.mark.parametrize(("prior", "n_models", "count"), [("one_each", 4, 1.0), ("one_in_all", 9, 1 / 9)])
def test_one_model_for_all_has_the_frequency_of_the_closed_form(
    prior: str, n_models: int, count: float
) -> None:
    n_participants = 95
    won = np.zeros((n_participants, n_models))
    won[:, 0] = 1_000
    table = estimate_frequencies(evidence(won), prior=prior).table
    total = n_models * count + n_participants
    assert table["frequency"][0] == pytest.approx((count + n_participants) / total)
    # The smallest frequency of a published table with nine models and 95 people.
    assert table["frequency"][1] == pytest.approx(count / total)
    beta = stats.beta(count + n_participants, total - count - n_participants)
    assert table["frequency_sd"][0] == pytest.approx(beta.std())


def test_updates_are_those_of_a_plain_loop() -> None:
    values = noise(30, 3, 1) + np.array([1.0, 0.0, 0.5])
    alpha = np.ones(3)
    for _ in range(500):
        counts = np.zeros(3)
        for row in values:
            weight = np.exp(row + special.digamma(alpha) - special.digamma(alpha.sum()))
            counts += weight / weight.sum()
        alpha = 1 + counts
    found = estimate_frequencies(evidence(values))
    np.testing.assert_allclose(found.table["alpha"], alpha, atol=1e-5)
    np.testing.assert_allclose(found.responsibility.sum() + 1, found.table["alpha"], atol=1e-5)


def test_free_energy_is_a_close_lower_bound_of_the_evidence() -> None:
    values = noise(12, 2, 3)
    likelihood = lambda r: np.exp(np.logaddexp(values[:, 0] + np.log(r), values[:, 1] + np.log1p(-r)).sum())  # noqa: E731
    exact = np.log(integrate.quad(likelihood, 0, 1)[0])
    bound = estimate_frequencies(evidence(values)).free_energy
    assert bound < exact < bound + 0.5


def test_order_of_models_and_people_does_not_matter() -> None:
    table = evidence(noise(25, 4, 4) + np.array([0.5, 0, 1, 0]))
    shuffled = table.iloc[np.random.default_rng(0).permutation(25), [2, 0, 3, 1]]
    first, second = estimate_frequencies(table), estimate_frequencies(shuffled)
    columns = ["alpha", "frequency_sd", "exceedance", "protected_exceedance"]
    pd.testing.assert_frame_equal(
        first.table.set_index("model")[columns],
        second.table.set_index("model").loc[table.columns, columns],
        rtol=1e-6,
    )
    assert first.bor == pytest.approx(second.bor)
    pd.testing.assert_frame_equal(
        first.responsibility, second.responsibility.loc[table.index, table.columns], rtol=1e-5
    )


@given(st.lists(st.floats(0.05, 500), min_size=2, max_size=2))
@settings(deadline=None)
def test_two_frequencies_exceed_as_the_beta_distribution_says(alpha: list[float]) -> None:
    expected = stats.beta(*alpha).sf(0.5)
    np.testing.assert_allclose(exceedance_probabilities(np.array(alpha)), [expected, 1 - expected], atol=1e-9)


@given(st.lists(st.floats(0.01, 20_000), min_size=2, max_size=12))
@settings(deadline=None)
def test_exceedance_probabilities_sum_to_one_in_the_order_of_counts(alpha: list[float]) -> None:
    found = exceedance_probabilities(np.array(alpha))
    assert found.sum() == pytest.approx(1, abs=1e-8)
    ordered = found[np.argsort(alpha)]
    assert all(small <= large + 1e-9 for small, large in pairwise(ordered))


def test_exceedance_is_what_sampling_finds() -> None:
    alpha, n_draws = np.array([0.2, 3.0, 12.0, 14.0, 13.0]), 400_000
    draws = np.random.default_rng(0).dirichlet(alpha, n_draws)
    sampled = np.bincount(draws.argmax(1), minlength=5) / n_draws
    np.testing.assert_allclose(exceedance_probabilities(alpha), sampled, atol=4 / np.sqrt(n_draws))


def test_risk_is_high_for_noise_and_none_for_a_clear_winner() -> None:
    risks = [estimate_frequencies(evidence(noise(40, 4, seed, 0.3))).bor for seed in range(10)]
    assert min(risks) > 0.9
    clear = noise(40, 4, 0, 0.3)
    clear[:30, 2] += 10
    found = estimate_frequencies(evidence(clear))
    assert found.bor < 1e-6
    np.testing.assert_allclose(found.table["protected_exceedance"], found.table["exceedance"], atol=1e-6)
    assert found.table["protected_exceedance"][2] > 0.999


def test_protection_moves_exceedance_towards_chance_by_the_risk() -> None:
    found = estimate_frequencies(evidence(noise(20, 3, 5)))
    exceedance, protected = found.table["exceedance"], found.table["protected_exceedance"]
    assert 0.1 < found.bor < 0.999
    np.testing.assert_allclose(protected - 1 / 3, (1 - found.bor) * (exceedance - 1 / 3))


def test_families_of_any_size_are_equally_frequent_where_the_data_say_nothing() -> None:
    families = {"model 0": "a", "model 1": "b", "model 2": "b", "model 3": "b"}
    found = estimate_frequencies(evidence(np.zeros((20, 4))), families=families).families
    assert found.table["model"].tolist() == ["a", "b"]
    np.testing.assert_allclose(found.table["frequency"], 0.5)
    np.testing.assert_allclose(found.responsibility, 0.5)


def test_a_family_wins_that_no_single_model_of_it_would() -> None:
    """Each of four models is best for a quarter of people; three of them are one family."""
    table = evidence(np.tile(8 * np.eye(4), (10, 1)))
    families = {"model 0": "a", "model 1": "b", "model 2": "b", "model 3": "b"}
    found = estimate_frequencies(table, families=families)
    np.testing.assert_allclose(found.table["frequency"], 0.25, atol=1e-3)
    assert found.bor > 0.9
    assert found.families.table["frequency"][1] == pytest.approx((1 + 30) / (2 + 40), abs=0.01)
    assert found.families.table["protected_exceedance"][1] > 0.9


def test_families_of_one_model_each_change_nothing() -> None:
    table = evidence(noise(20, 3, 6))
    found = estimate_frequencies(table, families={name: name.upper() for name in table})
    np.testing.assert_allclose(found.families.table.iloc[:, 1:], found.table.iloc[:, 1:])
    assert found.families.bor == pytest.approx(found.bor)


def test_bad_input_is_named() -> None:
    table = evidence(noise(3, 2, 0))
    table.index = ["ann", "ben", "eve"]
    for bad in (np.nan, np.inf, -np.inf):
        broken = table.copy()
        broken.loc["ben", "model 1"] = bad
        with pytest.raises(UsageError, match=f"'model 1' is {bad} for participant 'ben'"):
            estimate_frequencies(broken)
    with pytest.raises(UsageError, match="1 models"):
        estimate_frequencies(table[["model 0"]])
    with pytest.raises(UsageError, match="no participant"):
        estimate_frequencies(table.iloc[:0])
    with pytest.raises(UsageError, match="two models are called 'model 0'"):
        estimate_frequencies(table[["model 0", "model 0"]])
    with pytest.raises(UsageError, match="no prior 'one_eech'.*'one_each'"):
        estimate_frequencies(table, prior="one_eech")
    with pytest.raises(UsageError, match="no family is given for model 1"):
        estimate_frequencies(table, families={"model 0": "a"})
    with pytest.raises(UsageError, match="no model 'model 3'"):
        estimate_frequencies(table, families={"model 0": "a", "model 1": "b", "model 3": "c"})
    with pytest.raises(UsageError, match="only one family"):
        estimate_frequencies(table, families={"model 0": "a", "model 1": "a"})
