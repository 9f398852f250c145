"""Figures of generalisation show the numbers they were given."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from toolkit.viz import (
    in_words,
    plot_item_shares,
    plot_scope,
    plot_segments,
    plot_speed,
    plot_type_errors,
    plot_type_order,
    titled,
)
from toolkit.viz.agents import agent_style
from toolkit.viz.generalisation import style_of


def traces(figure, label: str) -> list:
    return [trace for trace in figure.data if trace.name == label]


def texts(figure) -> list[str]:
    return [note.text for note in figure.layout.annotations]


def test_a_panel_a_type_and_one_entry_a_name() -> None:
    rows = [
        (agent, condition, block, 0.1 * block)
        for condition in ("I", "VI")
        for agent in ("people", "ermi")
        for block in (1, 2)
    ]
    figure = plot_type_errors(pd.DataFrame(rows, columns=["agent", "condition", "block", "error"]))
    people = traces(figure, "People")
    assert len(people) == 2 and [trace.showlegend for trace in people] == [True, False]
    np.testing.assert_allclose(people[0].y, [0.1, 0.2])
    assert people[0].line.color == agent_style("people").colour
    assert {"Type I", "Type VI"} <= set(texts(figure))


def test_cells_show_means_intervals_and_nothing_where_nothing_was_learned() -> None:
    means = pd.DataFrame(
        {
            "agent": ["people", "people", "older people"],
            "condition": ["I", "VI", "I"],
            "mean": [0.04, 0.3, 0.15],
            "low": [0.04, 0.3, 0.11],
            "high": [0.04, 0.3, 0.2],
        }
    )
    figure = plot_type_order(means)
    shown = texts(figure)
    assert len(shown) == 3 and "<b>.04</b>" in shown
    assert any(text.startswith("<b>.15</b>") and ".11 to .20" in text for text in shown)
    assert list(figure.layout.yaxis.ticktext) == ["People", "Older people"]


def test_segments_show_misfits_of_people_and_the_advantage_of_each_learner() -> None:
    table = pd.DataFrame(
        [
            (learner, person, segment, 0.5, 0.4, 0.01 * segment, 1.0)
            for learner in ("people", "gcm")
            for person in (0, 1)
            for segment in (1, 2)
        ],
        columns=[
            "learner",
            "participant",
            "segment",
            "misfit_exemplar",
            "misfit_prototype",
            "advantage",
            "exemplar",
        ],
    )
    recovered = pd.DataFrame({"segment": [1, 2], "learner": "gcm", "right": [0.5, 1.0]})
    published = pd.DataFrame({"model": ["exemplar", "prototype"], "segment": [1, 1], "misfit": [0.7, 0.69]})
    figure = plot_segments(table, recovered, published)
    assert list(traces(figure, "Exemplars")[0].y) == [0.5, 0.5]
    np.testing.assert_allclose(traces(figure, "People")[0].y, [0.01, 0.02])
    assert list(traces(figure, "Exemplars, Smith & Minda")[0].y) == [0.7]
    assert list(traces(figure, "Exemplars (GCM)")[1].y) == [0.5, 1.0]
    assert not traces(plot_segments(table, recovered), "Exemplars, Smith & Minda")


def test_distances_stand_beside_shares_only_where_there_are_any() -> None:
    shares = pd.DataFrame({"agent": ["ermi", "ermi"], "stimulus": ["T7", "T3"], "share": [0.05, 0.98]})
    distances = pd.DataFrame({"agent": ["ermi", "ermi"], "block": [2, 32], "distance": [0.48, 0.5]})
    both, alone = plot_item_shares(shares, distances), plot_item_shares(shares, distances[:0])
    assert {".05", ".98", ".48", ".50"} <= set(texts(both))
    assert len(both.data) == 2 and len(alone.data) == 1
    assert "people" in both.layout.meta["caption"] and "people" not in alone.layout.meta["caption"]
    assert list(both.layout.xaxis2.ticktext) == ["2", "32"]
    patterns = pd.DataFrame(
        {"agent": "ermi", "kind": ["rule", "exemplar"], "block": [2, 2], "share": [0.11, 0.62]}
    )
    three = plot_item_shares(shares, distances, patterns)
    assert {".11", ".62"} <= set(texts(three)) and list(three.layout.xaxis3.ticktext) == ["R<br>2", "E<br>2"]
    assert "follow a rule (R)" in three.layout.meta["caption"]


@pytest.mark.parametrize("people", [0.24, None])
def test_a_line_a_limit_begins_where_there_is_none(people: float | None) -> None:
    table = pd.DataFrame(
        {
            "learner": ["a", "b", "c", "ermi"],
            "limit": ["no limit", "memory noise", "memory noise", "ERMI as shipped"],
            "strength": [0, 0.5, 1, np.nan],
            "early_error": [0.15, 0.24, 0.3, 0.18],
            "nats_per_trial": [0.6, 0.59, 0.61, 0.58],
            "worse": [0, -0.01, 0.01, -0.02],
            "low": [0, -0.02, 0.0, -0.03],
            "high": [0, 0.0, 0.02, -0.01],
        }
    )
    figure = titled(plot_speed(table, people), "People")
    noise = traces(figure, "memory noise")[0]
    assert list(noise.x) == [0.15, 0.24, 0.3] and list(noise.text) == ["", "0.5", "1"]
    np.testing.assert_allclose(noise.error_y.array, [0, 0.01, 0.01])
    assert not traces(figure, "attention window") and traces(figure, "ERMI as shipped")
    assert len(figure.layout.shapes) == (people is not None)


def test_a_panel_a_size() -> None:
    table = pd.DataFrame(
        [
            (source, features, 2, learner, 1, last, 0.7, 0.01, 0.1)
            for source, features in (("bank", 3), ("mlp", 10))
            for learner in ("ermi", "gcm")
            for last in (16, 32)
        ],
        columns=[
            "source", "n_features", "n_classes", "learner", "first", "last", "accuracy", "accuracy_se", "milliseconds",
        ],
    )  # fmt: skip
    figure = plot_scope(table)
    assert len(traces(figure, "ERMI")) == 2
    assert any("10 features, 2 categories" in text and "networks" in text for text in texts(figure))


def test_words_and_styles() -> None:
    assert (
        in_words({"published ermi": 0.29, "older people": 0.1}) == "ERMI, published 0.29, Older people 0.10"
    )
    assert in_words({}) == "none"
    assert style_of("gcm") == agent_style("gcm")
