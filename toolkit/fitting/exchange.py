"""Posteriors of hierarchical fits in the form that arviz reads, for its summaries, diagnostics and plots."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from toolkit.errors import UsageError, did_you_mean
from toolkit.fitting.likelihood import NUMBERS_AT_ONCE
from toolkit.seeds import Seeds

if TYPE_CHECKING:
    from toolkit.fitting.hierarchical import Hierarchical
    from toolkit.models import Model
    from toolkit.trials import Trials


def to_arviz(
    found: Hierarchical, model: str, trials: Trials, *, n_draws: int = 1000, n_chains: int = 4, seed: int = 0
) -> Any:
    """Draws from the posteriors under one model, with the log-likelihood of every choice and the choices.

    The draws are independent, from the normal approximations, so that chains differ by chance alone.

    Parameters
    ----------
    model
        Name of a model of the fit.
    trials
        What it was fitted to.
    n_draws
        Of each chain.

    Returns
    -------
    What ``arviz.from_dict`` makes: groups ``posterior`` with every parameter (chain, draw, participant) and its
    group's typical value and deviation (chain, draw), as ``group_typical`` and ``group_sd``; ``log_likelihood`` and
    ``observed_data`` of every scored ``choice``.
    """
    try:
        import arviz
    except ImportError:
        raise UsageError("arviz is not installed.", fix="pip install arviz") from None
    groups = posterior_draws(found, model, trials, n_draws=n_draws, n_chains=n_chains, seed=seed)
    coordinates = {"participant": list(trials.participants), "parameter": list(found.fits[model].parameters)}
    dimensions = {
        **{name: ["participant"] for name in found.fits[model].parameters},
        "group_typical": ["parameter"],
        "group_sd": ["parameter"],
        "choice": ["trial"],
    }
    if hasattr(arviz, "InferenceData"):  # Before version 1 groups were arguments.
        return arviz.from_dict(**groups, coords=coordinates, dims=dimensions)
    return arviz.from_dict(groups, coords=coordinates, dims=dimensions)


def posterior_draws(
    found: Hierarchical, model: str, trials: Trials, *, n_draws: int = 1000, n_chains: int = 4, seed: int = 0
) -> dict[str, dict[str, np.ndarray]]:
    """What :func:`to_arviz` hands to arviz: arrays by name, by group."""
    if model not in found.fits:
        raise UsageError(f"no model '{model}' was fitted.", fix=did_you_mean(model, found.fits))
    rng, shape = Seeds(seed).numpy("draws"), (n_chains, n_draws)
    theta = found.draw(model, n_chains * n_draws, rng)
    log_likelihood = _of_choices(found.models[model], theta, trials)
    typical, sd = found.draw_group(model, n_chains * n_draws, rng)
    names = found.fits[model].parameters
    posterior = {name: theta[..., number].reshape(*shape, -1) for number, name in enumerate(names)}
    posterior |= {"group_typical": typical.reshape(*shape, -1), "group_sd": sd.reshape(*shape, -1)}
    return {
        "posterior": posterior,
        "log_likelihood": {"choice": log_likelihood.reshape(*shape, -1)},
        "observed_data": {"choice": trials.choice[trials.scored]},
    }


def _of_choices(model: Model, theta: np.ndarray, trials: Trials) -> np.ndarray:
    """Log-probabilities (draws, scored choices) with draws (draws, participants, parameters), a few draws at a time.

    All at once, what exemplars are compared with would take gigabytes for people of one study.
    """
    at_once = max(1, NUMBERS_AT_ONCE // (trials.mask.size * trials.n_options))
    each = np.empty((len(theta), int(trials.scored.sum())))
    for start in range(0, len(theta), at_once):
        some = slice(start, start + at_once)
        each[some] = model.log_likelihood(theta[some], trials)[:, trials.scored]
    return each
