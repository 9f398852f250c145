"""Figures of meta-learners show what was measured, with fixed looks and captions that say how."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest
import torch

from toolkit import viz
from toolkit.tasks.problems import Problems
from toolkit.viz import agent_style
from toolkit.viz.learning import BAND


def traces(figure: go.Figure, name: str) -> list[go.Scatter]:
    return [trace for trace in figure.data if trace.name == name]


@pytest.fixture
def curve() -> pd.DataFrame:
    return pd.DataFrame(
        {"step": [10, 20], "validation_loss": [0.6, 0.5], "familiar_loss": [0.55, 0.45], "train_loss": 0.7}
    )


def test_training_has_a_panel_for_each_loss_and_its_own_yardstick(curve: pd.DataFrame) -> None:
    untrained = {"logistic_regression": {"validation_loss": 0.48, "familiar_loss": 0.44}}
    figure = viz.plot_training(curve, "live", untrained)
    held_out, familiar = traces(figure, agent_style("live").label)
    assert list(held_out.y) == [0.6, 0.5] and list(familiar.y) == [0.55, 0.45]
    assert [list(trace.y) for trace in traces(figure, "Logistic regression")] == [[0.48] * 2, [0.44] * 2]
    assert traces(figure, "Guessing")[0].y[0] == pytest.approx(math.log(2))
    assert held_out.line.color == agent_style("live").colour
    assert [title.text for title in figure.layout.annotations] == [
        "Held-out problems",
        "New points of familiar problems",
    ]


def test_training_without_familiar_problems_has_one_panel(curve: pd.DataFrame) -> None:
    untrained = {"logistic_regression": {"validation_loss": 0.48}}
    figure = viz.plot_training(curve.drop(columns="familiar_loss"), "live", untrained)
    assert len(traces(figure, agent_style("live").label)) == 1 and len(figure.layout.annotations) == 1


def test_learning_curves_have_bands_even_above_one() -> None:
    table = pd.DataFrame(
        {
            "learner": ["ermi", "ermi", "mi", "mi"],
            "first": [1, 6, 1, 6],
            "last": [5, 10, 5, 10],
            "accuracy": [0.6, 0.99, 0.5, 0.6],
            "accuracy_se": [0.02] * 4,
            "log_loss": [0.6, 0.3, 1.3, 1.2],
            "log_loss_se": [0.1] * 4,
        }
    )
    figure = viz.plot_learners(table)
    accuracy, log_loss = traces(figure, "MI")
    assert list(accuracy.x) == [5, 10] and list(accuracy.y) == [0.5, 0.6] and list(log_loss.y) == [1.3, 1.2]
    bands = [trace.y for trace in figure.data if trace.fill == "toself"]
    assert len(bands) == 4
    assert max(bands[0]) == 1  # A proportion goes no further,
    assert max(bands[3]) == pytest.approx(1.3 + BAND * 0.1)  # but a loss does.


@pytest.fixture
def made_up() -> Problems:
    """Two problems: four things in the corners, B where the first feature is high; then all A."""
    corners = torch.tensor([[0.1, 0.1], [0.1, 0.9], [0.9, 0.1], [0.9, 0.9]])
    return Problems(corners.expand(2, -1, -1), torch.tensor([[0, 0, 1, 1], [0, 0, 0, 0]]), 2)


def test_imagined_problems_are_a_row_a_learner(made_up: Problems) -> None:
    plane = np.zeros((2, 3, 3))
    plane[0, :, 2] = 1.0  # High where the first feature is high.
    figure = viz.plot_imagined({"ermi": made_up, "mi": made_up}, {"ermi": plane, "mi": plane})
    planes = [trace for trace in figure.data if trace.type == "heatmap"]
    assert len(planes) == 4 and np.array_equal(planes[0].z[:, 2], [1, 1, 1])
    legend, *of_b = traces(figure, "labelled B")
    assert list(of_b[0].x) == pytest.approx([0.9, 0.9]) and len(of_b[1].x) == 0
    assert legend.showlegend and np.isnan(legend.x).all() and not any(trace.showlegend for trace in of_b)
    assert [axis.title.text for axis in figure.select_yaxes(col=1)] == ["ERMI", "MI"]
    assert "4 things" in figure.layout.meta["caption"]


def test_sensitivity_is_drawn_beyond_the_baseline() -> None:
    table = pd.DataFrame(
        [
            (learner, weights, correlation, gain, 0.01)
            for learner, gain in (("ermi", 0.03), ("logistic_regression", 0.0))
            for weights in ("one", "equal")
            for correlation in (0.0, 0.9)
        ],
        columns=["learner", "weights", "correlation", "more_accuracy", "more_accuracy_se"],
    )
    figure = viz.plot_sensitivity(table, "logistic_regression")
    first, second = traces(figure, "ERMI")
    assert list(first.x) == list(second.x) == [0.0, 0.9] and set(first.y) == {0.03}
    assert list(first.error_y.array) == pytest.approx([BAND * 0.01] * 2)
    assert set(traces(figure, "Logistic regression")[0].y) == {0.0}
    assert figure.layout.yaxis.title.text == "Accuracy beyond logistic regression"


@pytest.fixture
def matrix() -> pd.DataFrame:
    rows = [
        ("mi", "ecological", 0.6, -0.26, 0.02, "linear"),
        ("mi", "linear", 0.09, 0.023, 0.004, "linear"),
        ("rmc", "ecological", 0.42, -0.08, 0.01, "rational"),
        ("rmc", "linear", 0.58, -0.51, 0.02, "rational"),
        ("logistic_regression", "ecological", 0.34, 0.0, 0.0, None),
        ("logistic_regression", "linear", 0.07, 0.0, 0.0, None),
    ]
    columns = ["learner", "tested_on", "log_loss", "less_loss", "less_loss_se", "trained_on"]
    return pd.DataFrame(rows, columns=columns)


def test_transfer_writes_every_number_and_frames_what_was_trained_on(matrix: pd.DataFrame) -> None:
    figure = viz.plot_transfer(matrix, "logistic_regression")
    loss, gain = figure.data
    assert np.array_equal(loss.z, [[0.6, 0.09], [0.42, 0.58]])
    assert loss.text.tolist() == [["0.60", "0.09"], ["0.42", "0.58"]]
    assert gain.text.tolist()[0] == ["−0.260<br>± 0.040", "+0.023<br>± 0.008"]
    assert list(loss.x) == ["Bank", "Linear"]
    assert list(loss.y) == ["MI:<br>Linear", "RMC:<br>Rational<br>clusters"]
    frames = [(shape.x0, shape.y0) for shape in figure.layout.shapes]
    assert len(frames) == 2 and set(frames) == {(1 - 0.48, -0.48)}  # RMC's own prior is not among the tests.


def test_blue_is_better_and_orange_is_worse(matrix: pd.DataFrame) -> None:
    gain = viz.plot_transfer(matrix, "logistic_regression").data[1]
    assert gain.zmin == -gain.zmax < 0
    (low, worse), (_, none), (high, better) = gain.colorscale
    assert (low, high) == (0, 1) and none.upper() == "#FFFFFF"
    assert (worse, better) == (agent_style("ermi").colour, agent_style("mi").colour)
