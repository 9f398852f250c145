"""Figures of searches: every program is a point, the winner's line is drawn, people are black."""

from __future__ import annotations

import numpy as np
import pandas as pd

from toolkit.viz import plot_differences, plot_found_again, plot_lineage, plot_repetitions
from toolkit.viz.agents import BLACK
from toolkit.viz.discovery import program_style

TRIED = pd.DataFrame(
    {
        "number": [1, 2, 3, 4],
        "name": ["a", "b", "c", "d"],
        "operator": "mutate",
        "parents": ["", "", "a, b", "a"],
        "program": ["one", "two", "three", "four"],
        "mean": [500.0, 450.0, 420.0, np.nan],
        "n_parameters": [2, 3, 4, 0],
    }
)


def test_every_scored_program_is_a_point_and_parents_are_joined_to_the_winner() -> None:
    figure = plot_lineage(TRIED, ["a", "b", "c"], {"chance": 520.0, "daw_hybrid": 470.0})
    points = [trace for trace in figure.data if trace.mode == "markers"]
    assert sorted(x for trace in points for x in trace.x) == [1, 2, 3]
    lines = sorted(tuple(trace.x) for trace in figure.data if trace.mode == "lines")
    assert lines == [(1, 3), (2, 3)]
    assert {shape.y0 for shape in figure.layout.shapes} == {520.0, 470.0}
    assert "1 program was rejected" in figure.layout.meta["caption"]
    strange = plot_lineage(TRIED.assign(program="<a href='x'>y</a>"), ["a"], {})
    assert all("<a" not in str(trace.customdata) for trace in strange.data)


def test_differences_have_their_paired_intervals() -> None:
    table = pd.DataFrame(
        {
            "model": ["found", "daw_hybrid", "chance"],
            "kind": ["winner", "baseline", "baseline"],
            "n_parameters": [5, 7, 0],
            "test": [460.0, 480.0, 550.0],
            "difference": [0.0, 20.0, 90.0],
            "low": [0.0, 5.0, 70.0],
            "high": [0.0, 35.0, 110.0],
        }
    )
    figure = plot_differences(table)
    found = {
        trace.y[0]: (trace.x[0], trace.error_x.array[0], trace.error_x.arrayminus[0]) for trace in figure.data
    }
    assert found == {
        program_style("daw_hybrid").label: (20.0, 15.0, 15.0),
        program_style("chance").label: (90.0, 20.0, 20.0),
    }


def test_repetitions_are_in_the_order_of_conditions_and_people_are_black() -> None:
    summary = pd.DataFrame(
        {
            "outcome": ["no reward", "reward", "no reward", "reward"],
            "transition": ["common", "common", "rare", "rare"],
            "repeats": [0.5, 0.8, 0.6, 0.7],
            "error": 0.02,
        }
    )
    figure = plot_repetitions({"people": summary, "winner": summary.assign(repeats=0.4)})
    people, winner = figure.data
    assert list(people.y) == [0.8, 0.7, 0.5, 0.6] and people.marker.color == BLACK
    assert not set(people.x) & set(winner.x) and list(people.x) == sorted(people.x)
    assert winner.name == "Winner" and winner.marker.color == program_style("winner").colour != BLACK


def test_planted_programs_that_were_found_exactly_stand_out() -> None:
    table = pd.DataFrame(
        {
            "planted": ["one", "two", "two"],
            "search": [1, 1, 2],
            "found": ["one", "three", "four"],
            "same": [True, False, False],
            "alike": [True, False, True],
            "apart": [0.0, 0.1, 0.01],
            "shared": [1.0, 0.25, 0.5],
            "difference": [0.0, -1.0, 0.0],
        }
    )
    figure = plot_found_again(table)
    (points,) = figure.data
    assert list(figure.layout.yaxis.ticktext) == ["one", "two"]
    assert [round(place) for place in points.y] == [0, 1, 1] and len(set(points.y)) == 3
    assert list(points.x) == [0.0, 0.1, 0.01]
    found = program_style("winner").colour
    assert [colour == found for colour in points.marker.color] == [True, False, True]
    assert list(points.marker.symbol) == ["circle", "circle-open", "circle-open"]
