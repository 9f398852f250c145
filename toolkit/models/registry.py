"""All models by name; a model listed here appears in fitting, comparison, notebooks and dashboards."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from toolkit.errors import UsageError, check_options, did_you_mean

if TYPE_CHECKING:
    from toolkit.models.base import Model
    from toolkit.trials import Trials

_NAMED = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
_NO_OPTIONS = ("self", "trials")

_HOME_OF = {
    "ermi": "toolkit.models.meta_learners:Ermi",
    "mi": "toolkit.models.meta_learners:Mi",
    "pfn": "toolkit.models.meta_learners:Pfn",
    "rmc": "toolkit.models.meta_learners:Rmc",
    "gcm": "toolkit.models.gcm:GeneralisedContextModel",
    "prototype": "toolkit.models.prototype:Prototype",
    "rule": "toolkit.models.rule:Rule",
    "rule_with_exceptions": "toolkit.models.rule:RuleWithExceptions",
    "alcove": "toolkit.models.alcove:Alcove",
    "sustain": "toolkit.models.sustain:Sustain",
    "rational": "toolkit.models.rational:Rational",
    "rulex": "toolkit.models.rulex:Rulex",
    "bayesian_logistic_regression": "toolkit.models.bayesian_regression:BayesianLogisticRegression",
    "random": "toolkit.models.random_responder:RandomResponder",
    "rescorla_wagner": "toolkit.models.rescorla_wagner:RescorlaWagner",
    "rescorla_wagner_signed": "toolkit.models.rescorla_wagner:RescorlaWagnerSigned",
    "rescorla_wagner_confirmation": "toolkit.models.rescorla_wagner:RescorlaWagnerConfirmation",
    "rescorla_wagner_chosen": "toolkit.models.rescorla_wagner:RescorlaWagnerChosen",
    "rescorla_wagner_forced": "toolkit.models.rescorla_wagner:RescorlaWagnerForced",
    "rescorla_wagner_forced_signed": "toolkit.models.rescorla_wagner:RescorlaWagnerForcedSigned",
    "rescorla_wagner_perseveration": "toolkit.models.rescorla_wagner:RescorlaWagnerPerseveration",
    "rescorla_wagner_signed_perseveration": "toolkit.models.rescorla_wagner:RescorlaWagnerSignedPerseveration",
    "perseveration": "toolkit.models.rescorla_wagner:Perseveration",
    "pearce_hall": "toolkit.models.pearce_hall:PearceHall",
    "kalman": "toolkit.models.kalman:Kalman",
    "ideal_bandit": "toolkit.models.ideal_bandit:IdealBandit",
    "thompson_bandit": "toolkit.models.ideal_bandit:ThompsonBandit",
    "metarl": "toolkit.models.metarl:MetaRL",
    "exact_bayes": "toolkit.models.surprise.learners:ExactBayes",
    "message_passing": "toolkit.models.surprise.learners:MessagePassing",
    "var_smile": "toolkit.models.surprise.learners:VarSmile",
    "smile": "toolkit.models.surprise.learners:Smile",
    "nassar_2010": "toolkit.models.surprise.learners:Nassar2010",
    "nassar_2012": "toolkit.models.surprise.learners:Nassar2012",
    "leaky_mean": "toolkit.models.surprise.learners:LeakyMean",
    "win_stay_lose_shift": "toolkit.models.win_stay_lose_shift:WinStayLoseShift",
    "llm": "toolkit.models.llm:LanguageModel",
}


def list_models(schema: str | None = None, *, recorded: bool = False) -> list[str]:
    """Names of all models that can be made from their name, or of those that answer a family of trials.

    Parameters
    ----------
    recorded
        Whether to name also those that need recordings of the very trials they are to answer.
    """
    return [
        name
        for name in _HOME_OF
        if (schema is None or schema in _model_class(name).schemas)
        and (recorded or not _model_class(name).needs_recordings)
    ]


def get_model(name: str, **options: Any) -> Model:
    """The model called ``name``, made with ``options``."""
    model = _model_class(name)
    _check(options, model)
    return model(**options)


def get_model_for(name: str, trials: Trials, **options: Any) -> Model:
    """The model called ``name`` with as many features and categories as the trials have."""
    model = _model_class(name)
    _check(options, model, model.for_trials)
    return model.for_trials(trials, **options)


def register_model(model: type[Model]) -> type[Model]:
    """Add a model of your own under its ``name``; usable as a class decorator."""
    validate(model)
    home = f"{model.__module__}:{model.__qualname__}"
    if _HOME_OF.get(model.name, home) != home:
        raise UsageError(f"there is a model '{model.name}' already.", fix="Choose another name.")
    _HOME_OF[model.name] = home
    _own[model.name] = model
    return model


def validate(model: type[Model]) -> None:
    """Refuse a model whose description is incomplete."""
    from toolkit.models.base import Model
    from toolkit.trials import get_schema

    if not (isinstance(model, type) and issubclass(model, Model)):
        raise UsageError(f"{model!r} is not a subclass of toolkit.models.Model.")
    for attribute in ("name", "schemas", "parameters"):
        if not hasattr(model, attribute):
            raise UsageError(f"model {model.__name__} does not say its '{attribute}'.")
    for schema in model.schemas:
        get_schema(schema)
    names = [parameter.name for parameter in model.parameters]
    if len(set(names)) < len(names):
        raise UsageError(f"model '{model.name}' has two parameters of one name.")


_own: dict[str, type[Model]] = {}


def _check(options: Mapping[str, Any], model: type[Model], *makers: Callable) -> None:
    """Refuse an option that a model does not have; one that takes any says itself what is wrong."""
    if not options:
        return
    names: list[str] = []
    own = [vars(one)["__init__"] for one in model.__mro__[:-1] if "__init__" in vars(one)]
    for maker in [*makers, *own]:
        parameters = inspect.signature(maker).parameters.values()
        names += [one.name for one in parameters if one.kind in _NAMED and one.name not in _NO_OPTIONS]
        if maker in own and all(one.kind is not one.VAR_KEYWORD for one in parameters):
            break
    else:
        if own:
            return
    check_options(options, names, f"model '{model.name}'")


def _model_class(name: str) -> type[Model]:
    if name in _own:
        return _own[name]
    if name not in _HOME_OF:
        raise UsageError(f"there is no model '{name}'.", fix=did_you_mean(name, _HOME_OF))
    module, _, attribute = _HOME_OF[name].partition(":")
    return getattr(importlib.import_module(module), attribute)
