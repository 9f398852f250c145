"""What a fitted model answers, trial by trial."""

from __future__ import annotations

import numpy as np

from toolkit.errors import UsageError
from toolkit.fitting.fitting import Fit, one_thread
from toolkit.fitting.likelihood import Likelihood, units_of
from toolkit.models import Model, get_model_for
from toolkit.seeds import Seeds
from toolkit.trials import Trials


def predict_correct(
    found: Fit, trials: Trials, *, model: Model | None = None, by_itself: bool = False, seed: int = 0
) -> np.ndarray:
    """Probability that the fitted model answers right where the participant did answer.

    Each trial is predicted from what the participant had seen and chosen before it. So the mean over trials is
    the learning curve that the model expects on exactly the trials that were made.

    Parameters
    ----------
    found
        Fit of the model to these trials.
    model
        The model that was fitted, if it was made with options.
    by_itself
        Whether models that read choices are not told the person's, but expect what they would do themselves with what
        was shown and told. Only then does a curve near that of people say something about such a model: told who is
        wrong so far, it foretells who will be. For the others it makes no difference.
    seed
        Of the learners that are simulated where this cannot be computed.

    Returns
    -------
    (sequences, trials), NaN where no choice is scored or where nothing is right.
    """
    grouped, _ = units_of(trials, found.share)
    model = model_of(found, grouped) if model is None else model
    if by_itself and model.reads_choices:
        p = model.marginal(found.theta, grouped, Seeds(seed).numpy("learners"))
    else:
        p = model.predict(found.theta, grouped)
    p = np.take_along_axis(p, np.maximum(trials.right, 0)[..., None], -1)[..., 0]
    return np.where(np.isnan(trials.correct), np.nan, p)


def model_of(found: Fit, grouped: Trials) -> Model:
    """The model of a fit's name, once it is known that it was made without options: it must give the fit's likelihoods.

    Parameters
    ----------
    grouped
        The trials that were fitted, the fit's units as participants.
    """
    model = get_model_for(found.model, grouped)
    told = found.table["log_likelihood"].to_numpy(dtype=float)
    counted = found.table["n_trials"].to_numpy()
    same = tuple(parameter.name for parameter in model.parameters) == found.parameters
    if same and len(counted) == len(grouped.participants):
        known = np.flatnonzero(np.isfinite(told) & (counted == grouped.n_scored))
        with one_thread():
            value, _ = Likelihood(model, grouped).evaluate(found.theta[known], known)
        same = np.allclose(value, told[known], rtol=1e-5, atol=1e-3)
    if not same:
        raise UsageError(
            f"model '{found.model}' without options does not give this fit's likelihoods of these trials.",
            fix="Give the model that was fitted, and the trials that it was fitted to.",
        )
    return model
