"""Loaders of category-learning studies against the numbers that are known of them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from toolkit.data import correct_to_criterion, load_data, load_transcripts
from toolkit.data.cache import locate_one
from toolkit.data.loaders.devraj2022 import stimulus_table
from toolkit.data.loaders.leenavarro2002 import FEATURES
from toolkit.errors import UsageError
from toolkit.trials import MISSING, Trials

pytestmark = [pytest.mark.data, pytest.mark.usefixtures("public_data")]


def accuracy(trials: Trials, by: str | list[str] = "condition") -> pd.Series:
    """Proportion correct over all trials of each group of sequences."""
    counts = trials.sequences.assign(
        right=np.nansum(trials.correct, 1), scored=np.isfinite(trials.correct).sum(1)
    )
    sums = counts.groupby(by)[["right", "scored"]].sum()
    return sums["right"] / sums["scored"]


@pytest.fixture(scope="module")
def badham(public_data):
    return load_data("badham2017")


@pytest.fixture(scope="module")
def piantadosi(public_data):
    return load_data("piantadosi2016")


class TestBadham:
    def test_counts(self, badham):
        assert badham.mask.sum() == 33_440
        assert len(badham.participants) == 95 and len(badham) == 380
        lengths = badham.mask.sum(1)
        assert lengths.min() == 32 and lengths.max() == 96
        assert (badham.sequences["n_trials"] == lengths).all()
        assert (badham.sequences["stopped_at_criterion"] == (lengths < 96)).all()

    def test_every_row_of_the_file(self, badham):
        raw = pd.read_csv(locate_one("badham2017", "badham2017deficits.csv"))
        rows = badham.to_table().sort_values(["participant", "problem", "trial"]).reset_index(drop=True)
        raw = raw.sort_values(["participant", "block", "trial"]).reset_index(drop=True)
        assert (rows["choice"].astype(str) == raw["choice"]).all()
        assert (rows["category"] == raw["category"]).all()
        assert (rows[[f"stimulus_{i}" for i in range(3)]].to_numpy() == raw.iloc[:, -3:].to_numpy()).all()
        assert ((raw["reward"] == 1) == (rows["choice"] == raw["correct_choice"])).all()

    def test_raw_means_by_type(self, badham):
        expected = {"I": 0.848, "II": 0.647, "III": 0.658, "IV": 0.670}
        assert accuracy(badham).round(3).to_dict() == pytest.approx(expected, abs=1e-3)

    def test_means_filled_to_96_trials(self, badham):
        means = correct_to_criterion(badham).mean(1)
        groups = [badham.sequences["group"], badham.sequences["condition"]]
        found = pd.Series(means).groupby(groups).mean().round(3)
        assert found["young"].tolist() == [0.934, 0.743, 0.722, 0.722]
        assert found["older"].tolist() == [0.846, 0.574, 0.595, 0.624]

    def test_age_and_group(self, badham, derived):
        key = derived("human/badham2017/participant_key.csv")
        people = badham.sequences.drop_duplicates("participant")
        assert (people["age"].to_numpy() == key["age"]).all()
        assert (people["group"].to_numpy() == key["group"]).all()
        assert people["group"].value_counts().to_dict() == {"young": 48, "older": 47}
        assert not {"sex", "education"} & set(badham.sequences)

    def test_criterion_needs_trials_that_know_of_it(self):
        with pytest.raises(UsageError, match="stopped at criterion"):
            correct_to_criterion(load_data("speekenbrink2008"))


class TestDevraj:
    @pytest.mark.parametrize(("experiment", "n_people"), [(1, 120), (2, 364)])
    def test_everything_equals_the_derived_table(self, experiment, n_people, derived):
        trials = load_data(f"devraj2022_exp{experiment}")
        assert trials.mask.shape == (n_people, 616) and trials.mask.all()
        table = derived(f"human/devraj2022/devraj2022_exp{experiment}_tidy.csv.gz")
        rows = trials.to_table()
        for ours, theirs in (
            ("participant", table["participant"]),
            ("condition", table["environment"]),
            ("n_exceptions", table["n_exceptions"]),
            ("stim_list", table["stim_list"]),
            ("excluded_by_authors", table["excluded_by_authors"] == 1),
            ("stimulus_id", table["stimulus"]),
            ("category", table["category"] - 1),
            ("choice", table["response"] - 1),
        ):
            assert (rows[ours].to_numpy() == theirs.to_numpy()).all(), ours
        features = rows[[f"stimulus_{i}" for i in range(6)]].to_numpy()
        assert (features == table[[f"feature{i}" for i in range(1, 7)]].to_numpy()).all()

    def test_experiment_1_learning(self):
        trials = load_data("devraj2022_exp1")
        assert trials.sequences["condition"].value_counts().to_dict() == {"control": 60, "experimental": 60}
        for environment, first, last in (("control", 0.62, 0.73), ("experimental", 0.96, 0.84)):
            part = trials.where(condition=environment)
            by_segment = [part.correct[:, part.segment[0] == segment].mean() for segment in (0, 10)]
            assert by_segment == pytest.approx([first, last], abs=0.006)

    def test_experiment_2_cells_and_exclusions(self):
        trials = load_data("devraj2022_exp2")
        sequences = trials.sequences
        assert set(sequences.loc[sequences["excluded_by_authors"], "stim_list"]) == {163, 196, 448, 534}
        kept = sequences[~sequences["excluded_by_authors"]]
        assert (kept.groupby(["condition", "n_exceptions"]).size() == 60).all()
        twice = sequences["stim_list"].value_counts()
        assert set(twice[twice > 1].index) == {460, 478}
        kept_trials = trials.take(~sequences["excluded_by_authors"].to_numpy())
        last = kept_trials.correct[:, -56:].mean(1)
        control = (kept_trials.sequences["condition"] == "control").to_numpy()
        n_exceptions = kept_trials.sequences["n_exceptions"].to_numpy()
        final = [last[control & (n_exceptions == n)].mean() for n in (0, 2, 4)]
        assert final == pytest.approx([0.89, 0.79, 0.66], abs=0.02)


def test_lee_and_navarro():
    trials = load_data("leenavarro2002")
    assert trials.mask.sum() == 8_284
    assert len(trials.participants) == 22 and len(trials) == 88
    assert trials.missed.sum() == 14 and trials.n_options == 2
    # The authors count a missed trial as wrong.
    right = pd.Series(np.nansum(trials.correct, 1)).groupby(trials.sequences["condition"]).sum()
    n_trials = pd.Series(trials.mask.sum(1)).groupby(trials.sequences["condition"]).sum()
    assert (right / n_trials).round(3).tolist() == [0.918, 0.855, 0.848, 0.801]
    published = pd.read_csv(locate_one("leenavarro2002", "lee-navarro-features.csv"))
    # The headers triangle and square are swapped in the file.
    right = published.rename(columns={"triangle": "square", "square": "triangle"}).set_index("stimulus")
    rows = trials.to_table()
    expected = right.loc[rows["stimulus_id"], list(FEATURES)].to_numpy()
    assert (rows[[f"stimulus_{i}" for i in range(6)]].to_numpy() == expected).all()


@pytest.mark.parametrize(
    ("structure", "n_people", "n_trials", "mean"),
    [("crisscross", 34, 14_687, 0.56), ("diagonal", 31, 13_392, 0.67)],
)
def test_bartlema(structure, n_people, n_trials, mean):
    trials = load_data(f"bartlema2014_{structure}")
    assert len(trials) == n_people and trials.mask.sum() == n_trials
    learning = trials.mask & ~trials.transfer
    assert (learning.sum(1) == 320).all() and trials.transfer.sum() == n_trials - n_people * 320
    assert (trials.category[trials.transfer] == MISSING).all()
    assert (trials.category[learning] == trials.answer[learning]).all()
    assert len(np.unique(trials.stimulus_id[learning])) == 8
    assert trials.correct[learning].mean() == pytest.approx(mean, abs=0.006)


def test_speekenbrink(derived):
    trials = load_data("speekenbrink2008")
    people = trials.sequences["condition"].value_counts().to_dict()
    assert people == {"control": 16, "amnesic": 9} and trials.mask.shape == (25, 200)
    rows = trials.to_table()
    table = derived("human/speekenbrink2008/WPT.csv.gz")
    assert (rows["participant"] == table["id"]).all()
    assert (rows["category"] == table["y"]).all() and (rows["choice"] == table["r"]).all()
    cards = rows[[f"stimulus_{i}" for i in range(4)]].to_numpy()
    assert (cards == table[["x1", "x2", "x3", "x4"]].to_numpy()).all()
    for group, first, last in (("control", 0.61, 0.69), ("amnesic", 0.56, 0.63)):
        correct = trials.where(condition=group).correct
        assert [correct[:, :50].mean(), correct[:, -50:].mean()] == pytest.approx([first, last], abs=0.02)


def test_kruschke():
    trials = load_data("kruschke1993")
    assert len(trials.participants) == 160 and trials.mask.shape == (160, 64)
    found = accuracy(trials).round(2).to_dict()
    assert found == {
        "condensation 1": 0.71,
        "condensation 2": 0.71,
        "filtration 1": 0.93,
        "filtration 2": 0.85,
    }
    assert not trials.sequences["order_known"].any()
    assert (np.bincount(trials.block[0]) == 8).all()


def test_zeithamova_and_maddox(derived):
    trials = load_data("zeithamovamaddox2006")
    assert trials.mask.sum() == 68_000
    people = trials.sequences["condition"].value_counts().to_dict()
    assert people == {"UDload": 50, "IIload": 45, "UDnone": 41, "IInone": 34}
    found = accuracy(trials).round(3).to_dict()
    assert found == {"IIload": 0.595, "IInone": 0.692, "UDload": 0.574, "UDnone": 0.754}
    table = derived("human/zeithamovamaddox2006/zm2006_tidy.csv.gz")
    rows = trials.to_table()
    assert (rows["choice"] == table["response"]).all() and (rows["category"] == table["category"]).all()
    assert np.allclose(rows[["stimulus_0", "stimulus_1"]], table[["dim1", "dim2"]])


def test_navarro():
    trials = load_data("navarro2005")
    assert len(trials) == 40 and trials.mask.shape == (40, 200)
    assert set(trials.sequences["condition"]) == {"gender", "hair", "trust", "random"}
    assert accuracy(trials)["gender"] > accuracy(trials)["random"]


@pytest.mark.parametrize(("experiment", "n_blocks"), [(1, 7), (2, 10)])
def test_smith_and_minda_keep_every_count(experiment, n_blocks, derived):
    trials = load_data(f"smithminda1998_exp{experiment}")
    assert trials.mask.shape == (32, n_blocks * 14 * 4)
    assert not trials.sequences["order_known"].any()
    rows = trials.to_table()
    table = derived(f"human/smithminda1998/smithminda1998_exp{experiment}_tidy.csv.gz")
    counts = (
        rows.assign(a=rows["choice"] == 0, right=rows["choice"] == rows["category"])
        .groupby(["participant", "stimulus_id", "block"])[["a", "right"]]
        .sum()
    )
    # The derived table numbers participants within each structure.
    table["participant"] += np.where(table["structure"].str.startswith("Non"), 15, -1)
    table = table.sort_values(["participant", "stimulus", "block"])
    assert (counts["a"].to_numpy() == table["n_respond_A_of_4"]).all()
    assert (counts["right"].to_numpy() == table["n_correct_of_4"]).all()


def test_smith_and_minda_with_features():
    trials = load_data("smithminda1998_exp1", features=True)
    assert len(trials) == 16 and trials.stimulus.shape[-1] == 6
    assert (trials.stimulus[0, 0] == stimulus_table(2)[0]).all()
    by_stimulus = [trials.correct[trials.stimulus_id == stimulus].mean() for stimulus in range(14)]
    # The exceptions are the hardest stimuli.
    assert set(np.argsort(by_stimulus)[:2]) == {6, 13}


class TestPiantadosi:
    def test_counts(self, piantadosi):
        assert piantadosi.mask.sum() == 389_458
        assert len(piantadosi.participants) == 1_638
        assert piantadosi.sequences["condition"].nunique() == 112
        assert piantadosi.missed.sum() == 2_207
        assert piantadosi.set.max() == 25 and set(np.unique(piantadosi.item[piantadosi.mask])) == {
            1,
            2,
            3,
            4,
            5,
        }

    def test_every_row_of_the_derived_table(self, piantadosi, derived):
        table = derived("human/piantadosi2016/piantadosi2016_tidy.csv.gz", keep_default_na=False)
        rows = piantadosi.to_table().set_index(["participant", "problem", "set", "item"])
        table = table.set_index(["subject", "concept_order", "set", "item"]).loc[rows.index]
        assert (rows["category"].to_numpy() == table["answer"].astype(int)).all()
        responses = pd.to_numeric(table["response"], errors="coerce").fillna(MISSING)
        assert (rows["choice"].to_numpy() == responses.to_numpy()).all()
        assert (rows["stimulus_2"].to_numpy() == table["size"].astype(int)).all()
        shapes = np.array(["circle", "rectangle", "triangle"])[rows["stimulus_0"].astype(int)]
        assert (shapes == table["shape"].to_numpy()).all()

    def test_concepts_have_names_and_relations_are_marked(self, piantadosi):
        concepts = piantadosi.sequences.drop_duplicates("condition").set_index("condition")
        assert concepts.loc["hg04", "concept"] == "circle"
        assert concepts.loc["hg14", "concept"] == "circle xor blue"
        assert not concepts.loc["hg14", "relational"] and concepts.loc["hg35", "relational"]

    def test_no_demographics(self, piantadosi):
        columns = {"participant", "problem", "condition", "concept", "relational", "list"}
        assert set(piantadosi.sequences) == columns


def test_demircan(derived):
    trials = load_data("demircan2024")
    assert trials.mask.shape == (91, 120)
    rows = trials.to_table()
    table = derived("human/demircan2024/demircan2024_tidy.csv.gz")
    assert (rows["object"].astype(str) == table["object"]).all()
    assert (rows["choice"] == "Folty").eq(table["response"] == 1).all()
    assert (rows["category"] == "Folty").eq(table["category"] == 1).all()
    learned = [trials.correct[:, :20].mean(), trials.correct[:, -20:].mean()]
    assert learned == pytest.approx([0.60, 0.80], abs=0.03)


@pytest.mark.parametrize(
    ("experiment", "n_people", "n_responses"),
    [
        ("decker2016twostep", 80, 31_537),
        ("rosenbaum2022valence", 62, 13_330),
        ("thoma2025problearn", 483, 47_817),
    ],
)
def test_transcripts(experiment, n_people, n_responses):
    transcripts = load_transcripts(experiment)
    assert len(transcripts) == n_people
    assert sum(one["text"].count("<<") for one in transcripts) == n_responses


def test_an_unknown_experiment_has_no_transcripts():
    with pytest.raises(UsageError, match="decker2016twostep"):
        load_transcripts("decker2016")
