"""Figures of belief updating show the numbers they were given."""

from __future__ import annotations

import numpy as np
import pandas as pd

from toolkit.viz import plot_after_change, plot_bias, plot_choices, plot_rates
from toolkit.viz.agents import agent_style


def test_rates_and_what_a_trace_leaves_of_them_stand_in_one_line_a_name() -> None:
    rows = []
    for task in ("partial", "full", "agency"):
        for agent, name in (("people", f"Study of {task}"), ("metarl", "Meta-RL")):
            rows += [(task, agent, name, rate, 0.4 - 0.1 * n, 0.3, 0.5) for n, rate in enumerate("ab")]
    rates = pd.DataFrame(rows, columns=["task", "agent", "name", "rate", "mean", "low", "high"])
    figure = plot_rates(rates)
    own = [trace for trace in figure.data if list(trace.y or ()) == ["Meta-RL"]]
    assert len(own) == 6 and {trace.xaxis for trace in own} == {"x", "x2", "x3"}
    assert [trace.x[0] for trace in own[:2]] == [0.4, 0.4 - 0.1]
    assert own[0].marker.symbol == "star" and own[1].marker.symbol == "star-open"
    np.testing.assert_allclose([own[0].error_x.array[0], own[0].error_x.arrayminus[0]], [0.1, 0.1])
    ends = {
        f"{kind}{end}": 0.5 + 0.1 * n for kind in ("alone", "beside") for n, end in enumerate(("", "_high"))
    }
    bias = rates[["task", "agent", "name"]].drop_duplicates().assign(alone_low=0.4, beside_low=-0.2, **ends)
    figure = plot_bias(bias)
    alone, beside = [trace for trace in figure.data if list(trace.y or ()) == ["Meta-RL"]][:2]
    assert alone.marker.symbol.endswith("open") and beside.marker.color == agent_style("metarl").colour
    np.testing.assert_allclose(beside.error_x.arrayminus[0], 0.7)


def test_choices_and_errors_are_lines() -> None:
    rows = [
        (task, agent, visit, 0.6)
        for task in ("partial", "full", "agency")
        for agent in ("people", "llm")
        for visit in (5, 10)
    ]
    figure = plot_choices(pd.DataFrame(rows, columns=["task", "agent", "visit", "share"]))
    people = [trace for trace in figure.data if trace.name == "People"]
    assert [trace.showlegend for trace in people] == [True, False, False]
    table = pd.DataFrame({"learner": ["exact_bayes"] * 2, "step": [0, 1], "error": [1.0, 0.2]})
    (line,) = plot_after_change(table).data
    assert line.name == agent_style("exact_bayes").label and list(line.y) == [1.0, 0.2]
