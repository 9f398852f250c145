"""A language model plays bandits: end to end against servers on this machine, and the recording of a script."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from toolkit.cli.playing import play_bandits
from toolkit.errors import UsageError
from toolkit.experiments.bandits import get_task
from toolkit.fitting import fit
from toolkit.llm import Client, Price, get_client
from toolkit.models.playing import Player, Rules, estimate, first_requests, play
from toolkit.models.playing.scripted import demo_design, demo_path, record_demo, replay_demo, reply_of
from toolkit.seeds import Seeds
from toolkit.tests.llm.server import AnthropicServer, Asked, OpenAIServer, Say
from toolkit.trials import Trials

SERVERS = {"anthropic": AnthropicServer, "openai": OpenAIServer}


def short(task: str = "agency", n_trials: int = 8, n_people: int = 2) -> Trials:
    return get_task(task).draw(n_people, rng=Seeds(3).numpy("design"), n_sessions=1).until(n_trials)


@pytest.fixture
def connect(tmp_path: Path) -> Callable[..., Client]:
    """Makes clients of one journal that do not really sleep."""

    def make(provider: str = "openai", **options) -> Client:
        options = {"journal": tmp_path / "journal.jsonl", "sleep": lambda seconds: None, **options}
        return get_client(provider, **{"model": "m", "price": Price(1, 1), **options})

    return make


def story_in(asked: Asked) -> str:
    """Instructions of a question as a server gets it."""
    if "system" in asked.body:
        return asked.body["system"][0]["text"]
    return asked.body["messages"][0]["content"]


def script(asked: Asked) -> Say:
    """The scripted player's reply to a question as a server gets it."""
    found = reply_of(story_in(asked), asked.prompt)
    best = max(found, key=found.__getitem__)
    return Say(best, logprobs=found)


@pytest.mark.parametrize("provider", SERVERS)
@pytest.mark.parametrize("task", ["partial", "full", "agency"])
def test_it_plays_a_task_and_sees_what_it_earned(connect, provider: str, task: str) -> None:
    design = short(task)
    with SERVERS[provider](script) as server:
        game = play(design, connect(provider))
    free = design.mask & ~design.forced
    assert len(server.requests) == len(game.answers) == free.sum() and game.n_missing == 0
    chosen = game.trials.choice
    np.testing.assert_array_equal(
        chosen[design.forced & design.mask], design.choice[design.forced & design.mask]
    )
    np.testing.assert_array_equal(chosen[free], game.answers["said"])
    paid = np.take_along_axis(game.trials.outcome, chosen[..., None], -1)[..., 0]
    np.testing.assert_array_equal(paid, np.take_along_axis(design.payoff, chosen[..., None], -1)[..., 0])
    hidden = np.take_along_axis(game.trials.outcome, 1 - chosen[..., None], -1)[..., 0]
    assert (np.isnan(hidden) == ~design.full_feedback).all()
    source = "log-probabilities" if provider == "openai" else "letter"
    assert (game.answers["source"] == source).all()
    if provider == "openai":
        p = game.answers[["p_0", "p_1"]].to_numpy()
        assert (p.argmax(1) == game.answers["said"])[np.abs(p[:, 0] - 0.5) > 1e-6].all() and (p < 1).all()


def test_what_it_is_told(connect) -> None:
    """The whole story of a mixed block, word for word, and nothing of other blocks."""
    design = short("agency", 80, 1)
    mixed = int(np.flatnonzero(design.forced.any(1))[0])
    with OpenAIServer(script) as server:
        game = play(design, connect())
    player = Player(Rules(), design.unanswered(), mixed)
    trials, names = game.trials, player.names(0)
    asked = [one for one in server.requests if story_in(one) == player.request(0, []).system]
    last = max(
        (one.prompt for one in asked if set(player.letters[0]) & set(_letters_in(one.prompt))), key=len
    )
    assert "On 40 of the visits somebody else plays" in story_in(asked[0])
    assert "as much as possible over your own 40 visits" in story_in(asked[0])
    told = [line for line in last.splitlines() if line.startswith("visit ")]
    for t, line in enumerate(told):
        who = "somebody else" if design.forced[mixed, t] else "you"
        choice = trials.choice[mixed, t]
        assert line == (
            f"visit {t + 1}: {who} played machine {names[choice]}, which paid {trials.payoff[mixed, t, choice]:g} dollars."
        )
    assert (
        f"with the machines {' and '.join(names)}." in last
        or f"with the machines {' and '.join(names[::-1])}." in last
    )


def _letters_in(prompt: str) -> str:
    return prompt.rsplit("with the machines ", 1)[1].split(".")[0].replace(" and ", "")


def test_both_outcomes_are_told_where_both_are_shown() -> None:
    design = short("full", 40, 1)
    row = int(np.flatnonzero(design.full_feedback.any(1))[0])
    player = Player(Rules(), design.unanswered(), row)
    first, second = player.names(0)
    assert "also told what the other machine would have paid" in player.request(0, []).system
    paid = design.payoff[row, 0]
    assert player.line(0, 1).endswith(
        f"played machine {second}, which paid {paid[1]:g} dollars; machine {first} would have paid {paid[0]:g} dollars."
    )


def test_letters_and_their_order_are_drawn_as_in_the_study() -> None:
    """No letter twice in a session, others in other sessions, either order alike, the same for the same seed."""
    design = get_task("agency").draw(3, rng=Seeds(0).numpy("design"))
    players = [Player(Rules(), design.unanswered(), row) for row in range(len(design))]
    by_session: dict[tuple, list[str]] = {}
    for player, about in zip(players, design.sequences.itertuples(), strict=True):
        by_session.setdefault((about.participant, about.session), []).extend(player.letters[0])
    assert all(len(set(letters)) == len(letters) == 8 for letters in by_session.values())
    assert len({tuple(letters) for letters in by_session.values()}) == 9
    swapped = np.concatenate([player.order[:, 0] for player in players])
    assert abs(swapped.mean() - 0.5) < 4 * 0.5 / np.sqrt(len(swapped))
    texts = [[request.messages for request in first_requests(design, Rules(seed=seed))] for seed in (0, 0, 1)]
    assert texts[0] == texts[1] != texts[2]


def test_what_was_interrupted_goes_on_and_a_recording_gives_the_same(connect) -> None:
    design = short("agency", 6)
    n = int((design.mask & ~design.forced).sum())
    with OpenAIServer(script) as server:
        before = estimate(design, connect())
        assert before.n_requests == n and before.n_in_journal == 0 and before.usd_at_most > 0
        part = play(design.until(3), connect())
        n_part = len(server.requests)
        between = estimate(design, connect())
        assert between.n_in_journal == 0 or between.n_requests == n
        game = play(design.until(3), connect())
        assert len(server.requests) == n_part and game.trials.equals(part.trials)
    again = play(design.until(3), connect("recorded", model=None))
    pd.testing.assert_frame_equal(again.answers, part.answers)
    nobody = play(design, connect("recorded", model=None), Rules(seed=1))
    assert nobody.n_missing == n and (nobody.trials.choice[design.mask & ~design.forced] == -1).all()


def test_a_reply_without_a_letter_is_asked_again_and_then_a_missed_visit(connect) -> None:
    design = short("partial", 3, 1)
    with OpenAIServer("I would rather not.") as server:
        game = play(design, connect())
    assert (game.answers["source"] == "none").all() and (game.trials.choice[design.mask] == -1).all()
    assert len(server.requests) == 9 and "Write nothing but" in server.prompts[1]
    assert "you named no machine" in server.prompts[-1] and np.isnan(game.trials.outcome).all()
    assert game.trials.missed.sum() == 3


def test_only_bandits_with_payoffs_can_be_played(connect) -> None:
    with pytest.raises(UsageError, match="say what every option would pay"):
        list(
            first_requests(
                Trials.from_table(pd.DataFrame({"participant": [0], "problem": 0, "choice": 1}), "free")
            )
        )


def test_a_recording_made_again_is_the_same(tmp_path: Path) -> None:
    game = record_demo("full", tmp_path / "again.jsonl")
    assert (tmp_path / "again.jsonl").read_bytes() == demo_path("full").read_bytes()
    assert replay_demo("full").trials.equals(game.trials)


@pytest.mark.parametrize("task", ["partial", "full", "agency"])
def test_recordings_are_whole_and_say_that_no_language_model_spoke(task: str) -> None:
    game = replay_demo(task)
    assert game.n_missing == 0 and game.trials.participants == demo_design(task).participants
    assert set(game.answers["model"]) == {"scripted player (no language model)"}
    found = fit("rescorla_wagner", game.trials, method="map", n_starts=2, progress=False)
    assert (found.table["inverse_temperature"] > 1).all()


def test_the_command_shows_the_cost_and_writes_trials(tmp_path: Path) -> None:
    options = [
        "--participants",
        "1",
        "--sessions",
        "1",
        "--model",
        "m",
        "--price",
        "1",
        "1",
        "--provider",
        "openai",
    ]
    with OpenAIServer(script) as server:
        shown = CliRunner().invoke(play_bandits, ["full", "--out", str(tmp_path), *options, "--dry-run"])
        assert shown.exit_code == 0 and "Nothing was sent" in shown.output and not server.requests
        assert (
            "80 choices in 4 sequences" in shown.output and "You are going to visit a casino" in shown.output
        )
        done = CliRunner().invoke(play_bandits, ["full", "--out", str(tmp_path), *options, "--yes"])
    assert done.exit_code == 0 and len(server.requests) == 80, done.output
    trials = Trials.load(tmp_path / "trials.safetensors")
    assert trials.scored.sum() == 80 and len(pd.read_parquet(tmp_path / "answers.parquet")) == 80
