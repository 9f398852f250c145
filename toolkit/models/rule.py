"""Rules that never change: one feature, or one pair of features, decides every answer from the start."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Any, Self

import torch

from toolkit.errors import UsageError
from toolkit.models.base import Model, Parameter, TrialTensors
from toolkit.models.similarity import LAPSE, Stimuli, fitting_options
from toolkit.trials import Trials

_HALF = 0.5


class Rule(Model):
    """Answers by one rule throughout and guesses on a share of trials, ``lapse``.

    ``rule`` is a number in :attr:`rules`: every feature, each way round; a feature is there when it is
    above one half. Given a rule, the best lapse is known: twice the share of choices against it, at most 1.

    Parameters
    ----------
    n_features
        Of the stimuli.
    pairs
        Whether there are also rules that two features are alike or unlike.

    Attributes
    ----------
    rules
        Stimuli of the second category by each rule, in words.
    """

    name = "rule"
    schemas = ("category_learning",)
    parameters = (Parameter("rule", 0, 5, "number of the rule", values=tuple(range(6))), LAPSE)
    reads_choices = False

    def __init__(self, n_features: int = 3, *, pairs: bool = False) -> None:
        self.n_features = n_features
        self._pairs = tuple(combinations(range(n_features), 2)) if pairs else ()
        single = [
            f"{word} feature {number + 1}" for number in range(n_features) for word in ("with", "without")
        ]
        double = [
            f"features {first + 1} and {second + 1} {word}"
            for first, second in self._pairs
            for word in ("differ", "are alike")
        ]
        self.rules = (*single, *double)
        numbers = tuple(range(len(self.rules)))
        self.parameters = (Parameter("rule", 0, numbers[-1], "number of the rule", values=numbers), LAPSE)

    @classmethod
    def for_trials(cls, trials: Trials, **options: Any) -> Self:
        return cls(**fitting_options(trials, options))

    def probabilities(self, theta: torch.Tensor, data: TrialTensors) -> torch.Tensor:
        if data.n_options != 2:
            raise UsageError(
                f"rules are for two categories, not {data.n_options}.", where=f"model '{self.name}'"
            )
        stimuli = Stimuli.of(data)
        answers = self.answers(stimuli.features)
        values = self._by_name(theta)
        number = values["rule"].round().long().clamp(0, len(self.rules) - 1)[..., None, None]
        answers = answers.expand(*number.shape[:-2], -1, -1)
        followed = answers.gather(-2, number.expand(*number.shape[:-2], 1, answers.shape[-1]))[..., 0, :]
        answer = followed.gather(-1, stimuli.shown.expand(*followed.shape[:-1], -1)).to(theta.dtype)
        lapse = values["lapse"][..., None, None]
        return (1 - lapse) * torch.stack([1 - answer, answer], -1) + lapse / 2

    def answers(self, stimulus: torch.Tensor) -> torch.Tensor:
        """Category by every rule: stimuli (…, stimuli, features) -> 0 or 1 (…, rules, stimuli)."""
        if stimulus.shape[-1] != self.n_features:
            raise UsageError(
                f"the model has {self.n_features} features, the stimuli have {stimulus.shape[-1]}.",
                where=f"model '{self.name}'",
                fix=f"get_model_for('{self.name}', trials) makes the model that fits.",
            )
        there = (stimulus > _HALF).unbind(-1)
        second = [*there, *(there[one] != there[other] for one, other in self._pairs)]
        return torch.stack([way for rule in second for way in (rule, ~rule)], -2).long()


class RuleWithExceptions(Rule):
    """As :class:`Rule`, and a list of stimuli that are remembered to be the other way round.

    This is how "RULEX" was fitted to people in earlier work: the exceptions are told, not found. A model
    that finds rules and exceptions by itself is "rulex".

    Parameters
    ----------
    exceptions
        Stimuli, (exceptions, features). By default the published ones: Smith and Minda's for six
        features, else the two stimuli that have none or all of the features.
    """

    name = "rule_with_exceptions"

    def __init__(
        self,
        n_features: int = 3,
        *,
        pairs: bool = False,
        exceptions: Sequence[Sequence[float]] | None = None,
    ) -> None:
        super().__init__(n_features, pairs=pairs)
        if exceptions is None:
            exceptions = _SMITH_AND_MINDA if n_features == 6 else ([0] * n_features, [1] * n_features)
        self.exceptions = tuple(tuple(map(float, exception)) for exception in exceptions)
        if any(len(exception) != n_features for exception in self.exceptions):
            raise UsageError(f"every exception needs {n_features} features.", where=f"model '{self.name}'")

    def answers(self, stimulus: torch.Tensor) -> torch.Tensor:
        """As by the rules, except for the exceptions."""
        exceptions = stimulus.new_tensor(self.exceptions).reshape(-1, self.n_features)
        excepted = (stimulus[..., None, :] == exceptions).all(-1).any(-1)
        return (super().answers(stimulus) + excepted[..., None, :]) % 2


_SMITH_AND_MINDA = ((1, 1, 1, 1, 0, 1), (0, 0, 0, 1, 0, 0))
