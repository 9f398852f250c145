"""Validation during training: fixed problems that were never trained on."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from toolkit.models.metalearner import MetaLearnerNetwork
from toolkit.seeds import Seeds
from toolkit.training.batches import Batch, Batcher, join
from toolkit.training.config import TrainingConfig

VALIDATION_SEED = 20_260_101


class Validator:
    """Loss and accuracy on problems drawn once, the same in every training with the same prior.

    Where the prior holds the ecological bank the problems are those of its validation part alone, and
    ``familiar_loss`` is that on fresh points of problems that are trained on: the difference is what was
    learned by heart.

    Attributes
    ----------
    held_out, familiar
        Problems of the two losses; the latter None without the bank.
    """

    def __init__(self, config: TrainingConfig, device: torch.device) -> None:
        bank = [c for c in config.prior if c.source == "bank" and c.weight]
        config = config.changed(prior=bank or config.prior)
        self.held_out = _batch(config, device, "validation")
        self.familiar = _batch(config, device, "train") if bank else None
        self._noise = lambda: Seeds(VALIDATION_SEED).torch("noise", str(device))

    def __call__(self, network: MetaLearnerNetwork) -> dict[str, float]:
        """Columns of the learning curve."""
        network.eval()
        loss, accuracy = self._score(network, self.held_out)
        row = {"validation_loss": loss, "validation_accuracy": accuracy}
        if self.familiar is not None:
            row["familiar_loss"] = self._score(network, self.familiar)[0]
        return row

    @torch.no_grad()
    def _score(self, network: MetaLearnerNetwork, batch: Batch) -> tuple[float, float]:
        noise, losses, hits = self._noise(), [], []
        for rows in torch.arange(len(batch.y), device=batch.y.device).split(64):
            log_p = network(
                batch.x[rows],
                batch.seen[rows],
                n_classes=batch.possible[rows].sum(1),
                feature_mask=batch.used[rows],
                generator=noise,
            )
            y = batch.y[rows]
            losses.append(F.nll_loss(log_p.flatten(0, 1), y.flatten(), reduction="none"))
            hits.append((log_p.argmax(-1) == y).flatten())
        return torch.cat(losses).double().mean().item(), torch.cat(hits).double().mean().item()


def _batch(config: TrainingConfig, device: torch.device, part: str) -> Batch:
    groups = min(16, config.validation_problems)
    several = config.changed(groups=groups, trials_per_step=groups * max(config.lengths))
    batcher = Batcher(several, Seeds(VALIDATION_SEED), device, part=part)
    length = min(config.lengths, key=lambda length: (-config.lengths[length], length))
    return join(batcher.draw_problems(config.validation_problems, length), config)
