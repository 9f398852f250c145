"""What models of similarity have in common: attention, distances, what was seen before, and choice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

from toolkit.errors import UsageError
from toolkit.models.base import Parameter, TrialTensors
from toolkit.models.by_rows import join_sequences
from toolkit.trials import Trials

LAPSE = Parameter("lapse", 0.0, 1.0, "share of choices that are guesses, all options equally often")
BACKGROUND = Parameter("background", 0.0, 1.0, "similarity to a category of which nothing was seen yet")


_MOST_ATTENTION = 20.0
_TYPICAL_SENSITIVITY = 6.0
# exp of less than minus this is no number in double precision.
_LARGEST_DISTANCE = 700.0


def attention_parameters(n_features: int) -> tuple[Parameter, ...]:
    """One parameter a feature: how far apart two stimuli are that differ by 1 on it."""
    return tuple(
        Parameter(
            f"attention_{number}", 0.0, _MOST_ATTENTION, f"differences on feature {number} count for more"
        )
        for number in range(1, n_features + 1)
    )


def with_priors(parameters: Sequence[Parameter], n_features: int) -> tuple[Parameter, ...]:
    """The same parameters with priors for attention and lapse; the others stay uniform.

    The sum of attention is around that of people who learn binary features, and few choices are guesses.
    If attention were uniform within its bounds it would be so sharp, the more so the more features there
    are, that no two stimuli were alike and searches that start there found no slope.
    """
    from scipy.stats import beta, expon

    priors = {"attention": expon(scale=_TYPICAL_SENSITIVITY / n_features), "lapse": beta(1, 3)}
    return tuple(
        replace(parameter, prior=priors.get(parameter.name.partition("_")[0])) for parameter in parameters
    )


def check_power(distance_power: int) -> int:
    """``distance_power`` itself, if there is such a distance."""
    if distance_power not in (1, 2):
        raise UsageError(f"distance_power is {distance_power}.", fix="1 (city block) or 2 (straight line).")
    return distance_power


def fitting_options(trials: Trials, options: dict[str, Any]) -> dict[str, Any]:
    """Options with the number of features that the trials have, unless they say another."""
    return {"n_features": trials.stimulus.shape[-1], **options}


def check_features(n_features: int, of_stimuli: torch.Tensor) -> None:
    """Refuse stimuli (…, features) that have not as many features as the model."""
    if of_stimuli.shape[-1] != n_features:
        raise UsageError(
            f"the model has {n_features} features, the stimuli have {of_stimuli.shape[-1]}.",
            fix="get_model_for(name, trials) makes the model that fits.",
        )


def similarity(attention: torch.Tensor, differences: torch.Tensor, distance_power: int) -> torch.Tensor:
    """How similar two stimuli are: exp(-distance), each feature stretched by its attention.

    Parameters
    ----------
    attention
        (…, sequences, features).
    differences
        (…, sequences, pairs, features), what two stimuli differ by on every feature.

    Returns
    -------
    (…, sequences, pairs)
    """
    check_features(attention.shape[-1], differences)
    if distance_power == 1:
        return torch.einsum("...sf,...spf->...sp", -attention, differences.abs()).exp()
    squared = torch.einsum("...sf,...spf->...sp", attention**2, differences**2)
    # The root has no derivative at 0; what is equal stays equal whatever the attention.
    apart = squared > 0
    return torch.exp(-torch.where(apart, squared, 1.0).sqrt() * apart)


def choice_probabilities(
    evidence: torch.Tensor,
    lapse: torch.Tensor,
    *,
    scaling: torch.Tensor | None = None,
    bias: torch.Tensor | None = None,
) -> torch.Tensor:
    """Luce's choice between summed similarities, mixed with guesses.

    Parameters
    ----------
    evidence
        (…, sequences, options, trials); options come before trials because that is quicker.
    lapse, scaling, bias
        (…, sequences): share of guesses, exponent of the evidence, weight of the first of two options.

    Returns
    -------
    (…, sequences, trials, options)
    """
    # What is too small to be a number of this type counts as the smallest, so that logarithms are finite.
    logits = (evidence + torch.finfo(evidence.dtype).tiny).log()
    if scaling is not None:
        logits = scaling[..., None, None] * logits
    if bias is not None:
        logits = logits + torch.stack([bias, 1 - bias], -1).log()[..., None]
    lapse = lapse[..., None, None]
    p = (1 - lapse) * logits.softmax(-2) + lapse / evidence.shape[-2]
    return p.transpose(-1, -2)


@dataclass(frozen=True)
class Stimuli:
    """The different stimuli of every sequence, and which of them each trial shows.

    Attributes
    ----------
    features
        (sequences, stimuli, features); a sequence with fewer stimuli is padded with zeros.
    shown
        (sequences, trials) number of the trial's stimulus, 0 in padding.
    """

    features: torch.Tensor
    shown: torch.Tensor

    @classmethod
    def of(cls, data: TrialTensors) -> Stimuli:
        """Those of ``data``, looked for once."""
        return data.remember("stimuli", lambda: cls._find(data))

    @classmethod
    def _find(cls, data: TrialTensors) -> Stimuli:
        columns = data.stimulus[data.mask].unbind(-1)
        number = number_within_sequences(data.mask, *columns)
        sequence = data.mask.nonzero()[:, 0]
        shape = (len(data.mask), int(number.max()) + 1, len(columns))
        features = data.stimulus.new_zeros(shape)
        features[sequence, number] = data.stimulus[data.mask]
        shown = torch.zeros_like(data.choice)
        shown[data.mask] = number
        return cls(features, shown)


@dataclass(frozen=True)
class ComparedTrials:
    """Trials without padding, one sequence behind the other, and the things that are compared on them.

    Attributes
    ----------
    first
        (sequences + 1,) where each sequence begins.
    thing, category, chosen
        (all trials,) number of the thing compared, category told and option whose probability counts; -1 where
        there is none.
    things, n_things
        (sequences, rows, features), one row a thing or one for each category, and how many things a sequence has.
    """

    first: np.ndarray
    thing: np.ndarray
    category: np.ndarray
    chosen: np.ndarray
    things: np.ndarray
    n_things: np.ndarray

    @classmethod
    def of(cls, data: TrialTensors, thing: torch.Tensor, things: torch.Tensor) -> ComparedTrials:
        """Of the numbers (sequences, trials) of ``things`` (sequences, rows, features)."""
        joined = join_sequences(data, {"thing": thing, "category": data.category})
        n_things = torch.where(data.mask, thing + 1, 0).amax(1).cpu().numpy()
        compared = np.ascontiguousarray(things.cpu().numpy(), dtype=float)
        return cls(joined.first, **joined.arrays, chosen=joined.chosen, things=compared, n_things=n_things)

    @property
    def arrays(self) -> tuple[np.ndarray, ...]:
        """All of them, in order."""
        return tuple(getattr(self, field.name) for field in fields(self))


def comparable_stimuli(data: TrialTensors) -> Stimuli:
    """Those of ``data``, if their features have units for which attention is meant."""

    def check() -> Stimuli:
        shown = data.stimulus[data.mask]
        span = float((shown.amax(0) - shown.amin(0)).max())
        if span * _MOST_ATTENTION > _LARGEST_DISTANCE:
            raise UsageError(
                f"stimuli differ by up to {span:g} on one feature, so no two would be alike.",
                fix="Scale features to span about 1: trials.updated(stimulus=…).",
            )
        return Stimuli.of(data)

    return data.remember("comparable stimuli", check)


def number_within_sequences(where: torch.Tensor, *columns: torch.Tensor) -> torch.Tensor:
    """Numbers 0, 1, … for the different rows of ``columns`` within every sequence.

    Parameters
    ----------
    where
        (sequences, trials), which trials the rows belong to.
    columns
        (rows,) each.
    """
    sequence = where.nonzero()[:, 0]
    code = sequence
    for column in columns:
        value = column.unique(return_inverse=True)[1]
        code = (code * (len(value) + 1) + value).unique(return_inverse=True)[1]
    # Codes are sorted by sequence, so those of one sequence follow each other.
    first = torch.full((len(where),), len(code), device=code.device).scatter_reduce(0, sequence, code, "amin")
    return code - first[sequence]


def seen_before(data: TrialTensors) -> torch.Tensor:
    """Whether a category was told before a trial: (sequences, options, trials)."""
    return data.remember("seen before", lambda: earlier(told(data)).transpose(1, 2) > 0)


def told(data: TrialTensors) -> torch.Tensor:
    """1 for the category told on a trial, 0 for the others: (sequences, trials, options)."""
    options = torch.arange(data.n_options, device=data.category.device)
    return (data.category[..., None] == options).to(data.stimulus.dtype)


def earlier(amounts: torch.Tensor) -> torch.Tensor:
    """Sum of the amounts (sequences, trials, …) over earlier trials."""
    return F.pad(amounts.cumsum(1)[:, :-1], [0, 0] * (amounts.ndim - 2) + [1, 0])
