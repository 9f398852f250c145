"""Parameters that simulated people had are found again, those that cannot be are named, and so are alike models."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from toolkit.errors import UsageError
from toolkit.fitting.confusion import Confusion, _confusion, confuse, describing
from toolkit.fitting.fitting import Fit
from toolkit.fitting.recovery import Recovery, draw_design, recover, summarise_recovery
from toolkit.models import Model, Parameter, get_model, register_model
from toolkit.trials import Trials

QUICK = {"n_starts": 3, "progress": False}
NOTHING = Recovery(pd.DataFrame(), pd.DataFrame())


@pytest.fixture(scope="module")
def design() -> Trials:
    """Twenty people with two problems of 60 and 40 trials each."""
    rng = np.random.default_rng(0)
    lengths = np.tile([60, 40], 20)
    table = pd.DataFrame(
        {
            "participant": np.repeat([f"p{number}" for number in range(20)], 100),
            "problem": np.repeat(np.tile([0, 1], 20), lengths),
            "stimulus_0": rng.integers(0, 2, 2000),
            "stimulus_1": rng.integers(0, 2, 2000),
            "choice": 1,
        }
    )
    return Trials.from_table(table.assign(category=table["stimulus_0"]), "category_learning")


@pytest.fixture(scope="module")
def recovery(design: Trials) -> Recovery:
    return recover("win_stay_lose_shift", design, n_participants=60, **QUICK)


def test_identified_parameters_are_recovered_on_a_real_design(recovery: Recovery) -> None:
    assert recovery.table["parameter"].tolist() == ["stay", "shift"]
    assert recovery.table["identified"].all() and recovery.unidentified == []
    assert (recovery.table["rmse"] < 0.15).all() and (recovery.table["bias"].abs() < 0.05).all()
    assert (recovery.table["n_fitted"] == 60).all()


def test_the_table_says_what_its_values_say(recovery: Recovery) -> None:
    for row in recovery.table.itertuples():
        rows = recovery.values[recovery.values["parameter"] == row.parameter]
        error = rows["estimated"] - rows["true"]
        assert row.correlation == pytest.approx(np.corrcoef(rows["true"], rows["estimated"])[0, 1])
        assert row.rank_correlation == pytest.approx(
            stats.spearmanr(rows["true"], rows["estimated"]).statistic
        )
        assert (row.bias, row.rmse) == pytest.approx((error.mean(), np.sqrt((error**2).mean())))


def test_true_values_fill_the_bounds_and_the_seed_decides_them(design: Trials) -> None:
    first, again, other = (recover("random", design, seed=seed, **QUICK).values for seed in (0, 0, 1))
    pd.testing.assert_frame_equal(first, again)
    assert not np.allclose(first["true"], other["true"])
    assert first["true"].min() < 0.2 and first["true"].max() > 0.8


def test_given_values_are_used_as_they_are_or_drawn_from(design: Trials) -> None:
    theta = np.linspace(0.1, 0.9, 20)[:, None]
    assert recover("random", design, theta=theta, **QUICK).values["true"].tolist() == theta.ravel().tolist()
    drawn = recover("random", design, theta=theta[:3], n_participants=30, **QUICK).values["true"]
    assert set(drawn) == set(theta[:3].ravel())


def test_a_parameter_that_does_nothing_is_named(design: Trials) -> None:
    @register_model
    class Idle(Model):
        """Answers by one parameter and ignores the other."""

        name = "idle"
        schemas = ("category_learning",)
        parameters = (
            Parameter("bias", 0.0, 1.0, "first option", prior=stats.beta(8, 2)),
            Parameter("idle", 0.0, 1.0, "nothing"),
        )

        def probabilities(self, theta, data):
            p = theta[..., 0, None] + 0 * theta[..., 1, None] + 0 * data.choice
            return get_model("random").probabilities(p[..., :1], data)

    found = recover("idle", design, draw="prior", n_participants=40, **QUICK)
    assert found.unidentified == ["idle"]
    true = found.values.pivot_table("true", "participant", "parameter")
    assert true["bias"].mean() == pytest.approx(0.8, abs=0.08)
    assert true["idle"].mean() == pytest.approx(0.5, abs=0.15)


def test_failed_fits_are_left_out_and_counted() -> None:
    values = pd.DataFrame(
        {
            "model": "m",
            "participant": range(4),
            "parameter": "x",
            "true": [0.0, 1.0, 2.0, 3.0],
            "estimated": [0.0, 1.0, 2.0, np.nan],
        }
    )
    (row,) = summarise_recovery(values).itertuples()
    assert (row.n_fitted, row.correlation, row.rmse) == (3, pytest.approx(1), 0)
    (row,) = summarise_recovery(values.assign(estimated=1.0)).itertuples()
    assert np.isnan(row.correlation) and not row.identified


def test_design_is_repeated_only_where_more_are_asked_for(design: Trials) -> None:
    everyone = draw_design(design, None, np.random.default_rng(0))
    assert everyone.participants == list(range(20)) and len(everyone) == 40
    np.testing.assert_array_equal(everyone.stimulus, design.stimulus)
    assert not everyone.scored.any()
    some = draw_design(design, 20, np.random.default_rng(0))
    totals = [sorted(np.nansum(trials.stimulus[..., 0], 1)) for trials in (some, design)]
    assert totals[0] == totals[1]
    many = draw_design(design, 50, np.random.default_rng(0))
    assert many.participants == list(range(50)) and len(many) == 100
    assert many.mask.sum() == 50 * 100
    with pytest.raises(UsageError, match="0 participants"):
        draw_design(design, 0, np.random.default_rng(0))


def test_different_models_recognise_their_own(design: Trials) -> None:
    theta = {"random": np.array([[0.3], [0.6]]), "win_stay_lose_shift": np.array([[0.9, 0.8], [0.7, 0.9]])}
    found = confuse(["random", "win_stay_lose_shift"], design, theta=theta, n_participants=30, **QUICK)
    assert found.n_participants == 30
    np.testing.assert_allclose(found.wins.sum(axis=1), 1)
    assert (np.diag(found.wins) > 0.9).all()
    assert found.not_separable == []
    again = confuse(["random", "win_stay_lose_shift"], design, theta=theta, n_participants=30, **QUICK)
    pd.testing.assert_frame_equal(found.wins, again.wins)


def test_parameters_are_recovered_from_what_models_are_told_apart_by(design: Trials) -> None:
    """With what each model's fit made of its own participants, whatever it made of the others."""
    habit, coin = "win_stay_lose_shift", "random"
    found = confuse({"habit": habit, "coin": coin}, design, n_participants=40, **QUICK).recovery
    assert found.table["model"].tolist() == ["habit", "habit", "coin"]
    assert found.table["identified"].all() and (found.table["n_fitted"] == 40).all()
    assert (found.table["rmse"] < 0.15).all()
    true = found.values[found.values["model"] == "coin"]["true"].to_numpy()
    np.testing.assert_allclose(found.values[found.values["model"] == "coin"]["estimated"], true, atol=0.2)


def test_a_model_that_imitates_a_simpler_one_is_not_separable_from_it(design: Trials) -> None:
    """Win-stay lose-shift with stay + shift = 1 and no side preference is a coin."""
    models = {"coin": "random", "habit": get_model("win_stay_lose_shift")}
    found = confuse(models, design, theta={"habit": np.array([[0.5, 0.5]])}, n_participants=30, **QUICK)
    assert found.wins.loc["habit", "coin"] > 0.8
    assert found.not_separable == [("habit", "coin")]
    label = {"coin": "Coin", "habit": "Habit"}
    assert found.in_words(label).endswith("; not to be told apart: Habit from Coin.")
    assert found.in_words(label).startswith("the right agent wins: Coin ")
    # Everyone had the same numbers, so nothing can be found again in differences between people.
    assert found.recovery.in_words(label).endswith("Not found again: Habit: stay, shift.")


def test_simulated_with_are_numbers_of_those_who_do_not_guess() -> None:
    def found(name: str, bic: list[float], estimates: list[float]) -> Fit:
        return Fit(name, ("x",), "participant", "ml", pd.DataFrame({"bic": bic, "x": estimates}))

    random = found("random", [10.0, 10, 10], [0.1, 0.2, 0.3])
    some = found("some", [9.0, 11, 10], [1.0, 2, 3])
    nobody = found("nobody", [11.0, 11, np.nan], [4.0, 5, np.nan])
    theta = describing({"random": random, "some": some, "nobody": nobody})
    assert {name: rows.ravel().tolist() for name, rows in theta.items()} == {
        "random": [0.1, 0.2, 0.3],
        "some": [1, 3],
        "nobody": [4, 5],
    }


def evidence(winners: list[list[int]]) -> np.ndarray:
    """(simulated, participants, fitted) log evidence: 1 for who wins, 0 for others."""
    return np.eye(len(winners))[np.array(winners)]


def test_pairs_say_who_takes_what() -> None:
    found = _confusion(evidence([[0] * 10, [1] * 7 + [0] * 3, [2] * 10]), ["a", "b", "c"], "bic", NOTHING)
    assert found.wins.loc["b"].tolist() == pytest.approx([0.3, 0.7, 0])
    pairs = found.pairs.set_index(["simulated", "rival"])
    assert (pairs.loc[("b", "a"), "right"], pairs.loc[("b", "a"), "taken"]) == pytest.approx((0.7, 0.3))
    # No participant of b is better described by c; those that a takes are equal in b and c.
    assert pairs.loc[("b", "c"), "right"] == pytest.approx(0.7 + 0.15)
    assert found.not_separable == [("b", "a")]


def test_a_model_that_loses_a_little_to_many_has_its_worst_rival_named() -> None:
    rows = np.zeros((4, 20, 4))
    rows[[1, 2, 3], :, [1, 2, 3]] = 1
    rows[0, :, 0] = 1
    for participant, rival in enumerate([1, 1, 1, 2, 2, 3]):
        rows[0, participant, rival] = 2
    found: Confusion = _confusion(rows, list("abcd"), "bic", NOTHING)
    assert found.wins.loc["a", "a"] == pytest.approx(0.7)
    assert (found.pairs["right"] >= 0.8).all()
    assert found.not_separable == [("a", "b")]


def test_calls_that_cannot_work_say_why(design: Trials) -> None:
    with pytest.raises(UsageError, match=r"theta has the shape \(2, 3\), model 'random' needs \(rows, 1\)"):
        recover("random", design, theta=np.zeros((2, 3)))
    with pytest.raises(UsageError, match="row 1 has a value that is no number"):
        recover("random", design, theta=np.array([[0.5], [np.nan]]))
    with pytest.raises(UsageError, match="drawn by 'priors'.*'prior'"):
        recover("random", design, draw="priors")
    with pytest.raises(UsageError, match="bic, aic or laplace"):
        confuse(["random", "win_stay_lose_shift"], design, by="held_out")
    with pytest.raises(UsageError, match="no model 'randon'"):
        confuse(["random", "win_stay_lose_shift"], design, theta={"randon": np.zeros((1, 1))})
