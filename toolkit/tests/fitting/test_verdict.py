"""Which agent one person is most like: the one that made the choices wins, and ties are said to be ties."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from toolkit.errors import DataError, UsageError
from toolkit.experiments import get_design
from toolkit.experiments.bandits import get_task
from toolkit.fitting import Fit
from toolkit.fitting.verdict import TOLD_APART, Verdict, judge, list_candidates
from toolkit.models import get_model_for
from toolkit.trials import Trials
from toolkit.viz import plot_verdict, verdict_in_words

PLAYERS = {
    "win_stay_lose_shift": ("IV", {"stay": 0.95, "shift": 0.9}),
    "rulex": ("I", {"store": 0.5, "give_up": 0.2, "complexity": 0.5, "lapse": 0.05}),
    "gcm": (
        "II",
        {"attention_1": 6.0, "attention_2": 6.0, "attention_3": 6.0, "lapse": 0.02, "background": 0.0},
    ),
}
"""Types on which agents differ, and parameters with which they do."""
FEW = ("gcm", "prototype", "rulex", "win_stay_lose_shift", "random")


def played(name: str, n_blocks: int = 12) -> Trials:
    rng = np.random.default_rng(5)
    condition, values = PLAYERS[name]
    design = get_design("shepard", block=8).draw(1, rng=rng, conditions=[condition], n_blocks=n_blocks)
    player = get_model_for(name, design)
    return player.simulate(player.theta(**values), design, rng)


def made_up(behind: dict[str, float], trials: Trials) -> Verdict:
    """A verdict on fits of one parameter each, so far behind the first."""
    n = int(trials.n_scored[0])

    def fit_of(name: str, nats: float) -> Fit:
        row = {"participant": [0], "log_likelihood": [-0.4 * n - nats], "n_trials": [n], "n_parameters": [1]}
        about = {"log_posterior": [np.nan], "laplace": [np.nan], "converged": [True], "reason": [""]}
        return Fit(name, (), "participant", "ml", pd.DataFrame(row | about))

    return Verdict.of({name: fit_of(name, nats) for name, nats in behind.items()}, trials)


@pytest.mark.parametrize("name", PLAYERS)
def test_the_agent_that_made_the_choices_is_most_like_them(name: str) -> None:
    verdict = judge(played(name), FEW)
    assert verdict.best == name and verdict.beats_guessing
    assert verdict.table["behind"].is_monotonic_increasing
    found = verdict.fits[name].by_participant().iloc[0]
    assert verdict.table["nats_per_trial"].iloc[0] == pytest.approx(found["bic"] / 2 / 96)


def test_a_bandit_player_is_recognised() -> None:
    rng = np.random.default_rng(3)
    player = get_model_for("rescorla_wagner", design := get_task("partial").draw(1, rng=rng))
    trials = player.simulate(player.theta(inverse_temperature=12.0, learning_rate=0.3), design, rng)
    verdict = judge(trials, ("rescorla_wagner", "perseveration", "win_stay_lose_shift", "random"))
    assert verdict.best == "rescorla_wagner" and verdict.lead > TOLD_APART


def test_agents_that_cannot_be_told_apart_are_named() -> None:
    trials = played("gcm")
    verdict = made_up({"alcove": 2.5, "gcm": 0.0, "random": 9.0, "rulex": 3.1}, trials)
    assert (verdict.best, verdict.second, verdict.rivals) == ("gcm", "alcove", ["alcove"])
    assert verdict.lead == pytest.approx(2.5)
    said = verdict_in_words(verdict)
    assert (
        "comes closest to you" in said
        and "96 choices cannot tell it from ALCOVE:" in said
        and "2.5 nats" in said
    )
    alone = verdict_in_words(made_up({"gcm": 0.0, "alcove": 4.0}, trials), person="the player")
    assert (
        "learned most like the player" in alone and "cannot tell" not in alone and "4.0 nats ahead" in alone
    )
    guess = verdict_in_words(made_up({"random": 0.0, "gcm": 5.0}, trials))
    assert guess.startswith(
        "Random, which learns nothing and prefers one of the answers, answered most like you"
    )
    lost = verdict_in_words(made_up({"gcm": 60.0, "alcove": 62.0}, trials))
    assert lost.startswith("No agent foretells these 96 choices better than guessing")


def test_only_agents_that_differ_on_the_trials_are_candidates() -> None:
    category = list_candidates(played("gcm"))
    wanted = {"gcm", "prototype", "rule", "rulex", "rational", "alcove", "sustain", "random", "ermi"}
    assert wanted < set(category)
    partial = list_candidates(get_task("partial").draw(1, rng=np.random.default_rng(0)))
    assert {
        "rescorla_wagner",
        "rescorla_wagner_signed",
        "kalman",
        "ideal_bandit",
        "pearce_hall",
        "metarl",
    } < {*partial}
    assert not [name for name in partial if "forced" in name or name.endswith(("confirmation", "chosen"))]
    full = list_candidates(get_task("full").draw(1, rng=np.random.default_rng(0)))
    assert {"rescorla_wagner_confirmation", "rescorla_wagner_chosen", "rescorla_wagner_forced"} < set(full)


def test_a_verdict_needs_one_person_and_two_agents() -> None:
    trials = played("gcm", 2)
    two = get_design("shepard").draw(2, rng=np.random.default_rng(0), conditions=["I"], n_blocks=1)
    with pytest.raises(UsageError, match="one person"):
        judge(two.updated(choice=np.zeros_like(two.choice)), ("random", "win_stay_lose_shift"))
    with pytest.raises(DataError, match="1 of 2"):
        made_up({"gcm": 0.0, "alcove": np.nan}, trials)
    assert made_up({"alcove": np.nan, "gcm": 1.0, "rulex": 0.0}, trials).best == "rulex"


def test_the_figure_shows_the_person_and_all_agents() -> None:
    trials = played("gcm")
    verdict = judge(trials, FEW)
    figure = plot_verdict(trials, verdict, person="You")
    names = [trace.name for trace in figure.data if trace.name]
    assert names[0] == "You" and len(names) == 4 and "People" not in names
    own = next(trace for trace in figure.data if trace.name == "You")
    np.testing.assert_allclose(own.y, trials.correct.reshape(6, 16).mean(1))
    agents = next(trace for trace in figure.data if trace.yaxis == "y2")
    np.testing.assert_allclose(agents.x, verdict.table["nats_per_trial"])
    assert own.line.color == "#000000" and len(agents.y) == len(FEW)
