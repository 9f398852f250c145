"""Learners in a world that changes: their errors beside published ones, and after a change."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from toolkit.experiments.volatile import CategoricalTask, GaussianTask, VolatileTask
from toolkit.models.surprise import predict_stream
from toolkit.models.surprise.predictors import RULES

_NAMES: Mapping[str, tuple[str, dict[str, int]]] = {
    "exact_bayes": ("exact", {}),
    "message_passing": ("message_passing", {}),
    "resampled messages": ("resampling", {}),
    "20 particles": ("particles", {}),
    "1 particle": ("particles", {"n_kept": 1}),
    "nassar_2012": ("nassar_2012", {}),
    "nassar_2010": ("nassar_2010", {}),
    "var_smile": ("var_smile", {}),
    "smile": ("smile", {}),
    "leaky_mean": ("leaky", {}),
}
"""Learners in the order of the published table: rule, and how much it keeps."""

# Noise and change rate, published error of exact Bayes and excess of the others, in the order of the learners.
_PUBLISHED = {
    (0.1, 0.1): (0.00335, 6e-8, 0.0612, 9.1e-5, 0.0012, 1.4e-4, 3.3e-4, 2.1e-4, 0.0013, 0.0063),
    (0.5, 0.05): (0.0642, 2.8e-5, 2.5e-4, 0.0030, 0.049, 0.0054, 0.0153, 0.0069, 0.0214, 0.0494),
    (1.0, 0.01): (0.0788, 8.2e-4, 7.5e-4, 0.0097, 0.147, 0.0230, 0.0965, 0.0274, 0.0442, 0.0512),
    (2.0, 0.005): (0.136, 0.0076, 0.0031, 0.0184, 0.271, 0.0363, 0.178, 0.0442, 0.0609, 0.0549),
    (5.0, 0.1): (0.845, 0.0016, 2.6e-4, 0.0060, 0.084, 1.9e-4, 0.0031, 0.0017, 0.158, 0.192),
}
# The same of symbols, by the concentration of their frequencies. A fifth published setting, of one change in ten
# thousand steps, needs a million of them.
_PUBLISHED_OF_SYMBOLS = {
    (0.14, 0.01): (0.0249, 1.7e-5, 1.4e-5, 0.0044, 0.089, 0.0186, 0.310, 0.0256),
    (1.0, 0.01): (0.0266, 1.7e-4, 5.6e-5, 0.0027, 0.036, 0.0090, 0.077, 0.0127),
    (5.0, 0.01): (0.0144, 8.6e-4, 7.9e-5, 5.2e-4, 0.0064, 0.0013, 0.0102, 0.0049),
    (0.01, 0.005): (0.0028, 1.1e-5, 1.3e-5, 0.0013, 0.038, 0.0031, 0.527, 0.0112),
}
_SETTINGS_OF_SYMBOLS: Mapping[str, tuple[str, tuple[float, ...]]] = {
    "var_smile": ("modulation", (0.16, 0.06, 0.029, 0.20)),
    "smile": ("modulation", (10.0, 0.1, 0.0158, 10.0)),
    "leaky": ("leak", (0.84, 0.96, 0.99, 0.66)),
}
# For the settings above; published ones, else those of the smallest error on three other streams of 20,000 steps
# (``tune_rule``).
_SETTINGS: Mapping[str, tuple[str, tuple[float, ...]]] = {
    "var_smile": ("modulation", (0.79, 0.33, 0.10, 0.049, 0.14)),
    "smile": ("modulation", (0.137, 0.061, 0.0072, 0.0011, 1e-9)),
    "nassar_2010": ("modulation", (0.175, 0.116, 0.058, 0.031, 0.107)),
    "nassar_2012": ("modulation", (0.084, 0.045, 0.0072, 0.005, 0.107)),
    "leaky": ("leak", (0.06, 0.57, 0.87, 0.96, 0.99)),
}


def measure_errors(
    n_streams: int, n_steps: int, *, rng: np.random.Generator, symbols: bool = False
) -> pd.DataFrame:
    """Mean squared errors of every learner in the published settings, on the same streams.

    Parameters
    ----------
    symbols
        Of symbols whose frequencies change, not of numbers whose mean does.

    Returns
    -------
    One row a setting and learner: ``noise`` (of symbols: ``concentration``), ``change_rate, learner, error``, ``excess``
    over exact Bayes and, in the same form, ``published`` (of exact Bayes its error).
    """
    rows = []
    for number, (setting, published) in enumerate((_PUBLISHED_OF_SYMBOLS if symbols else _PUBLISHED).items()):
        task: VolatileTask = (CategoricalTask if symbols else GaussianTask)(*setting)
        streams = task.draw(n_streams, n_steps, rng=rng)
        exact = 0.0
        for (learner, estimate), known in zip(
            _estimates(task, streams.observed, number), published, strict=True
        ):
            error = float(streams.squared_error(estimate).mean())
            exact = error if learner == "exact_bayes" else exact
            rows.append((*setting, learner, error, error - exact, known))
    first = "concentration" if symbols else "noise"
    return pd.DataFrame(rows, columns=[first, "change_rate", "learner", "error", "excess", "published"])


def follow_changes(n_streams: int, n_steps: int, n_after: int, *, rng: np.random.Generator) -> pd.DataFrame:
    """Errors of every learner 0, 1, 2, … steps after a change, in the second published setting.

    Returns
    -------
    One row a learner and step: ``learner, step, error``.
    """
    number, (noise, change_rate) = 1, list(_PUBLISHED)[1]
    task = GaussianTask(noise, change_rate)
    streams = task.draw(n_streams, n_steps, rng=rng)
    parts = [
        pd.DataFrame(
            {
                "learner": learner,
                "step": range(n_after),
                "error": streams.error_after_change(estimate, n_after),
            }
        )
        for learner, estimate in _estimates(task, streams.observed, number)
    ]
    return pd.concat(parts, ignore_index=True)


def beside_published(errors: pd.DataFrame) -> pd.DataFrame:
    """Errors as a table to be read, ours and published, a column a setting: of exact Bayes, and the others' excess.

    Parameters
    ----------
    errors
        Of :func:`measure_errors`.
    """
    exact = errors["learner"] == "exact_bayes"
    ours = errors["excess"].where(~exact, errors["error"])
    cells = [f"{mine:.2g} ({known:.2g})" for mine, known in zip(ours, errors["published"], strict=True)]
    first = errors.columns[0]
    setting = [
        f"{first} {value:g}, change {rate:g}"
        for value, rate in zip(errors[first], errors["change_rate"], strict=True)
    ]
    table = errors.assign(cell=cells, setting=setting)
    order = table["setting"].drop_duplicates()
    wide = table.pivot_table("cell", "learner", "setting", aggfunc="first")
    wide = wide.loc[list(errors["learner"].drop_duplicates()), list(order)]
    return wide.reset_index()


def _estimates(task: VolatileTask, observed: np.ndarray, number: int) -> Iterator[tuple[str, np.ndarray]]:
    symbols = isinstance(task, CategoricalTask)
    settings = _SETTINGS_OF_SYMBOLS if symbols else _SETTINGS
    for learner, (rule, kept) in _NAMES.items():
        if symbols and RULES[rule].only_numbers:
            continue
        setting: dict[str, Any] = {}
        if rule in settings:
            name, values = settings[rule]
            setting[name] = values[number]
        yield learner, predict_stream(rule, observed, task, **kept, **setting)
