"""Figures of comparisons and of simulated people show what the tables say, each model in its own look."""

from __future__ import annotations

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest

from toolkit.errors import UsageError
from toolkit.fitting.comparison import Comparison, compare
from toolkit.viz import agent_style, plot_comparison, plot_confusion, plot_participants, plot_recovery


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
