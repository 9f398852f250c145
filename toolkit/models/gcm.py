"""Generalised context model: whatever was seen is stored, and new things go to what they resemble most."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import torch

from toolkit.errors import UsageError
from toolkit.models.base import SMALLEST_PROBABILITY, Parameter, TrialTensors
from toolkit.models.by_rows import ModelBySequences
from toolkit.models.similarity import (
    BACKGROUND,
    LAPSE,
    ComparedTrials,
    attention_parameters,
    check_features,
    check_power,
    choice_probabilities,
    comparable_stimuli,
    earlier,
    fitting_options,
    number_within_sequences,
    seen_before,
    similarity,
    with_priors,
)
from toolkit.trials import MISSING, Trials


class GeneralisedContextModel(ModelBySequences):
    """Stores every exemplar with the category told and answers by summed similarity (Nosofsky, 1986).

    Similarity is exp(-distance), where ``attention_1``, ``attention_2``, … stretch the features. With
    city-block distances their sum is the sensitivity c and their shares are the attention weights w of
    the published form, exp(-c Σ w |difference|) with Σ w = 1: the same model with as many free numbers,
    but without a constraint between them. With straight-line distances c is the root of the sum of their
    squares and w the share of each square. As features are used as they are, they should span about 1.

    Parameters
    ----------
    n_features
        Of the stimuli.
    response_scaling
        Adds the exponent of summed similarity: above 1 answers are more deterministic than matching.
    bias
        Adds a liking for the first of two categories.
    decay
        Adds forgetting: an exemplar counts exp(-decay) of what it counted a trial ago.
    distance_power
        1: differences on features add up (city block); 2: straight line (Euclidean).
    """

    name = "gcm"
    schemas = ("category_learning",)
    parameters = (*attention_parameters(3), LAPSE, BACKGROUND)
    reads_choices = False
    jumps = False

    def __init__(
        self,
        n_features: int = 3,
        *,
        response_scaling: bool = False,
        bias: bool = False,
        decay: bool = False,
        distance_power: int = 1,
    ) -> None:
        self.n_features, self.distance_power = n_features, check_power(distance_power)
        added = {_SCALING: response_scaling, _BIAS: bias, _DECAY: decay}
        chosen = tuple(parameter for parameter, wanted in added.items() if wanted)
        parameters = (*attention_parameters(n_features), LAPSE, BACKGROUND, *chosen)
        self.parameters = with_priors(parameters, n_features)

    @classmethod
    def for_trials(cls, trials: Trials, **options: Any) -> Self:
        return cls(**fitting_options(trials, options))

    def _check_fits(self, trials: Trials) -> None:
        super()._check_fits(trials)
        if trials.n_options != 2 and _BIAS.name in self._names():
            raise UsageError(
                f"bias=True is for two categories, these trials have {trials.n_options}.",
                where="model 'gcm'",
            )

    def _names(self) -> list[str]:
        return [parameter.name for parameter in self.parameters]

    def _of_sequences(
        self, theta: np.ndarray, sequence: np.ndarray, data: TrialTensors
    ) -> tuple[np.ndarray, np.ndarray]:
        from toolkit.models.similarity_loops import sum_exemplar_likelihood

        check_features(self.n_features, data.stimulus)
        shown = data.remember("compared stimuli", lambda: _compared(data))
        names, total, gradient = self._names(), np.zeros(len(theta)), np.zeros(theta.shape)
        places = [names.index(one.name) if one.name in names else -1 for one in (_SCALING, _BIAS, _DECAY)]
        power = self.distance_power
        of_model = (data.n_options, np.array(places), power, SMALLEST_PROBABILITY)
        sum_exemplar_likelihood(theta, sequence, *shown.arrays, *of_model, total, gradient)
        return total, gradient

    def probabilities(self, theta: torch.Tensor, data: TrialTensors) -> torch.Tensor:
        values = self._by_name(theta)
        memory = _Memory.of(data)
        close = similarity(theta[..., : self.n_features], memory.differences, self.distance_power)
        close = close.unflatten(-1, (-1, memory.before.shape[-1]))
        if "decay" in values:
            summed = memory.sum_decayed(close, values["decay"])
        else:
            summed = memory.sum_counted(close)
        evidence = torch.where(seen_before(data), summed, values["background"][..., None, None])
        return choice_probabilities(
            evidence, values["lapse"], scaling=values.get("response_scaling"), bias=values.get("bias")
        )


_SCALING = Parameter("response_scaling", 0.1, 10.0, "answers are more deterministic than similarity is")
_BIAS = Parameter("bias", 0.01, 0.99, "the first category is preferred; one half is neutral")
_DECAY = Parameter("decay", 0.0, 1.0, "exemplars are forgotten more quickly, exp(-decay) a trial")


def _compared(data: TrialTensors) -> ComparedTrials:
    stimuli = comparable_stimuli(data)
    return ComparedTrials.of(data, stimuli.shown, stimuli.features)


@dataclass(frozen=True)
class _Memory:
    """Exemplars of every sequence: its different stimuli, each with every category it was told with.

    Attributes
    ----------
    shown
        (sequences, trials) number of the trial's stimulus.
    differences
        (sequences, stimuli * exemplars, features) between each stimulus and each exemplar.
    before
        (sequences, trials, exemplars) how often each was stored before a trial.
    category
        (sequences, options, exemplars), 1 where an exemplar is of that category.
    times
        (sequences, exemplars, repetitions) trials at which each was stored, in order.
    """

    shown: torch.Tensor
    differences: torch.Tensor
    before: torch.Tensor
    category: torch.Tensor
    times: torch.Tensor

    @classmethod
    def of(cls, data: TrialTensors) -> _Memory:
        """That of ``data``, made once."""
        return data.remember("exemplars", lambda: cls._make(data))

    @classmethod
    def _make(cls, data: TrialTensors) -> _Memory:
        stimuli = comparable_stimuli(data)
        is_told = data.category != MISSING
        number = number_within_sequences(is_told, stimuli.shown[is_told], data.category[is_told])
        stored = torch.full_like(data.category, -1)
        stored[is_told] = number
        exemplars = torch.arange(max(int(stored.max()) + 1, 1), device=stored.device)
        occurs = (stored[..., None] == exemplars).to(data.stimulus.dtype)
        before = earlier(occurs)
        sequence, trial = is_told.nonzero().unbind(-1)
        features = stimuli.features.new_zeros(len(stored), len(exemplars), data.stimulus.shape[-1])
        features[sequence, number] = data.stimulus[sequence, trial]
        category = features.new_zeros(len(stored), data.n_options, len(exemplars))
        category[sequence, data.category[is_told], number] = 1
        repetition = before.long().gather(2, stored.clamp(min=0)[..., None])[..., 0]
        times = features.new_zeros(len(stored), len(exemplars), int(repetition.max()) + 1)
        times[sequence, number, repetition[is_told]] = trial.to(times.dtype)
        differences = (stimuli.features[:, :, None] - features[:, None]).flatten(1, 2)
        return cls(stimuli.shown, differences, before, category, times)

    def sum_counted(self, close: torch.Tensor) -> torch.Tensor:
        """Summed similarity (…, sequences, options, trials) from that to exemplars (…, stimuli, exemplars)."""
        return self._sum(close, self.before)

    def sum_decayed(self, close: torch.Tensor, decay: torch.Tensor) -> torch.Tensor:
        """The same with exemplars that lose weight from trial to trial."""
        decay = decay[..., None, None]
        # Weight of all repetitions so far, as a logarithm and as if it were trial 0, so nothing overflows.
        grown = (decay * self.times).logcumsumexp(-1)
        lead = grown.shape[:-3]
        last = (self.before.long() - 1).clamp(min=0).transpose(1, 2).expand(*lead, -1, -1, -1)
        now = decay * torch.arange(self.before.shape[1], device=decay.device, dtype=decay.dtype)[:, None]
        weight = (grown.gather(-1, last).transpose(-1, -2) - now).exp() * (self.before > 0)
        return self._sum(close, weight)

    def _sum(self, close: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
        shown = self.shown[..., None].expand(*close.shape[:-2], *self.before.shape[1:])
        return torch.einsum("...nte,nke->...nkt", close.gather(-2, shown) * weight, self.category)
