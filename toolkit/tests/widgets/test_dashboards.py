"""Dashboards without a browser: what they compute, what their code draws, and how they answer their controls."""

from __future__ import annotations

import ast
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import nbformat
import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest

from toolkit import widgets
from toolkit.experiments.bandits import get_task
from toolkit.models import get_model_for, list_models
from toolkit.widgets.bandit_lab import SIMULATED, BanditLab, Lab
from toolkit.widgets.controls import parameter_sliders, starting_values
from toolkit.widgets.dashboard import Dashboard, replace_content
from toolkit.widgets.discovery_board import DiscoveryBoard
from toolkit.widgets.learner_playground import LearnerPlayground, Playground
from toolkit.widgets.model_comparison import ModelComparison
from toolkit.widgets.participant import BeTheParticipant
from toolkit.widgets.problem_browser import ProblemBrowser
from toolkit.widgets.problem_view import Browser

EXPLORE = Path(__file__).resolve().parents[3] / "notebooks" / "explore"
NOTEBOOKS = sorted(EXPLORE.glob("*.ipynb"))
DASHBOARDS = [
    LearnerPlayground,
    BanditLab,
    ProblemBrowser,
    BeTheParticipant,
    ModelComparison,
    DiscoveryBoard,
]
EXEMPLARS = {"attention_1": 3.0, "attention_2": 1.0, "attention_3": 0.5, "lapse": 0.1, "background": 0.0}
VIEWS = {
    "playground": Playground("shepard", "III", {"gcm": EXEMPLARS}, until=30),
    "lab": Lab(SIMULATED, 2, "kalman", {"inverse_temperature": 3.0, "noise": 1.0, "drift": 0.2}),
    "bank": Browser("bank", 3, (1, 4), "prototype", 9),
    "rules": Browser("bank", 3, (1, 4), "rulex", 9),
    "no line": Browser("bank", 3, (1, 4), "win_stay_lose_shift", 9),
    "script": Browser("bank", 3, (1, 4), "scripted_player", 9),
    "prior": Browser("linear", 2, (0, 1), "bayesian_logistic_regression", 5),
}


@pytest.fixture(autouse=True)
def _no_run_is_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOOLKIT_RUNS", str(tmp_path))


def drawn_by(code: str) -> str:
    """The figure that a cell of code draws, as JSON."""
    names: dict[str, Any] = {}
    exec(code, names)
    return names["figure"].to_json()


@pytest.mark.parametrize("name", VIEWS)
def test_code_draws_what_the_dashboard_shows(name: str) -> None:
    view = VIEWS[name]
    assert drawn_by(view.code()) == view.figure().to_json()
    assert "widget" not in view.code()
    assert view.figure().layout.title.text


@pytest.mark.parametrize("dashboard", DASHBOARDS)
def test_notebook_holds_the_code_of_the_first_view(dashboard: type[Dashboard]) -> None:
    path = next(path for path in NOTEBOOKS if f"widgets.{dashboard.__name__}()" in path.read_text())
    cells = nbformat.read(path, as_version=4).cells
    assert [cell.cell_type for cell in cells] == ["markdown", "code", "markdown", "code", "markdown"]
    assert "?**" in cells[0].source
    assert "imulated" in cells[0].source.splitlines()[0] or dashboard not in (LearnerPlayground, BanditLab)
    assert "question" in cells[4].source and cells[4].source.rstrip().endswith("?")
    # The formatter lays out the cell's lines anew.
    assert ast.dump(ast.parse(cells[3].source)) == ast.dump(ast.parse(dashboard().code))


def test_every_dashboard_has_a_notebook() -> None:
    assert len(NOTEBOOKS) == len(widgets.__all__)
    for name in widgets.__all__:
        assert any(f"widgets.{name}()" in path.read_text() for path in NOTEBOOKS), name


def test_a_parameter_moves_the_curve_of_its_agent_alone() -> None:
    dashboard = LearnerPlayground()
    before = {trace.name: np.array(trace.y) for trace in dashboard.shown.data if trace.name}
    lapse = next(one for one in dashboard.sliders.children if one.description == "lapse")
    lapse.value = 1.0
    after = {trace.name: np.array(trace.y) for trace in dashboard.shown.data if trace.name}
    np.testing.assert_allclose(after["Exemplars (GCM)"], 0.5)
    for name in ("Prototypes", "Simulated person"):
        np.testing.assert_array_equal(before[name], after[name])


def test_another_design_brings_its_conditions_features_and_length() -> None:
    dashboard = LearnerPlayground(agents=("gcm",))
    dashboard.design.value = "weather"
    assert dashboard.condition.options == ("weather",)
    assert sum("attention" in one.description for one in dashboard.sliders.children) == 4
    dashboard.trial.value = 10
    assert all(len(trace.x) <= 12 for trace in dashboard.shown.data if trace.name)


def test_agents_come_and_go() -> None:
    dashboard = LearnerPlayground(agents=("gcm", "prototype"))
    dashboard.agents.value = ("win_stay_lose_shift",)
    assert {trace.name for trace in dashboard.shown.data if trace.name} == {
        "Simulated person",
        "Win-stay lose-shift",
    }
    assert [one.description for one in dashboard.sliders.children] == ["stay", "shift"]
    dashboard.agents.value = ()
    assert "choose an agent" in dashboard.message.value


def test_the_best_numbers_are_no_worse_than_any_on_a_grid() -> None:
    dashboard = BanditLab("rescorla_wagner")
    dashboard.best.click()
    best = dashboard.view()
    grid = [
        Lab(SIMULATED, 0, "rescorla_wagner", {"inverse_temperature": steepness, "learning_rate": rate})
        for steepness in (0.5, 2, 5, 20)
        for rate in (0.05, 0.2, 0.5, 0.9)
    ]
    assert best.log_likelihood() >= max(lab.log_likelihood() for lab in grid) - 1e-3
    assert [one.value for one in dashboard.sliders.children] == pytest.approx(list(best.values.values()))
    assert f"{best.log_likelihood():.1f} nats" in dashboard.message.value


def test_another_figure_leaves_nothing_behind() -> None:
    marked = go.Figure({"type": "scatter", "y": [1]}).add_hline(1, annotation_text="one")
    marked.update_layout(title_text="Marked")
    shown = go.FigureWidget(marked)
    replace_content(shown, plain := go.Figure({"type": "scatter", "y": [2]}, {"xaxis": {}, "yaxis": {}}))
    assert not shown.layout.shapes and not shown.layout.annotations and shown.layout.title.text is None
    assert list(shown.data[0].y) == list(plain.data[0].y)


def test_code_has_the_number_that_a_slider_shows() -> None:
    dashboard = LearnerPlayground()
    next(one for one in dashboard.sliders.children if one.description == "lapse").value = 0.8200000000000001
    assert "'lapse': 0.82," in dashboard.code
    assert drawn_by(dashboard.code) == dashboard.view().figure().to_json()


def test_sliders_begin_at_their_steps() -> None:
    """A browser moves a slider that stands between two steps, and the figure with it."""
    design = get_task("partial").draw(1, rng=np.random.default_rng(0))
    for name in list_models("bandit"):
        model = get_model_for(name, design)
        for control in parameter_sliders(model, starting_values(model), lambda *_: None):
            steps = (control.value - control.min) / control.step
            assert steps == pytest.approx(round(steps), abs=1e-3), (name, control.description)
    dashboard = BanditLab("rescorla_wagner")
    dashboard.best.click()
    rate = dashboard.sliders.children[1]
    assert rate.value / rate.step == pytest.approx(round(rate.value / rate.step))
    assert f"learning rate {rate.value:.4g} Rescorla" in dashboard.message.value


@pytest.mark.parametrize(
    ("make", "first", "second"), [(LearnerPlayground, "gcm", "prototype"), (BanditLab, "kalman", "smile")]
)
def test_a_slider_that_is_moved_too_late_moves_its_own_agent(
    make: type[Dashboard], first: str, second: str
) -> None:
    dashboard = make()
    dashboard.agent.value = first
    old = dashboard.sliders.children
    dashboard.agent.value = second
    before = dict(dashboard._of(second))
    old[0].value = old[0].max
    assert old[0].comm is not None and dashboard._of(second) == before
    assert next(iter(dashboard._of(first).values())) == old[0].max
    dashboard.agent.value = first
    assert dashboard.sliders.children == old


def test_a_fit_that_fails_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def failed(*_: Any, **__: Any) -> SimpleNamespace:
        return SimpleNamespace(
            theta=np.full((1, 2), np.nan), table=pd.DataFrame({"reason": ["no finite start"]})
        )

    monkeypatch.setattr("toolkit.widgets.bandit_lab.fit", failed)
    dashboard = BanditLab("rescorla_wagner")
    before = dashboard.code
    dashboard.best.click()
    assert "no finite start" in dashboard.message.value and dashboard.code == before


def test_figures_have_no_button_that_sends_them_away() -> None:
    config = LearnerPlayground().shown._config
    assert config["modeBarButtons"] == [["toImage", "zoom2d", "pan2d", "resetScale2d"]]


def test_long_work_shows_the_bar_and_hides_it_afterwards() -> None:
    dashboard = BanditLab()
    with dashboard.busy():
        assert dashboard.bar.layout.visibility == "hidden"
        time.sleep(0.5)
        assert dashboard.bar.layout.visibility == "visible"
    assert dashboard.bar.layout.visibility == "hidden"


@pytest.mark.parametrize("dashboard", DASHBOARDS)
def test_a_step_of_a_slider_takes_less_than_a_fifth_of_a_second(dashboard: type[Dashboard]) -> None:
    made = dashboard()
    made.redraw()
    seconds = []
    for _ in range(3):
        started = time.process_time()
        made.redraw()
        seconds.append(time.process_time() - started)
    assert min(seconds) < 0.2


def test_controls_have_names_and_can_be_reached_by_keyboard() -> None:
    for dashboard in (made() for made in DASHBOARDS):
        controls = dashboard.children[0].children[0].children
        focusable = [one for one in controls if hasattr(one, "description")]
        assert all(one.description for one in focusable)
        assert not any(one.tabbable is False for one in focusable)
