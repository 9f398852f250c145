"""Figure builders: what they compute is right, what they draw has units, a caption and fixed looks."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import plotly.io as pio
import pytest

from toolkit.data import load_bank
from toolkit.errors import UsageError
from toolkit.sections import list_sections
from toolkit.trials import Trials
from toolkit.viz import (
    agent_style,
    curve_misfit,
    feature_table,
    learning_curve,
    learning_curves,
    plot_learning_curve,
    plot_learning_panels,
    plot_overview,
    plot_problem,
    setup,
    show_table,
)
from toolkit.viz.problems import feature_densities, separation
from toolkit.viz.theme import RENDERERS, TEMPLATE_NAME, Theme


@pytest.fixture
def trials() -> Trials:
    """Two people, four trials: one right from the third on, one always wrong and done after two."""
    table = pd.DataFrame(
        {
            "participant": ["ann"] * 4 + ["ben"] * 2,
            "stimulus_0": 0.0,
            "category": [0, 1, 0, 1, 0, 1],
            "choice": [1, 0, 0, 1, 1, 0],
        }
    )
    return Trials.from_table(table, "category_learning")


@pytest.fixture
def curve(trials: Trials) -> pd.DataFrame:
    """Curves of two agents."""
    people = learning_curve(trials, block=2)
    return pd.concat([people, people.assign(agent="random", correct=0.5)], ignore_index=True)


def test_learning_curve_is_the_proportion_in_each_block(trials: Trials) -> None:
    curve = learning_curve(trials, block=2)
    assert curve.to_dict("list") == {
        "agent": ["people"] * 3,
        "participant": ["ann", "ann", "ben"],
        "block": [0, 1, 0],
        "trial": [2, 4, 2],
        "trials": [2, 2, 2],
        "correct": [0.0, 1.0, 0.0],
    }


def test_learning_curve_counts_what_it_is_given(trials: Trials) -> None:
    filled = np.where(trials.mask, trials.correct, 1.0)
    curve = learning_curve(trials, block=2, correct=filled)
    assert curve.loc[curve["participant"] == "ben", "correct"].tolist() == [0.0, 1.0]
    with pytest.raises(UsageError, match="shape"):
        learning_curve(trials, correct=filled[:1])


def test_a_last_block_that_is_not_full_ends_where_the_trials_end(trials: Trials) -> None:
    assert learning_curve(trials, block=3)["trial"].tolist() == [3, 4, 3]


def test_band_is_the_interval_that_the_caption_says(curve: pd.DataFrame) -> None:
    figure = plot_learning_curve(curve[curve["block"] == 0].assign(correct=[0.2, 0.6, 0.5, 0.5]))
    band, mean = figure.data[0], figure.data[1]
    half = 1.96 * np.std([0.2, 0.6], ddof=1) / np.sqrt(2)
    assert mean.y[0] == pytest.approx(0.4)
    assert sorted(band.y) == pytest.approx([0.4 - half, 0.4 + half])
    assert "95 %" in figure.layout.meta["caption"]


def test_people_and_agents_keep_their_looks(curve: pd.DataFrame) -> None:
    figure = plot_learning_curve(curve, participant="ben")
    lines = {trace.name: trace.line for trace in figure.data if trace.name}
    assert lines["People"].color == "#000000"
    assert lines["Random"].color == agent_style("random").colour
    assert lines["Random"].dash == agent_style("random").dash
    assert figure.data[-2].name == "one person"
    with pytest.raises(UsageError, match="no person 'eve'"):
        plot_learning_curve(curve, participant="eve")


def test_densities_add_up_to_one_in_each_category_of_the_whole_bank() -> None:
    for problem in load_bank()[::10]:
        for (position, _), rows in feature_densities(problem).groupby(["feature", "category"]):
            discrete = problem.features[position].kind in ("count", "ordinal", "binary")
            total = rows["density"].sum() if discrete else np.trapezoid(rows["density"], rows["value"])
            assert total == pytest.approx(1), problem.id


def test_separation_is_d_prime() -> None:
    problem = load_bank()[0].model_copy()
    feature = problem.features[0].model_copy(
        update={"means": (1.0, 4.0), "sds": (1.0, 2.0), "kind": "continuous"}
    )
    assert separation(feature) == pytest.approx(3 / np.sqrt(2.5))
    binary = feature.model_copy(update={"means": (0.2, 0.8), "sds": (0.0, 0.0), "kind": "binary"})
    assert separation(binary) == pytest.approx(0.6 / 0.4)
    assert feature_table(problem)["separation"].is_monotonic_decreasing


@pytest.mark.parametrize("n_categories", [2, 3, 4])
def test_every_feature_has_a_panel_with_its_name_and_unit(n_categories: int) -> None:
    problem = next(p for p in load_bank() if len(p.categories) == n_categories)
    figure = plot_problem(problem)
    assert len(figure.data) == n_categories * len(problem.features)
    titles = {annotation.text.replace("<br>", " ") for annotation in figure.layout.annotations}
    assert titles == {feature.name for feature in problem.features}
    for feature in problem.features:
        assert feature.kind == "binary" or feature.unit in figure.to_json()
    assert sum(bool(trace.showlegend) for trace in figure.data) == n_categories
    assert problem.question in figure.layout.meta["caption"]


def test_overview_fills_the_boxes_of_the_sections_that_are_here(curve: pd.DataFrame) -> None:
    sections = list_sections().assign(here=[True] + [False] * 7)
    figure = plot_overview(load_bank()[0], curve, sections, participant="ann")
    boxes = figure.layout.shapes
    assert len(boxes) == 8
    assert [box.line.dash for box in boxes] == ["solid"] + ["dot"] * 7
    assert boxes[3].label.text == "03 Human comparison"


def test_builders_are_sized_in_millimetres_and_survive_json(curve: pd.DataFrame) -> None:
    figure = plot_learning_curve(curve, theme=Theme(width_mm=85))
    assert figure.layout.width == 321
    assert plot_learning_curve(curve).layout.width == 658
    assert go.Figure(json.loads(figure.to_json())) == figure


def test_setup_makes_figures_visible_in_lab_and_in_saved_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pio.renderers, "default", pio.renderers.default)
    default = pio.templates.default
    try:
        setup()
        assert pio.renderers.default == RENDERERS == "plotly_mimetype+notebook_connected"
        assert pio.templates.default == TEMPLATE_NAME
    finally:
        pio.templates.default = default


def test_map_of_sections_reads_the_folder(home: Path) -> None:
    assert not list_sections()["here"].any()
    (home / "notebooks").mkdir()
    (home / "notebooks" / "03_human_comparison.ipynb").write_text("{}")
    row = list_sections().iloc[3]
    assert row["here"] and row["section"] == "03_human_comparison"


def test_tables_are_the_same_twice_and_show_whole_sentences() -> None:
    table = pd.DataFrame({"question": ["What? " * 20], "here": [True], "n": [1.234]})
    page = show_table(table, n="{:.1f}").to_html()
    assert page == show_table(table, n="{:.1f}").to_html()
    assert "What? " * 19 in page and ">yes<" in page and ">1.2<" in page


def test_learning_curves_of_agents_stand_beside_people_in_every_condition(trials: Trials) -> None:
    both = replace(trials, sequences=trials.sequences.assign(condition=["easy", "hard"]))
    expected = np.where(both.scored, [[0.5, 0.5, 0.9, 0.9], [0.4, 0.2, 0, 0]], np.nan)
    curves = learning_curves(both, {"gcm": expected}, block=2)
    means = curves.set_index(["condition", "agent", "block"])["correct"]
    assert means["easy", "gcm", 1] == pytest.approx(0.9) and means["hard", "gcm", 0] == pytest.approx(0.3)
    assert means["easy", "people", 0] == 0 and means["easy", "people", 1] == 1
    misfit = curve_misfit(curves)["gcm"]
    assert misfit["easy"] == pytest.approx(np.sqrt((0.5**2 + 0.1**2) / 2)) and misfit[
        "hard"
    ] == pytest.approx(0.3)
    figure = plot_learning_panels(curves)
    names = [trace.name for trace in figure.data if trace.showlegend]
    assert names == ["People", "Exemplars (GCM)"]
    bands = [trace for trace in figure.data if trace.fill == "toself"]
    assert {trace.legendgroup for trace in bands} == {"people"}
    assert [note.text for note in figure.layout.annotations[:2]] == ["easy", "hard"]
