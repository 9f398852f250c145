"""Meta-RL as a first version is written: one environment, one step, one trial of the network after the other."""

from __future__ import annotations

import torch

from toolkit.models.bandit_episodes import Episodes
from toolkit.models.bandit_networks import encode_past, encode_time
from toolkit.training.metarl import ActorCritic, MetaRLConfig


class Bandit:
    """One environment: a set of options, visited in order."""

    def __init__(self, episodes: Episodes, number: int) -> None:
        self.payoff, self.dictated = episodes.payoff[number].tolist(), episodes.dictated[number].tolist()
        self.full, self.free = episodes.full_feedback[number].tolist(), episodes.free[number].tolist()
        self.t = 0

    def step(self, choice: int) -> list[float]:
        """What the options are seen to pay."""
        paid, full = self.payoff[self.t], self.full[self.t]
        self.t += 1
        return [amount if full or k == choice else float("nan") for k, amount in enumerate(paid)]


def plain_loss(trainer: ActorCritic, episodes: Episodes, draws: torch.Tensor) -> torch.Tensor:
    """Loss of one update, the gradient kept through every step, as :meth:`ActorCritic.loss` defines it.

    Parameters
    ----------
    draws
        (episodes, visits) numbers between 0 and 1 that decide choices.
    """
    terms = [
        term for row in range(len(draws)) for term in _episode(trainer, episodes, row, draws[row].tolist())
    ]
    return torch.stack(terms).mean()


def plain_step(trainer: ActorCritic, episodes: Episodes, draws: torch.Tensor) -> None:
    """One update."""
    trainer.optimizer.zero_grad()
    plain_loss(trainer, episodes, draws).backward()
    torch.nn.utils.clip_grad_norm_(trainer.network.parameters(), trainer.config.clip)
    trainer.optimizer.step()


def _episode(trainer: ActorCritic, episodes: Episodes, row: int, draws: list[float]) -> list[torch.Tensor]:
    """Losses of the free choices of one episode."""
    network, config, bandit = trainer.network, trainer.config, Bandit(episodes, row)
    time, past = encode_time(len(draws)), torch.zeros(network.config.n_inputs - 1)
    memory, kept = None, []
    for t, draw in enumerate(draws):
        log_p, value, memory = network(torch.cat([time[t], past])[None, None], memory)
        log_p = log_p[0, 0]
        forced = bandit.dictated[t] >= 0
        choice = bandit.dictated[t] if forced else int(log_p[0].exp() < draw)
        free, outcome = bandit.free[t], bandit.step(choice)
        kept.append((log_p, value[0, 0], choice, outcome[choice] if free else 0.0, free))
        past = encode_past(torch.tensor(forced), torch.tensor(choice), torch.tensor(outcome))
    return _losses(kept, config, trainer.entropy)


def _losses(kept: list[tuple], config: MetaRLConfig, entropy: float) -> list[torch.Tensor]:
    total, losses = 0.0, []
    for log_p, value, choice, reward, free in reversed(kept):
        total = reward + config.discount * total
        if free:
            advantage = total - value
            sameness = (log_p.exp() * log_p).sum()
            policy = -log_p[choice] * advantage.detach()
            losses.append(policy + config.value_weight * advantage**2 + entropy * sameness)
    return losses
