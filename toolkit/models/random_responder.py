"""A responder that learns nothing: every trial the same probabilities."""

from __future__ import annotations

import torch

from toolkit.models.base import Model, Parameter, TrialTensors


class RandomResponder(Model):
    """Chooses the first option with probability ``bias``, the others equally often."""

    name = "random"
    schemas = ("category_learning", "bandit", "multi_attribute", "free")
    reads_choices = False
    parameters = (
        Parameter("bias", 0.0, 1.0, "probability of the first option; one over their number is chance"),
    )

    def probabilities(self, theta: torch.Tensor, data: TrialTensors) -> torch.Tensor:
        bias = theta[..., 0, None, None].expand(*theta.shape[:-1], data.mask.shape[1], 1)
        others = ((1 - bias) / (data.n_options - 1)).expand(*bias.shape[:-1], data.n_options - 1)
        return torch.cat([bias, others], -1)
