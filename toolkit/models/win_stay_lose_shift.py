"""Win-stay lose-shift: repeat what was right, leave what was wrong, remember nothing else."""

from __future__ import annotations

import numpy as np
import torch

from toolkit.models.base import Model, Parameter, TrialTensors
from toolkit.trials import MISSING, Trials


class WinStayLoseShift(Model):
    """Repeats the last choice after a win with probability ``stay``, leaves it after a loss with ``shift``.

    In a bandit the last choice is the last one with the same set of options; a win is an outcome above
    zero. In category learning it is that on the last trial that was not missed, and a win is the category
    told. After a choice without feedback, and before the first choice, all options are equally likely.
    """

    name = "win_stay_lose_shift"
    schemas = ("category_learning", "bandit")
    parameters = (
        Parameter("stay", 0.0, 1.0, "probability of repeating a choice that won"),
        Parameter("shift", 0.0, 1.0, "probability of leaving a choice that lost"),
    )

    def probabilities(self, theta: torch.Tensor, data: TrialTensors) -> torch.Tensor:
        before = _last_choice(data)
        choice = data.choice.gather(1, before.clamp(min=0))
        told, won = (record.gather(1, before.clamp(min=0)) for record in _feedback(data))
        stay, shift = theta[..., 0, None], theta[..., 1, None]
        repeat = torch.where(won, stay, 1 - shift)
        same = torch.nn.functional.one_hot(choice.clamp(min=0), data.n_options).bool()
        p = torch.where(same, repeat[..., None], (1 - repeat[..., None]) / (data.n_options - 1))
        known = ((before >= 0) & told)[..., None]
        return torch.where(known, p, 1 / data.n_options)

    def marginal(
        self, theta: np.ndarray, design: Trials, rng: np.random.Generator, *, n_learners: int = 20
    ) -> np.ndarray:
        """As of every model; in category learning exact, since only the choice on the last trial counts."""
        if design.schema.name != "category_learning" or "forced" in design.arrays:
            return super().marginal(theta, design, rng, n_learners=n_learners)
        design = design.unanswered()
        given = [
            self.predict(theta, design.updated(choice=np.where(design.mask, option, MISSING)))
            for option in range(design.n_options)
        ]
        p = given[0].copy()
        for t in range(1, design.n_trials):
            p[:, t] = sum(p[:, t - 1, option, None] * given[option][:, t] for option in range(len(given)))
        return p


def _feedback(data: TrialTensors) -> tuple[torch.Tensor, torch.Tensor]:
    """Whether something was told after the choice, and whether it was a win: (sequences, trials) each."""
    if data.schema == "category_learning":
        return data.category != MISSING, data.category == data.choice
    outcome = data.outcome.gather(-1, data.choice.clamp(min=0)[..., None])[..., 0]
    return ~outcome.isnan(), outcome > 0


def _last_choice(data: TrialTensors) -> torch.Tensor:
    """(sequences, trials) index of the last earlier trial with a choice on the same options, or -1."""
    context = data.context if data.schema == "bandit" else torch.zeros_like(data.choice)
    position = torch.arange(context.shape[1], device=context.device).expand_as(context)
    made = data.choice != MISSING
    last = torch.full_like(context, -1)
    for here in context.unique():
        seen = torch.where(made & (context == here), position, -1).cummax(1).values
        earlier = torch.nn.functional.pad(seen, (1, -1), value=-1)
        last = torch.where(context == here, earlier, last)
    return last
