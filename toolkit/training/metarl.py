"""Meta-RL: networks trained by reward alone to learn two-armed bandits, by advantage actor-critic."""

from __future__ import annotations

import math
import time
from pathlib import Path
from typing import Any, Literal

import torch
from pydantic import BaseModel, ConfigDict, Field

from toolkit.errors import DataError, UsageError
from toolkit.experiments.bandits import get_task
from toolkit.io import sha256_of_file, write_json
from toolkit.models.bandit_checkpoints import load_bandit_network, save_bandit_network
from toolkit.models.bandit_episodes import Episodes, Played, Visits, play
from toolkit.models.bandit_networks import BanditNetwork, BanditNetworkConfig
from toolkit.models.base import draw_options
from toolkit.progress import track
from toolkit.seeds import Seeds
from toolkit.training.checkpoints import card_path, describe_software, now, parse_card

_CURVE_POINTS = 50


class MetaRLConfig(BaseModel):
    """A training, reproducible from this alone.

    Attributes
    ----------
    task
        See :func:`toolkit.experiments.bandits.get_task`; every set of options has chances of its own, between 0 and 1.
    seed
        Decides weights, bandits and choices.
    updates, episodes
        Steps of the optimiser, and episodes that each of them is made from: all visits to one set of options.
    learning_rate
        At first; it falls to 0 as half a cosine.
    discount
        What the outcome of the next visit counts, beside 1 for that of this one.
    entropy
        Reward of varied choices at first; it falls to 0 on a line over half of the training.
    value_weight
        Of the critic's squared error.
    clip
        Largest norm of the gradient.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    task: Literal["partial", "full", "agency"]
    network: BanditNetworkConfig = BanditNetworkConfig()
    seed: int = 0
    updates: int = Field(default=300, ge=1)
    episodes: int = Field(default=256, ge=4, multiple_of=4)
    learning_rate: float = Field(default=4e-3, gt=0)
    discount: float = Field(default=0.9, ge=0, le=1)
    entropy: float = Field(default=0.05, ge=0)
    value_weight: float = Field(default=0.5, ge=0)
    clip: float = Field(default=1.0, gt=0)


class MetaRLCard(BaseModel):
    """How an agent was trained and what it earns.

    Attributes
    ----------
    config
        With it the training can be repeated, on a CPU to the last bit.
    curve
        Rows of ``update`` and ``reward``, the mean of free choices since the row before, between -1 and 1.
    regret
        Rows of :func:`toolkit.training.regret.measure_regret`.
    weights_sha256
        Of the checkpoint's file.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    config: MetaRLConfig
    n_parameters: int
    seconds: float
    curve: list[dict[str, float]]
    regret: list[dict[str, Any]] = []
    created: str
    packages: dict[str, str] = {}
    weights_sha256: str = ""


class ActorCritic:
    """One training in steps: play fresh bandits, then learn from all their trials at once."""

    def __init__(self, config: MetaRLConfig) -> None:
        self.config, self.task = config, get_task(config.task)
        seeds = Seeds(config.seed)
        self.network = BanditNetwork(config.network, generator=seeds.torch("weights"))
        self.bandits, self.choices = seeds.numpy("bandits"), seeds.torch("choices")
        self.optimizer = torch.optim.Adam(self.network.parameters(), lr=config.learning_rate, fused=True)
        self.n_updates = 0

    def draw(self) -> Episodes:
        """Fresh bandits for one step."""
        n_people = self.config.episodes // len(self.task.machines)
        design = self.task.draw(n_people, rng=self.bandits, n_sessions=1, chances="uniform")
        return Episodes.of(design, self.task.payoffs, Visits(design.context, design.mask))

    @property
    def entropy(self) -> float:
        """Reward of varied choices now."""
        return self.config.entropy * max(0.0, 1 - 2 * self.n_updates / self.config.updates)

    def play(self, episodes: Episodes, draws: torch.Tensor | None = None) -> Played:
        """The network's choices, drawn from its policy as it is now by numbers (episodes, visits) from 0 to 1."""
        if draws is None:
            draws = torch.rand(episodes.free.shape, generator=self.choices)
        return play(self.network, episodes, lambda log_p, t: draw_options(log_p.exp(), draws[:, t]))

    def loss(self, episodes: Episodes, played: Played) -> torch.Tensor:
        """Of policy, critic and sameness of choices; forced trials count in none of them."""
        config, free = self.config, episodes.free
        log_p, value, _ = self.network(played.inputs)
        reward = torch.where(free, earned(played), 0.0)
        advantage = discounted(reward, config.discount) - value
        chosen = log_p.gather(-1, played.choice[..., None]).squeeze(-1)
        # The policy is moved by how good a choice was; how good it was is not moved by the policy.
        policy = -chosen * advantage.detach()
        sameness = (log_p.exp() * log_p).sum(-1)
        trial = policy + config.value_weight * advantage**2 + self.entropy * sameness
        return trial[free].mean()

    def step(self) -> float:
        """One update; the mean reward of free choices before it."""
        config = self.config
        done = self.n_updates / config.updates
        for group in self.optimizer.param_groups:
            group["lr"] = config.learning_rate * 0.5 * (1 + math.cos(math.pi * done))
        episodes = self.draw()
        played = self.play(episodes)
        self.optimizer.zero_grad()
        self.loss(episodes, played).backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), config.clip)
        self.optimizer.step()
        self.n_updates += 1
        return float(earned(played)[episodes.free].mean())


def earned(played: Played) -> torch.Tensor:
    """(episodes, visits) the outcome of what was chosen."""
    return played.outcome.gather(-1, played.choice[..., None]).squeeze(-1)


def discounted(reward: torch.Tensor, discount: float) -> torch.Tensor:
    """(episodes, visits) reward from every visit on, later ones counting less."""
    total, sums = torch.zeros_like(reward[:, 0]), []
    for now_earned in reward.unbind(1)[::-1]:
        total = now_earned + discount * total
        sums.append(total)
    return torch.stack(sums[::-1], 1)


def train_agent(
    config: MetaRLConfig, out: str | Path, *, n_judged: int = 200, fresh: bool = False, progress: bool = True
) -> tuple[BanditNetwork, MetaRLCard]:
    """Train one agent and write its checkpoint and card; one that is finished is not trained again.

    It takes a minute or two of one core with the default network, so an interrupted training begins again.

    Parameters
    ----------
    out
        Checkpoint to write, NAME.safetensors.
    n_judged
        Participants behind the regret in the card.
    fresh
        Train again what is there.
    """
    from toolkit.training.regret import measure_regret

    out = Path(out)
    if out.suffix != ".safetensors":
        raise UsageError(f"'{out}' is not a .safetensors file.", fix="End it with .safetensors.")
    if not fresh and out.is_file() and card_path(out).is_file():
        card = read_agent_card(out)
        if card.config != config:
            raise UsageError("there is another agent.", where=str(out), fix="Another place, or fresh=True.")
        return load_bandit_network(out), card
    trainer, rewards, started = ActorCritic(config), [], time.perf_counter()
    steps = range(config.updates)
    for _ in track(steps, f"{config.task}, seed {config.seed}") if progress else steps:
        rewards.append(trainer.step())
    seconds = time.perf_counter() - started
    network = trainer.network.eval()
    save_bandit_network(out, network)
    card = MetaRLCard(
        config=config,
        n_parameters=network.n_parameters,
        seconds=round(seconds, 1),
        curve=_curve(rewards),
        regret=measure_regret(config.task, {"metarl": out}, n_participants=n_judged).to_dict("records"),
        created=now(),
        packages=describe_software(),
        weights_sha256=sha256_of_file(out),
    )
    write_json(card_path(out), card.model_dump(mode="json"))
    return network, card


def read_agent_card(checkpoint: str | Path) -> MetaRLCard:
    """The card beside a checkpoint, which must be of the same weights."""
    card = parse_card(card_path(checkpoint), MetaRLCard)
    if card.weights_sha256 != sha256_of_file(checkpoint):
        raise DataError(
            f"the card {card_path(checkpoint).name} belongs to other weights.",
            where=str(checkpoint),
            fix="Restore both files from one place.",
        )
    return card


def _curve(rewards: list[float]) -> list[dict[str, float]]:
    each = max(1, len(rewards) // _CURVE_POINTS)
    parts = [rewards[start : start + each] for start in range(0, len(rewards), each)]
    return [
        {"update": min((n + 1) * each, len(rewards)), "reward": round(sum(part) / len(part), 4)}
        for n, part in enumerate(parts)
    ]
