"""Prototype model: things go to the category whose typical member they resemble most."""

from __future__ import annotations

from collections.abc import Sequence
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
    Stimuli,
    attention_parameters,
    check_features,
    check_power,
    choice_probabilities,
    comparable_stimuli,
    earlier,
    fitting_options,
    seen_before,
    similarity,
    told,
    with_priors,
)
from toolkit.trials import Trials


class Prototype(ModelBySequences):
    """Answers by similarity to one prototype a category (Smith & Minda, 1998).

    Similarity and attention are those of :class:`~toolkit.models.gcm.GeneralisedContextModel`. Until a
    category has been told for the first time its similarity is ``background``.

    Parameters
    ----------
    n_features, n_categories
        Of the trials.
    prototypes
        "averaged": the mean of the category's exemplars so far, so the model learns. "learned":
        coordinates between 0 and 1 are free parameters ``prototype_1_1`` (category, feature), …, as in
        earlier fits to people. Or the prototypes themselves, (categories, features).
    shared_lapse
        Whether ``lapse`` is the similarity of unseen categories as well, as in earlier fits to people.
        Those counted every attention weight and the sensitivity, which is one more than there is to
        choose; with two separate parameters the count is the same.
    distance_power
        1: differences on features add up (city block); 2: straight line (Euclidean).
    """

    name = "prototype"
    schemas = ("category_learning",)
    parameters = (*attention_parameters(3), LAPSE, BACKGROUND)
    reads_choices = False
    jumps = False

    def __init__(
        self,
        n_features: int = 3,
        n_categories: int = 2,
        *,
        prototypes: str | Sequence[Sequence[float]] = "averaged",
        shared_lapse: bool = False,
        distance_power: int = 1,
    ) -> None:
        self.n_features, self.n_categories = n_features, n_categories
        self.prototypes = prototypes if isinstance(prototypes, str) else self._given(prototypes)
        if isinstance(prototypes, str) and prototypes not in ("averaged", "learned"):
            raise UsageError(
                f"there are no '{prototypes}' prototypes.", fix='"averaged", "learned", or an array.'
            )
        self.distance_power = check_power(distance_power)
        free = _coordinates(n_categories, n_features) if self.prototypes == "learned" else ()
        shared = (LAPSE,) if shared_lapse else (LAPSE, BACKGROUND)
        parameters = (*attention_parameters(n_features), *free, *shared)
        self.parameters = with_priors(parameters, n_features)

    @classmethod
    def for_trials(cls, trials: Trials, **options: Any) -> Self:
        return cls(**fitting_options(trials, {"n_categories": trials.n_options, **options}))

    def _check_fits(self, trials: Trials) -> None:
        super()._check_fits(trials)
        if trials.n_options != self.n_categories:
            raise UsageError(
                f"the model has {self.n_categories} categories, the trials have {trials.n_options}.",
                where="model 'prototype'",
                fix="get_model_for('prototype', trials) makes the model that fits.",
            )

    def _of_sequences(
        self, theta: np.ndarray, sequence: np.ndarray, data: TrialTensors
    ) -> tuple[np.ndarray, np.ndarray]:
        from toolkit.models.similarity_loops import sum_prototype_likelihood

        check_features(self.n_features, data.stimulus)
        averaged, learned = self.prototypes == "averaged", self.prototypes == "learned"
        read = _averages_compared if averaged else _stimuli_compared
        compared = data.remember(read.__name__, lambda: read(data))
        # Differences from averages are compared with 0.
        given = np.zeros((self.n_categories, self.n_features)) if averaged or learned else self.prototypes
        total, gradient = np.zeros(len(theta)), np.zeros(theta.shape)
        n_compared = self.n_categories if averaged else 1
        of_model = (n_compared, np.array(given), self._places(), self.distance_power, SMALLEST_PROBABILITY)
        sum_prototype_likelihood(theta, sequence, *compared.arrays, *of_model, total, gradient)
        return total, gradient

    def _places(self) -> np.ndarray:
        """Where theta has lapse, background and the first coordinate of a prototype, or -1."""
        names = [parameter.name for parameter in self.parameters]
        at_lapse = names.index(LAPSE.name)
        at_background = names.index(BACKGROUND.name) if BACKGROUND.name in names else at_lapse
        return np.array([at_lapse, at_background, self.n_features if self.prototypes == "learned" else -1])

    def probabilities(self, theta: torch.Tensor, data: TrialTensors) -> torch.Tensor:
        stimuli = comparable_stimuli(data)
        values, attention = self._by_name(theta), theta[..., : self.n_features]
        if self.prototypes == "averaged":
            evidence = self._similarities(attention, _from_averages(data))
        else:
            evidence = self._to_fixed(theta, attention, stimuli)
        background = values.get("background", values["lapse"])
        evidence = torch.where(seen_before(data), evidence, background[..., None, None])
        return choice_probabilities(evidence, values["lapse"])

    def _similarities(self, attention: torch.Tensor, differences: torch.Tensor) -> torch.Tensor:
        """(…, sequences, categories, things) from differences (…, sequences, categories, things, features)."""
        close = similarity(attention, differences.flatten(-3, -2), self.distance_power)
        return close.unflatten(-1, differences.shape[-3:-1])

    def _to_fixed(self, theta: torch.Tensor, attention: torch.Tensor, stimuli: Stimuli) -> torch.Tensor:
        """Similarity of each trial's stimulus to prototypes that stay: (…, sequences, categories, trials)."""
        if self.prototypes == "learned":
            coordinates = theta[..., self.n_features : self.n_features * (self.n_categories + 1)]
            prototypes = coordinates.unflatten(-1, (self.n_categories, self.n_features))
        else:
            prototypes = torch.as_tensor(self.prototypes, dtype=theta.dtype, device=theta.device)
        close = self._similarities(attention, stimuli.features[:, None] - prototypes[..., None, :])
        shown = stimuli.shown[:, None].expand(*close.shape[:-1], -1)
        return close.gather(-1, shown)

    def _given(self, prototypes: Sequence[Sequence[float]]) -> tuple[tuple[float, ...], ...]:
        rows = tuple(tuple(map(float, row)) for row in prototypes)
        if len(rows) != self.n_categories or any(len(row) != self.n_features for row in rows):
            raise UsageError(
                f"prototypes must be {self.n_categories} rows of {self.n_features} features.",
                where="model 'prototype'",
            )
        return rows


def _coordinates(n_categories: int, n_features: int) -> tuple[Parameter, ...]:
    return tuple(
        Parameter(
            f"prototype_{category}_{feature}",
            0.0,
            1.0,
            f"the prototype of category {category} has more of feature {feature}",
        )
        for category in range(1, n_categories + 1)
        for feature in range(1, n_features + 1)
    )


def _from_averages(data: TrialTensors) -> torch.Tensor:
    """Each stimulus minus the mean of each category's earlier exemplars.

    (sequences, categories, trials, features), 0 where there was none.
    """

    def compute() -> torch.Tensor:
        stimulus, category = data.stimulus.nan_to_num(), told(data)
        summed = earlier(category[..., None] * stimulus[:, :, None])
        mean = summed / earlier(category).clamp(min=1)[..., None]
        apart = (stimulus[:, :, None] - mean) * (earlier(category) > 0)[..., None]
        return apart.transpose(1, 2).contiguous()

    return data.remember("differences from averages", compute)


def _averages_compared(data: TrialTensors) -> ComparedTrials:
    comparable_stimuli(data)
    trial = torch.arange(data.mask.shape[1], device=data.mask.device).expand(data.mask.shape)
    return ComparedTrials.of(data, trial, _from_averages(data).transpose(1, 2).flatten(1, 2))


def _stimuli_compared(data: TrialTensors) -> ComparedTrials:
    stimuli = comparable_stimuli(data)
    return ComparedTrials.of(data, stimuli.shown, stimuli.features)
