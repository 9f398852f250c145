"""Fits against closed forms, independent searches, published numbers and hand-made posteriors."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import integrate, stats

from toolkit.errors import UsageError
from toolkit.fitting import Fit, fit
from toolkit.fitting.likelihood import Likelihood
from toolkit.fitting.priors import Prior
from toolkit.models import Parameter, get_model
from toolkit.tests.fitting.agents import (
    Logistic,
    Mixture,
    Undefined,
    Wavy,
    design_of,
    logistic_trials,
    wavy_trials,
)
from toolkit.tests.strategies import random_trials
from toolkit.trials import Trials

CHANCE = np.log(2)


def test_win_stay_lose_shift_is_counted() -> None:
    trials = random_trials("category_learning", (40, 25, 60, 33), n_problems=2)
    found = fit("win_stay_lose_shift", trials, progress=False)
    for number, participant in enumerate(trials.participants):
        counts = {(True, True): 0, (True, False): 0, (False, True): 0, (False, False): 0}
        n_trials, guesses = 0, 0
        for sequence in np.flatnonzero(trials.sequences["participant"] == participant):
            before = None
            for choice, category in zip(trials.choice[sequence], trials.category[sequence], strict=True):
                if choice == -1:
                    continue
                n_trials += 1
                if before is None or before[1] == -1:
                    guesses += 1
                else:
                    counts[before[0] == before[1], choice == before[0]] += 1
                before = (choice, category)
        stay = counts[True, True] / (counts[True, True] + counts[True, False])
        shift = counts[False, False] / (counts[False, True] + counts[False, False])
        np.testing.assert_allclose(found.theta[number], [stay, shift], atol=1e-5)
        expected = -guesses * CHANCE + sum(
            np.log(p) * counts[won, stayed]
            for (won, stayed), p in zip(counts, (stay, 1 - stay, 1 - shift, shift), strict=True)
        )
        row = found.table.iloc[number]
        assert row["log_likelihood"] == pytest.approx(expected, abs=1e-8)
        assert row["n_trials"] == n_trials
        assert row["bic"] == pytest.approx(2 * np.log(n_trials) - 2 * expected)
        assert row["aic"] == pytest.approx(4 - 2 * expected)
        assert row["starts_agreed"] == row["n_starts"] > 10 and row["converged"]


def test_random_responders_choose_as_often_as_they_did() -> None:
    trials = random_trials("free", (30, 12, 50))
    table = fit("random", trials, progress=False).table
    share = np.array([(row[row != -1] == 0).mean() for row in trials.choice])
    np.testing.assert_allclose(table["bias"], share, atol=1e-6)
    n = trials.n_scored
    expected = n * (share * np.log(share) + (1 - share) * np.log(1 - share))
    np.testing.assert_allclose(table["log_likelihood"], expected)


def test_the_published_chance_totals_fix_the_number_of_trials(public_data: Path) -> None:
    """BIC of guessing before its term for parameters, 2 n ln 2.

    The published total of Badham et al., 50,572, takes everyone to have answered 384 trials, but 66 of 95
    people finished earlier: there are 33,440 choices, and guessing has 46,358. In Devraj et al. everyone
    did answer 616 trials, so the published 51,237 is right.
    """
    from toolkit.data import load

    badham = load("badham2017")
    devraj = load("devraj2022_exp1").where(condition="control")
    for trials, longest, published, true in ((badham, 384, 50_572, 46_358), (devraj, 616, 51_237, 51_237)):
        n_people = len(trials.participants)
        assert round(2 * longest * n_people * CHANCE) == published
        guessing = get_model("random").theta(n_people, bias=0.5)
        log_likelihood = get_model("random").log_likelihood(guessing, trials).sum()
        assert round(-2 * log_likelihood) == true
    assert (badham.n_scored < 384).sum() == 66


def test_problems_with_parameters_of_their_own_are_summed() -> None:
    trials, _ = logistic_trials(3, 3)
    whole = fit(Logistic(), trials, progress=False).table
    by_problem = fit(Logistic(), trials, share="problem", progress=False)
    assert by_problem.table[["participant", "problem"]].drop_duplicates().shape == (9, 2)
    alone = fit(Logistic(), trials.where(problem=1), progress=False).table
    np.testing.assert_allclose(
        by_problem.table.query("problem == 1")["log_likelihood"], alone["log_likelihood"], atol=1e-6
    )
    summed = by_problem.by_participant()
    assert summed["participant"].tolist() == whole["participant"].tolist()
    assert (summed["n_parameters"] == 9).all() and (summed["n_trials"] == whole["n_trials"]).all()
    assert (summed["log_likelihood"] > whole["log_likelihood"]).all()
    np.testing.assert_allclose(summed["bic"], 9 * np.log(90) - 2 * summed["log_likelihood"])
    np.testing.assert_allclose(summed["aic"], 18 - 2 * summed["log_likelihood"])
    assert summed["converged"].all() and (summed["reason"] == "").all()


def test_everyone_can_share_one_set_of_parameters() -> None:
    trials, _ = logistic_trials(4, 1)
    together = fit(Logistic(), trials, share="everyone", progress=False)
    one_person = Trials(
        trials.schema,
        trials.arrays,
        trials.mask,
        trials.sequences.assign(participant="all", problem=range(4)),
    )
    alone = fit(Logistic(), one_person, progress=False)
    np.testing.assert_allclose(together.theta, alone.theta, atol=1e-5)
    assert together.table["participant"].tolist() == ["everyone"] and len(together.by_participant()) == 1


def test_a_participant_who_cannot_be_fitted_has_a_row_and_a_reason() -> None:
    trials, _ = logistic_trials(4, 2)
    choice, stimulus = trials.choice.copy(), trials.stimulus.copy()
    choice[2:4] = -1
    stimulus = np.abs(stimulus)
    stimulus[5, 3] = -1
    found = fit(Undefined(), trials.updated(choice=choice, stimulus=stimulus), progress=False)
    table = found.table
    assert table["converged"].tolist() == [True, False, False, True]
    assert table["reason"][1] == "no choice to explain"
    assert "not a finite number at the start" in table["reason"][2]
    assert np.isnan(found.theta[[1, 2]]).all() and table.loc[[1, 2], "log_likelihood"].isna().all()
    assert np.isfinite(found.theta[[0, 3]]).all()
    assert table["starts_agreed"].tolist()[1:3] == [0, 0]
    assert not np.isinf(table.select_dtypes("number").to_numpy()).any()
    nobody = fit(Logistic(), trials.updated(choice=np.full_like(choice, -1)), progress=False)
    assert (nobody.table["reason"] == "no choice to explain").all()
    whole = fit(Logistic(), trials.updated(choice=choice), share="problem", progress=False).by_participant()
    assert np.isnan(whole["log_likelihood"][1]) and whole["reason"][1] == "no choice to explain"
    assert whole["converged"].tolist() == [True, False, True, True]


def test_the_cost_is_linear_in_participants() -> None:
    """Rows × trials that the model works on, whatever the computer does meanwhile."""
    costs = []
    for n_participants in (10, 40, 160):
        model = Logistic()
        fit(model, logistic_trials(n_participants, 1, 20)[0], progress=False)
        costs.append(sum(model.numbers) / n_participants)
    assert max(costs) < 1.2 * min(costs)


def test_priors_pull_estimates_to_them_as_far_as_they_should() -> None:
    """A beta prior on a probability adds its counts; the density at the optimum is known, and so is the evidence."""
    prior = stats.beta(4, 2)

    class Believing(type(get_model("random"))):
        parameters = (Parameter("bias", 0.0, 1.0, "", prior=prior),)

    trials = random_trials("free", (30, 12, 50))
    first = np.array([(row == 0).sum() for row in trials.choice])
    n = trials.n_scored
    table = fit(Believing(), trials, method="map", progress=False).table
    bias = (first + 3) / (n + 4)
    np.testing.assert_allclose(table["bias"], bias, atol=1e-6)
    explained = first * np.log(bias) + (n - first) * np.log(1 - bias)
    np.testing.assert_allclose(table["log_likelihood"], explained)
    np.testing.assert_allclose(table["log_posterior"], explained + prior.logpdf(bias))
    from scipy.special import betaln

    exact = betaln(first + 4, n - first + 2) - betaln(4, 2)
    np.testing.assert_allclose(table["laplace"], exact, atol=0.05)
    plain = fit(Believing(), trials, progress=False).table
    np.testing.assert_allclose(plain["bias"], first / n, atol=1e-6)
    np.testing.assert_allclose(plain["log_posterior"], plain["log_likelihood"])  # Uniform on a width of 1.


def test_laplace_evidence_is_close_to_the_integral() -> None:
    trials, _ = logistic_trials(2, 4, 40)
    found = fit(Logistic(), trials, method="map", progress=False)
    prior, shared = Prior(Logistic.parameters), Likelihood(Logistic(), trials)
    side = np.linspace(-1.5, 1.5, 31)
    for unit, estimate in enumerate(found.theta):
        rows = estimate + np.stack(np.meshgrid(side, side, side), -1).reshape(-1, 3)
        log_p = shared.evaluate(rows, np.full(len(rows), unit))[0] + prior.evaluate(rows)[0]
        density = np.exp(log_p - log_p.max()).reshape(31, 31, 31)
        for _ in range(3):
            density = integrate.trapezoid(density, side)
        assert found.table["laplace"][unit] == pytest.approx(np.log(density) + log_p.max(), abs=0.05)


def test_parameters_at_bounds_are_named() -> None:
    table = pd.DataFrame({"participant": 0, "choice": [0] * 20})
    found = fit("random", Trials.from_table(table, "free"), progress=False).table.iloc[0]
    assert found["bias"] == 1 and found["at_bound"] == "bias" and found["converged"]
    # The integral of bias ** 20 over its range, where a normal distribution would not do.
    assert found["laplace"] == pytest.approx(np.log(1 / 21), abs=0.06)


def test_parameters_of_few_values_are_searched_one_by_one() -> None:
    design = design_of(3, 1, 300)
    true = np.array([[0, 0.2], [1, 0.1], [2, 0.5]])
    trials = Mixture().simulate(true, design, np.random.default_rng(0))
    found = fit(Mixture(), trials, progress=False)
    np.testing.assert_array_equal(found.theta[[0, 2], 0], [0, 2])
    assert (found.table["n_starts"] > 12).all() and (found.table["n_parameters"] == 2).all()
    share = (trials.choice == 1).mean(1)
    expected = 300 * (share * np.log(share) + (1 - share) * np.log(1 - share))
    np.testing.assert_allclose(found.table["log_likelihood"], expected, atol=1e-6)
    few = (("log_posterior", -np.log(3)), ("laplace", -np.log(3)))
    assert found.table["log_posterior"][0] == pytest.approx(expected[0] + few[0][1], abs=1e-6)


def test_parameters_are_recovered() -> None:
    trials, theta = logistic_trials(30, 2, 150)
    found = fit(Logistic(), trials, progress=False)
    for true, estimated in zip(theta.T, found.theta.T, strict=True):
        assert np.corrcoef(true, estimated)[0, 1] > 0.95


def test_a_fit_is_the_same_again_and_alone() -> None:
    trials = wavy_trials(3)
    first, again = (fit(Wavy(), trials, seed=5, progress=False) for _ in range(2))
    pd.testing.assert_frame_equal(first.table, again.table)
    alone = fit(Wavy(), trials.where(participant="p1"), seed=5, exchange_rounds=0, progress=False)
    assert first.table["log_likelihood"][1] >= alone.table["log_likelihood"][0] - 1e-6


@pytest.mark.parametrize("suffix", [".parquet", ".csv"])
def test_a_fit_is_saved_and_read(tmp_path: Path, suffix: str) -> None:
    trials, _ = logistic_trials(3, 2)
    choice = trials.choice.copy()
    choice[:2] = -1
    found = fit(Logistic(), trials.updated(choice=choice), share="problem", method="map", progress=False)
    found.save(tmp_path / f"fit{suffix}")
    again = Fit.load(tmp_path / f"fit{suffix}")
    assert (again.model, again.method, again.share) == ("test_logistic", "map", "problem")
    assert again.parameters == found.parameters == ("weight_1", "weight_2", "intercept")
    np.testing.assert_array_equal(again.theta, found.theta)
    pd.testing.assert_frame_equal(again.table, found.table, check_dtype=False)


def test_threads_are_given_back() -> None:
    before = torch.get_num_threads()
    seen = []

    class Watched(Logistic):
        def probabilities(self, theta, data):
            seen.append(torch.get_num_threads())
            return super().probabilities(theta, data)

    torch.set_num_threads(2)
    try:
        fit(Watched(), logistic_trials(2, 1)[0], progress=False)
        assert set(seen) == {1} and torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_progress_counts_searches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from toolkit.io import read_json

    monkeypatch.setenv("TOOLKIT_PROGRESS_FILE", str(tmp_path / "progress.json"))
    fit(Logistic(), logistic_trials(3, 1)[0])
    state = read_json(tmp_path / "progress.json")
    assert (state["what"], state["done"], state["total"]) == ("fitting test_logistic", 78, 78)


def test_wrong_calls_say_what_is_wrong() -> None:
    trials, _ = logistic_trials(2, 1)
    with pytest.raises(UsageError, match="no method 'mle'. Did you mean 'ml'"):
        fit(Logistic(), trials, method="mle")
    with pytest.raises(UsageError, match="0 starts"):
        fit(Logistic(), trials, n_starts=0)
    with pytest.raises(UsageError, match="no model 'randm'. Did you mean 'random'"):
        fit("randm", trials)
    with pytest.raises(UsageError, match="cannot answer bandit trials"):
        fit(Logistic(), random_trials("bandit"), progress=False)
    with pytest.raises(UsageError, match="company has 1 numbers for 2 units"):
        fit(Logistic(), trials, company=[0], progress=False)
