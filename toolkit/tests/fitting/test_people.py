"""People where their data are, simulated participants elsewhere, and everywhere the same agents."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from toolkit.data import load_data, load_table
from toolkit.errors import DataError, UsageError
from toolkit.experiments import get_design
from toolkit.fitting import compare, fit
from toolkit.fitting.people import SIMULATED_BY, list_agents, load_earlier, load_study
from toolkit.models.checkpoints import list_checkpoints
from toolkit.seeds import Seeds


def absent(name: str) -> None:
    raise DataError(f"{name} is not here.", fix=f"toolkit fetch {name}")


@pytest.mark.data
def test_the_people_of_a_study_are_those_of_the_papers(public_data: Path) -> None:
    badham = load_study("badham2017", load_data, Seeds(0))
    devraj = load_study("devraj2022", load_data, Seeds(0))
    assert (len(badham.everyone.participants), len(devraj.everyone.participants)) == (95, 60)
    assert not badham.simulated and badham.title == "Badham et al. (2017)"
    assert badham.groups == "group" and devraj.groups is None
    assert set(devraj.everyone.sequences["condition"]) == {"control"}
    assert len(load_earlier(badham, load_table)) == 95 * 8
    some = badham.some(5).participants
    assert some[0] == 0 and some[-1] == 94 and len(some) == 5
    assert badham.some(1000).participants == badham.everyone.participants


@pytest.mark.data
def test_chance_totals_are_the_published_ones(public_data: Path) -> None:
    """BIC of guessing without a number fitted; earlier work took Badham's people to have made all 384 choices."""
    badham = load_study("badham2017", load_data, Seeds(0)).everyone
    devraj = load_study("devraj2022", load_data, Seeds(0)).everyone
    assert 2 * np.log(2) * 95 * 384 == pytest.approx(50_572, abs=1)
    assert 2 * np.log(2) * devraj.n_scored.sum() == pytest.approx(51_237, abs=1)
    assert 2 * np.log(2) * badham.n_scored.sum() < 50_572


@pytest.mark.parametrize(
    ("study", "n_sequences", "n_trials"), [("badham2017", 380, 96), ("devraj2022", 60, 616)]
)
def test_simulated_people_say_who_they_are(study: str, n_sequences: int, n_trials: int) -> None:
    found = load_study(study, absent, Seeds(0))
    assert found.simulated and found.title.startswith("Simulated people") and "toolkit fetch" in found.note
    assert len(found.everyone) == n_sequences and found.everyone.n_trials == n_trials
    assert found.everyone.scored.all()
    by = found.everyone.sequences.groupby("participant")["simulated_by"].first()
    assert set(by) == set(SIMULATED_BY) and by.value_counts().max() - by.value_counts().min() <= 1
    assert load_earlier(found, absent) is None


def test_agents_that_simulated_people_are_found_out() -> None:
    study = load_study("badham2017", absent, Seeds(1))
    again = load_study("badham2017", absent, Seeds(1)).everyone
    assert (again.choice == study.everyone.choice).all()
    trials = study.everyone.where(participant=study.everyone.participants[:24])
    fits = {name: fit(name, trials, n_starts=3, progress=False) for name in SIMULATED_BY}
    people = compare(fits, n_bootstrap=10).participants
    best = people[people["difference"] == 0].set_index("participant")["model"]
    by = trials.sequences.groupby("participant")["simulated_by"].first()
    assert (best[by.index] == by).mean() >= 0.7


def test_only_agents_that_learn_and_are_here_are_listed() -> None:
    trials = get_design("shepard").draw(1, rng=np.random.default_rng(0))
    agents = list_agents(trials)
    assert {"gcm", "prototype", "alcove", "sustain", "rational", "rulex", "random"} <= set(agents)
    assert not {"rule", "rule_with_exceptions"} & set(agents)
    assert {"rule", "rule_with_exceptions"} <= set(list_agents(trials, fixed_rules=True))
    assert {"ermi", "mi", "pfn", "rmc"} & set(agents) == {"ermi", "mi", "pfn", "rmc"} & set(
        list_checkpoints()
    )


def test_an_unknown_study_gets_a_suggestion() -> None:
    with pytest.raises(UsageError, match=r"badham2017"):
        load_study("badham", absent, Seeds(0))
