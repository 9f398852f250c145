"""Hierarchical fits: everyone's parameters by the choices of all, and how many people follow each model, jointly."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from toolkit.errors import UsageError, did_you_mean
from toolkit.fitting.bayesian_selection import ModelFrequencies, frequency_table
from toolkit.fitting.estimates import AT_BOUND, criteria
from toolkit.fitting.fitting import Fit, one_thread
from toolkit.fitting.members import Members
from toolkit.fitting.population import Group
from toolkit.fitting.rounds import Scheme, State
from toolkit.fitting.unbounded import Unbounded
from toolkit.models import Model, get_model_for
from toolkit.trials import Trials


@dataclass(frozen=True)
class Hierarchical:
    """One or several models fitted to a group of people, of whom everyone follows one model.

    Attributes
    ----------
    fits
        By model: everyone's parameters under it, drawn towards the group's where choices say little. In their
        tables ``laplace`` is the log evidence with the group as prior, and ``log_posterior`` the density
        of the log odds of the parameters' shares of their bounds' width.
    groups
        One row a model and parameter: ``model, parameter``; ``typical``, the median among people who follow the
        model, with ``typical_low`` and ``typical_high`` (95 % credible); ``people_low`` and ``people_high``, between
        which 95 % of them are; and, in log odds of the share of the bounds' width, ``location`` with the scale
        ``location_sd`` of its t distribution with ``degrees`` of freedom, and ``sd`` of people.
    frequencies
        How frequent models are; its responsibilities say who follows which. The omnibus risk is against
        the same fit with models that are equally frequent; with one model it is 1.
    members
        By model, posteriors of everyone's parameters without bounds.
    models
        By name.
    n_rounds, converged
        Of the fit.
    """

    fits: dict[str, Fit]
    groups: pd.DataFrame
    frequencies: ModelFrequencies
    members: dict[str, Members]
    models: dict[str, Model]
    n_rounds: int
    converged: bool

    def draw(self, model: str, n_draws: int, rng: np.random.Generator) -> np.ndarray:
        """(draws, participants, parameters) from the posteriors of everyone under one model."""
        return self._space(model).theta(self.members[model].draw(n_draws, rng))

    def draw_group(self, model: str, n_draws: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Typical values, and deviations of people's log odds, of one model's group: (draws, parameters) each."""
        space, own = self._space(model), self.groups[self.groups["model"] == model]
        location, location_sd, shape, sd = (
            own[name].to_numpy() for name in ("location", "location_sd", "degrees", "sd")
        )
        # Precisions have a gamma distribution; the mean is the more certain, the higher its precision.
        relative = rng.gamma(shape / 2, 2 / shape, (n_draws, len(own)))
        x = location + location_sd / np.sqrt(relative) * rng.standard_normal((n_draws, len(own)))
        return space.theta(x), sd / np.sqrt(relative)

    def _space(self, model: str) -> Unbounded:
        if model not in self.fits:
            raise UsageError(f"no model '{model}' was fitted.", fix=did_you_mean(model, self.fits))
        return Unbounded(self.models[model].parameters)


def fit_hierarchical(
    models: str | Model | Sequence[str] | Mapping[str, str | Model],
    trials: Trials,
    *,
    n_starts: int = 10,
    max_rounds: int = 60,
    seed: int = 0,
    progress: bool = True,
) -> Hierarchical:
    """Fit models to people and compare them at once, by hierarchical Bayesian inference (Piray et al., 2019).

    Parameters of people who follow a model come from a normal distribution of their log odds, whose mean and
    precision are estimated together with everyone's parameters, weighted by how probably everyone follows the
    model. So outliers, and people whom another model describes, do not bias a group's parameters. With one model this
    is empirical Bayes. Before any data groups lie around the medians of the parameters' priors.

    Parameters
    ----------
    models
        One model or its name; names; or models, or their names, by the name they are to have in the result.
    n_starts
        Of everyone's searches in the first round; later ones start from where everyone was, and from the
        middle of the group.
    max_rounds
        Rounds after which the fit ends, converged or not.
    """
    from scipy.special import expit

    named = _named(models)
    if not named or n_starts < 1 or max_rounds < 1:
        raise UsageError(f"{len(named)} models, {n_starts} starts and {max_rounds} rounds make no fit.")
    made = {name: get_model_for(one, trials) if isinstance(one, str) else one for name, one in named.items()}
    with one_thread():
        scheme = Scheme(made, trials, n_starts=n_starts, seed=seed)
        found = null = scheme.run(scheme.begin(), max_rounds, "hierarchical fit", progress)
        if len(made) > 1:
            null = scheme.run(replace(found, equal=True), max_rounds, "equally frequent models", progress)
    bor = expit(null.bound - found.bound) if len(made) > 1 else 1.0
    found = replace(found, converged=found.converged and null.converged)
    return _result(made, trials, found, float(bor))


def _named(models: str | Model | Sequence[str] | Mapping[str, str | Model]) -> dict[str, str | Model]:
    if isinstance(models, Mapping):
        return dict(models)
    several = [models] if isinstance(models, str | Model) else models
    names = [one if isinstance(one, str) else one.name for one in several]
    for name in names:
        if names.count(name) > 1:
            raise UsageError(f"two models are called '{name}'.", fix="Give them as {name: model, …}.")
    return dict(zip(names, several, strict=True))


def _result(models: dict[str, Model], trials: Trials, state: State, bor: float) -> Hierarchical:
    names = list(models)
    frequencies = ModelFrequencies(
        frequency_table(names, state.alpha, bor),
        pd.DataFrame(state.responsibility, pd.Index(trials.participants, name="participant"), names),
        bor,
        state.bound,
    )
    members = dict(zip(names, state.members, strict=True))
    groups = [
        _group_table(name, models[name], group) for name, group in zip(names, state.groups, strict=True)
    ]
    return Hierarchical(
        {name: _fit(models[name], trials, members[name]) for name in names},
        pd.concat(groups, ignore_index=True),
        frequencies,
        members,
        models,
        state.n_rounds,
        state.converged,
    )


def _group_table(name: str, model: Model, group: Group) -> pd.DataFrame:
    from scipy.stats import norm, t

    space, sd = Unbounded(model.parameters), 1 / np.sqrt(group.precision)
    sure, most = t(2 * group.shape).ppf(0.975) * group.location_sd, norm.ppf(0.975) * sd
    return pd.DataFrame(
        {
            "model": name,
            "parameter": [parameter.name for parameter in model.parameters],
            "typical": space.theta(group.location),
            "typical_low": space.theta(group.location - sure),
            "typical_high": space.theta(group.location + sure),
            "people_low": space.theta(group.location - most),
            "people_high": space.theta(group.location + most),
            "location": group.location,
            "location_sd": group.location_sd,
            "degrees": 2 * group.shape,
            "sd": sd,
        }
    )


def _fit(model: Model, trials: Trials, members: Members) -> Fit:
    """Estimates in the form of any other fit."""
    space = Unbounded(model.parameters)
    theta, names = space.theta(members.x), tuple(parameter.name for parameter in model.parameters)
    near = np.abs(theta - np.where(members.x > 0, space.upper, space.lower))
    at_bound = near <= AT_BOUND * (space.upper - space.lower)
    columns = {
        "participant": trials.participants,
        **dict(zip(names, theta.T, strict=True)),
        "log_likelihood": members.log_likelihood,
        "n_trials": trials.n_scored,
        "n_parameters": len(names),
        **criteria(members.log_likelihood, len(names), trials.n_scored),
        "log_posterior": members.log_likelihood + members.log_prior,
        "laplace": members.log_evidence,
        "n_starts": members.n_starts,
        "starts_agreed": members.starts_agreed,
        "converged": members.converged,
        "at_bound": [", ".join(np.array(names)[row]) for row in at_bound],
        "reason": members.reason,
    }
    return Fit(model.name, names, "participant", "hierarchical", pd.DataFrame(columns))
