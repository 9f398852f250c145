"""Tables of the CC18 suite, from the mirror and from their public sources."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.io import savemat

from toolkit.data import list_cc18, load_cc18
from toolkit.data.cc18_sources import convert, read_arff
from toolkit.data.registry import describe, read_index
from toolkit.errors import DataError, UsageError

ROWS = {row["name"]: row for row in read_index("openml_cc18.csv")}


def test_the_list():
    table = list_cc18()
    assert len(table) == 47 and table["in_ermi_benchmark"].sum() == 22
    assert table["openml_id"].is_unique and table["task_id"].is_unique


def test_an_unknown_table_is_an_error_with_a_suggestion():
    with pytest.raises(UsageError, match="Did you mean 'credit-g'"):
        load_cc18("credit_g")


@pytest.mark.data
@pytest.mark.usefixtures("public_data")
class TestFromTheMirror:
    @pytest.mark.parametrize("name", ROWS)
    def test_every_table_has_the_known_numbers(self, name):
        features, target, info = load_cc18(name)
        counts = target.value_counts()
        found = (*features.shape, len(counts), counts.min(), counts.max(), features.isna().sum().sum())
        facts = ("rows", "features", "classes", "minority", "majority", "missing")
        assert found == tuple(int(info[fact]) for fact in facts)

    def test_a_class_called_none_is_no_missing_value(self):
        assert load_cc18(469).target.value_counts()["None"] == 136

    def test_the_index_is_that_of_the_mirror(self, derived):
        index = derived("openml_cc18/index.csv", dtype=str, keep_default_na=False)
        for row in index.to_dict("records"):
            ours = ROWS[row["name"]]
            assert ours["sha256"] == row["sha256"] and ours["bytes"] == row["bytes"]
            assert row["source_commit"] in ours["source_urls"]

    @pytest.mark.parametrize("name", ["credit-g", "sick", "analcatdata_dmft", "kr-vs-kp", "jm1"])
    def test_a_table_written_as_arff_comes_back(self, name, tmp_path):
        features, target, info = load_cc18(name)
        table = features.assign(**{info["target"]: target})
        path = tmp_path / "table.arff"
        header = "".join(f"@attribute '{column}' real\n" for column in table)
        body = table.to_csv(header=False, index=False, na_rep="?", quotechar="'")
        path.write_text(f"% a comment\n@relation x\n\n{header}@DATA\n{body}%\n")
        pd.testing.assert_frame_equal(convert(info, [path]), table)

    def test_a_table_of_pmlb_comes_back(self, tmp_path):
        features, target, info = load_cc18("churn")
        table = features.assign(**{info["target"]: target})
        table.to_csv(tmp_path / "churn.tsv.gz", sep="\t", index=False)
        pd.testing.assert_frame_equal(convert(info, [tmp_path / "churn.tsv.gz"]), table)

    def test_madelon_comes_back(self, tmp_path):
        features, target, info = load_cc18("madelon")
        savemat(tmp_path / "madelon.mat", {"X": features.to_numpy(), "Y": target.to_numpy()[:, None]})
        made = convert(info, [tmp_path / "madelon.mat"])
        pd.testing.assert_frame_equal(made, pd.concat([features, target], axis=1), check_dtype=False)

    def test_mouse_proteins_come_back_without_the_columns_that_give_the_class_away(self, tmp_path):
        features, target, info = load_cc18("MiceProtein")
        telling = dict.fromkeys(("MouseID", "Genotype", "Treatment", "Behavior"), "x")
        table = features.assign(**telling, **{info["target"]: target})
        table.to_csv(tmp_path / "mice.csv", sep=";", decimal=",", index=False)
        made = convert(info, [tmp_path / "mice.csv"])
        pd.testing.assert_frame_equal(made, features.assign(**{info["target"]: target}))


ARFF = """% comment
@RELATION x
@attribute 'left weight' REAL
@attribute "colour" {red, 'dark blue'}
@attribute class { L, R}

@data
1.5, 'dark blue', L
?, red,R
% the end
"""


def test_arff_with_quotes_blanks_and_missing_values(tmp_path):
    (tmp_path / "a.arff").write_text(ARFF)
    table = read_arff(tmp_path / "a.arff")
    assert list(table) == ["left weight", "colour", "class"]
    assert table["left weight"][0] == 1.5 and np.isnan(table["left weight"][1])
    assert table["colour"].tolist() == ["dark blue", "red"] and table["class"].tolist() == ["L", "R"]


def test_sparse_arff_is_refused(tmp_path):
    (tmp_path / "a.arff").write_text("@attribute x real\n@data\n{0 1}\n")
    with pytest.raises(DataError, match="not a dense ARFF"):
        read_arff(tmp_path / "a.arff")


def test_a_conversion_that_disagrees_is_refused(tmp_path):
    (tmp_path / "a.arff").write_text(ARFF)
    with pytest.raises(DataError, match="'credit-g' made from its source has 2 rows, not 1000"):
        convert(ROWS["credit-g"], [tmp_path / "a.arff"])


def test_adult_is_two_files_with_notes_and_dots(tmp_path):
    line = "25, Private, 226802, 11th, 7, Never-married, Sales, Own-child, ?, Male, 0, 0, 40, Peru, <=50K"
    (tmp_path / "adult.test").write_text(f"|1x3 Cross validator\n{line}.\n{line.replace('<=', '>')}.\n")
    (tmp_path / "adult.data").write_text(f"{line}\n")
    facts = {"rows": 3, "features": 14, "classes": 2, "missing": 3, "minority": 1, "majority": 2}
    table = convert(ROWS["adult"] | facts, [tmp_path / "adult.test", tmp_path / "adult.data"])
    assert table["class"].tolist() == ["<=50K", ">50K", "<=50K"] and table["age"].tolist() == [25] * 3


def test_every_table_has_public_sources():
    for file in describe("openml_cc18").files:
        assert not file.url and file.sources
        assert all(source.path.startswith("openml_cc18/source/") for source in file.sources)
