"""Rescorla–Wagner learners: values that move towards outcomes, at rates that may differ by kind of outcome."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, fields, replace
from typing import Any, ClassVar, Literal, Self

import numpy as np

from toolkit.errors import UsageError, did_you_mean
from toolkit.models.base import Parameter
from toolkit.models.reward_learning import (
    INVERSE_TEMPERATURE,
    LAPSE,
    TRACE_RATE,
    TRACE_WEIGHT,
    fill_choice,
    number_of_contexts,
    range_of_outcomes,
    with_priors,
)
from toolkit.models.sequential import SequentialModel, fill_softmax
from toolkit.trials import Trials

Distinction = Literal["sign", "chosen", "confirmation"]
Rates = tuple[Distinction, ...] | None

ABSENT = -1
"""Place of a parameter that a learner does not have."""

_FORGETTING = Parameter(
    "forgetting", 0.0, 1.0, "how fast values without an outcome return to the initial one"
)
_INITIAL_VALUE = Parameter("initial_value", -1.0, 1.0, "value of an option before its first outcome")
_WORDS = {
    "positive": "better than expected",
    "negative": "worse than expected",
    "chosen": "of the option chosen",
    "unchosen": "of an option not chosen",
    "confirming": "that confirm the choice",
    "disconfirming": "that speak against the choice",
    "free": "after free choices",
    "forced": "after forced choices",
}


@dataclass(frozen=True)
class Variant:
    """What a learner of the family can do.

    Attributes
    ----------
    rates
        Which outcomes have learning rates of their own: by "sign" (better or worse than expected), by whether
        their option was "chosen", both together, or by "confirmation" (better outcomes of the option chosen
        and worse ones of another confirm the choice). None learns nothing from outcomes.
    forced_rates
        The same for outcomes of forced choices, which then have rates of their own; None gives them those
        of free choices.
    choice_trace
        Whether earlier choices attract or repel, whatever they paid. A free choice moves the trace of its
        option towards 1 and the traces of the context's other options towards 0.
    forgetting
        Whether values in a context return to the initial value while their outcomes are not shown.
    lapse
        Whether some choices are made at random.
    initial_value
        Where values begin, or "free".
    """

    rates: Rates = ()
    forced_rates: Rates = None
    choice_trace: bool = False
    forgetting: bool = False
    lapse: bool = False
    initial_value: float | Literal["free"] = 0.0

    def __post_init__(self) -> None:
        for rates in (self.rates, self.forced_rates):
            _check(rates)

    def rate_names(self) -> np.ndarray:
        """(2, 2, 2) name of the rate of outcomes by forced or not, option chosen or not, better or not."""
        names = np.full((2, 2, 2), "", dtype=object)
        for forced, chosen, better in itertools.product((0, 1), repeat=3):
            own = self.forced_rates is not None
            rates = self.forced_rates if forced and own else self.rates
            if self.rates is not None:
                kinds = [("free", "forced")[forced]] if own else []
                kinds += _kinds(rates, bool(chosen), bool(better))
                names[forced, chosen, better] = "_".join(["learning_rate", *kinds])
        return names

    def parameters(self) -> tuple[Parameter, ...]:
        """The parameters that these abilities need, in a fixed order."""
        learns = self.rates is not None
        rates = dict.fromkeys(self.rate_names()[:, ::-1, ::-1].ravel()) if learns else {}
        return (
            *([INVERSE_TEMPERATURE] if learns else []),
            *(Parameter(name, 0.0, 1.0, _meaning(name)) for name in rates),
            *([TRACE_WEIGHT, TRACE_RATE] if self.choice_trace else []),
            *([_FORGETTING] if self.forgetting else []),
            *([LAPSE] if self.lapse else []),
            *([_INITIAL_VALUE] if self.initial_value == "free" else []),
        )


def _check(rates: Rates) -> None:
    known = ("sign", "chosen", "confirmation")
    for one in rates or ():
        if one not in known:
            raise UsageError(f"rates cannot differ by '{one}'.", fix=did_you_mean(str(one), known))
    if rates and "confirmation" in rates and len(rates) > 1:
        raise UsageError(
            "'confirmation' cannot be told apart together with others.",
            fix="Use ('chosen', 'sign'): its four rates say all that confirmation says.",
        )


def _kinds(rates: Rates, chosen: bool, better: bool) -> list[str]:
    """What an outcome is by each distinction."""
    found = {
        "chosen": "chosen" if chosen else "unchosen",
        "sign": "positive" if better else "negative",
        "confirmation": "confirming" if chosen == better else "disconfirming",
    }
    return [kind for distinction, kind in found.items() if distinction in (rates or ())]


def _meaning(name: str) -> str:
    kinds = name.removeprefix("learning_rate").strip("_").split("_")
    return " ".join(["how far values move towards outcomes", *(_WORDS[kind] for kind in kinds if kind)])


class RescorlaWagner(SequentialModel):
    """Options have values in every context, and each outcome that is seen moves its option's value towards it.

    The value changes by a learning rate times the difference of outcome and value; softmax over the context's
    values chooses. An outcome that was not shown teaches nothing; forced choices teach and are not scored.
    All members of the family are this one learner with other options, those of :class:`Variant`. Made for
    trials, values begin in the middle between the smallest and the largest outcome.
    """

    name = "rescorla_wagner"
    schemas = ("bandit",)
    guided = True
    parameters = Variant().parameters()
    variant: ClassVar[Variant] = Variant()

    def __init_subclass__(cls, **keywords: Any) -> None:
        super().__init_subclass__(**keywords)
        cls.parameters = cls.variant.parameters()

    def __init__(self, **options: Any) -> None:
        known = [field.name for field in fields(Variant)]
        for option in options:
            if option not in known:
                raise UsageError(
                    f"model '{self.name}' has no option '{option}'.", fix=did_you_mean(option, known)
                )
        variant = replace(type(self).variant, **options)
        self.parameters = with_priors(variant.parameters())
        places = {parameter.name: number for number, parameter in enumerate(self.parameters)}
        self.rate_at = np.vectorize(lambda name: places.get(name, ABSENT), otypes=[int])(variant.rate_names())
        named = (INVERSE_TEMPERATURE, TRACE_WEIGHT, TRACE_RATE, _FORGETTING, LAPSE, _INITIAL_VALUE)
        self.other_at = np.array([places.get(parameter.name, ABSENT) for parameter in named])
        self.begin = 0.0 if variant.initial_value == "free" else float(variant.initial_value)

    @classmethod
    def for_trials(cls, trials: Trials, **options: Any) -> Self:
        return cls(**{"initial_value": sum(range_of_outcomes(trials)) / 2, **options})

    @staticmethod
    def learn(theta, rate_at, other_at, begin, context, choice, outcome, forced, p):
        n_contexts = number_of_contexts(context)
        n_options = p.shape[1]
        steepness = at(theta, other_at[0], 0.0)
        trace_weight = at(theta, other_at[1], 0.0)
        trace_rate = at(theta, other_at[2], 0.0)
        forgetting = at(theta, other_at[3], 0.0)
        lapse = at(theta, other_at[4], 0.0)
        initial = at(theta, other_at[5], begin)
        repeats = other_at[1] >= 0
        lapses = other_at[4] >= 0
        value = np.full((n_contexts, n_options), initial)
        trace = np.zeros((n_contexts, n_options))
        drive = np.zeros(n_options)
        for t in range(len(context)):
            here = context[t]
            for k in range(n_options):
                drive[k] = steepness * value[here, k]
                if repeats:
                    drive[k] += trace_weight * trace[here, k]
            if lapses:
                fill_choice(drive, lapse, p[t])
            else:
                fill_softmax(drive, 1.0, p[t])
            for k in range(n_options):
                chosen = 1 if choice[t] == k else 0
                if np.isnan(outcome[t, k]):
                    value[here, k] += forgetting * (initial - value[here, k])
                else:
                    error = outcome[t, k] - value[here, k]
                    place = rate_at[int(forced[t]), chosen, 1 if error > 0.0 else 0]
                    value[here, k] += at(theta, place, 0.0) * error
                if repeats and choice[t] >= 0 and not forced[t]:
                    trace[here, k] += trace_rate * (chosen - trace[here, k])


def at(theta, place, otherwise):
    """The parameter at a place of ``theta``; ``otherwise`` for one that the learner does not have."""
    return theta[place] if place >= 0 else otherwise


class RescorlaWagnerSigned(RescorlaWagner):
    """One rate for outcomes better than expected, one for worse ones: "optimism" where the first is larger."""

    name = "rescorla_wagner_signed"
    variant = Variant(rates=("sign",))


class RescorlaWagnerConfirmation(RescorlaWagner):
    """One rate for outcomes that confirm the choice, one for those that speak against it."""

    name = "rescorla_wagner_confirmation"
    variant = Variant(rates=("confirmation",))


class RescorlaWagnerChosen(RescorlaWagner):
    """Rates by sign, each for the option chosen and for the others."""

    name = "rescorla_wagner_chosen"
    variant = Variant(rates=("chosen", "sign"))


class RescorlaWagnerForced(RescorlaWagner):
    """Rates by sign after free choices, and one rate after forced ones."""

    name = "rescorla_wagner_forced"
    variant = Variant(rates=("sign",), forced_rates=())


class RescorlaWagnerForcedSigned(RescorlaWagner):
    """Rates by sign, each after free and after forced choices."""

    name = "rescorla_wagner_forced_signed"
    variant = Variant(rates=("sign",), forced_rates=("sign",))


class RescorlaWagnerPerseveration(RescorlaWagner):
    """One rate and a choice trace: asymmetric learning looks much like it."""

    name = "rescorla_wagner_perseveration"
    variant = Variant(choice_trace=True)


class RescorlaWagnerSignedPerseveration(RescorlaWagner):
    """Rates by sign and a choice trace: how much asymmetry is left beside perseveration."""

    name = "rescorla_wagner_signed_perseveration"
    variant = Variant(rates=("sign",), choice_trace=True)


class Perseveration(RescorlaWagner):
    """A choice trace alone: repeats itself, whatever comes of it."""

    name = "perseveration"
    variant = Variant(rates=None, choice_trace=True)
