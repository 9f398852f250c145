"""The figure of people beside models: gaps, one person, and no curves are drawn as what they are."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from toolkit.errors import UsageError
from toolkit.fitting import Standings, gather
from toolkit.viz import plot_standings
from toolkit.viz.standings import person_curves


def standings(
    people: list[int], *, failed: int | None = None, curves: pd.DataFrame | None = None
) -> Standings:
    """Two models and some people, the first of whom every model explains badly."""
    rows = [
        {"model": model, "participant": person, "log_likelihood": -value - 10 * (person == people[0])}
        | {"n_trials": 40, "n_parameters": 1, "reason": ""}
        for model, value in (("gcm", 10.0), ("prototype", 12.0))
        for person in people
    ]
    table = pd.DataFrame(rows)
    if failed is not None:
        place = (table["participant"] == failed) & (table["model"] == "gcm")
        table.loc[place, ["log_likelihood", "reason"]] = [np.nan, "<no> start"]
    return gather(table, curves=curves, title="Some people")


def test_a_failed_fit_is_a_cross_and_not_a_shade() -> None:
    figure = plot_standings(standings([1, 2, 3], failed=2), 2)
    cells, crosses = figure.data[0], figure.data[1]
    assert np.isnan(cells.z).sum() == 1
    place = int(np.flatnonzero(np.isnan(cells.z).any(0))[0])
    assert list(crosses.x) == [place] and list(crosses.y) == ["Exemplars (GCM)"]
    assert "<" not in crosses.customdata[0][1]
    frame = next(shape for shape in figure.layout.shapes if shape.type == "rect")
    assert frame.x0 < place < frame.x1


def test_one_person_is_a_figure_and_somebody_else_is_not_in_it() -> None:
    figure = plot_standings(standings([7]), 7, by="nats")
    assert np.shape(figure.data[0].z) == (2, 1)
    assert any("No learning curve" in note.text for note in figure.layout.annotations)
    with pytest.raises(UsageError, match="no person 8"):
        plot_standings(standings([7]), 8)


def test_a_persons_curve_weighs_conditions_by_their_trials() -> None:
    curves = pd.DataFrame(
        {
            "condition": ["I", "II", "I"],
            "agent": ["people", "people", "gcm"],
            "participant": 1,
            "trial": 8,
            "trials": [6, 2, 6],
            "correct": [1.0, 0.0, 0.5],
        }
    )
    both = standings([1, 2], curves=curves)
    assert person_curves(both, 1).set_index("agent")["correct"].to_dict() == {"people": 0.75, "gcm": 0.5}
    figure = plot_standings(both, 1)
    assert {trace.name for trace in figure.data if trace.legend == "legend2"} == {
        "The person",
        "Exemplars (GCM)",
    }
    alone = both.where(condition="I")
    assert person_curves(alone, 1).set_index("agent")["correct"]["people"] == 1.0
    assert "condition I" in next(
        note.text for note in plot_standings(alone, 1).layout.annotations if "learning" in note.text
    )
