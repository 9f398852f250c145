"""Loaders of reward-learning studies against the numbers that are known of them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from toolkit.data import load_data
from toolkit.trials import MISSING

pytestmark = [pytest.mark.data, pytest.mark.usefixtures("public_data")]


@pytest.mark.parametrize(
    ("experiment", "n_people", "n_missed", "name"), [(1, 50, 20, "fmri"), (2, 35, 55, "lab")]
)
def test_lefebvre(experiment, n_people, n_missed, name, derived):
    trials = load_data(f"lefebvre2017_exp{experiment}")
    assert trials.mask.shape == (n_people, 96)
    assert trials.missed.sum() == n_missed
    assert np.isnan(trials.outcome[trials.missed]).all()
    table = derived(f"bandits/lefebvre2017/lefebvre2017_exp{experiment}_{name}_tidy.csv.gz")
    made = table["choice"] != 1.5
    rows = trials.to_table()
    assert (rows["choice"][made] == table["choice"][made] - 1).all() and (
        rows["choice"][~made] == MISSING
    ).all()
    assert (rows["context"] == table["state"] - 1).all()
    seen = np.nansum(rows[["outcome_0", "outcome_1"]], axis=1)
    assert (seen[made] == table["outcome"][made]).all()


def test_lefebvre_rates_and_best_choices():
    trials = load_data("lefebvre2017_exp1")
    assert np.nanmean(trials.correct) == pytest.approx(0.76, abs=0.005)
    won = []
    for pair in range(4):
        seen = trials.outcome[trials.context == pair]
        won += ((np.nanmean(seen, axis=0) + 1) / 2).tolist()
    assert won == pytest.approx([0.25, 0.25, 0.75, 0.25, 0.25, 0.75, 0.75, 0.75], abs=0.06)


def test_lefebvre_equals_the_copy_of_another_project(derived):
    table = derived("bandits/icl_dynamics/human_partial_exp1.csv.gz", index_col=0)
    rows = load_data("lefebvre2017_exp1").to_table()
    made = (table["actions"] != 0.5).to_numpy()
    assert (rows["choice"][made].to_numpy() == table["actions"][made].to_numpy()).all()
    assert (rows["choice"][~made] == MISSING).all() and (~made).sum() == 20


@pytest.mark.parametrize(("experiment", "name"), [(1, "partial"), (2, "complete")])
def test_palminteri(experiment, name, derived):
    trials = load_data(f"palminteri2017_exp{experiment}")
    assert trials.mask.shape == (40, 96) and len(trials.participants) == 20
    assert set(trials.sequences["condition"]) == {name}
    table = derived(f"bandits/palminteri2017/palminteri2017_exp{experiment}_{name}_tidy.csv.gz")
    rows = trials.to_table()
    assert (rows["choice"] == table["choice"] - 1).all()
    assert (rows["context"] == table["condition"] - 1).all()
    assert (rows["problem"] == (table["state"] > 4)).all()
    outcome = rows[["outcome_0", "outcome_1"]].to_numpy()
    chosen = outcome[np.arange(len(rows)), rows["choice"]]
    other = outcome[np.arange(len(rows)), 1 - rows["choice"]]
    assert (chosen == table["outcome"]).all()
    if experiment == 2:
        assert (other == table["counterfactual_outcome"]).all() and trials.full_feedback.all()
    else:
        assert np.isnan(other).all()


def test_palminteri_reversal():
    trials = load_data("palminteri2017_exp2")
    reversing = trials.context == 3
    for answer in (0, 1):
        paid = trials.outcome[reversing & (trials.answer == answer)]
        assert paid[:, answer].mean() > 0.5 > -0.5 > paid[:, 1 - answer].mean()
    assert (reversing & (trials.answer == 1)).sum() == (reversing & (trials.answer == 0)).sum() == 40 * 12


PEOPLE = {1: (24, 720), 2: (24, 640), 3: (30, 360), 4: (17, 600)}


class TestChambon:
    @pytest.mark.parametrize("experiment", PEOPLE)
    def test_everything_equals_the_derived_table(self, experiment, derived):
        trials = load_data(f"chambon2020_exp{experiment}")
        n_people, n_trials = PEOPLE[experiment]
        assert len(trials.participants) == n_people and trials.mask.sum() == n_people * n_trials
        table = derived(f"bandits/chambon2020/chambon2020_raw_exp{experiment}_tidy.csv.gz")
        rows = trials.to_table()
        table = table.sort_values(["participant", "trial"]).reset_index(drop=True)
        rows = rows.sort_values(["participant", "problem", "trial"]).reset_index(drop=True)
        assert (rows["choice"] == table["choice_best"]).all()
        assert (rows["trial_in_block"] == table["trial_in_block"]).all()
        assert (rows["session"] == table["session"]).all()
        assert (rows["response_time"] == table["rt_choice"]).all()
        stored = rows[["payoff_1", "payoff_0"]].fillna(0).to_numpy()
        assert (stored == table[["outcome_best", "outcome_worst"]].to_numpy()).all()
        if experiment == 4:
            assert not rows["forced"].any() and (rows["go"] == (table["free_choice"] == -1)).all()
            assert (rows[["column_10", "column_11"]].to_numpy() == table[["col10", "col11"]].to_numpy()).all()
        else:
            assert (rows["forced"] == (table["free_choice"] == 0)).all()

    @pytest.mark.parametrize(
        ("experiment", "labels"),
        [
            (1, {1: "high/free", 2: "high/mixed", 3: "low/free", 4: "low/mixed"}),
            (2, {1: "high/partial", 2: "high/full", 3: "low/partial", 4: "low/full"}),
            (3, {1: "equal/free", 2: "equal/mixed", 3: "unequal/free", 4: "unequal/mixed"}),
            (4, {1: "equal", 2: "unequal"}),
        ],
    )
    def test_labels_come_from_the_condition_in_the_file(self, experiment, labels, derived):
        table = derived(f"bandits/chambon2020/chambon2020_raw_exp{experiment}_tidy.csv.gz")
        rows = load_data(f"chambon2020_exp{experiment}").to_table()
        table = table.sort_values(["participant", "trial"])
        rows = rows.sort_values(["participant", "problem", "trial"])
        assert (rows["condition"].to_numpy() == table["condition"].map(labels).to_numpy()).all()

    def test_rewards_are_those_of_the_label(self):
        for experiment in (2, 3, 4):
            trials = load_data(f"chambon2020_exp{experiment}")
            for label, rows in trials.sequences.groupby("condition").groups.items():
                part = trials.take(rows)
                won = (part.payoff[part.mask] > 0).mean(0)
                expected = part.sequences[["p_worse", "p_better"]].iloc[0].tolist()
                assert won == pytest.approx(expected, abs=0.02), label

    def test_what_was_shown_in_experiment_2(self):
        trials = load_data("chambon2020_exp2")
        full = trials.sequences["condition"].str.endswith("/full").to_numpy()
        assert full.sum() == 192
        assert not np.isnan(trials.payoff[trials.mask]).any()
        n_shown = (~np.isnan(trials.outcome)).sum(-1)
        assert (n_shown[full][trials.mask[full]] == 2).all() and (
            n_shown[~full][trials.mask[~full]] == 1
        ).all()
        assert (trials.full_feedback[full] == trials.mask[full]).all() and not trials.full_feedback[
            ~full
        ].any()
        # Half of the choices were dictated, as often one option as the other.
        assert trials.forced.sum() == 7_680 and trials.choice[trials.forced].mean() == 0.5

    def test_forced_trials_of_experiment_1(self):
        trials = load_data("chambon2020_exp1")
        mixed = (trials.sequences["choices"] == "mixed").to_numpy()
        assert (trials.mask[mixed].sum(1) == 80).all() and (trials.mask[~mixed].sum(1) == 40).all()
        assert (trials.forced[mixed].sum(1) == 40).all() and not trials.forced[~mixed].any()
        assert ((~np.isnan(trials.outcome)).sum(-1)[trials.mask] == 1).all()
        assert (np.isnan(trials.payoff).sum(-1)[trials.forced] == 1).all()

    def test_best_choices(self):
        found = {}
        for experiment in (1, 2, 3, 4):
            trials = load_data(f"chambon2020_exp{experiment}")
            means = pd.Series(
                [np.nanmean(row) if np.isfinite(row).any() else np.nan for row in trials.correct]
            )
            found[experiment] = means.groupby(trials.sequences["condition"]).mean()
        everything = pd.concat(found)
        assert everything.min() == pytest.approx(0.73, abs=0.005)
        assert everything.max() == pytest.approx(0.89, abs=0.005)
        # Where both options are equal there is no best one.
        assert everything[everything.isna()].index.get_level_values(1).tolist() == [
            "equal/free",
            "equal/mixed",
            "equal",
        ]

    def test_every_block_has_a_pair_of_its_own(self):
        trials = load_data("chambon2020_exp3")
        assert len(trials) == 30 * 12
        assert (trials.context[:, 0] == trials.sequences["problem"]).all()
        assert (trials.trial_in_block[:, 0] == 1).all()


def test_two_step():
    trials = load_data("feher2020_two_step")
    assert len(trials.participants) == 24 and trials.mask.sum() == 4_934
    missed = trials.mask & (trials.choice_2 == MISSING)
    assert missed.sum() == 110 and trials.missed.sum() == 56
    assert ((trials.mask & ~missed).sum(1) == 201).all()
    assert np.isnan(trials.outcome[missed]).all()
    assert np.nanmean(trials.outcome) == pytest.approx(0.519, abs=5e-4)
    common = (trials.state == trials.choice)[trials.choice_2 != MISSING].mean()
    assert common == pytest.approx(0.711, abs=5e-4)


def test_rlwm():
    trials = load_data("rlwm")
    assert len(trials.participants) == 78 and len(trials) == 78 * 9 and trials.mask.sum() == 26_522
    for size, accuracy in ((3, 0.759), (6, 0.597)):
        part = trials.where(set_size=size)
        by_person = pd.Series(np.nansum(part.correct, 1)).groupby(part.participant_index).sum()
        n = pd.Series(part.mask.sum(1)).groupby(part.participant_index).sum()
        assert by_person.sum() / n.sum() == pytest.approx(accuracy, abs=0.003)
        assert (part.context[part.mask].max() + 1) == size
    chosen = np.take_along_axis(trials.payoff, trials.choice.clip(0)[..., None], -1)[..., 0]
    told = np.take_along_axis(trials.outcome, trials.choice.clip(0)[..., None], -1)[..., 0]
    assert (chosen == told)[trials.mask].all()


def test_multi_attribute():
    trials = load_data("hilbig2014_multi_attribute")
    assert trials.attributes.shape == (79, 96, 2, 4)
    assert trials.choice.mean() == pytest.approx(0.475, abs=5e-4)
    difference = np.abs(trials.attributes[..., 0, :] - trials.attributes[..., 1, :])
    assert (difference[..., 0] == 1).all()
