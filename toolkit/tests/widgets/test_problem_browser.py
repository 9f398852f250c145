"""The problem browser: what agents and language models answer between the points that they were shown."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from toolkit.errors import UsageError
from toolkit.llm import Budget, Client, Request
from toolkit.llm.journal import Journal
from toolkit.llm.prices import Price
from toolkit.models import get_model_for, list_models
from toolkit.models.after_learning import probes_after
from toolkit.models.answering.asking import recall
from toolkit.models.answering.probing import Probing
from toolkit.models.answering.scripted import ScriptedLearner, ask_script
from toolkit.widgets.problem_browser import ProblemBrowser, list_learners
from toolkit.widgets.problem_cell import N_POINTS
from toolkit.widgets.problem_view import N_PLACES, Browser


class Speaker(ScriptedLearner):
    """Answers by the script, waits before the question of a number, and has a price."""

    model, price = "speaker", Price(input=1.0, output=5.0)

    def __init__(self, pause_before: int | None = None) -> None:
        self.pause_before, self.n_asked = pause_before, 0
        self.reached, self.go_on = threading.Event(), threading.Event()

    def ask(self, request: Request, timeout_s: float) -> Any:
        self.n_asked += 1
        if self.n_asked == self.pause_before:
            self.reached.set()
            assert self.go_on.wait(20)
        return super().ask(request, timeout_s)


def connected(tmp_path: Path, speaker: Speaker, budget: Budget | None = None) -> Client:
    return Client(speaker, Journal(tmp_path / "journal.jsonl"), budget or Budget(), workers=1)


def test_probes_are_answered_as_if_each_came_next() -> None:
    rng = np.random.default_rng(0)
    shown, told, probes = rng.random((6, 2)), np.array([0, 1, 0, 1, 1, 0]), rng.random((4, 2))
    together = probes_after(shown, told, probes, 2)
    model = get_model_for("alcove", together)
    theta = model.theta(sensitivity=4.0, association_rate=0.2, attention_rate=0.1, determinism=3.0)
    answers = model.predict(theta, together)[:, -1]
    for probe, answer in zip(probes, answers, strict=True):
        alone = probes_after(shown, told, probe[None], 2)
        np.testing.assert_allclose(model.predict(theta, alone)[0, -1], answer)
    np.testing.assert_allclose(model.predict(theta, probes_after(shown[:0], told[:0], probes, 2))[:, -1], 0.5)


def test_one_feature_leaves_out_the_other() -> None:
    dashboard = ProblemBrowser()
    dashboard.second.value = 3
    assert dashboard.shown.layout.yaxis.title.text == dashboard.second.options[3][0]
    dashboard.source.value = "rational"
    assert [label for label, _ in dashboard.first.options] == ["feature 1", "feature 2"]


def test_guessing_draws_no_line_and_is_right_by_chance() -> None:
    guesses = Browser("bank", 3, (1, 4), "random", 9)
    assert guesses.answers().std() == 0
    assert "names 50% of" in guesses.reading()


def test_every_agent_can_be_chosen(tmp_path: Path) -> None:
    assert set(list_models("category_learning")) <= set(list_learners())
    assert "llm" in list_learners(connected(tmp_path, Speaker())) and "llm" not in list_learners()


def test_who_looks_at_nothing_answers_by_the_last_trial() -> None:
    """It was told A last: a choice of A is kept with .9, one of B left with .8, and it would have guessed before."""
    browser = Browser("bank", 3, (1, 4), "win_stay_lose_shift", 2)
    first, second = browser.points()[1][:2]
    p = browser.answers()
    assert np.ptp(p, axis=(0, 1)).max() == 0
    before = 0.9 * 0.5 + 0.8 * 0.5 if first == second else 1 - (0.9 * 0.5 + 0.8 * 0.5)
    assert p[0, 0, second] == pytest.approx(0.9 * before + 0.8 * (1 - before))
    assert "It draws no line" in browser.reading()


def test_a_question_has_names_units_and_what_was_told_before() -> None:
    browser = Browser("bank", 5, (0, 1), "scripted_player", 3)
    probing = browser.probing()
    x, _ = browser.points()
    assert len(probing.questions) == N_PLACES**2 + N_POINTS - 3
    letters = {question.letters for question in probing.questions}
    ((_, text),) = probing.requests[-1].messages
    assert len(letters) == 1
    assert f"Now: ear length (cm) = {float(f'{x[-1, 0]:.3g}'):g}, body mass (kg) = " in text
    assert text.count("ear length (cm) = ") == 4 and "not told" not in text
    with pytest.raises(UsageError, match="nothing is told"):
        Probing(x[:0], np.zeros(0, int), x[:2], 2)


def test_the_script_goes_by_the_nearest_number() -> None:
    shown, told = np.array([[0.0, 10.0], [10.0, 10.0]]), np.array([0, 1])
    probes = np.array([[1.0, 10.0], [9.0, 10.0], [5.0, 10.0]])
    p = Probing(shown, told, probes, 2).answers(ask_script)
    np.testing.assert_allclose(p, [[2 / 3, 1 / 3], [1 / 3, 2 / 3], [1 / 2, 1 / 2]])
    alone = Probing(shown[:, :1], told, probes[:, :1], 2).answers(ask_script)
    np.testing.assert_allclose(alone, p)


def test_a_language_model_is_asked_once_and_its_answers_are_kept(tmp_path: Path) -> None:
    speaker = Speaker()
    dashboard = ProblemBrowser(agent="llm", client=connected(tmp_path, speaker))
    n_questions = N_PLACES**2 + N_POINTS - 12
    n_different = len({request.key("speaker") for request in dashboard.view().probing().requests})
    assert n_different <= n_questions and f"0 of {n_different} questions" in dashboard.message.value
    assert "USD" in dashboard.message.value and dashboard.ask.layout.display == ""
    assert set(dashboard.shown.data[0].text.ravel()) == {"not asked"}
    dashboard.ask.click()
    dashboard.asking.join(30)
    assert speaker.n_asked == n_different
    p = dashboard.view().answers()
    np.testing.assert_allclose(p, Browser(**vars_of(dashboard, agent="scripted_player")).answers())
    assert "LLM saw 12 points" in dashboard.message.value
    names: dict[str, Any] = {}
    exec(dashboard.code, names)
    assert names["figure"].to_json() == dashboard.view().figure().to_json()
    dashboard.agent.value = "gcm"
    assert dashboard.ask.layout.display == "none"


def test_asking_can_be_stopped_and_goes_on_where_it_was(tmp_path: Path) -> None:
    speaker = Speaker(pause_before=40)
    client = connected(tmp_path, speaker)
    dashboard = ProblemBrowser(agent="llm", client=client)
    dashboard.ask.click()
    assert speaker.reached.wait(20)
    assert dashboard.ask.description == "Stop asking" and dashboard.bar.max > 300
    dashboard.ask.click()
    speaker.go_on.set()
    dashboard.asking.join(30)
    assert "asking was stopped" in dashboard.message.value and dashboard.ask.description.startswith("Ask")
    assert dashboard.bar.layout.visibility == "hidden"
    answered = ~np.isnan(dashboard.view().probing().answers(recall(client))[:, 0])
    assert 38 <= answered.sum() <= 45
    dashboard.ask.click()
    dashboard.asking.join(30)
    assert not np.isnan(dashboard.view().answers()).any()


def test_an_unexpected_error_leaves_nothing_waiting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dashboard = ProblemBrowser(agent="llm", client=connected(tmp_path, Speaker()))
    monkeypatch.setattr(dashboard.client, "ask", lambda *_, **__: 1 / 0)
    dashboard.ask.click()
    dashboard.asking.join(30)
    assert "ZeroDivisionError" in dashboard.message.value and dashboard.ask.description.startswith("Ask")
    assert dashboard.bar.layout.visibility == "hidden"


def test_a_cap_is_told(tmp_path: Path) -> None:
    dashboard = ProblemBrowser(agent="llm", client=connected(tmp_path, Speaker(), Budget(usd=1e-6)))
    dashboard.ask.click()
    dashboard.asking.join(30)
    assert "cost cap" in dashboard.message.value and "places that it was not asked" in dashboard.message.value


def test_without_a_client_no_language_model_speaks() -> None:
    with pytest.raises(UsageError, match="no language model is connected"):
        Browser("bank", 0, (0, 1), "llm", 3).figure()


def vars_of(dashboard: ProblemBrowser, **changed: Any) -> dict[str, Any]:
    view = dashboard.view()
    settings = {
        name: getattr(view, name) for name in ("source", "number", "pair", "agent", "n_shown", "seed")
    }
    return settings | changed
