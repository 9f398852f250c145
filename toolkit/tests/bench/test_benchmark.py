"""What `toolkit bench benchmark` compares; its speeds are not tested."""

from __future__ import annotations

import pytest

from toolkit.bench import benchmark, list_benchmarks


def test_both_ways_give_the_same_probabilities(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(benchmark, "SETS", 3)
    tables = [table for table in benchmark.bank_tables() if table.target.value_counts().min() >= 50]
    row = benchmark._one_learner(tables[:2])
    assert row.same_result and row.ratio > 1
    assert "2 tables × 3 sets × 70 rows" in row.what
    assert "published protocol" in list_benchmarks()["benchmark"]


def test_the_part_that_is_timed_is_extrapolated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(benchmark, "SETS", 2)
    monkeypatch.setattr(benchmark, "PROCESSES", 1)  # Starting processes takes longer than the work.
    tables = [table for table in benchmark.bank_tables() if table.target.value_counts().min() >= 50]
    row = benchmark._many_classifiers(tables[:2], ["gcm", "naive_bayes"])
    assert row.same_result and row.reference_s > 0 and "all classifiers (2)" in row.what
    assert "published models (1)" in benchmark._many_classifiers(tables[:1], ["ermi"]).what
