"""Leads and what goes with them, against direct computation; published means beside ours."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr

from toolkit.benchmark import (
    Table,
    compare_with_published,
    describe_tables,
    explain_leads,
    leads,
    prepare_sets,
    problem_properties,
    published,
    sklearn_pairs,
)
from toolkit.benchmark.explaining import PROPERTIES
from toolkit.data import load_table
from toolkit.errors import UsageError


@pytest.fixture
def means() -> pd.DataFrame:
    return pd.DataFrame(
        {"ermi": [0.8, 0.7, 0.9], "svm": [0.7, 0.8, 0.9], "gcm": [0.6, 0.6, 0.95]}, index=list("abc")
    )


def test_leads_are_over_the_mean_and_the_best_of_the_rivals(means: pd.DataFrame) -> None:
    table = leads(means, "accuracy", "ermi", ["svm", "gcm"])
    assert table["task"].tolist() == ["a", "b", "c"]
    np.testing.assert_allclose(table["lead"], [0.15, 0.0, -0.025])
    np.testing.assert_allclose(table["lead_over_best"], [0.1, -0.1, -0.05])
    assert table["best"].tolist() == ["svm", "svm", "gcm"]
    losses = leads(-means, "log_loss", "ermi", ["svm", "gcm"])
    pd.testing.assert_frame_equal(losses, table)
    with pytest.raises(UsageError, match="no model 'lda'"):
        leads(means, "accuracy", "ermi", ["lda"])


def test_properties_are_those_of_the_sets_that_are_drawn() -> None:
    rng = np.random.default_rng(0)
    y = np.arange(300) % 3 == 0
    features = pd.DataFrame({"signal": rng.normal(size=300) + 2 * y, "coin": rng.integers(0, 2, 300)})
    table = Table("mine", features, pd.Series(y))
    found = problem_properties(published(3), [table]).loc["mine"]
    assert list(found.index) == list(PROPERTIES)
    assert (found["rows"], found["columns"]) == (300, 2) and found["rarest_class"] == pytest.approx(1 / 3)
    sizes, distinct = [], []
    for one in prepare_sets(published(3), table):
        x = np.concatenate([one.x, one.test_x])
        sizes.append(abs(np.corrcoef(x.T)[0, 1]))
        distinct.append((len(np.unique(x[:, 0])) + len(np.unique(x[:, 1]))) / 200)
    assert found["pearson_mean_size"] == pytest.approx(np.mean(sizes))
    assert found["distinct_values"] == pytest.approx(np.mean(distinct))
    assert found["separability_best_feature"] > 0.85


def test_leads_are_explained_by_what_goes_with_them() -> None:
    rng = np.random.default_rng(0)
    lead = rng.normal(size=20)
    names = [f"task {number}" for number in range(20)]
    properties = pd.DataFrame(
        {"cause": -lead + 0.1 * rng.normal(size=20), "noise": rng.normal(size=20), "same": 1.0}, index=names
    )
    properties.loc["task 3", "noise"] = np.nan
    table = explain_leads(pd.DataFrame({"task": names, "lead": lead}), properties, rng=rng)
    assert table["property"].tolist() == ["cause", "noise"] and table["n"].tolist() == [20, 19]
    cause = table.iloc[0]
    expected = spearmanr(lead, properties["cause"])
    assert (cause["rho"], cause["p"]) == (expected.statistic, expected.pvalue)
    assert cause["p_holm"] == pytest.approx(2 * expected.pvalue)
    assert -1 <= cause["low"] < cause["rho"] < cause["high"] < -0.8
    with pytest.raises(UsageError, match="cannot explain"):
        explain_leads(pd.DataFrame({"task": names[:3], "lead": lead[:3]}), properties, rng=rng)


def test_titles_say_where_tables_come_from() -> None:
    tables = sklearn_pairs()
    assert describe_tables(tables) == "18 of scikit-learn's tables, not CC18"
    assert describe_tables([tables[0]._replace(origin="files")]) == "1 of OpenML-CC18's tables"
    assert "of your own" in describe_tables([tables[0]._replace(origin="")])


@pytest.mark.usefixtures("public_data")
def test_published_means_are_over_the_tasks_that_both_have() -> None:
    theirs = load_table("ermi_benchmark_accuracy").set_index("task_id")
    tables = [Table(name, pd.DataFrame(), pd.Series(dtype=int), task) for name, task in (("a", 3), ("b", 31))]
    accuracy = pd.DataFrame({"ermi": [0.9, 0.6], "gcm": 0.5}, index=["a", "b"])
    tables.append(Table("own", pd.DataFrame(), pd.Series(dtype=int)))
    accuracy.loc["own"] = 0.1
    table = compare_with_published(accuracy, tables, theirs.reset_index()).set_index("model")
    assert table.loc["ermi", "ours"] == 0.75 and table.loc["ermi", "r"] == pytest.approx(1)
    assert table.loc["ermi", "published"] == pytest.approx(theirs.loc[[3, 31], "ERMI"].mean())
    assert np.isnan(table.loc["svm_untuned", "ours"]) and set(table["n_tasks"]) == {2}


def test_four_tasks_in_perfect_order_are_two_of_24_orders() -> None:
    lead = pd.DataFrame({"task": list("abcd"), "lead": [4.0, 3.0, 2.0, 1.0]})
    properties = pd.DataFrame({"rows": [1.0, 2.0, 3.0, 4.0]}, index=list("abcd"))
    why = explain_leads(lead, properties, rng=np.random.default_rng(0), n_bootstrap=50).iloc[0]
    assert why["rho"] == pytest.approx(-1) and why["p"] == pytest.approx(2 / 24)
