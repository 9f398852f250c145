"""Tables that are compared on, and tables for choices that have nothing to do with them."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from toolkit.benchmark import bank_tables, benchmark_tables, choose_features, choose_options, sklearn_pairs
from toolkit.benchmark.tables import PUBLISHED_TASKS
from toolkit.data import load_bank
from toolkit.errors import UsageError
from toolkit.training.splits import part_of


@pytest.mark.usefixtures("public_data")
def test_the_published_tables_are_22_of_the_23() -> None:
    tables = benchmark_tables("published")
    assert {table.task for table in tables} == set(PUBLISHED_TASKS) - {167120}
    for table in tables:
        counts = table.target.value_counts()
        assert len(counts) == 2 and counts.min() >= 50 and table.features.shape[1] < 100
        assert not table.features.isna().any(axis=None)


def test_without_data_and_network_scikit_learns_tables_are_there(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / "data").mkdir()
    monkeypatch.delenv("TOOLKIT_MIRROR", raising=False)
    monkeypatch.setenv("OPENML_CACHE_DIR", str(home / "openml"))
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "")
    names = {table.name for table in benchmark_tables("all")}
    assert names == {"iris", "wine", "breast cancer", "digits"}
    assert "openml" in sys.modules


def test_pairs_have_two_classes() -> None:
    tables = sklearn_pairs()
    assert len(tables) == 1 + 3 + 3 + 1 + 10
    assert all(table.n_classes == 2 and len(table.features) == len(table.target) for table in tables)


def test_tables_of_the_bank_are_problems_that_nobody_trains_on() -> None:
    tables, known = bank_tables(n_rows=300, n_classes=None), {one.id: one for one in load_bank()}
    assert len(tables) > 40 and all(part_of(table.name) == "validation" for table in tables)
    pd.testing.assert_frame_equal(tables[0].features, bank_tables(n_rows=300, n_classes=None)[0].features)
    gaps = []
    for table in tables:
        problem = known[table.name]
        assert set(table.target) <= set(problem.categories)
        for feature in problem.features:
            for category, mean, sd in zip(problem.categories, feature.means, feature.sds, strict=True):
                values = table.features.loc[table.target == category, feature.name]
                if len(values) > 30 and sd > 0:
                    gaps.append((values.mean() - mean) / (values.std() / np.sqrt(len(values)) + 1e-9))
    # Means of what was drawn are those of the bank, but for features at the ends of their range.
    assert np.median(np.abs(gaps)) < 1


def test_unknown_suites_and_origins_are_refused() -> None:
    with pytest.raises(UsageError, match="published, binary or all"):
        benchmark_tables("cc18")
    with pytest.raises(UsageError, match="auto, files, openml or sklearn"):
        benchmark_tables("all", "disk")


def test_options_are_chosen_without_tables_that_are_compared_on(
    checkpoints: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("CC18 was opened")

    monkeypatch.setattr("toolkit.benchmark.tables.load_cc18", refuse)
    monkeypatch.setattr("toolkit.benchmark.tables._from_openml", refuse)
    # Some tables of both kinds show as much as all of them.
    few_of_bank, few_pairs = bank_tables()[:8], sklearn_pairs()[::6]
    monkeypatch.setattr("toolkit.benchmark.choice.bank_tables", lambda part: few_of_bank)
    monkeypatch.setattr("toolkit.benchmark.choice.sklearn_pairs", lambda: few_pairs)
    candidates = [{"n_members": 2, "scalings": ("range",)}, {"n_members": 1, "scalings": ("range",)}]
    table = choose_options(checkpoints["modern"], candidates, n_sets=1, seeds=(0, 1))
    columns = ["accuracy_bank", "auc_bank", "accuracy_sklearn", "auc_sklearn"]
    np.testing.assert_allclose(table["criterion"], table[columns].mean(axis=1))
    assert table["p"][table["criterion"].idxmax()] == 1 and table["p"].between(0, 1).all()
    good = table[table["p"] >= 0.05]
    assert table["chosen"].sum() == 1 and good["chosen"].any()
    assert good.loc[good["chosen"], "n_members"].item() == good["n_members"].min()
    features = choose_features(checkpoints["modern"], (2,), n_sets=1)
    assert set(features["reduction"]) == {"select", "project"}
    gains = features["accuracy"] + features["auc"] - features["log_loss"]
    assert gains.is_monotonic_decreasing
