"""Comparison of models: published totals, sums by hand, intervals, and refusal of unequal footing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from toolkit.data import load_table
from toolkit.errors import UsageError
from toolkit.fitting import compare, cross_validate, fit
from toolkit.fitting.comparison import evidence_table, wide_evidence
from toolkit.trials import Trials

PEOPLE = ["ann", "ben", "eve"]


def fit_table(log_likelihood: list[float], n_parameters: int = 1, n_trials: int = 100) -> pd.DataFrame:
    people = PEOPLE if len(log_likelihood) == 3 else list(range(len(log_likelihood)))
    return pd.DataFrame(
        {
            "participant": people,
            "log_likelihood": log_likelihood,
            "n_trials": n_trials,
            "n_parameters": n_parameters,
        }
    )


@pytest.fixture
def fits() -> dict[str, pd.DataFrame]:
    """``large`` fits better by 9 nats with 3 parameters more, which cost 6.9 nats a person by BIC."""
    return {"small": fit_table([-50.0, -60.0, -70.0]), "large": fit_table([-45.0, -58.0, -68.0], 4)}


def published(dataset: str, models: dict[str, tuple[int, int]]) -> dict[str, pd.DataFrame]:
    """Fits of an earlier study by model, with its run and its number of parameters in all conditions."""
    table, found = load_table("ermi_fits"), {}
    for model, (run, n_parameters) in models.items():
        rows = table[(table["dataset"] == dataset) & (table["model"] == model) & (table["run"] == run)]
        nll = rows.groupby("participant", as_index=False)["nll"].sum()
        found[model] = nll.assign(log_likelihood=-nll["nll"], n_trials=384, n_parameters=n_parameters)
    return found


@pytest.mark.data
def test_published_totals_and_winners_are_found_again(public_data: Path) -> None:
    models = {"RMC": (1, 1), "ERMI": (0, 1), "GCM": (0, 20), "Rule": (0, 8), "PM": (0, 44)}
    found = compare(published("badham2017", models), n_trials=384, prior="one_in_all", n_bootstrap=100)
    bic = found.table.set_index("model")["bic"]
    assert bic.round().to_dict() == {
        "RMC": 38_625,
        "ERMI": 38_722,
        "GCM": 45_003,
        "Rule": 48_791,
        "PM": 63_100,
    }
    assert list(bic.index) == list(models)
    assert len(found.participants) == 5 * 95

    models = {"ERMI": (1, 1), "GCM": (0, 8), "Rule": (0, 2), "Rulex": (0, 2), "MI": (0, 1), "PM": (0, 8)}
    found = compare(published("devraj2022", models), n_trials=616, prior="one_in_all", n_bootstrap=100)
    table = found.table.set_index("model")
    assert table["bic"].round()[["GCM", "ERMI", "Rule"]].tolist() == [40_874, 41_207, 43_201]
    assert table["exceedance"].idxmax() == table["frequency"].idxmax() == "ERMI"
    assert table.index[0] == "GCM"


def test_totals_are_sums_and_the_best_stands_first(fits: dict[str, pd.DataFrame]) -> None:
    found = compare(fits, n_bootstrap=100)
    small, large = (found.table.set_index("model").loc[name] for name in ("small", "large"))
    assert found.table["model"].tolist() == ["small", "large"]
    assert small["bic"] == pytest.approx(2 * 180 + 3 * np.log(100))
    assert large["bic"] == pytest.approx(2 * 171 + 12 * np.log(100))
    assert large["aic"] == pytest.approx(2 * 171 + 24)
    assert small["nats_per_trial"] == pytest.approx(small["bic"] / 2 / 300)
    assert large["difference"] == pytest.approx((large["bic"] - small["bic"]) / 2)
    assert (small["difference"], small["difference_low"], small["difference_high"]) == (0, 0, 0)
    assert (small["n_trials"], large["n_parameters"]) == (300, 12)
    assert found.bor == found.frequencies.bor


@pytest.mark.parametrize(("by", "winner"), [("bic", "small"), ("aic", "small"), ("laplace", "large")])
def test_the_criterion_decides(fits: dict[str, pd.DataFrame], by: str, winner: str) -> None:
    fits = {name: table.assign(laplace=-60.0 if name == "large" else -61.0) for name, table in fits.items()}
    table = compare(fits, by=by, n_bootstrap=10).table
    assert table["model"][0] == winner
    if by == "laplace":
        assert table["log_evidence"].tolist() == [-180.0, -183.0]


def test_held_out_choices_are_judged_by_their_own_number(fits: dict[str, pd.DataFrame]) -> None:
    shuffled = fit_table([-6.0, -5.0, -7.0], n_trials=10).iloc[::-1]
    held_out = {"large": shuffled, "small": fit_table([-6.9] * 3, n_trials=10)}
    found = compare(fits, by="held_out", held_out=held_out, n_bootstrap=10)
    table = found.table.set_index("model")
    assert table.index[0] == "large"
    assert table["nats_per_trial"].to_dict() == pytest.approx({"large": 18 / 30, "small": 6.9 / 10})
    people = found.participants.set_index(["model", "participant"])["log_evidence"]
    assert people["large"].tolist() == [-6.0, -5.0, -7.0]
    with pytest.raises(UsageError, match=r"not of the same models \(large, small\)"):
        compare(fits, by="held_out")
    with pytest.raises(UsageError, match="only one of fits and held_out has participant eve"):
        compare(fits, by="held_out", held_out={name: fits[name][:2] for name in fits})


def test_fits_and_cross_validations_are_taken_as_they_come() -> None:
    rng = np.random.default_rng(0)
    table = pd.DataFrame(
        {"participant": np.repeat(PEOPLE, 40), "stimulus_0": 0.0, "choice": rng.integers(0, 2, 120)}
    )
    trials = Trials.from_table(table.assign(category=table["choice"]), "category_learning")
    names = ["random", "win_stay_lose_shift"]
    fits = {name: fit(name, trials, n_starts=2, progress=False) for name in names}
    held_out = {
        name: cross_validate(name, trials, scheme="last_block", n_starts=2, progress=False) for name in names
    }
    found = compare(fits, by="held_out", held_out=held_out, n_bootstrap=10)
    table = found.table.set_index("model")
    for name in names:
        assert table["bic"][name] == pytest.approx(fits[name].table["bic"].sum())
        assert table["log_evidence"][name] == pytest.approx(held_out[name].table["log_likelihood"].sum())
    assert table["nats_per_trial"]["random"] == pytest.approx(-table["log_evidence"]["random"] / 30)
    mixed = {
        **held_out,
        "random": cross_validate("random", trials, scheme="participants", n_folds=3, progress=False),
    }
    with pytest.raises(UsageError, match="different choices: last_block, participants"):
        compare(fits, by="held_out", held_out=mixed)


def test_fits_that_stopped_early_are_counted(fits: dict[str, pd.DataFrame]) -> None:
    table = compare(
        {**fits, "large": fits["large"].assign(converged=[True, False, False])}, n_bootstrap=10
    ).table
    assert table.set_index("model")["not_converged"].to_dict() == {"small": 0, "large": 2}


def test_a_fixed_number_of_trials_changes_bic_alone(fits: dict[str, pd.DataFrame]) -> None:
    own, fixed = evidence_table(fits), evidence_table(fits, n_trials=384)
    np.testing.assert_allclose(fixed["bic"] - own["bic"], own["n_parameters"] * np.log(3.84))
    assert fixed["aic"].equals(own["aic"]) and fixed["n_trials"].equals(own["n_trials"])


def test_participants_have_differences_and_responsibilities(fits: dict[str, pd.DataFrame]) -> None:
    found = compare({**fits, "again": fits["small"]}, n_bootstrap=10)
    people = found.participants
    best = people.groupby("participant")["log_evidence"].transform("max")
    np.testing.assert_allclose(people["difference"], best - people["log_evidence"])
    np.testing.assert_allclose(people.groupby("participant")["responsibility"].sum(), 1)
    for row in people.itertuples():
        assert row.responsibility == found.frequencies.responsibility.loc[row.participant, row.model]
    # Two equal models share whom they describe best.
    shares = found.table.set_index("model")["share_best"]
    assert shares.to_dict() == pytest.approx({"small": 1 / 2, "again": 1 / 2, "large": 0})


def test_intervals_are_those_of_the_mean_over_people() -> None:
    gain = np.random.default_rng(0).normal(0.5, 2, 80)
    fits = {"a": fit_table(list(-100 + gain)), "b": fit_table([-100.0] * 80)}
    table = compare(fits, seed=1).table.set_index("model")
    error = gain.std() * np.sqrt(80)
    normal = stats.norm(gain.sum(), error)
    assert table["difference"]["b"] == pytest.approx(gain.sum())
    assert table["difference_low"]["b"] == pytest.approx(normal.ppf(0.025), abs=0.1 * error)
    assert table["difference_high"]["b"] == pytest.approx(normal.ppf(0.975), abs=0.1 * error)
    assert table["probability_best"]["a"] == pytest.approx(normal.sf(0), abs=0.02)
    assert table["probability_best"].sum() == pytest.approx(1)


def test_the_seed_decides_the_draws() -> None:
    fits = {"a": fit_table(list(np.linspace(-120.0, -90.0, 40))), "b": fit_table([-105.0] * 40)}
    first, again, other = (compare(fits, n_bootstrap=50, seed=seed).table for seed in (0, 0, 1))
    pd.testing.assert_frame_equal(first, again)
    assert (first["difference_high"] != other["difference_high"]).any()


def test_order_of_people_in_a_table_does_not_matter(fits: dict[str, pd.DataFrame]) -> None:
    shuffled = {**fits, "large": fits["large"].iloc[[2, 0, 1]]}
    pd.testing.assert_frame_equal(
        wide_evidence(evidence_table(fits)), wide_evidence(evidence_table(shuffled))
    )


def test_families_are_passed_on(fits: dict[str, pd.DataFrame]) -> None:
    fits = {**fits, "third": fits["small"]}
    found = compare(fits, families={"small": "x", "third": "x", "large": "y"}, n_bootstrap=10)
    assert found.frequencies.families.table["model"].tolist() == ["x", "y"]


def test_models_on_unequal_footing_are_refused(fits: dict[str, pd.DataFrame]) -> None:
    def refused(match: str, **changed: object) -> None:
        with pytest.raises(UsageError, match=match):
            compare({**fits, **changed})

    refused("'large': it has no participant ben, eve, whom", large=fits["large"][:1])
    refused(
        "'small': it has no participant zoe", large=fits["large"].assign(participant=["ann", "ben", "zoe"])
    )
    refused(
        "scores 96 choices of participant 'ann'.*100", large=fits["large"].assign(n_trials=[96, 100, 100])
    )
    refused("'large': there is no column 'n_parameters'", large=fits["large"].drop(columns="n_parameters"))
    refused("participant 'ann' has several rows", large=pd.concat([fits["large"], fits["large"][:1]]))
    failed = fits["large"].assign(log_likelihood=[-1, np.nan, -1], reason=["", "no start was finite", ""])
    refused(r"'large': log_likelihood is nan for participant 'ben' \(no start was finite\)", large=failed)
    with pytest.raises(UsageError, match="cannot be compared by 'bicc'.*'bic'"):
        compare(fits, by="bicc")
    with pytest.raises(UsageError, match="1 models"):
        compare({"small": fits["small"]})
    with pytest.raises(UsageError, match="there is no column 'laplace'"):
        compare(fits, by="laplace")
    with pytest.raises(UsageError, match="0 bootstrap draws"):
        compare(fits, n_bootstrap=0)
