"""Probes: whether what a candidate returns is a likelihood, found out by changing what it is given.

A program that keeps the contract cannot read ahead or report a likelihood of its own, so it only needs the first
and the last probe; a legacy function needs all of them.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from toolkit.discovery.legacy import LegacyModel
from toolkit.discovery.rejection import Rejected
from toolkit.discovery.sandboxed import SandboxedModel
from toolkit.fitting.starts import draw_starts
from toolkit.trials import Trials

N_POINTS = 16
MOST_HISTORIES = 256
TOLERANCE = 1e-5
"""Of sums of probabilities; functions that add a small number before they take a log are off by as little."""

_TOLD = ("outcome", "category")


def probe(model: SandboxedModel, trials: Trials, *, seed: int = 0) -> None:
    """Refuse a candidate that is no model of these trials.

    Raises
    ------
    Rejected
        with the reason, and the numbers that show it.
    """
    theta = draw_starts(model.parameters, N_POINTS, seed=seed)
    some = _one_person(trials)
    _check_values(model, theta, some)
    if isinstance(model, LegacyModel):
        short = _complete(trials, model)
        _check_last_outcome(model, theta, short)
        _check_histories(model, theta, short)
    _check_parameters(model, theta, some, trials)


def _one_person(trials: Trials) -> Trials:
    return trials.take(trials.participant_index == 0)


def _each(model: SandboxedModel, theta: np.ndarray, trials: Trials) -> np.ndarray:
    """(points, sequences) log-likelihoods of all sequences at every point."""
    n_points, n_sequences = len(theta), len(trials)
    repeated = trials.take(np.tile(np.arange(n_sequences), n_points))
    return _totals(model, np.repeat(theta, n_sequences, 0), repeated).reshape(n_points, n_sequences)


def _totals(model: SandboxedModel, theta: np.ndarray, trials: Trials) -> np.ndarray:
    # A legacy function is interpreted: many are turned down here, sooner than they could be compiled.
    return model.totals(theta, trials, interpreted=isinstance(model, LegacyModel))


def _check_values(model: SandboxedModel, theta: np.ndarray, trials: Trials) -> None:
    value = _each(model, theta, trials).sum(1)
    bad = ~np.isfinite(value)
    if bad.any():
        point = ", ".join(
            f"{one.name} = {number:.3g}"
            for one, number in zip(model.parameters, theta[bad.argmax()], strict=True)
        )
        raise Rejected(
            "invalid probabilities",
            f"the likelihood is not a number at {bad.sum()} of {len(bad)} points within the bounds, "
            f"for instance at {point}.",
            fix="Guard logs, divisions and exponents, or narrow the bounds.",
        )
    if (value > TOLERANCE).any():
        raise Rejected(
            "not a likelihood",
            f"the negative log-likelihood is {-value.max():.4g}, below 0.",
            fix="Return minus the sum of the logs of the probabilities of the choices.",
        )


def _check_parameters(model: SandboxedModel, theta: np.ndarray, some: Trials, everyone: Trials) -> None:
    """Every parameter changes the likelihood somewhere, of one person or else of any."""
    suspected = _idle(model, theta, some, range(len(model.parameters)))
    # Who only ever chose one option says nothing of what becomes of the other.
    idle = _idle(model, theta, everyone, suspected) if suspected else []
    if idle:
        raise Rejected(
            "unused parameter",
            f"the parameter '{model.parameters[idle[0]].name}' makes no difference to the likelihood.",
            fix="Use it, or leave it out.",
        )


def _idle(model: SandboxedModel, theta: np.ndarray, trials: Trials, positions: Iterable[int]) -> list[int]:
    """Those parameters, by position, that may be moved anywhere without a difference."""
    base, idle = _each(model, theta, trials), []
    for position in positions:
        moved = theta.copy()
        moved[:, position] = np.roll(moved[:, position], 1)
        if np.array_equal(_each(model, moved, trials), base):
            idle.append(position)
    return idle


# -- legacy functions ------------------------------------------------------------------------------


def _complete(trials: Trials, model: LegacyModel) -> Trials:
    """The first trials of one sequence on which everything was recorded; few enough to go through all choices."""
    stages = model.program.task.stages
    n_choices = len(stages)
    n_trials = 1
    while trials.n_options ** ((n_trials + 1) * n_choices) <= MOST_HISTORIES:
        n_trials += 1
    told = model.tape(trials).arrays["told"]
    whole = np.zeros(trials.mask.shape, dtype=bool)
    whole[trials.mask] = told
    for stage in stages:
        whole &= trials.scored_for(stage.choice)
    sequence = int(whole.sum(1).argmax())
    where = np.flatnonzero(whole[sequence])[:n_trials]
    if not len(where):
        raise Rejected("contract", "there is no trial on which all that it takes was recorded.")
    arrays = {name: array[[sequence]][:, where] for name, array in trials.arrays.items()}
    if "outcome" in arrays and arrays["outcome"].ndim == 3:
        # Whatever is chosen, something is seen to follow.
        outcome = arrays["outcome"]
        seen = np.nansum(outcome, -1, keepdims=True) / np.maximum(
            1, (~np.isnan(outcome)).sum(-1, keepdims=True)
        )
        arrays["outcome"] = np.where(np.isnan(outcome), seen, outcome)
    mask = np.ones((1, len(where)), dtype=bool)
    return replace(trials, arrays=arrays, mask=mask, sequences=trials.sequences.iloc[[sequence]])


def _check_last_outcome(model: LegacyModel, theta: np.ndarray, short: Trials) -> None:
    """What follows the last choice changes no prediction."""
    for name in _TOLD:
        if name not in short.arrays:
            continue
        array = short.arrays[name].copy()
        array[:, -1] = (array[:, -1] + 1) % short.n_options if name == "category" else array[:, -1] + 1.0
        other = short.updated(**{name: array})
        before, after = (_each(model, theta[:4], one) for one in (short, other))
        if not np.allclose(before, after, rtol=0, atol=1e-9):
            raise Rejected(
                "reads ahead",
                f"the {name} of the last trial changes the likelihood by {np.abs(after - before).max():.3g}, "
                "though it is told after the last choice.",
                fix="Use what a trial brought only from the next trial on.",
            )


def _check_histories(model: LegacyModel, theta: np.ndarray, short: Trials) -> None:
    """Over all choices that could have been made, probabilities sum to 1."""
    stages = model.program.task.stages
    n_free = short.n_trials * len(stages)
    histories = np.array(list(itertools.product(range(short.n_options), repeat=n_free)))
    histories = histories.reshape(len(histories), short.n_trials, len(stages))
    all_of_them = short.take(np.zeros(len(histories), dtype=int))
    choices = {stage.choice: histories[..., number] for number, stage in enumerate(stages)}
    all_of_them = all_of_them.updated(**choices)
    for point in theta[:4]:
        value = _totals(model, np.tile(point, (len(histories), 1)), all_of_them)
        if np.ptp(value) == 0 and not np.isclose(value[0], -n_free * np.log(short.n_options)):
            raise Rejected(
                "constant",
                f"the negative log-likelihood is {-value[0]:.4g} whatever the choices are.",
                fix="Return minus the sum of the logs of the probabilities of the choices.",
            )
        total = np.exp(value).sum()
        if not abs(total - 1) <= TOLERANCE * len(histories):
            raise Rejected(
                "not a likelihood",
                f"the probabilities of all {len(histories)} histories of {n_free} choices sum to "
                f"{total:.4g}, not to 1: it looks at a choice before it predicts it, or does not count all.",
                fix="Predict each choice from earlier trials, and add up minus the log of its probability.",
            )
