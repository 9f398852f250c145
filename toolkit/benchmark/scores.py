"""How good probabilities are: hits, order, and whether they mean what they say."""

from __future__ import annotations

import numpy as np
import pandas as pd

SMALLEST_PROBABILITY = 1e-6
"""What is given less counts as given so much, so that one certain mistake does not decide a mean."""

N_BINS = 10

METRICS = ("accuracy", "balanced_accuracy", "auc", "log_loss")
LOWER_IS_BETTER = ("log_loss", "calibration_error")


def measure(p: np.ndarray, predicted: np.ndarray, y: np.ndarray) -> dict[str, float]:
    """All metrics of one test.

    Parameters
    ----------
    p
        (rows, classes) probabilities.
    predicted, y
        (rows,) the class said and the right one, as numbers.

    Returns
    -------
    ``accuracy``; ``balanced_accuracy``, the mean over the classes that occur; ``auc``, the area under the
    curve of each class that occurs against the others, averaged (NaN if only one occurs); ``log_loss``.
    """
    right, classes = predicted == y, np.unique(y)
    rights = [right[y == one].mean() for one in classes]
    likelihood = p[np.arange(len(y)), y].clip(SMALLEST_PROBABILITY)
    areas = [_area(p[:, one], y == one) for one in classes] if len(classes) > 1 else [np.nan]
    return {
        "accuracy": float(right.mean()),
        "balanced_accuracy": float(np.mean(rights)),
        "auc": float(np.mean(areas)),
        "log_loss": float(-np.log(likelihood).mean()),
    }


def reliability(p: np.ndarray, predicted: np.ndarray, y: np.ndarray) -> pd.DataFrame:
    """How often the class said is right, by the probability it was given.

    Returns
    -------
    One row a bin of probability: ``bin`` (0 to 9), ``n``, and sums of ``confidence`` and ``correct``.
    """
    confidence = p[np.arange(len(y)), predicted]
    number = np.minimum((confidence * N_BINS).astype(int), N_BINS - 1)
    return pd.DataFrame(
        {
            "bin": np.arange(N_BINS),
            "n": np.bincount(number, minlength=N_BINS),
            "confidence": np.bincount(number, confidence, N_BINS),
            "correct": np.bincount(number, predicted == y, N_BINS),
        }
    )


def calibration_error(bins: pd.DataFrame) -> float:
    """Expected calibration error of rows of :func:`reliability`: mean gap between confidence and hits."""
    pooled = bins.groupby("bin")[["n", "confidence", "correct"]].sum()
    return float((pooled["confidence"] - pooled["correct"]).abs().sum() / pooled["n"].sum())


def _area(scores: np.ndarray, positive: np.ndarray) -> float:
    """Chance that a positive row scores higher than another, ties counting half."""
    from scipy.stats import rankdata

    n = positive.sum()
    return (rankdata(scores)[positive].sum() - n * (n + 1) / 2) / (n * (len(scores) - n))
