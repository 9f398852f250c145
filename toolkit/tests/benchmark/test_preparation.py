"""Columns become numbers, features are chosen and scaled, all by the rows given alone."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from toolkit.benchmark.preparation import ColumnCoder, FeatureReducer, scale, separation
from toolkit.errors import DataError


@pytest.fixture
def table() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "size": [1.0, np.nan, 3.0, 8.0],
            "count": pd.array([1, 2, None, 5], dtype="Int64"),
            "sex": ["m", "f", "f", "m"],
            "colour": pd.Categorical(["red", "blue", None, "red"]),
            "wet": [True, False, False, True],
        }
    )


def test_gaps_become_medians_and_words_columns(table: pd.DataFrame) -> None:
    coded = ColumnCoder().fit(table).transform(table)
    colours = {"(missing)": [0, 0, 1, 0], "blue": [0, 1, 0, 0], "red": [1, 0, 0, 1]}
    expected = [[1, 3, 3, 8], [1, 2, 2, 5], [1, 0, 0, 1], *colours.values(), [1, 0, 0, 1]]
    np.testing.assert_array_equal(coded, np.transpose(expected))


def test_words_never_seen_are_none_of_those_known(table: pd.DataFrame) -> None:
    coder = ColumnCoder().fit(table)
    coded = coder.transform(table.assign(colour="green"))
    np.testing.assert_array_equal(coded[:, 3:6], 0)
    alphabet = ColumnCoder("codes").fit(table)
    np.testing.assert_array_equal(alphabet.transform(table)[:, 3], [2, 1, 0, 2])
    np.testing.assert_array_equal(alphabet.transform(table.assign(colour="green"))[:, 3], -1)


def test_words_where_there_were_numbers_are_refused(table: pd.DataFrame) -> None:
    coder = ColumnCoder().fit(table)
    with pytest.raises(DataError, match="column 'size': it held numbers .* 'large'"):
        coder.transform(table.assign(size="large"))


def test_a_column_of_nothing_is_zero() -> None:
    nothing = np.full((3, 1), np.nan)
    np.testing.assert_array_equal(ColumnCoder().fit(nothing).transform(nothing), 0)


def test_features_are_ordered_as_by_analysis_of_variance() -> None:
    from sklearn.feature_selection import f_classif

    rng = np.random.default_rng(0)
    y = rng.integers(0, 3, 60)
    x = rng.normal(size=(60, 8)) + np.outer(y, rng.normal(size=8))
    f, _ = f_classif(x, y)
    np.testing.assert_allclose(separation(x, y) * (60 - 3) / (3 - 1), f)
    assert set(FeatureReducer(3).fit(x, y)._best) == set(np.argsort(f)[-3:])


def test_a_constant_column_separates_nothing_and_a_perfect_one_everything() -> None:
    y = np.array([0, 0, 1, 1])
    x = np.stack([np.full(4, 0.1), y * 0.1, [0.1, 0.2, 0.1, 0.2]], 1)
    np.testing.assert_array_equal(separation(x, y), [0, np.inf, 0])


def test_projection_is_onto_principal_components_of_standardised_columns() -> None:
    from sklearn.decomposition import PCA
    from sklearn.preprocessing import StandardScaler

    rng = np.random.default_rng(0)
    x, new = rng.normal(size=(30, 6)) * 10.0 ** np.arange(6), rng.normal(size=(5, 6))
    reducer = FeatureReducer(2, "project").fit(x, rng.integers(0, 2, 30))
    scaler = StandardScaler().fit(x)
    expected = PCA(2).fit(scaler.transform(x)).transform(scaler.transform(new))
    np.testing.assert_allclose(np.abs(reducer.transform(new)), np.abs(expected))


def test_scaling_by_range_by_rank_and_by_spread() -> None:
    known = np.array([[1.0, 7.0], [2.0, 7.0], [2.0, 7.0], [11.0, 7.0]])
    new = np.array([[1.0, 7.0], [2.0, 8.0], [6.5, 0.0], [50.0, 7.0], [-3.0, 7.0]])
    np.testing.assert_allclose(scale(known, new, "range")[:, 0], [0, 0.1, 0.55, 1, 0])
    # Middles of the ranks 0.5, 2 and 3.5 span 0 to 1.
    np.testing.assert_allclose(scale(known, new, "rank")[:, 0], [0, 0.5, 0.75, 1, 0])
    # The mean is 4, two standard deviations are 8.1240.
    np.testing.assert_allclose(
        scale(known, new, "spread")[:, 0], [0.3154, 0.3769, 0.6539, 1, 0.0692], atol=1e-4
    )
    for how in ("range", "rank", "spread"):
        np.testing.assert_array_equal(scale(known, new, how)[:, 1], 0.5)


def test_ranks_do_not_depend_on_the_unit() -> None:
    rng = np.random.default_rng(0)
    known = rng.lognormal(size=(40, 2))
    np.testing.assert_allclose(scale(np.log(known), np.log(known), "rank"), scale(known, known, "rank"))
