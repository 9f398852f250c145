"""Distances between sources: by hand, against scipy, and on sources that are equal or known to differ."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import wasserstein_distance

from toolkit.errors import UsageError
from toolkit.seeds import Seeds
from toolkit.tasks import get_source
from toolkit.tasks.distances import (
    SMOOTHING,
    bins_of,
    closest_source,
    compare_sources,
    histogram_kl,
    two_sample_auc,
    wasserstein,
)
from toolkit.tasks.statistics import STATISTICS, Statistics, measure


def sample(
    source: str, seed: int, n_problems: int = 150, n_features: int = 3, **options: float | str
) -> Statistics:
    generator = Seeds(seed).torch("problems")
    problems = get_source(source, **options).draw(
        n_problems, 40, n_features, generator=generator, scaling="none"
    )
    return measure(problems)


@pytest.fixture(scope="module")
def found() -> dict[str, Statistics]:
    """A reference, a second sample of the same source, and two other sources."""
    return {
        "noisy": sample("linear", 0, noise=0.5),
        "again": sample("linear", 1, noise=0.5),
        "clean": sample("linear", 2),
        "clusters": sample("rational", 3, features="gaussian"),
    }


@pytest.fixture(scope="module")
def table(found: dict[str, Statistics]) -> pd.DataFrame:
    return compare_sources(found, "noisy", rng=np.random.default_rng(0), n_bootstrap=100)


def test_kl_by_hand() -> None:
    reference, source = np.array([0.1, 0.1, 0.1, 0.9]), np.array([0.1, 0.9])
    expected = 0.75 * np.log(0.75 / 0.5) + 0.25 * np.log(0.25 / 0.5)
    assert histogram_kl(reference, source, np.array([0, 0.5, 1])) == pytest.approx(expected, abs=1e-5)
    assert histogram_kl(reference, reference, np.array([0, 0.5, 1])) == 0


def test_kl_punishes_what_the_source_lacks_not_what_it_has_more_of() -> None:
    wide, narrow, bins = np.array([0.1, 0.9]), np.array([0.1]), np.array([0, 0.5, 1])
    smallest = SMOOTHING / (1 + 2 * SMOOTHING)
    assert histogram_kl(wide, narrow, bins) == pytest.approx(-np.log(2) - 0.5 * np.log(smallest), rel=1e-5)
    assert histogram_kl(narrow, wide, bins) == pytest.approx(np.log(2), abs=1e-4)


def test_values_on_and_beyond_the_edges_count_in_the_outer_bins() -> None:
    bins = np.array([0, 0.5, 1])
    assert histogram_kl(np.array([-3.0, 1.0, 7.0]), np.array([0.2, 0.7, 0.8]), bins) == pytest.approx(0)
    assert np.isnan(histogram_kl(np.array([]), np.array([0.2]), bins))


def test_bins_are_those_of_earlier_work() -> None:
    assert len(bins_of("pearson", 4)) == 12 and bins_of("pearson", 4)[[0, -1]].tolist() == [-1, 1]
    assert len(bins_of("gini", 4)) == 12 and bins_of("gini", 4)[-1] == 0.75
    assert bins_of("linear_against_quadratic", 4).tolist() == pytest.approx([0, 0.2, 0.4, 0.6, 0.8, 1])


def test_the_table_holds_the_plain_distances(found: dict[str, Statistics], table: pd.DataFrame) -> None:
    assert set(table["source"]) == {"noisy (split half)", "again", "clean", "clusters"}
    assert len(table) == 4 * len(STATISTICS)
    for row in table[table["source"] == "clusters"].itertuples():
        reference, source = (found[name].values(row.statistic) for name in ("noisy", "clusters"))
        assert row.kl == pytest.approx(histogram_kl(reference, source, bins_of(row.statistic, 3)))
        assert row.wasserstein == pytest.approx(wasserstein_distance(reference, source), abs=1e-12)
        assert row.wasserstein == pytest.approx(wasserstein(reference, source), abs=1e-12)


def test_a_bootstrap_draw_is_the_distance_of_the_problems_drawn(found: dict[str, Statistics]) -> None:
    from toolkit.tasks.distances import _DISTANCES, _Pair

    rng = np.random.default_rng(3)
    first, second = found["noisy"], found["clusters"]
    weights = [rng.multinomial(150, np.full(150, 1 / 150), 5).astype(float) for _ in range(2)]
    bins = bins_of("pearson", 3)
    pair = _Pair(first.per_problem("pearson"), second.per_problem("pearson"), bins)
    kl, moved = (_DISTANCES[name](pair, *weights) for name in ("kl", "wasserstein"))
    for draw in range(5):
        drawn = [
            one.subset(np.repeat(np.arange(150), weight[draw].astype(int))).values("pearson")
            for one, weight in zip((first, second), weights, strict=True)
        ]
        assert kl[draw] == pytest.approx(histogram_kl(*drawn, bins))
        assert moved[draw] == pytest.approx(wasserstein_distance(*drawn), abs=1e-12)


def test_equal_sources_are_as_near_as_two_halves_and_others_are_not(table: pd.DataFrame) -> None:
    by_source = {name: rows.set_index("statistic") for name, rows in table.groupby("source")}
    varied = ["pearson", "gini", "held_out_gain_quadratic", "logistic_accuracy", "separability_linear"]
    halves = by_source["noisy (split half)"].loc[varied]
    for distance in ("kl", "wasserstein"):
        again = by_source["again"].loc[varied]
        assert (again[f"{distance}_low"] <= halves[f"{distance}_high"]).all()
        assert (again[f"{distance}_high"] >= halves[distance]).all()
        clean = by_source["clean"].loc["separability_linear"]
        assert clean[f"{distance}_low"] > halves.loc["separability_linear", f"{distance}_high"]
    assert (table["wasserstein_low"] <= table["wasserstein_high"]).all()


def test_the_same_generator_gives_the_same_table(found: dict[str, Statistics], table: pd.DataFrame) -> None:
    again = compare_sources(found, "noisy", rng=np.random.default_rng(0), n_bootstrap=100)
    pd.testing.assert_frame_equal(table, again)


@pytest.mark.parametrize("distance", ["kl", "wasserstein"])
def test_the_closest_is_the_equal_source_and_ties_are_shared(
    found: dict[str, Statistics], distance: str
) -> None:
    shares = closest_source(found, "noisy", rng=np.random.default_rng(0), n_bootstrap=100, distance=distance)
    probability = shares.set_index(["statistic", "source"])["probability"]
    np.testing.assert_allclose(probability.groupby("statistic").sum(), 1)
    assert probability["all", "again"] > 0.95
    assert probability["neighbour_accuracy", "again"] > 0.95
    assert probability["whole_values"].tolist() == pytest.approx([1 / 3] * 3)  # No source has any.


def test_a_forest_tells_only_different_sources_apart(found: dict[str, Statistics]) -> None:
    few = {name: one.subset(np.arange(60)) for name, one in found.items()}
    one_feature = [sample("linear", seed, 60, 1, noise=0.5) for seed in (0, 1)]
    same = two_sample_auc(*one_feature, rng=np.random.default_rng(0))
    other = two_sample_auc(few["noisy"], few["clusters"], rng=np.random.default_rng(0))
    # Three standard deviations: over 24 pairs of equal sources of this size it was 0.066 around a mean of 0.51.
    assert same.estimate == pytest.approx(0.5, abs=0.2)
    assert same.low < same.estimate < same.high
    assert other.low > 0.8 and other.low <= other.estimate <= other.high


def test_one_feature_leaves_out_what_is_not_defined() -> None:
    found = {name: sample("linear", seed, 20, 1, noise=0.5) for seed, name in enumerate(("one", "two"))}
    table = compare_sources(found, "one", rng=np.random.default_rng(0), n_bootstrap=20)
    missing = table.loc[table["wasserstein"].isna(), "statistic"]
    assert set(missing) == {"pearson", "spearman", "gini", "linear_against_interactions"}
    assert table["kl"].isna().equals(table["wasserstein"].isna())
    shares = closest_source(found, "one", rng=np.random.default_rng(0), n_bootstrap=20)
    assert not set(shares["statistic"]) & set(missing)


def test_wrong_calls_say_what_is_wrong(found: dict[str, Statistics]) -> None:
    rng = np.random.default_rng(0)
    with pytest.raises(UsageError, match="Did you mean 'noisy'"):
        compare_sources(found, "noisey", rng=rng)
    with pytest.raises(UsageError, match="'wide'.*4 features and 2 classes.*'noisy' 3 and 2"):
        compare_sources({**found, "wide": sample("linear", 0, 5, 4)}, "noisy", rng=rng)
    with pytest.raises(UsageError, match="no distance 'k'"):
        closest_source(found, "noisy", rng=rng, distance="k")
    with pytest.raises(UsageError, match="fewer than 5 problems"):
        two_sample_auc(found["noisy"].subset([0, 1]), found["again"], rng=rng)


def test_problems_of_one_table_are_drawn_together(found: dict[str, Statistics]) -> None:
    """Twenty problems of each of eight tables say less than 160 of as many: intervals are wider."""
    single = found["noisy"].subset(range(8))
    copies = single.subset(np.repeat(np.arange(8), 20))
    together = replace(copies, origin=np.repeat(np.arange(8), 20))
    widths = []
    for reference in (copies, together):
        table = compare_sources(
            {"tables": reference, "other": found["noisy"]}, "tables", rng=np.random.default_rng(0)
        )
        row = table[(table["source"] == "other") & (table["statistic"] == "separability_linear")].iloc[0]
        widths.append(row["wasserstein_high"] - row["wasserstein_low"])
    assert widths[1] > 1.5 * widths[0]


def test_the_forest_is_not_asked_about_tables_it_has_seen(found: dict[str, Statistics]) -> None:
    """Copies of ten problems against copies of ten others of the same source: known by heart, not by kind."""
    copied = np.repeat(np.arange(10), 10)
    first, second = found["noisy"].subset(copied), found["noisy"].subset(10 + copied)
    honest = [replace(one, origin=copied) for one in (first, second)]
    rng = np.random.default_rng(0)
    assert two_sample_auc(first, second, rng=rng).estimate > 0.99
    assert two_sample_auc(*honest, rng=rng).estimate < 0.9
