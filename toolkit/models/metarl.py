"""Meta-RL: a network trained by reward alone to learn bandits in its states, as a model of people."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
import torch

from toolkit.errors import UsageError
from toolkit.models.bandit_checkpoints import bandit_checkpoint, load_bandit_network
from toolkit.models.bandit_episodes import Episodes, Visits, play, read, scaled
from toolkit.models.bandit_networks import BanditNetwork, Kind
from toolkit.models.base import Model, Parameter, TrialTensors, draw_options
from toolkit.models.reward_learning import LAPSE, range_of_outcomes
from toolkit.trials import MISSING, Trials

Task = Literal["partial", "full", "agency"]


class MetaRL(Model):
    """Chooses by a trained network's policy to the power of ``inverse_temperature``, and guesses at times.

    With a power of 1 and no lapses it acts as it was trained to. What it learns in a bandit is in the states of
    its network, whose weights do not change; every set of options has states of its own, as it has values of its
    own in other models. Made for trials, it is the network of the task they look like.

    Parameters
    ----------
    task
        What it was trained on, see :func:`toolkit.experiments.bandits.get_task`.
    network, seed
        Which of the task's networks.
    checkpoint
        A file to use instead.
    payoffs
        The smaller and the larger amount; made for trials, the smallest and the largest outcome.
    """

    name = "metarl"
    schemas = ("bandit",)
    parameters = (
        Parameter("inverse_temperature", 0.0, 10.0, "choices follow the network's policy more closely"),
        LAPSE,
    )

    def __init__(
        self,
        task: Task = "partial",
        *,
        network: Kind = "recurrent",
        seed: int = 0,
        checkpoint: str | Path | None = None,
        payoffs: tuple[float, float] = (-1.0, 1.0),
    ) -> None:
        self.checkpoint = bandit_checkpoint(task, network, seed) if checkpoint is None else Path(checkpoint)
        self.payoffs = tuple(map(float, payoffs))

    @classmethod
    def for_trials(cls, trials: Trials, **options: Any) -> Self:
        return cls(**{"task": _likely_task(trials), "payoffs": range_of_outcomes(trials), **options})

    def probabilities(self, theta: torch.Tensor, data: TrialTensors) -> torch.Tensor:
        key = (self.name, self.checkpoint, self.payoffs)
        log_p = data.remember(key, lambda: self._policy(data)).to(theta)
        return _noisy(log_p, theta[..., :1, None], theta[..., 1:, None])

    def simulate(self, theta: np.ndarray, design: Trials, rng: np.random.Generator) -> Trials:
        rows = self._by_sequence(torch.as_tensor(np.asarray(theta, dtype=float)), design).numpy()
        network, design = self._network(design.n_options), design.unanswered()
        visits = Visits(design.context, design.mask)
        draws = torch.as_tensor(visits.sort(rng.random(design.mask.shape)))
        by_trial = np.broadcast_to(rows[:, None], (*design.mask.shape, rows.shape[-1]))
        power, lapse = torch.as_tensor(visits.sort(by_trial)).split(1, -1)

        def choose(log_p: torch.Tensor, t: int) -> torch.Tensor:
            return draw_options(_noisy(log_p, power[:, t], lapse[:, t]), draws[:, t])

        played = play(network, Episodes.of(design, self.payoffs, visits), choose)
        choice = np.where(design.mask, visits.restore(played.choice.numpy()), MISSING)
        seen = visits.restore(~played.outcome.isnan().numpy())
        return design.updated(choice=choice, outcome=np.where(seen, design.payoff, np.nan))

    def _policy(self, data: TrialTensors) -> torch.Tensor:
        """Log-probabilities of the network: (sequences, trials, options)."""
        network = self._network(data.n_options)
        visits = Visits(data.context.cpu().numpy(), data.mask.cpu().numpy())
        forced = data.forced if hasattr(data, "forced") else torch.zeros_like(data.mask)
        outcome = scaled(data.outcome.cpu().double().numpy(), self.payoffs)
        inputs = read(
            torch.as_tensor(visits.sort(forced.cpu().numpy())),
            torch.as_tensor(visits.sort(data.choice.cpu().numpy(), MISSING)),
            torch.as_tensor(visits.sort(outcome, np.nan)),
        )
        with torch.no_grad():
            return torch.as_tensor(visits.restore(network(inputs)[0].numpy()))

    def _network(self, n_options: int) -> BanditNetwork:
        """In double precision, so that answers do not depend on what is computed together."""
        network = load_bandit_network(self.checkpoint).double()
        if n_options != network.config.n_options:
            raise UsageError(
                f"the network knows bandits of {network.config.n_options} options, not of {n_options}.",
                where=f"model '{self.name}'",
                fix="Train one on such bandits.",
            )
        return network


def _noisy(log_p: torch.Tensor, power: torch.Tensor, lapse: torch.Tensor) -> torch.Tensor:
    """Probabilities (…, options) to a power, and lapses."""
    return (1 - lapse) * (power * log_p).softmax(-1) + lapse / log_p.shape[-1]


def _likely_task(trials: Trials) -> Task:
    if trials.arrays.get("full_feedback", np.zeros(1, bool)).any():
        return "full"
    return "agency" if trials.arrays.get("forced", np.zeros(1, bool)).any() else "partial"
