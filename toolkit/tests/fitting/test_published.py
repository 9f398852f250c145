"""The published protocol counts and shares as earlier work did, and stands beside its own numbers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from toolkit.data import load_data, load_table
from toolkit.errors import UsageError
from toolkit.experiments import get_design
from toolkit.fitting import compare, earlier_fits, fit, fit_published, published_table
from toolkit.fitting.published import PROTOCOLS
from toolkit.models import get_model
from toolkit.trials import Trials


@pytest.fixture(scope="module")
def simulated() -> Trials:
    """Four simulated people who learned Types I to IV by exemplars."""
    rng = np.random.default_rng(0)
    design = get_design("shepard").draw(4, rng=rng, conditions=("I", "II", "III", "IV"), n_blocks=2)
    model = get_model("gcm")
    theta = model.theta(4, attention_1=4, attention_2=4, attention_3=4, lapse=0.1, background=0.5)
    return model.simulate(theta, design, rng)


@pytest.mark.data
@pytest.mark.parametrize(
    ("study", "swapped"), [("badham2017", ()), ("devraj2022", ("prototype",))], ids=lambda value: str(value)
)
def test_likelihoods_of_earlier_work_and_our_count_give_the_published_totals(
    public_data: Path, study: str, swapped: tuple[str, ...]
) -> None:
    """Those of prototypes in Devraj's study do not: with any whole count the figure shows another fit."""
    trials = load_data("badham2017" if study == "badham2017" else "devraj2022_exp1")
    people = trials if study == "badham2017" else trials.where(condition="control")
    earlier = earlier_fits(study, people.participants, load_table("ermi_fits"))
    protocol = PROTOCOLS[study]
    for model, entry in protocol.entries.items():
        nll = earlier.loc[earlier["model"] == model, "nll"]
        assert len(nll) == protocol.n_participants
        total = 2 * nll.sum() + len(nll) * entry.n_parameters * np.log(protocol.n_trials)
        if model not in swapped:
            assert total == pytest.approx(entry.bic, rel=2e-5)


@pytest.mark.data
def test_earlier_fits_are_those_of_the_same_person_and_run(public_data: Path) -> None:
    table = load_table("ermi_fits")
    earlier = earlier_fits("badham2017", [f"p{number}" for number in range(95)], table)
    gcm = table[(table["dataset"] == "badham2017") & (table["model"] == "GCM") & (table["participant"] == 7)]
    mine = earlier[(earlier["model"] == "gcm") & (earlier["participant"] == "p7")]["nll"]
    assert mine.item() == pytest.approx(gcm["nll"].sum())
    # Two networks of the rational prior were fitted; the figure shows the second.
    assert earlier.loc[earlier["model"] == "rmc", "nll"].sum() == pytest.approx(19_029.9, abs=0.1)
    with pytest.raises(UsageError, match="are not the 95 of badham2017"):
        earlier_fits("badham2017", range(60), table)


def test_each_problem_has_numbers_of_its_own_and_the_count_is_the_published_one(simulated: Trials) -> None:
    fits = fit_published("badham2017", simulated, ["gcm", "rule"], n_starts=2, progress=False)
    apart = fit("gcm", simulated, share="problem", n_starts=2, progress=False).by_participant()
    assert fits["gcm"]["log_likelihood"].to_numpy() == pytest.approx(
        apart["log_likelihood"].to_numpy(), abs=0.01
    )
    assert (fits["gcm"]["n_parameters"] == 20).all() and (fits["rule"]["n_parameters"] == 8).all()
    assert fits["rule"]["participant"].tolist() == simulated.participants
    assert (fits["rule"]["n_trials"] == simulated.n_scored).all()
    assert compare(fits, n_trials=384).table["n_parameters"].tolist()


def test_only_the_second_type_has_rules_about_two_features(simulated: Trials) -> None:
    """So for Type II alone the fit is that with pairs, elsewhere that without."""
    found = fit_published("badham2017", simulated, ["rule"], progress=False)["rule"].set_index("participant")
    expected = np.zeros(4)
    for condition in ("I", "II", "III", "IV"):
        part = simulated.where(condition=condition)
        rule = get_model("rule", pairs=condition == "II")
        expected += fit(rule, part, progress=False).table["log_likelihood"].to_numpy()
    assert found["log_likelihood"].to_numpy() == pytest.approx(expected, abs=1e-6)


def test_totals_are_for_the_same_people(simulated: Trials) -> None:
    fits = fit_published("badham2017", simulated, ["rule", "rule_with_exceptions"], progress=False)
    person = simulated.participants
    earlier = pd.DataFrame({"model": "rule", "participant": [*person, 99], "nll": [10.0] * 4 + [1000.0]})
    earlier = pd.concat([earlier, earlier.assign(model="rule_with_exceptions")])
    table = published_table("badham2017", fits, earlier).set_index("model")
    rule = table.loc["rule"]
    assert rule["nll"] == pytest.approx(-fits["rule"]["log_likelihood"].sum())
    assert rule["bic"] == pytest.approx(2 * rule["nll"] + 4 * 8 * np.log(384))
    assert rule["earlier_nll"] == 40 and rule["earlier_bic"] == pytest.approx(80 + 4 * 8 * np.log(384))
    assert (
        table.loc["gcm", ["nll", "earlier_nll"]].isna().all() and table.loc["gcm", "published_bic"] == 45_003
    )
    assert table["own_parameters"].eq("each problem").sum() == 4


def test_unknown_studies_and_models_are_named() -> None:
    with pytest.raises(UsageError, match="no published protocol of 'badham2018'"):
        fit_published("badham2018", None)
    with pytest.raises(UsageError, match="was not fitted by 'gmc'"):
        fit_published("badham2017", None, ["gmc"])


def test_whoever_could_not_be_fitted_in_one_part_has_no_sum(simulated: Trials) -> None:
    second = simulated.sequences["condition"].eq("II") & simulated.sequences["participant"].eq(
        simulated.participants[1]
    )
    silent = np.where(second.to_numpy()[:, None], -1, simulated.choice)
    fits = fit_published("badham2017", simulated.updated(choice=silent), ["rule"], n_starts=1, progress=False)
    np.testing.assert_array_equal(fits["rule"]["log_likelihood"].isna(), [False, True, False, False])
    table = published_table("badham2017", fits).set_index("model")
    assert np.isnan(table.loc["rule", ["nll", "bic"]].astype(float)).all()
