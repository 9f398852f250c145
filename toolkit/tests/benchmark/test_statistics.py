"""Ranks and paired tests against scipy, the literature and each other."""

from __future__ import annotations

from functools import partial

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from toolkit.benchmark import compare_with, rank_models
from toolkit.benchmark.statistics import nemenyi_difference, ranks_by_task
from toolkit.errors import UsageError


@pytest.fixture
def means() -> pd.DataFrame:
    """Best, as good, and worse, on 20 tasks of very different difficulty."""
    rng = np.random.default_rng(0)
    difficulty = rng.uniform(0.5, 0.9, (20, 1))
    values = difficulty + [0.05, 0.048, 0.0, -0.04] + 0.01 * rng.normal(size=(20, 4))
    return pd.DataFrame(values, columns=["best", "near", "middle", "worst"])


def test_critical_differences_are_those_of_demsar_2006() -> None:
    quantiles = {2: 1.960, 5: 2.728, 10: 3.164}
    for n_models, quantile in quantiles.items():
        expected = quantile * np.sqrt(n_models * (n_models + 1) / (6 * 30))
        assert nemenyi_difference(n_models, 30) == pytest.approx(expected, rel=1e-3)


def test_ranking(means: pd.DataFrame) -> None:
    ranking = rank_models(means, "accuracy", n_bootstrap=2000)
    table = ranking.table.set_index("model")
    expected = (-means).apply(stats.rankdata, axis=1, result_type="expand").mean()
    np.testing.assert_allclose(table.loc[means.columns, "mean_rank"], expected)
    assert ranking.p == stats.friedmanchisquare(*means.to_numpy().T).pvalue
    assert table["first"].sum() == pytest.approx(1) and table.loc["worst", "first"] == 0
    assert (table["low"] <= table["mean_rank"]).all() and (table["mean_rank"] <= table["high"]).all()
    assert table.loc["worst", ["low", "high"]].tolist() == [4, 4]
    assert {"best", "near"} in map(set, ranking.groups)
    for group in ranking.groups:
        assert np.ptp(table.loc[group, "mean_rank"]) < ranking.critical_difference
        assert not {"best", "worst"} <= set(group)


def test_losses_are_better_when_they_are_lower(means: pd.DataFrame) -> None:
    up = rank_models(means, "auc", n_bootstrap=100).table["model"].tolist()
    down = rank_models(-means, "log_loss", n_bootstrap=100).table["model"].tolist()
    assert up == down
    assert compare_with("best", -means, "log_loss")["wins"].tolist() == (
        compare_with("best", means, "auc")["wins"].tolist()
    )


def test_pairs(means: pd.DataFrame) -> None:
    table = compare_with("best", means, "accuracy").set_index("other")
    for other in ("near", "middle", "worst"):
        row, difference = table.loc[other], means["best"] - means[other]
        assert row["difference"] == pytest.approx(difference.mean())
        assert (row["wins"], row["losses"]) == ((difference > 0).sum(), (difference < 0).sum())
        assert row["p"] == stats.wilcoxon(difference).pvalue
    # Two equally small p-values are both multiplied by three; the largest stays as it is.
    np.testing.assert_allclose(table["p_holm"], [table.loc["near", "p"], *[3 * table["p"].min()] * 2])
    same = compare_with("best", means.assign(copy=means["best"]), "accuracy").set_index("other")
    assert same.loc["copy", "p"] == 1


def test_equal_means_and_differences_are_ties_whatever_their_last_digits() -> None:
    """Shares of right answers are often equal, and their means over sets depend on the order of sets."""
    means = pd.DataFrame(np.random.default_rng(0).integers(0, 11, (22, 4)), columns=list("abcd"))
    shares = means / 10 + 1e-16 * np.random.default_rng(1).integers(-3, 4, means.shape)
    assert ranks_by_task(shares, "auc").equals(ranks_by_task(means, "auc"))
    assert rank_models(shares, "auc", n_bootstrap=9).p == rank_models(means, "auc", n_bootstrap=9).p
    assert compare_with("a", shares, "auc")["p"].tolist() == compare_with("a", means, "auc")["p"].tolist()


def test_what_cannot_be_tested_is_refused(means: pd.DataFrame) -> None:
    gap = means.assign(near=means["near"].where(means.index > 0))
    for ask in (rank_models, partial(compare_with, "best")):
        with pytest.raises(UsageError, match="'near' has no accuracy on some tasks"):
            ask(gap, "accuracy")
    with pytest.raises(UsageError, match="Three models"):
        rank_models(means[["best", "near"]], "accuracy")
    with pytest.raises(UsageError, match="no model 'ermi'"):
        compare_with("ermi", means, "accuracy")
