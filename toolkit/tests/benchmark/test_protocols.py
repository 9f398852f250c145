"""Rows to learn from and rows to be tested on: as published, or fairly."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.feature_selection import SelectKBest, f_classif
from sklearn.preprocessing import MinMaxScaler

from toolkit.benchmark import Table, fair, prepare_sets, published
from toolkit.benchmark.protocols import Protocol, _shared_out, draw_sets
from toolkit.errors import UsageError


@pytest.fixture
def table() -> Table:
    """300 rows, a quarter of them ill; six numbers of which the first three count, and a word."""
    rng = np.random.default_rng(0)
    target = pd.Series(np.where(np.arange(300) % 4 == 0, "ill", "well"))
    x = rng.normal(size=(300, 6)) + np.outer(target == "ill", [3, 2, 1, 0, 0, 0])
    return Table("clinic", pd.DataFrame(x).assign(ward=rng.choice(list("abc"), 300)), target)


def test_the_published_protocol_is_that_of_earlier_work(table: Table) -> None:
    sets = list(prepare_sets(published(4), table))
    assert len(sets) == 4
    coded = table.features.assign(ward=pd.factorize(table.features["ward"], sort=True)[0])
    coded.columns = coded.columns.astype(str)
    y = (table.target == "well").to_numpy().astype(int)
    scaled = MinMaxScaler().fit_transform(coded)
    best = SelectKBest(f_classif, k=4).fit(scaled, y)
    columns = np.argsort(-best.scores_)[:4]
    for one in sets:
        assert (len(one.x), len(one.test_x)) == (30, 70)
        rows = np.concatenate([one.draw.context, one.draw.test])
        assert len(set(rows)) == 100 and y[rows].sum() == 50
        np.testing.assert_allclose(np.vstack([one.x, one.test_x]), scaled[rows][:, columns])
        np.testing.assert_array_equal(np.append(one.y, one.test_y), y[rows])


def test_a_table_with_too_few_rows_of_a_class_has_no_published_sets(table: Table) -> None:
    rows = np.r_[np.flatnonzero(table.target == "ill")[:49], np.flatnonzero(table.target == "well")]
    small = Table("small", table.features.iloc[rows], table.target.iloc[rows])
    assert not list(prepare_sets(published(), small))


@pytest.mark.parametrize(("mixture", "share"), [("base_rate", 0.25), ("balanced", 0.5)])
def test_fair_draws_are_stratified_nested_and_apart(table: Table, mixture: str, share: float) -> None:
    y = (table.target == "ill").to_numpy()
    draws = draw_sets(fair(3, (8, 20, 40, 5000), 40, (mixture,)), table)
    assert [(one.set, one.n_context) for one in draws] == [(s, n) for s in range(3) for n in (8, 20, 40)]
    for one in draws:
        assert y[one.context].mean() == share and y[one.test].mean() == share
        assert len(one.context) == one.n_context and len(one.test) == 40
        assert len({*one.context, *one.test}) == one.n_context + 40
    small, middle, large = draws[:3]
    assert set(small.context) < set(middle.context) < set(large.context)
    np.testing.assert_array_equal(small.test, large.test)
    within = [row for row in large.context if row in set(small.context)]
    np.testing.assert_array_equal(small.context, within)


def test_fair_preparation_does_not_see_the_rows_of_the_test(table: Table) -> None:
    protocol = fair(1, (30,), 40, ("base_rate",))
    (one,) = prepare_sets(protocol, table)
    changed = table.features.copy()
    changed.iloc[one.draw.test] = changed.iloc[one.draw.test[::-1]].to_numpy()
    (other,) = prepare_sets(protocol, table._replace(features=changed))
    np.testing.assert_array_equal(one.x, other.x)
    np.testing.assert_array_equal(one.test_x, other.test_x[::-1])
    assert one.x.min() == 0 and one.x.max() == 1 and one.x.shape[1] == 4
    (whole,) = prepare_sets(fair(1, (30,), 40, ("base_rate",), n_features=None), table)
    assert whole.x.shape[1] == 9


def test_draws_depend_on_the_seed_and_the_table_alone(table: Table) -> None:
    protocol = fair(2, (10,), 10)
    first, again, other = (draw_sets(protocol, table, seed) for seed in (0, 0, 1))
    assert all(np.array_equal(a.context, b.context) for a, b in zip(first, again, strict=True))
    assert not all(np.array_equal(a.context, b.context) for a, b in zip(first, other, strict=True))


def test_every_class_is_in_the_context_and_numbers_add_up() -> None:
    for total, shares in ((10, [0.98, 0.01, 0.01]), (7, [1 / 3] * 3), (100, [0.123, 0.456, 0.421])):
        given = _shared_out(total, np.array(shares))
        assert given.sum() == total and given.min() >= 1
        assert np.abs(given - np.array(shares) * total).max() < 2


def test_wrong_protocols_say_so() -> None:
    with pytest.raises(UsageError, match="n_sets is 0"):
        published(0)
    with pytest.raises(UsageError, match="base_rate, balanced"):
        fair(mixtures=("even",))
    with pytest.raises(UsageError, match="context or table"):
        Protocol("mine", 1, (10,), 10, ("balanced",), 4, "all")
