"""Generalised context model: whatever was seen is stored, and new things go to what they resemble most."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import torch
import torch.nn.functional as F

from toolkit.errors import UsageError
from toolkit.models.base import Model, Parameter, TrialTensors
from toolkit.models.similarity import (
    BACKGROUND,
    LAPSE,
    Stimuli,
    attention_parameters,
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

_PAIRS_AT_ONCE = 2_000_000
"""Pairs of a stimulus and an exemplar, over all rows of parameters, in one likelihood: some 200 MB."""


class GeneralisedContextModel(Model):
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

    def log_likelihood_and_gradient(self, theta: np.ndarray, trials: Trials) -> tuple[np.ndarray, np.ndarray]:
        theta, n_people = np.asarray(theta, dtype=float), len(trials.participants)
        self._by_sequence(torch.as_tensor(theta), trials)  # Whether they fit.
        # Where every trial shows something new there are as many pairs as squared trials.
        n_pairs = theta[..., 0].size * self._count_pairs(trials) * len(trials) / n_people**2
        size = max(1, int(_PAIRS_AT_ONCE / n_pairs))
        if size >= n_people:
            return super().log_likelihood_and_gradient(theta, trials)
        total, gradient = np.empty(theta.shape[:-1]), np.empty(theta.shape)
        for people in np.split(np.arange(n_people), range(size, n_people, size)):
            some = trials.take(np.isin(trials.participant_index, people))
            value, slope = super().log_likelihood_and_gradient(theta[..., people, :], some)
            total[..., people], gradient[..., people, :] = value, slope
        return total, gradient

    def _count_pairs(self, trials: Trials) -> int:
        """At most so many pairs of a stimulus and an exemplar are compared in a sequence."""
        data = TrialTensors.of(trials, torch.empty(0, dtype=torch.float64))
        n_stimuli = Stimuli.of(data).features.shape[1]
        decays = any(parameter.name == _DECAY.name for parameter in self.parameters)
        n_exemplars = min(n_stimuli * trials.n_options, trials.n_trials)
        return n_exemplars * (trials.n_trials if decays else n_stimuli)

    def probabilities(self, theta: torch.Tensor, data: TrialTensors) -> torch.Tensor:
        values = self._by_name(theta)
        if "bias" in values and data.n_options != 2:
            raise UsageError(
                f"bias=True is for two categories, these trials have {data.n_options}.", where="model 'gcm'"
            )
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
    counts
        (sequences, stimuli, options * repetitions, exemplars): ``before`` of the trials that show a
        stimulus, for the exemplars of each category. So ordered, sums over exemplars are products of
        matrices and no array is larger than the trials themselves.
    place
        (sequences, options, trials) where each trial is in (stimuli, options, repetitions).
    """

    shown: torch.Tensor
    differences: torch.Tensor
    before: torch.Tensor
    category: torch.Tensor
    times: torch.Tensor
    counts: torch.Tensor
    place: torch.Tensor

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
        counts, place = _by_stimulus(stimuli.shown, data.mask, before, category)
        return cls(stimuli.shown, differences, before, category, times, counts, place)

    def sum_counted(self, close: torch.Tensor) -> torch.Tensor:
        """Summed similarity (…, sequences, options, trials) from that to exemplars (…, stimuli, exemplars)."""
        summed = torch.einsum("...nse,nsre->...nsr", close, self.counts).flatten(-2)
        place = self.place.flatten(1).expand(*summed.shape[:-1], -1)
        return summed.gather(-1, place).unflatten(-1, self.place.shape[1:])

    def sum_decayed(self, close: torch.Tensor, decay: torch.Tensor) -> torch.Tensor:
        """The same with exemplars that lose weight from trial to trial."""
        decay = decay[..., None, None]
        # Weight of all repetitions so far, as a logarithm and as if it were trial 0, so nothing overflows.
        grown = (decay * self.times).logcumsumexp(-1)
        lead = grown.shape[:-3]
        last = (self.before.long() - 1).clamp(min=0).transpose(1, 2).expand(*lead, -1, -1, -1)
        now = decay * torch.arange(self.before.shape[1], device=decay.device, dtype=decay.dtype)[:, None]
        weight = (grown.gather(-1, last).transpose(-1, -2) - now).exp() * (self.before > 0)
        shown = self.shown[..., None].expand(*lead, *self.before.shape)
        return torch.einsum("...nte,nke->...nkt", close.gather(-2, shown) * weight, self.category)


def _by_stimulus(
    shown: torch.Tensor, mask: torch.Tensor, before: torch.Tensor, category: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """``counts`` and ``place`` of :class:`_Memory`."""
    n_stimuli, n_options = int(shown.max()) + 1, category.shape[1]
    appears = F.one_hot(shown, n_stimuli) * mask[..., None]
    repetition = earlier(appears).gather(2, shown[..., None])[..., 0]
    repetitions = int(repetition.max()) + 1
    counts = before.new_zeros(len(shown), n_stimuli, repetitions, before.shape[-1])
    sequence, trial = mask.nonzero().unbind(-1)
    counts[sequence, shown[mask], repetition[mask]] = before[sequence, trial]
    counts = (counts[:, :, None] * category[:, None, :, None]).flatten(2, 3)
    options = torch.arange(n_options, device=shown.device)[:, None]
    place = (shown[:, None] * n_options + options) * repetitions + repetition[:, None]
    return counts, place * mask[:, None]
