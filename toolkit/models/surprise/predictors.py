"""Estimates of a changing world from a stream of observations, by exact Bayes and by what approximates it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from toolkit.errors import UsageError, did_you_mean
from toolkit.experiments.volatile import CategoricalTask, GaussianTask, Streams, VolatileTask
from toolkit.models.compiling import Compiled, Sequences, compile_sequence
from toolkit.models.surprise import messages, modulated, particles

RATES = np.geomspace(1e-4, 0.5, 24)
"""Change rates thought possible, equally likely at first, where the rate is learned."""

_KNOWN_RATE = np.zeros(0)
_LARGEST_SEED = 2**31 - 1


@dataclass(frozen=True)
class Rule:
    """How one rule is computed.

    Attributes
    ----------
    track
        Function of the subset that fills in a stream's estimates.
    setting
        Its number: ``change_rate``, which is the task's where it is not given, ``modulation`` or ``leak``.
    constants
        Its other arguments, apart from those that say what the task is.
    only_numbers
        Whether it is for tasks with numbers alone.
    """

    track: Callable[..., None]
    setting: str
    constants: Mapping[str, Any]
    only_numbers: bool = False


def _messages(n_most: int, *, resampled: bool = False, learned: bool = False) -> Rule:
    constants = {"n_most": n_most, "resampled": int(resampled), "rates": RATES if learned else _KNOWN_RATE}
    return Rule(messages.track_messages, "change_rate", constants)


def _modulated(code: int, *, only_numbers: bool = False) -> Rule:
    return Rule(modulated.track_modulated, "modulation", {"rule": code}, only_numbers)


RULES: Mapping[str, Rule] = {
    "exact": _messages(0),
    "exact_learning_rate": _messages(0, learned=True),
    "message_passing": _messages(20),
    "message_passing_learning_rate": _messages(20, learned=True),
    "resampling": _messages(20, resampled=True),
    "particles": Rule(particles.track_particles, "change_rate", {"n_particles": 20}),
    "var_smile": _modulated(modulated.VAR_SMILE),
    "smile": _modulated(modulated.SMILE),
    "nassar_2010": _modulated(modulated.NASSAR_2010, only_numbers=True),
    "nassar_2012": _modulated(modulated.NASSAR_2012, only_numbers=True),
    "leaky": Rule(modulated.track_leaky, "leak", {}),
}
"""By name. "exact" keeps a message for every time the world may have changed at (Adams & MacKay, 2007; Fearnhead & Liu,
2007), "message_passing" the largest 20, "resampling" 20 drawn by Fearnhead and Liu's scheme; those that end in
"learning_rate" also learn how often the world changes. "particles" is a filter of 20 particles, "var_smile" and
"smile" modulate one belief by surprise (Liakoni et al., 2021; Faraji et al., 2018), "nassar_2010" and "nassar_2012" are
delta rules of Nassar and colleagues with the task's prior, "leaky" a leaky mean."""


def predict_stream(
    rule: str,
    observed: np.ndarray,
    task: VolatileTask,
    *,
    n_kept: int | None = None,
    seed: int = 1,
    n_threads: int = 1,
    **setting: float,
) -> np.ndarray:
    """What a rule expects of the hidden world after every observation.

    Parameters
    ----------
    rule
        A name from ``RULES``.
    observed
        (streams, steps).
    task
        What is known of the world: its noise, what worlds there are, and how often they change.
    n_kept
        Messages or particles kept, for rules that keep 20 by default.
    seed
        Of rules that draw random numbers; every stream has its own.
    n_threads
        Streams computed at once.
    setting
        The rule's number: ``change_rate`` (the task's by default), ``modulation`` or ``leak``.

    Returns
    -------
    (streams, steps, dimensions).
    """
    if rule not in RULES:
        raise UsageError(f"there is no rule '{rule}'.", fix=did_you_mean(rule, RULES))
    observed = np.asarray(observed, dtype=float)
    found = RULES[rule]
    n_streams, n_steps = observed.shape
    prior, noise = _what_is_known(task)
    if found.only_numbers and noise == 0:
        raise UsageError(f"'{rule}' is for numbers, not for symbols.", fix="Use 'var_smile'.")
    constants = {"prior": prior, "noise": noise, **_with_kept(rule, found, n_kept)}
    compiled = _compiled(rule)
    streams = Sequences(
        np.arange(n_streams + 1) * n_steps,
        {"observed": observed.ravel(), "seed": _seeds(seed, observed.shape)},
        np.empty(0, int),
        1 if noise else len(prior) - 1,
    )
    theta = np.full((n_streams, 1), _setting(rule, found, setting, task))
    return compiled.probabilities(theta, np.arange(n_streams), streams, constants, n_threads)


def tune_rule(
    rule: str, streams: Streams, task: VolatileTask, grid: Iterable[float], **options: Any
) -> tuple[float, float]:
    """The rule's setting with the smallest mean squared error on ``streams``, and that error.

    Parameters
    ----------
    grid
        Values of its setting to try.
    options
        Of :func:`predict_stream`.
    """
    name = RULES[rule].setting if rule in RULES else ""
    errors = {
        float(value): float(
            streams.squared_error(
                predict_stream(rule, streams.observed, task, **options, **{name: float(value)})
            ).mean()
        )
        for value in grid
    }
    best = min(errors, key=errors.__getitem__)
    return best, errors[best]


def _what_is_known(task: VolatileTask) -> tuple[np.ndarray, float]:
    if isinstance(task, GaussianTask):
        return np.array([task.prior_mean, task.prior_sd]), float(task.noise)
    if isinstance(task, CategoricalTask):
        counts = np.full(task.n_symbols, float(task.concentration))
        return np.append(counts, counts.sum()), 0.0
    raise UsageError(f"{type(task).__name__} is no task that can be predicted.")


def _with_kept(rule: str, found: Rule, n_kept: int | None) -> dict[str, Any]:
    constants = dict(found.constants)
    if n_kept is not None:
        name = next((name for name in ("n_particles", "n_most") if constants.get(name)), None)
        if name is None or n_kept < 1:
            raise UsageError(f"'{rule}' cannot keep {n_kept} messages or particles.")
        constants[name] = int(n_kept)
    return constants


def _setting(rule: str, found: Rule, given: Mapping[str, float], task: VolatileTask) -> float:
    for name in given:
        if name != found.setting:
            raise UsageError(f"'{rule}' has no setting '{name}'.", fix=f"Its setting is {found.setting}.")
    if found.setting == "change_rate":
        return float(given.get("change_rate", task.change_rate))
    if found.setting not in given:
        raise UsageError(f"'{rule}' needs {found.setting}.", fix="tune_rule() finds the best one.")
    return float(given[found.setting])


def _seeds(seed: int, shape: tuple[int, int]) -> np.ndarray:
    """A state of the generator for every stream, at its first step."""
    seeds = np.zeros(shape)
    seeds[:, 0] = np.random.default_rng(seed).integers(1, _LARGEST_SEED, shape[0])
    return seeds.ravel()


@cache
def _compiled(rule: str) -> Compiled:
    found = RULES[rule]
    example = {"prior": np.zeros(1), "noise": 0.0, **found.constants}
    return compile_sequence(
        found.track,
        (found.setting,),
        per_trial={"observed": np.zeros(0), "seed": np.zeros(0)},
        constants=example,
    )
