"""Standings: tables of fits as they come, with failures and gaps, and groups of people in them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from toolkit import fitting, start_section
from toolkit.errors import DataError, UsageError
from toolkit.experiments import get_design
from toolkit.fitting import Standings, gather
from toolkit.models import get_model, get_model_for
from toolkit.sections import SectionParams
from toolkit.seeds import Seeds
from toolkit.trials import Trials

LOG_LIKELIHOOD = {"gcm": [-10.0, -30.0, -20.0, -25.0], "random": [-27.0, -27.0, -27.0, -27.0]}


def table(**columns: list) -> pd.DataFrame:
    """Fits of two models to four people."""
    parts = [
        pd.DataFrame(
            {"model": name, "participant": [1, 2, 3, 4], "log_likelihood": values, "n_trials": 40, **columns}
        )
        for name, values in LOG_LIKELIHOOD.items()
    ]
    return pd.concat(parts, ignore_index=True).assign(n_parameters=lambda all_: 2 * (all_["model"] == "gcm"))


def with_a_failure() -> Standings:
    """The second person could not be fitted by one of the models."""
    fits = table(group=["older", "older", "younger", "younger"], age=[70, 65, 20, 31])
    fits.loc[1, "log_likelihood"] = np.nan
    return gather(fits.assign(reason=["", "no finite start", *[""] * 6]))


@pytest.fixture(scope="module")
def trials() -> Trials:
    seeds = Seeds(0)
    design = get_design("shepard").draw(2, rng=seeds.numpy("design"), conditions=("I", "II"), n_blocks=1)
    model = get_model_for("win_stay_lose_shift", design)
    theta = np.tile([0.8, 0.6], (len(design.participants), 1))
    return model.simulate(theta, design, seeds.numpy("choices"))


def test_a_person_without_an_estimate_is_left_out_of_totals_and_has_a_reason() -> None:
    standings = with_a_failure()
    assert standings.complete() == [1, 3, 4]
    assert standings.failed()[["participant", "reason"]].to_numpy().tolist() == [[2, "no finite start"]]
    assert np.isnan(standings.wide("bic").loc[2, "gcm"]) and standings.wide("bic").loc[2, "random"] == 0
    assert standings.comparison.table["n_trials"].tolist() == [120, 120]
    assert standings.models == ["gcm", "random"]
    assert standings.in_order("winner")[0] == 1 and set(standings.in_order("winner")) == {1, 2, 3, 4}


def test_bic_is_that_of_the_sums_and_nats_are_per_choice() -> None:
    standings = gather(table())
    price = 2 * np.log(40)
    assert standings.wide("bic").loc[1, "random"] == pytest.approx(54 - (20 + price))
    assert standings.wide("nats").loc[2, "gcm"] == 0.75


def test_filters_leave_the_people_they_name() -> None:
    standings = with_a_failure()
    assert standings.groups == ["older", "younger"] and standings.ages == (20, 70)
    assert standings.where(group="older").participants == [1, 2]
    assert standings.where(group="younger", ages=(25, 40)).participants == [4]
    assert standings.in_order("age") == [3, 4, 2, 1]


def test_a_filter_that_nobody_passes_says_so() -> None:
    with pytest.raises(UsageError, match="Nobody belongs to older and is 20 to 30 years old"):
        with_a_failure().where(group="older", ages=(20, 30))
    with pytest.raises(UsageError, match="Nobody took part in condition II"):
        with_a_failure().where(condition="II")


def test_without_ages_nothing_is_asked_of_them() -> None:
    standings = gather(table())
    assert standings.ages is None and standings.groups == []
    assert standings.orders == ["winner", "table"]
    with pytest.raises(UsageError, match="nothing is known of people's age"):
        standings.in_order("age")
    with pytest.raises(UsageError, match="Nobody"):
        standings.where(ages=(0, 100))


def test_one_person_and_one_model_are_enough() -> None:
    one = gather(table().query("participant == 3"))
    assert one.comparison.table["model"].tolist() == one.models
    alone = gather(table().query("model == 'gcm'").drop(columns="model"))
    assert alone.comparison is None and alone.wide("bic").eq(0).all(axis=None)


def test_what_is_no_table_of_fits_is_named() -> None:
    with pytest.raises(UsageError, match="no column 'n_trials'"):
        gather(table().drop(columns="n_trials"))
    with pytest.raises(UsageError, match="no row"):
        gather(table().head(0))


def test_a_model_that_lacks_a_person_is_a_gap_with_a_reason() -> None:
    standings = gather(table().drop(index=7))
    assert standings.complete() == [1, 2, 3]
    assert "not in the table" in standings.failed()["reason"].item()


def test_conditions_add_up_to_the_whole_and_a_failed_fit_stays_unknown(trials: Trials) -> None:
    fits = {
        name: fitting.fit(name, trials, n_starts=1, progress=False)
        for name in ("win_stay_lose_shift", "random")
    }
    by_condition = fitting.explain_conditions(fits, trials)
    sums = by_condition.groupby(["model", "participant"], sort=False)["log_likelihood"].sum()
    for name, found in fits.items():
        np.testing.assert_allclose(sums[name], found.table["log_likelihood"])
    standings = gather(fits, trials)
    own = standings.where(condition="II")
    rows = by_condition.query("condition == 'II' and model == 'random'").set_index("participant")
    expected = -rows["log_likelihood"] / rows["n_trials"]
    np.testing.assert_allclose(own.wide("nats")["random"], expected.loc[own.participants])
    fits["win_stay_lose_shift"].table.loc[0, ["stay", "shift", "log_likelihood"]] = np.nan
    unknown = fitting.explain_conditions(fits, trials).query("model == 'win_stay_lose_shift'")
    assert unknown["log_likelihood"].isna().groupby(unknown["participant"]).all().tolist() == [True, False]


def test_a_model_made_with_options_is_not_taken_for_the_one_of_its_name(trials: Trials) -> None:
    for options in ({"distance_power": 2}, {"decay": True}):
        model = get_model_for("gcm", trials, **options)
        found = fitting.fit(model, trials, n_starts=1, exchange_rounds=0, progress=False)
        for ask in (
            lambda found=found: gather({"own": found}, trials),
            lambda found=found: fitting.predict_correct(found, trials),
        ):
            with pytest.raises(UsageError, match="without options does not give this fit's likelihoods"):
                ask()
        standings = gather({"own": found}, trials, models={"own": model})
        parts = standings.by_condition.groupby("participant", sort=False)["log_likelihood"].sum()
        assert parts.to_numpy() == pytest.approx(found.table["log_likelihood"].to_numpy())
        assert np.isfinite(fitting.predict_correct(found, trials, model=model)).any()


@pytest.mark.parametrize("name", ["win_stay.csv", "win_stay.parquet"])
def test_saved_fits_are_read(trials: Trials, tmp_path: Path, name: str) -> None:
    found = fitting.fit("win_stay_lose_shift", trials, share="problem", n_starts=1, progress=False)
    found.save(tmp_path / name)
    standings = fitting.read_standings(tmp_path / name)
    assert standings.models == ["win_stay_lose_shift"]
    whole = found.by_participant()
    np.testing.assert_allclose(standings.table["bic"], whole["bic"])


class Params(SectionParams):
    """Parameters that every section has."""


def test_a_finished_run_is_found_and_read(home: Path, trials: Trials) -> None:
    fits = {
        name: fitting.fit(name, trials, n_starts=1, progress=False)
        for name in ("win_stay_lose_shift", "random")
    }
    run = start_section("03_human_comparison", Params, profile="smoke", seed=0)
    run.save("people_study", fitting.compare(fits, n_bootstrap=5).participants)
    assert fitting.find_standings() == []
    marked = trials.sequences.assign(simulated_by="gcm")
    standings = gather(fits, replace(trials, sequences=marked))
    standings.keep("study", run.save)
    run.finish("Done.")
    (source,) = fitting.find_standings()
    assert source == "interactive/03_human_comparison/people_study"
    read = fitting.read_standings(source)
    pd.testing.assert_frame_equal(read.wide("bic"), standings.wide("bic"), check_names=False)
    assert read.conditions == ["I", "II"] and read.groups == ["simulated by gcm"]
    assert read.title.startswith("Simulated people")
    with pytest.raises(DataError, match="people_study"):
        fitting.read_standings("interactive/03_human_comparison/people_others")


def test_one_fit_alone_is_taken_as_it_is() -> None:
    trials = get_design("shepard").draw(2, rng=np.random.default_rng(0), conditions=["I"], n_blocks=1)
    trials = get_model("random").simulate(np.full((2, 1), 0.5), trials, np.random.default_rng(0))
    standings = gather(fitting.fit("random", trials, progress=False), trials)
    assert standings.models == ["random"] and standings.conditions == ["I"]


def test_what_is_no_number_is_named_and_no_trials_are_no_estimate() -> None:
    with pytest.raises(UsageError, match="age of participant 3 is 'old', which is no number"):
        gather(table(age=["70", "65", "old", "31"]))
    assert gather(table(age=["70", "65", "", "31"]).replace("", np.nan)).ages == (31, 70)
    empty = table()
    empty.loc[0, "n_trials"] = 0
    assert gather(empty).failed()["reason"].tolist() == ["it has no trials"]


def test_a_file_of_another_kind_is_named(tmp_path: Path) -> None:
    (tmp_path / "fits.xlsx").write_text("a")
    with pytest.raises(DataError, match=r"is a \.parquet or \.csv file"):
        fitting.read_standings(tmp_path / "fits.xlsx")
