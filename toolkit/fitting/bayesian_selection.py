"""How frequent models are among people: random-effects Bayesian model selection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import pandas as pd

from toolkit.errors import UsageError, did_you_mean

Prior = Literal["one_each", "one_in_all"]
_PRIORS = get_args(Prior)

_SMALLEST_STEP = 1e-6
"""Change of a pseudo-count that ends the iteration; frequencies are then exact to about twice as much."""

_LEFT_OUT = 1e-18
"""Probability of the tails that an exceedance probability leaves out."""

_SERIES_BELOW = -40.0
"""Logarithm below which the first term of a gamma distribution function's series is all of it."""


@dataclass(frozen=True)
class ModelFrequencies:
    """What a table of log evidences says about how many people follow each model.

    Attributes
    ----------
    table
        One row a model: ``model``; ``alpha`` (pseudo-count of people); ``frequency`` expected and
        ``frequency_sd``; ``exceedance``, the probability that the model is the most frequent; and
        ``protected_exceedance``, the same where frequencies may not differ at all.
    responsibility
        (participants, models) probability that each model describes each participant.
    bor
        Bayes omnibus risk: the probability that all models are equally frequent.
    free_energy
        Lower bound of the log evidence of differing frequencies, in nats.
    families
        The same of families of models, if they were asked for.
    """

    table: pd.DataFrame
    responsibility: pd.DataFrame
    bor: float
    free_energy: float
    families: ModelFrequencies | None = None


def estimate_frequencies(
    log_evidence: pd.DataFrame,
    *,
    prior: Prior = "one_each",
    families: Mapping[str, str] | None = None,
) -> ModelFrequencies:
    """Frequencies of models among people, each of whom may follow another model.

    The variational scheme of Stephan et al. (2009), with the null of equal frequencies, the Bayes omnibus
    risk and the protected exceedance probabilities of Rigoux et al. (2014). Nothing is sampled.

    Parameters
    ----------
    log_evidence
        (participants, models) in nats, for instance -BIC / 2; index and columns are their names.
    prior
        Pseudo-counts before any data: "one_each" for every model, as is usual, or "one_in_all", 1/K for each
        of K models. With the latter a model that nobody needs comes closer to a frequency of 0, but
        of models that the data cannot tell apart one takes nearly all.
    families
        Family of every model. A person who follows a family is equally likely beforehand to follow each of
        its models, so that large families have no advantage. (Splitting one prior count among a family's
        models, as is also done, favours small families where the data say little: with equal evidence for
        all models, a family of one gets .85 and a family of two .15 of 20 people.)
    """
    from scipy.special import expit

    _check(log_evidence)
    evidence = log_evidence.to_numpy(dtype=float)
    n_models = evidence.shape[1]
    alpha_0 = np.full(n_models, _prior_count(prior, n_models))
    alpha, responsibility = _iterate(evidence, alpha_0)
    bound = _free_energy(evidence, alpha_0, alpha, responsibility)
    bor = float(expit(_null_evidence(evidence) - bound))
    grouped = None
    if families is not None:
        grouped = estimate_frequencies(_family_evidence(log_evidence, families), prior=prior)
    return ModelFrequencies(
        frequency_table(log_evidence.columns, alpha, bor),
        pd.DataFrame(responsibility, log_evidence.index, log_evidence.columns),
        bor,
        bound,
        grouped,
    )


def exceedance_probabilities(alpha: np.ndarray) -> np.ndarray:
    """Probability that each frequency of a Dirichlet distribution is the largest.

    Frequencies are independent gamma variables over their sum, so that each probability is one integral,
    ∫ f_k(x) Π_{j≠k} F_j(x) dx; the trapezoid in log x is exact to about 1e-12.

    >>> exceedance_probabilities(np.array([1.0, 1.0, 1.0])).round(6)
    array([0.333333, 0.333333, 0.333333])
    """
    from scipy.special import gammainccinv, gammaincinv, gammaln, polygamma

    alpha = np.asarray(alpha, dtype=float)
    # The largest variable lies above the lowest quantile of every one, so each distribution is needed from
    # the highest of these only. Quantiles of small counts are smaller than any number; x**alpha bounds those.
    with np.errstate(divide="ignore"):
        low = max(np.log(gammaincinv(alpha, _LEFT_OUT)).max(), np.log(_LEFT_OUT) / alpha.sum())
    high = np.log(gammainccinv(alpha, _LEFT_OUT).max())
    step = min(1.0, np.sqrt(polygamma(1, alpha.max()))) / 16
    log_x = np.linspace(low, high, int((high - low) / step) + 2)[:, None]
    log_density = alpha * log_x - np.exp(log_x) - gammaln(alpha)
    log_cumulated = _log_cumulated(alpha, log_x)
    others = log_cumulated.sum(1, keepdims=True) - log_cumulated
    return np.trapezoid(np.exp(log_density + others), log_x, axis=0)


def _log_cumulated(alpha: np.ndarray, log_x: np.ndarray) -> np.ndarray:
    """Log distribution function of gamma variables (models,) at exp(log_x) (points, 1): (points, models)."""
    from scipy.special import gammainc, gammaln

    leading = alpha * log_x - gammaln(alpha + 1)
    exact = np.log(gammainc(alpha, np.exp(log_x.clip(min=_SERIES_BELOW))))
    return np.where(log_x < _SERIES_BELOW, leading, exact)


def _iterate(evidence: np.ndarray, alpha_0: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Pseudo-counts (models,) and responsibilities (participants, models) at the optimum of the bound."""
    from scipy.special import digamma, softmax

    alpha, step = alpha_0, np.inf
    while step > _SMALLEST_STEP:
        responsibility = softmax(evidence + digamma(alpha), axis=1)
        updated = alpha_0 + responsibility.sum(0)
        alpha, step = updated, np.abs(updated - alpha).max()
    return alpha, responsibility


def _free_energy(
    evidence: np.ndarray, alpha_0: np.ndarray, alpha: np.ndarray, responsibility: np.ndarray
) -> float:
    """Lower bound of the log evidence that frequencies differ."""
    from scipy.special import digamma, entr, gammaln

    log_frequency = digamma(alpha) - digamma(alpha.sum())
    explained = (responsibility * (evidence + log_frequency)).sum() + entr(responsibility).sum()
    normaliser = gammaln(alpha.sum()) - gammaln(alpha).sum()
    normaliser_0 = gammaln(alpha_0.sum()) - gammaln(alpha_0).sum()
    return float(explained - (normaliser - normaliser_0 + ((alpha - alpha_0) * log_frequency).sum()))


def _null_evidence(evidence: np.ndarray) -> float:
    """Log evidence that all models are equally frequent."""
    from scipy.special import logsumexp

    return float((logsumexp(evidence, axis=1) - np.log(evidence.shape[1])).sum())


def frequency_table(models: Sequence[str], alpha: np.ndarray, bor: float) -> pd.DataFrame:
    """:attr:`ModelFrequencies.table` from pseudo-counts (models,) and the omnibus risk."""
    total, exceedance = alpha.sum(), exceedance_probabilities(alpha)
    return pd.DataFrame(
        {
            "model": models,
            "alpha": alpha,
            "frequency": alpha / total,
            "frequency_sd": np.sqrt(alpha * (total - alpha) / (total + 1)) / total,
            "exceedance": exceedance,
            "protected_exceedance": (1 - bor) * exceedance + bor / len(alpha),
        }
    )


def _family_evidence(log_evidence: pd.DataFrame, families: Mapping[str, str]) -> pd.DataFrame:
    """Log evidence of families whose models are equally likely beforehand: (participants, families)."""
    from scipy.special import logsumexp

    models = log_evidence.columns
    for model in families:
        if model not in models:
            raise UsageError(
                f"there is no model '{model}'.", where="families", fix=did_you_mean(model, models)
            )
    absent = [model for model in models if model not in families]
    if absent:
        raise UsageError(f"no family is given for {', '.join(absent)}.", where="families")
    members: dict[str, list[str]] = {}
    for model in models:
        members.setdefault(families[model], []).append(model)
    if len(members) < 2:
        raise UsageError("there is only one family.", where="families", fix="Give two or more.")
    return pd.DataFrame(
        {
            family: logsumexp(log_evidence[own].to_numpy(dtype=float), axis=1) - np.log(len(own))
            for family, own in members.items()
        },
        index=log_evidence.index,
    )


def _prior_count(prior: Prior, n_models: int) -> float:
    if prior not in _PRIORS:
        raise UsageError(f"there is no prior '{prior}'.", fix=did_you_mean(prior, _PRIORS))
    return 1.0 if prior == "one_each" else 1 / n_models


def _check(log_evidence: pd.DataFrame) -> None:
    models = log_evidence.columns
    if len(models) < 2:
        raise UsageError(f"there are {len(models)} models to select from.", fix="Give two or more.")
    if models.has_duplicates:
        raise UsageError(f"two models are called '{models[models.duplicated()][0]}'.")
    if log_evidence.empty:
        raise UsageError("the table of log evidences has no participant.")
    bad = ~np.isfinite(log_evidence.to_numpy(dtype=float))
    if bad.any():
        row, column = np.argwhere(bad)[0]
        raise UsageError(
            f"the log evidence of model '{models[column]}' is {log_evidence.iloc[row, column]} for participant "
            f"{log_evidence.index[row]!r} ({bad.sum()} such values in all).",
            fix="Fit again, or leave the participant or the model out.",
        )
