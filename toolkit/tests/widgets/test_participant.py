"""Be the participant without a browser: turns, keys, clock, starting again, saving, and the verdict."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from toolkit.errors import UsageError
from toolkit.fitting.verdict import Verdict
from toolkit.llm import Budget, Client
from toolkit.llm.journal import Journal
from toolkit.models.answering.scripted import ScriptedLearner
from toolkit.tests.widgets.test_dashboards import drawn_by
from toolkit.trials import Trials
from toolkit.widgets.participant import TASKS, BeTheParticipant
from toolkit.widgets.participant_categories import Everyday, Figures
from toolkit.widgets.participant_play import Play, read_choices
from toolkit.widgets.participant_rates import MEASURED, N_PROBLEMS, measure, rates_for, rates_in_words
from toolkit.widgets.participant_tasks import Task


@pytest.fixture
def few_agents(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two agents instead of all, where it does not matter which."""
    for module in ("toolkit.fitting.verdict", "toolkit.widgets.participant"):
        monkeypatch.setattr(f"{module}.list_candidates", lambda _: ["win_stay_lose_shift", "random"])


def begun(task: type[Task] = Figures, n_trials: int = 16, client: Client | None = None) -> BeTheParticipant:
    """A dashboard whose first trial is shown, and that waits after answers."""
    dashboard = BeTheParticipant(n_trials=n_trials, client=client)
    dashboard.pace.value = 0.0
    dashboard.task.value = task
    dashboard.begin.click()
    return dashboard


def play(dashboard: BeTheParticipant) -> list[int]:
    """Answer all that is left, by buttons and keys in turn, and wait for the fits."""
    made = []
    while not dashboard.is_over:
        option = len(made) % 3 % 2
        if len(made) % 2:
            dashboard.table.answers[option].click()
            dashboard.table.next.click()
        else:
            dashboard.table.key_field.value = "FJ"[option]
            dashboard.table.key_field.value = " "
        made.append(option)
    dashboard.fitting.join()
    return made


@pytest.mark.parametrize("task", TASKS)
def test_a_task_is_played_judged_and_saved(task: type[Task], home: Path) -> None:
    dashboard = begun(task)
    assert dashboard.table.layout.display == "flex" and dashboard.task.disabled
    assert [one.description[-3:] for one in dashboard.table.answers] == ["(F)", "(J)"]
    made = play(dashboard)
    assert dashboard.trials.choice.tolist() == [made]
    assert dashboard.table.layout.display == "none" and dashboard.bar.layout.visibility == "hidden"
    assert "16 " in dashboard.said.value and "nats a choice" in dashboard.said.value
    assert dashboard.shown.layout.title.text == f"You: {task.label}"
    assert "widget" not in dashboard.code and f"choices = {made}" in dashboard.code
    assert not (home / "data").exists()
    dashboard.save.click()
    assert dashboard.saved.parent == home / "data" / "own" and str(dashboard.saved) in dashboard.note.value
    first = dashboard.saved
    dashboard.save.click()
    assert dashboard.saved != first and first.exists()
    again = read_choices(first)
    for name in again.arrays:
        np.testing.assert_allclose(again.arrays[name], dashboard.trials.arrays[name])
    assert isinstance(again, Trials) and again.sequences["condition"].equals(
        dashboard.trials.sequences["condition"]
    )


def asking(tmp_path: Path, budget: Budget | None = None) -> Client:
    """A client whose language model is the script."""
    return Client(ScriptedLearner(), Journal(tmp_path / "journal.jsonl"), budget or Budget(), workers=1)


@pytest.mark.usefixtures("few_agents")
@pytest.mark.parametrize("task", [Figures, Everyday])
def test_a_language_model_is_among_the_agents_once_a_client_asks_it(task: type[Task], tmp_path: Path) -> None:
    dashboard = begun(task, client=asking(tmp_path))
    play(dashboard)
    assert {*dashboard.verdict.table["agent"]} == {"llm", "win_stay_lose_shift", "random"}
    assert dashboard.bar.layout.visibility == "hidden" and dashboard.note.value == ""
    assert "you said" in (tmp_path / "journal.jsonl").read_text(), "it is told the person's choices"
    assert drawn_by(dashboard.code) == dashboard.view().figure().to_json()


@pytest.mark.usefixtures("few_agents")
def test_a_language_model_that_cannot_be_asked_leaves_the_others(tmp_path: Path) -> None:
    dashboard = begun(client=asking(tmp_path, Budget(tokens=10)))
    play(dashboard)
    assert {*dashboard.verdict.table["agent"]} == {"win_stay_lose_shift", "random"}
    assert "language model is not among the agents: token cap" in dashboard.note.value
    bandits = begun(TASKS[2], client=asking(tmp_path))
    play(bandits)
    assert "llm" not in {*bandits.verdict.table["agent"]} and bandits.note.value == ""


@pytest.mark.usefixtures("few_agents")
@pytest.mark.parametrize("task", TASKS)
def test_code_draws_what_is_shown_of_a_simulated_player(task: type[Task]) -> None:
    view = Play(task(24, 5))
    assert drawn_by(view.code()) == view.figure().to_json()
    assert view.figure().layout.title.text.startswith("Simulated player")
    assert view.reading().startswith("The simulated player was")


@pytest.mark.usefixtures("few_agents")
def test_code_draws_what_a_person_did() -> None:
    view = Play(Figures(16, 2, "Type I"), (0, 1) * 8)
    assert drawn_by(view.code()) == view.figure().to_json()
    assert view.reading().endswith("Type I.")


def test_turns_follow_one_another() -> None:
    dashboard = begun()
    table, sitting = dashboard.table, dashboard.sitting
    assert "✓" not in table.told.value and "✗" not in table.told.value
    table.next.click()
    for typed in ("x", " ", "1"):
        table.key_field.value = typed
        assert table.key_field.value == ""
    assert (sitting.state, sitting.n_done) == ("shown", 0)
    table.answers[1].click()
    told, right = table.told.value, int(dashboard.trials.category[0, 0])
    assert ("✓ Right" in told) == (right == 1) and f"Category {'AB'[right]}" in told
    assert [one.button_style for one in table.answers] == ["", "primary"]
    for out_of_turn in (lambda: table.answers[0].click(), lambda: setattr(table.key_field, "value", "f")):
        out_of_turn()
        assert dashboard.trials.choice.tolist() == [[1]] and table.told.value == told
    table.key_field.value = "f "
    assert sitting.state == "shown" and table.progress.description == "2 of 16" and table.progress.value == 1


@pytest.mark.usefixtures("few_agents")
def test_feedback_of_casinos_does_not_say_which_machine_is_better() -> None:
    dashboard = begun(TASKS[2])
    for _ in range(15):
        dashboard.table.answers[0].click()
        assert "paid" in dashboard.table.told.value and "other" not in dashboard.table.told.value
        assert "✓" not in dashboard.table.told.value and "inherit" in dashboard.table.told.value
        dashboard.table.next.click()


def test_the_clock_goes_on_once_and_only_from_its_own_trial() -> None:
    dashboard = begun()
    dashboard.pace.options = [("soon", 0.05)]
    dashboard.table.answers[0].click()
    until = time.monotonic() + 20
    while dashboard.sitting.position == 0 and time.monotonic() < until:
        time.sleep(0.01)
    assert (dashboard.sitting.position, dashboard.sitting.state) == (1, "shown")
    dashboard.pace.options = [("late", 0.2)]
    dashboard.table.answers[0].click()
    dashboard.table.next.click()
    dashboard.table.answers[0].click()
    dashboard._go_on(0, 1)
    assert (dashboard.sitting.position, dashboard.sitting.state) == (2, "told")
    dashboard.begin.click()
    time.sleep(0.4)
    assert dashboard.sitting is None


@pytest.mark.usefixtures("few_agents")
def test_starting_again_brings_another_problem_and_forgets_the_fits() -> None:
    dashboard = begun()
    with pytest.raises(UsageError, match="no choice"):
        _ = dashboard.trials
    dashboard.begin.click()
    assert dashboard.seed.value == 0 and not dashboard.seed.disabled
    dashboard.begin.click()
    while not dashboard.is_over:
        dashboard.table.answers[0].click()
        dashboard.table.next.click()
    dashboard.begin.click()
    assert dashboard.sitting is None and dashboard.seed.value == 1 and dashboard.save.disabled
    dashboard.fitting.join()
    assert dashboard.verdict is None and dashboard.shown is None
    assert "Four of the eight" in dashboard.said.value and dashboard.bar.layout.visibility == "hidden"
    dashboard.begin.click()
    play(dashboard)
    assert dashboard.verdict is not None and "Seeds(1)" in dashboard.code


def test_fits_leave_the_kernel_free_and_show_how_far_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    report = BeTheParticipant._report

    def watched(self: BeTheParticipant, round_: int, n_done: int, agents: list[str]) -> bool:
        known = report(self, round_, n_done, agents)
        seen.append((self.bar.value, self.bar.max, self.bar.layout.visibility))
        return known

    monkeypatch.setattr(BeTheParticipant, "_report", watched)
    dashboard = begun()
    while dashboard.sitting.n_done < 15:
        dashboard.table.answers[0].click()
        dashboard.table.next.click()
    dashboard.table.answers[0].click()
    started = time.thread_time()
    dashboard.table.next.click()
    assert time.thread_time() - started < 0.2 and dashboard.verdict is None
    dashboard.fitting.join()
    n_agents = len(dashboard.verdict.table)
    assert seen == [(n_done, n_agents, "visible") for n_done in range(n_agents + 1)]


def test_a_disk_that_cannot_be_written_is_said(home: Path) -> None:
    (home / "data").write_text("a file where a folder should be")
    dashboard = begun()
    dashboard.table.answers[0].click()
    dashboard.save.click()
    assert dashboard.saved is None and "not saved" in dashboard.note.value


def test_what_is_seen_is_said_in_words() -> None:
    figures = Figures(24, 0, "Type II")
    for position in range(8):
        size, colour, shape = figures.design.stimulus[0, position]
        words = f"{'large' if size else 'small'} {'orange' if colour else 'blue'} {'triangle' if shape else 'square'}"
        assert f"aria-label='{words}'" in figures.picture(position)
    things = Everyday(24, 3)
    for feature, value in zip(things.features, things.values(0), strict=True):
        assert things.problem.features[feature].name in things.picture(0).replace("&#x27;", "'")
        assert value in things.picture(0)


def test_a_task_has_whole_blocks() -> None:
    with pytest.raises(UsageError, match="multiple of 8"):
        BeTheParticipant(n_trials=20)


@pytest.mark.usefixtures("few_agents")
def test_an_error_in_a_fit_ends_the_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ArithmeticError("no eigenvalues")

    monkeypatch.setattr("toolkit.widgets.participant.fit_one_by_one", broken)
    dashboard = begun()
    play(dashboard)
    assert "no eigenvalues" in dashboard.said.value and dashboard.bar.layout.visibility == "hidden"


def test_a_verdict_says_how_often_its_like_was_right() -> None:
    task = Figures(16, 0)
    length, rates = rates_for(task)
    assert length == min(length for name, length in MEASURED if name == task.name)
    table = pd.DataFrame({"agent": ["gcm", "random"], "nats_per_trial": [0.3, 0.6], "behind": [0.0, 5.0]})
    said = rates_in_words(task, Verdict({}, table, 16, 0.69))
    assert f"for {rates.apart_right} of {rates.apart} simulated players of {length} trials" in said
    said = rates_in_words(task, Verdict({}, table.assign(behind=[0.0, 1.0]), 16, 0.69))
    assert f"for {rates.close_right} of {rates.close} " in said
    said = rates_in_words(task, Verdict({}, table, 16, 0.2))
    assert f"for {rates.players - rates.foretold} of {rates.players} " in said


def test_rates_were_measured_for_every_task_and_add_up() -> None:
    for task in TASKS:
        _, rates = rates_for(task())
        assert rates.players % N_PROBLEMS == 0 and rates.apart_right <= rates.apart <= rates.foretold
        assert rates.close_right <= rates.close and rates.foretold <= rates.players


def test_rates_can_be_measured_again(monkeypatch: pytest.MonkeyPatch) -> None:
    few = ["win_stay_lose_shift", "rule", "random"]
    monkeypatch.setattr("toolkit.widgets.participant_rates.list_candidates", lambda _: few)
    found = measure(TASKS[1], 24, n_problems=3)
    assert found.players == 6 and 0 < found.apart_right <= found.apart <= found.foretold <= 6
