"""Figures of sources of problems show every source, and the world behind them."""

from __future__ import annotations

import numpy as np
import pytest

from toolkit import viz
from toolkit.seeds import Seeds
from toolkit.tasks import get_source
from toolkit.tasks.distances import compare_sources
from toolkit.tasks.statistics import Statistics, measure
from toolkit.viz.sources import PANELS


@pytest.fixture(scope="module")
def measured() -> dict[str, Statistics]:
    names = {
        "sklearn": ("openml", {"tables": "sklearn"}),
        "linear": ("linear", {}),
        "rational": ("rational", {}),
    }
    draws = {
        name: get_source(source, **options).draw(30, 40, 3, generator=Seeds(0).torch(name), scaling="none")
        for name, (source, options) in names.items()
    }
    return {name: measure(problems) for name, problems in draws.items()}


def test_a_source_looks_like_the_agent_that_is_trained_on_it() -> None:
    for source, agent in {"bank": "ermi", "linear": "mi", "mlp": "pfn", "rational": "rmc"}.items():
        assert viz.source_style(source).colour == viz.agent_style(agent).colour
    assert viz.source_style("sklearn").colour == viz.agent_style("people").colour


def test_medians_are_where_they_should_be(measured: dict[str, Statistics]) -> None:
    figure = viz.plot_statistics(measured, "sklearn")
    markers = [trace for trace in figure.data if trace.mode == "markers"]
    assert len(markers) == len(PANELS) * len(measured)
    expected = [np.median(found.values("pearson")) for found in measured.values()]
    assert [marker.x[0] for marker in markers[:3]] == pytest.approx(expected)
    assert "30" in figure.layout.meta["caption"]


def test_learnability_has_a_curve_for_every_source(measured: dict[str, Statistics]) -> None:
    figure = viz.plot_learnability(measured)
    curves = [trace for trace in figure.data if trace.name]
    assert len(curves) == 2 * len(measured)
    assert curves[1].y[-1] == pytest.approx(measured["linear"].logistic_accuracy[:, -5:].mean())


def test_distances_stand_beside_the_worlds_own_halves(measured: dict[str, Statistics]) -> None:
    table = compare_sources(measured, "sklearn", rng=np.random.default_rng(0), n_bootstrap=20)
    figure = viz.plot_distances(table)
    assert len(figure.data) == len(PANELS) * (len(measured) - 1)
    bands = [shape for shape in figure.layout.shapes if shape.type == "rect"]
    halves = table[table["source"] == "sklearn (split half)"].set_index("statistic")
    assert [band.x1 for band in bands] == [halves["wasserstein_high"][panel.statistic] for panel in PANELS]
