"""Figures of comparisons and of simulated people show what the tables say, each model in its own look."""

from __future__ import annotations

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest

from toolkit.errors import UsageError
from toolkit.fitting.comparison import Comparison, compare
from toolkit.viz import (
    agent_style,
    plot_comparison,
    plot_confusion,
    plot_criteria,
    plot_groups,
    plot_participants,
    plot_recovery,
    titled,
)
from toolkit.viz.theme import DEFAULT_HEIGHT, MARGINS


@pytest.fixture(scope="module")
def comparison() -> Comparison:
    rng = np.random.default_rng(0)
    fits = {
        name: pd.DataFrame(
            {
                "participant": [f"p{number}" for number in range(12)],
                "log_likelihood": rng.normal(-50 - behind, 4, 12),
                "n_trials": 100,
                "n_parameters": 1,
            }
        )
        for name, behind in {"gcm": 1, "random": 12, "ermi": 0}.items()
    }
    return compare(fits, n_bootstrap=200)


def traces(figure: go.Figure, panel: str) -> list:
    """Traces of one panel, by the name of its x axis."""
    return [trace for trace in figure.data if (trace.xaxis or "x") == panel]


def test_comparison_shows_each_model_in_its_colour_with_interval_and_probabilities(
    comparison: Comparison,
) -> None:
    figure = plot_comparison(comparison)
    for number, row in enumerate(comparison.table.itertuples()):
        style = agent_style(row.model)
        point, bar = traces(figure, "x")[number], traces(figure, "x2")[number]
        assert point.marker.color == style.colour and point.y == bar.y == (style.label,)
        assert point.x[0] == row.difference
        assert point.x[0] + point.error_x.array[0] == pytest.approx(row.difference_high)
        assert point.x[0] - point.error_x.arrayminus[0] == pytest.approx(row.difference_low)
        assert (bar.x[0], bar.error_x.array[0]) == (row.frequency, row.frequency_sd)
        probabilities = [trace.x[0] for trace in traces(figure, "x3")[2 * number : 2 * number + 2]]
        assert probabilities == [row.exceedance, row.protected_exceedance]
    caption = figure.layout.meta["caption"]
    assert "12 people" in caption and "BIC" in caption and f"{comparison.bor:.2f}" in caption


def test_participants_of_one_best_model_stand_together(comparison: Comparison) -> None:
    figure = plot_participants(comparison)
    heat = figure.data[0]
    best = np.array(heat.z).argmin(0)
    assert (np.diff(best) >= 0).all()
    assert len(figure.layout.shapes) == (np.diff(best) > 0).sum()
    people = comparison.participants.set_index(["model", "participant"])
    for row, model in enumerate(comparison.table["model"]):
        assert heat.y[row] == agent_style(model).label
        expected = people.loc[model, "difference"].loc[list(heat.customdata[row])]
        np.testing.assert_allclose(heat.z[row], expected)
    shares = np.array(plot_participants(comparison, value="responsibility").data[0].z)
    np.testing.assert_allclose(shares.sum(0), 1)
    with pytest.raises(UsageError, match="no 'bic'"):
        plot_participants(comparison, value="bic")


def test_confusion_frames_the_right_models_and_dots_those_that_win_too_seldom() -> None:
    names = pd.Index(["gcm", "prototype", "random"])
    wins = pd.DataFrame([[0.9, 0.1, 0], [0.3, 0.7, 0], [0, 0.002, 0.998]], names, names)
    figure = plot_confusion(wins)
    np.testing.assert_array_equal(figure.data[0].z, wins)
    assert [text.text for text in figure.layout.annotations] == ["0.90", "0.10", "0.30", "0.70", "1.00"]
    frames = {shape.x0: shape.line.dash for shape in figure.layout.shapes}
    assert frames == {-0.5: "solid", 0.5: "dot", 1.5: "solid"}


def test_recovery_has_a_panel_a_parameter_with_its_correlation() -> None:
    true = np.linspace(0, 1, 20)
    parts = {"stay": true, "shift": 0.5 + 0 * true, "lapse_rate": true[::-1]}
    values = pd.concat(
        pd.DataFrame(
            {
                "model": "win_stay_lose_shift",
                "participant": range(20),
                "parameter": name,
                "true": true,
                "estimated": estimated,
            }
        )
        for name, estimated in parts.items()
    )
    figure = plot_recovery(values)
    titles = [text.text for text in figure.layout.annotations]
    assert titles == ["Stay (r = 1.00)", "Shift (no variance)", "Lapse rate (r = -1.00)"]
    dots = [trace for trace in figure.data if trace.mode == "markers"]
    for trace, estimated in zip(dots, parts.values(), strict=True):
        np.testing.assert_array_equal(trace.x, true)
        np.testing.assert_array_equal(trace.y, estimated)
    assert "20 fitted" in figure.layout.meta["caption"]


@pytest.fixture
def places() -> dict[str, pd.DataFrame]:
    rows = [("BIC", "ermi", 1, 0.0), ("BIC", "gcm", 2, 0.02), ("AIC", "gcm", 1, 0.0), ("AIC", "ermi", 2, 0.5)]
    table = pd.DataFrame(rows, columns=["criterion", "model", "place", "behind"])
    return {"one study": table, "another": table.iloc[:1]}


def test_places_are_written_into_the_cells_of_their_study(places: dict[str, pd.DataFrame]) -> None:
    figure = plot_criteria(places)
    first, second = figure.data
    assert list(first.x) == ["BIC", "AIC"] and list(second.x) == ["BIC"]
    assert list(first.y) == list(second.y) == ["ERMI", "Exemplars (GCM)"]
    assert np.array(first.z)[0, 1] == 0.1 and np.array(first.customdata)[0, 1] == 0.5
    written = {
        (note.x, note.y, note.xref): note.text for note in figure.layout.annotations if note.xref[0] == "x"
    }
    assert written["BIC", "ERMI", "x"] == "<b>1</b>" and written["AIC", "ERMI", "x"] == "2"
    assert ("AIC", "ERMI", "x2") not in written


def test_groups_have_a_symbol_each_and_models_their_colour() -> None:
    groups = pd.DataFrame(
        {
            "group": ["young", "young", "older", "older"],
            "model": ["gcm", "ermi"] * 2,
            "n_participants": [5, 5, 3, 3],
            "nats_per_trial": [0.5, 0.4, 0.65, 0.6],
            "low": [0.45, 0.35, 0.6, 0.55],
            "high": [0.55, 0.45, 0.7, 0.65],
        }
    )
    figure = plot_groups(groups)
    young, listed = figure.data[:2]
    assert list(young.x) == [0.4, 0.5] and list(young.marker.color) == [
        agent_style(name).colour for name in ("ermi", "gcm")
    ]
    assert list(young.error_x.array) == pytest.approx([0.05, 0.05])
    assert listed.name == "young (5 people)" and listed.marker.symbol == young.marker.symbol
    assert figure.data[2].marker.symbol != young.marker.symbol


def test_a_title_stands_above_the_legend(comparison: Comparison) -> None:
    plain, named = plot_comparison(comparison), titled(plot_comparison(comparison), "Simulated people")
    assert named.layout.title.text == "Simulated people"
    added = named.layout.height - plain.layout.height
    assert added > 0 and named.layout.margin.t - plain.layout.margin.t == added
    assert named.layout.legend.y == pytest.approx(1 - added / named.layout.height)


def test_a_figure_without_sizes_of_its_own_gets_a_title() -> None:
    drawn = titled(go.Figure(), "Mine")
    assert drawn.layout.height - DEFAULT_HEIGHT == drawn.layout.margin.t - MARGINS["t"] > 0
