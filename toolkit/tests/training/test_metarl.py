"""Meta-RL: its loss, what training brings, and the agents that come with the project."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from toolkit.errors import DataError, UsageError
from toolkit.experiments.bandits import get_task
from toolkit.io import read_json, write_json
from toolkit.models.bandit_checkpoints import bandit_checkpoint, load_bandit_network
from toolkit.models.bandit_networks import BanditNetworkConfig
from toolkit.training.checkpoints import card_path
from toolkit.training.metarl import ActorCritic, MetaRLConfig, discounted, read_agent_card, train_agent
from toolkit.training.regret import measure_regret

SMALL = {
    "recurrent": BanditNetworkConfig(width=16),
    "transformer": BanditNetworkConfig("transformer", width=16, n_layers=1, n_heads=2, feed_forward=16),
}


def config(kind: str = "recurrent", task: str = "full", **changes) -> MetaRLConfig:
    return MetaRLConfig(task=task, network=SMALL[kind], **{"updates": 3, "episodes": 8, **changes})


def test_later_rewards_count_less() -> None:
    reward = torch.tensor([[1.0, 0.0, 2.0]])
    assert torch.allclose(discounted(reward, 0.5), torch.tensor([[1.5, 1.0, 2.0]]))


@pytest.mark.parametrize("kind", SMALL)
def test_policies_while_acting_and_while_learning_are_the_same(kind: str) -> None:
    """What was chosen trial by trial from kept states is what the whole sequence, read at once, would choose."""
    trainer = ActorCritic(config(kind, "agency"))
    episodes = trainer.draw()
    draws = torch.rand(episodes.free.shape, generator=torch.Generator().manual_seed(1))
    played = trainer.play(episodes, draws)
    with torch.no_grad():
        p = trainer.network(played.inputs)[0].exp()
    certain = (p[..., 0] - draws).abs() > 1e-5
    here = certain & (episodes.dictated < 0)
    assert (played.choice == (p[..., 0] < draws).long())[here].all() and here.sum() > 100
    assert (played.choice == episodes.dictated)[episodes.dictated >= 0].all()


def test_only_the_critic_learns_from_how_good_choices_were() -> None:
    """The gradient of the policy's term does not reach the critic, and forced trials move nothing."""
    trainer = ActorCritic(config(task="agency", value_weight=0.0))
    episodes = trainer.draw()
    played = trainer.play(episodes)
    trainer.loss(episodes, played).backward()
    assert trainer.network.critic.weight.grad is None or not trainer.network.critic.weight.grad.any()
    assert trainer.network.actor.weight.grad.any()
    changed = played.outcome.clone()
    changed[~episodes.free] = 7.0
    assert trainer.loss(episodes, played) == trainer.loss(episodes, played._replace(outcome=changed))


@pytest.mark.parametrize("kind", SMALL)
def test_a_seed_decides_everything_and_finished_agents_stay(kind: str, tmp_path) -> None:
    one, again, other = (tmp_path / f"{name}.safetensors" for name in ("one", "again", "other"))
    _, card = train_agent(config(kind), one, n_judged=2, progress=False)
    train_agent(config(kind), again, n_judged=2, progress=False)
    train_agent(config(kind, seed=1), other, n_judged=2, progress=False)
    assert one.read_bytes() == again.read_bytes() != other.read_bytes()
    assert card.config == config(kind) and {row["agent"] for row in card.regret} >= {"optimal", "metarl"}
    written = one.stat().st_mtime_ns
    assert (
        train_agent(config(kind), one, n_judged=2, progress=False)[1] == card
        and one.stat().st_mtime_ns == written
    )
    with pytest.raises(UsageError, match="there is another agent"):
        train_agent(config(kind, seed=1), one, n_judged=2, progress=False)
    write_json(card_path(one), {**read_json(card_path(one)), "weights_sha256": "0"})
    with pytest.raises(DataError, match="belongs to other weights"):
        read_agent_card(one)
    write_json(card_path(one), {**read_json(card_path(one)), "seconds": "many"})
    with pytest.raises(DataError, match="field 'seconds'"):
        read_agent_card(one)


def test_training_teaches_to_learn() -> None:
    trainer = ActorCritic(config(updates=60, episodes=64, learning_rate=1e-2))
    rewards = [trainer.step() for _ in range(60)]
    assert np.mean(rewards[-10:]) > 0.1 > abs(np.mean(rewards[:5]))


@pytest.mark.parametrize("task", ["partial", "full", "agency"])
def test_agents_of_the_project_come_close_to_the_best_learner(task: str) -> None:
    """Every seed loses less than Thompson sampling, on the task and on fresh bandits, and its card says so."""
    places = {f"seed {seed}": bandit_checkpoint(task, seed=seed) for seed in range(3)}
    table = measure_regret(task, places, n_participants=20).set_index(["chances", "agent"])["regret"]
    for kind in ("task", "uniform"):
        assert table[kind, "optimal"] < table[kind, "thompson"] < table[kind, "random"]
        for agent in places:
            assert table[kind, agent] < table[kind, "thompson"], (kind, agent)
    for place in places.values():
        card = read_agent_card(place)
        assert card.config.task == task and place.stat().st_size < 500_000
        assert not load_bandit_network(place).training


def test_the_best_learner_is_the_best_there_is() -> None:
    """Against all plans of two visits by hand, and against what one more visit is worth."""
    from toolkit.models.optimal_bandit import plan_visits

    plan = plan_visits(2)
    # After a win of the first option: 2/3 against 1/2; after a loss: 1/3 against 1/2. Beforehand they are equal.
    assert plan[1][1, 1, 0] == pytest.approx(2 / 3 - 1 / 2) and plan[1][1, 0, 0] == pytest.approx(
        1 / 3 - 1 / 2
    )
    assert plan[0][0, 0, 0] == 0
    # One win of two visits, and an option never tried: equal chances, but the unknown one can still surprise.
    assert plan_visits(20)[2][2, 1, 0] < 0 == plan_visits(3)[2][2, 1, 0]


def test_nothing_beats_the_best_learner_on_equal_chances() -> None:
    table = measure_regret("partial", {}, n_participants=400, chances=("uniform",)).set_index("agent")
    assert table.loc["optimal", "excess"] == 0 < table.loc["thompson", "excess"]
    # Both options' chances drawn evenly: choosing at random loses a sixth of the larger payoff.
    assert abs(table.loc["random", "regret"] - 0.5 / 6) < 3 * table.loc["random", "se"]
    assert get_task("partial").payoffs == (0.0, 0.5)
