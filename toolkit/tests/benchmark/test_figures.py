"""Figures of the benchmark show what the tables say, each model in its own look."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest

from toolkit.benchmark import Results, leads, rank_models
from toolkit.benchmark.scores import METRICS, N_BINS
from toolkit.errors import UsageError
from toolkit.viz import agent_style
from toolkit.viz.benchmark import (
    benchmark_table,
    plot_calibration,
    plot_context_sizes,
    plot_explanations,
    plot_leads,
    plot_ranks,
    plot_tasks,
)

MODELS = {"ermi": 0.05, "svm": 0.04, "xgboost": 0.0, "gcm": -0.06}


@pytest.fixture(scope="module")
def results() -> Results:
    """Four models on eight tasks, on all but the last of which there are two sizes of context."""
    rng = np.random.default_rng(0)
    scores, bins = [], []
    for task in range(8):
        for size in (10, 100)[: 1 if task == 7 else 2]:
            for model, ability in MODELS.items():
                place = {"model": model, "task": f"task {task}", "mixture": "balanced", "n_context": size}
                value = 0.6 + 0.03 * task + ability + 0.01 * rng.normal() + size / 1000
                scores += [place | {"set": 0, "metric": metric, "value": value} for metric in METRICS]
                n = np.where(np.arange(N_BINS) >= 5, 10, 0)
                confidence = n * (np.arange(N_BINS) + 0.5) / N_BINS
                bins += [
                    place
                    | {
                        "bin": b,
                        "n": n[b],
                        "confidence": confidence[b],
                        "correct": confidence[b] - (n[b] > 0),
                    }
                    for b in range(N_BINS)
                ]
    return Results(pd.DataFrame(scores), pd.DataFrame(bins))


def test_table_has_means_and_ranks(results: Results) -> None:
    table = benchmark_table(results)
    assert table["model"].tolist() == [agent_style(name).label for name in MODELS]
    np.testing.assert_allclose(table["accuracy"], results.means("accuracy").mean()[list(MODELS)])
    ranks = results.means("accuracy").rank(axis=1, ascending=False).mean()
    np.testing.assert_allclose(table["rank_accuracy"], ranks[list(MODELS)])
    np.testing.assert_allclose(table["calibration_error"], 0.1)


def test_every_task_has_a_row_and_the_easiest_is_on_top(results: Results) -> None:
    figure, means = plot_tasks(results), results.means("accuracy")
    assert list(figure.data[0].y) == means.mean(axis=1).sort_values().index.tolist()
    for trace, name in zip(figure.data, means, strict=True):
        np.testing.assert_allclose(trace.x, means.loc[list(trace.y), name])
        assert trace.marker.color == agent_style(name).colour
    assert list(plot_tasks(results, "log_loss").data[0].y) == list(figure.data[0].y)[::-1]
    with pytest.raises(UsageError, match="no metric 'f1'"):
        plot_tasks(results, "f1")


def test_lines_join_models_that_are_not_told_apart(results: Results) -> None:
    ranking = rank_models(results.means("accuracy"), "accuracy", n_bootstrap=500)
    figure = plot_ranks(ranking)
    for row, (trace, one) in enumerate(zip(figure.data, ranking.table.itertuples(), strict=True)):
        assert (trace.x[0], trace.y[0]) == (one.mean_rank, row)
        assert trace.x[0] + trace.error_x.array[0] == pytest.approx(one.high)
        assert trace.x[0] - trace.error_x.arrayminus[0] == pytest.approx(one.low)
    lines = [shape for shape in figure.layout.shapes if shape.type == "line"]
    names = ranking.table["model"].tolist()
    joined = [names[round(line.y0 + 0.25) : round(line.y1 - 0.25) + 1] for line in lines]
    assert joined == ranking.groups and joined
    caption = figure.layout.meta["caption"]
    assert f"{ranking.critical_difference:.2f}" in caption and f"{ranking.p:.2g}" in caption


def test_the_largest_lead_is_on_top(results: Results) -> None:
    table = leads(results.means("accuracy"), "accuracy", "ermi", ["svm", "gcm"])
    mean, best = plot_leads(table, "ermi").data
    assert list(mean.y) == table["task"].tolist()[::-1] and mean.x[-1] == max(mean.x)
    np.testing.assert_allclose(best.x, table["lead_over_best"][::-1])
    assert set(best.customdata) <= {agent_style("svm").label, agent_style("gcm").label}


def test_what_is_beyond_chance_is_filled() -> None:
    table = pd.DataFrame({"property": ["gini", "rows"], "n": 20, "rho": [-0.8, 0.1], "low": [-0.9, -0.3]})
    table = table.assign(high=[-0.6, 0.5], p=[1e-4, 0.6], p_holm=[2e-4, 0.6])
    (points,) = plot_explanations(table, "ermi").data
    assert list(points.y) == ["Rows of the table", "Sparsity (Gini)"]
    assert [symbol.endswith("-open") for symbol in points.marker.symbol] == [True, False]
    np.testing.assert_allclose(points.x - points.error_x.arrayminus, table["low"][::-1])


def test_context_sizes_are_compared_on_the_same_tasks(results: Results) -> None:
    figure = plot_context_sizes(results)
    assert "7 tasks" in figure.layout.meta["caption"]
    whole = results.scores.query("metric == 'accuracy' and task != 'task 7' and model == 'ermi'")
    np.testing.assert_allclose(figure.data[0].y, whole.groupby("n_context")["value"].mean())
    assert list(figure.data[0].x) == [10, 100]


def test_calibration_lies_below_the_diagonal_if_models_are_too_sure(results: Results) -> None:
    figure = plot_calibration(results)
    assert len(figure.data) == 1 + len(MODELS)
    for trace in figure.data[1:]:
        np.testing.assert_allclose(np.array(trace.x) - np.array(trace.y), 0.1)
        assert len(trace.x) == 5 and "(0.100)" in trace.name
    assert go.Figure(json.loads(figure.to_json())) == figure
