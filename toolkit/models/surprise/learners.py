"""Learners of reward that allow for change: every option has a belief, and surprise decides how much it forgets.

Outcomes of an option are taken as normal around a mean that may change. They are counted from ``initial_value`` in units
of half their range, so that means are expected within about one unit, and ``noise`` is the deviation of outcomes from the
mean in these units. What was not shown teaches nothing, and time passes for an option with every outcome shown.
"""

from __future__ import annotations

from typing import Any, ClassVar, Self

import numpy as np

from toolkit.errors import UsageError
from toolkit.models.base import Parameter
from toolkit.models.reward_learning import (
    INVERSE_TEMPERATURE,
    number_of_contexts,
    range_of_outcomes,
    with_priors,
)
from toolkit.models.sequential import SequentialModel, fill_softmax
from toolkit.models.surprise import modulated
from toolkit.models.surprise.beliefs import expected
from toolkit.models.surprise.messages import (
    begin_message,
    begin_messages,
    drop_smallest,
    fill_expected,
    fill_rates,
    weigh_messages,
)
from toolkit.models.surprise.modulated import begin_modulated, update_modulated
from toolkit.models.surprise.predictors import RATES
from toolkit.trials import Trials

_NOISE = Parameter("noise", 0.05, 10.0, "how far single outcomes are believed to lie from their mean")
_CHANGE_RATE = Parameter("change_rate", 0.0, 0.99, "how often an option is believed to change")
_LEAK = Parameter("leak", 0.0, 1.0, "how much an outcome weighs of the one after it")


class _Learner(SequentialModel):
    """What they have in common: softmax over expected outcomes, and outcomes in units of half their range."""

    schemas = ("bandit",)
    prior: ClassVar[np.ndarray] = np.array([0.0, 1.0])

    def __init__(self, *, initial_value: float = 0.0, half_range: float = 1.0) -> None:
        self.initial_value, self.half_range = float(initial_value), float(half_range)
        self.parameters = with_priors(type(self).parameters)

    @classmethod
    def for_trials(cls, trials: Trials, **options: Any) -> Self:
        low, high = range_of_outcomes(trials)
        return cls(**{"initial_value": (low + high) / 2, "half_range": (high - low) / 2 or 1.0, **options})


class _Modulated(_Learner):
    parameters = (INVERSE_TEMPERATURE, _NOISE, _CHANGE_RATE)
    rule: ClassVar[int]

    @staticmethod
    def learn(
        inverse_temperature,
        noise,
        change_rate,
        initial_value,
        half_range,
        prior,
        rule,
        context,
        outcome,
        p,
    ):
        n_contexts = number_of_contexts(context)
        n_options = p.shape[1]
        modulation = change_rate / (1.0 - change_rate)
        fresh = np.zeros(2)
        belief = np.zeros((n_contexts, n_options, 2))
        for j in range(n_contexts):
            for k in range(n_options):
                begin_modulated(belief[j, k], fresh, prior, noise)
        mean = np.zeros(n_options)
        for t in range(len(context)):
            here = context[t]
            for k in range(n_options):
                mean[k] = initial_value + half_range * expected(belief[here, k], 0, noise)
            fill_softmax(mean, inverse_temperature, p[t])
            for k in range(n_options):
                if not np.isnan(outcome[t, k]):
                    y = (outcome[t, k] - initial_value) / half_range
                    update_modulated(y, modulation, noise, rule, fresh, belief[here, k])


class VarSmile(_Modulated):
    """Variational surprise minimisation: the prior comes back by the probability of a change (Liakoni et al., 2021)."""

    name = "var_smile"
    rule = modulated.VAR_SMILE


class Smile(_Modulated):
    """Surprise minimisation: moves towards the outcome as far as surprise allows (Faraji et al., 2018)."""

    name = "smile"
    rule = modulated.SMILE


class Nassar2010(_Modulated):
    """A delta rule with an effective run length that surprise makes short (after Nassar et al., 2010)."""

    name = "nassar_2010"
    rule = modulated.NASSAR_2010


class Nassar2012(_Modulated):
    """The same with uncertainty about whether there was a change (after Nassar et al., 2012)."""

    name = "nassar_2012"
    rule = modulated.NASSAR_2012


class MessagePassing(_Learner):
    """Bayes' rule with a belief for each of the most likely times of the last change (Liakoni et al., 2021).

    Parameters
    ----------
    n_messages
        Beliefs kept of every option; 0 keeps all, which is exact.
    learn_change_rate
        Whether the change rate is learned too, from rates between .0001 and .5 that are equally likely at first;
        it is then no parameter.
    """

    name = "message_passing"
    parameters = (INVERSE_TEMPERATURE, _NOISE, _CHANGE_RATE)
    n_messages: int = 20

    def __init__(
        self, *, n_messages: int | None = None, learn_change_rate: bool = False, **options: Any
    ) -> None:
        super().__init__(**options)
        self.n_messages = self.n_messages if n_messages is None else n_messages
        if self.n_messages < 0:
            raise UsageError(f"n_messages is {n_messages}.", fix="Use 1 or more, or 0 for all.")
        self.rates = RATES if learn_change_rate else np.zeros(0)
        if learn_change_rate:
            self.parameters = tuple(one for one in self.parameters if one.name != _CHANGE_RATE.name)
        self.change_rate = 0.0

    @staticmethod
    def learn(
        inverse_temperature,
        noise,
        change_rate,
        initial_value,
        half_range,
        prior,
        rates,
        n_messages,
        context,
        outcome,
        p,
    ):
        n_trials = len(context)
        n_contexts = number_of_contexts(context)
        n_options = p.shape[1]
        n_rates = max(1, len(rates))
        rate = np.zeros(n_rates)
        fill_rates(rate, rates, change_rate)
        n_slots = n_trials + 2 if n_messages == 0 else n_messages + 2
        belief = np.zeros((n_contexts, n_options, n_slots, 2))
        weight = np.zeros((n_contexts, n_options, n_slots, n_rates))
        count = np.zeros((n_contexts, n_options, 1))
        scratch = np.zeros(n_slots)
        value = np.zeros((n_contexts, n_options, 1))
        mean = np.zeros(n_options)
        for j in range(n_contexts):
            for k in range(n_options):
                begin_messages(belief[j, k], weight[j, k], count[j, k], prior, noise)
        for t in range(n_trials):
            here = context[t]
            for k in range(n_options):
                mean[k] = initial_value + half_range * value[here, k, 0]
            fill_softmax(mean, inverse_temperature, p[t])
            for k in range(n_options):
                if not np.isnan(outcome[t, k]):
                    y = (outcome[t, k] - initial_value) / half_range
                    weigh_messages(y, noise, belief[here, k], weight[here, k], count[here, k], scratch)
                    if n_messages > 0 and count[here, k, 0] > n_messages:
                        drop_smallest(belief[here, k], weight[here, k], count[here, k])
                    fill_expected(belief[here, k], weight[here, k], count[here, k], noise, value[here, k])
                    begin_message(rate, belief[here, k], weight[here, k], count[here, k], prior, noise)


class ExactBayes(MessagePassing):
    """Bayes' rule with a belief for every time the option may have changed at: nothing is approximated."""

    name = "exact_bayes"
    n_messages = 0


class LeakyMean(_Learner):
    """The mean of an option's outcomes, in which older ones weigh less."""

    name = "leaky_mean"
    parameters = (INVERSE_TEMPERATURE, _LEAK)

    @staticmethod
    def learn(inverse_temperature, leak, initial_value, context, outcome, p):
        n_contexts = number_of_contexts(context)
        n_options = p.shape[1]
        value = np.full((n_contexts, n_options), initial_value)
        weight = np.zeros((n_contexts, n_options))
        for t in range(len(context)):
            here = context[t]
            fill_softmax(value[here], inverse_temperature, p[t])
            for k in range(n_options):
                if not np.isnan(outcome[t, k]):
                    weight[here, k] = leak * weight[here, k] + 1.0
                    value[here, k] += (outcome[t, k] - value[here, k]) / weight[here, k]
