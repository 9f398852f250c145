"""What a fitted model answers, trial by trial."""

from __future__ import annotations

import numpy as np

from toolkit.fitting.fitting import Fit
from toolkit.fitting.likelihood import units_of
from toolkit.models import Model, get_model_for
from toolkit.trials import Trials


def predict_correct(found: Fit, trials: Trials, *, model: Model | None = None) -> np.ndarray:
    """Probability that the fitted model answers right where the participant did answer.

    Each trial is predicted from what the participant had seen and chosen before it. So the mean over trials is
    the learning curve that the model expects on exactly the trials that were made.

    Parameters
    ----------
    found
        Fit of the model to these trials.
    model
        The model that was fitted, if it was made with options.

    Returns
    -------
    (sequences, trials), NaN where no choice is scored or where nothing is right.
    """
    model = get_model_for(found.model, trials) if model is None else model
    grouped, _ = units_of(trials, found.share)
    p = model.predict(found.theta, grouped)
    p = np.take_along_axis(p, np.maximum(trials.right, 0)[..., None], -1)[..., 0]
    return np.where(np.isnan(trials.correct), np.nan, p)
