"""Likelihoods of choices that a fit did not see."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd

from toolkit.errors import UsageError, did_you_mean
from toolkit.fitting.fitting import Fit, fit, one_thread
from toolkit.fitting.likelihood import EVERYONE, Likelihood, Share, units_of, with_participants
from toolkit.models import Model, get_model_for
from toolkit.seeds import Seeds
from toolkit.trials import Trials, concat

Scheme = Literal["problem", "last_block", "participants"]
_SCHEMES = get_args(Scheme)

_OPTIONS_OF_FIT = ("method", "n_starts", "exchange_rounds", "progress")


@dataclass(frozen=True)
class CrossValidation:
    """How well a model predicts what its fit did not see.

    Attributes
    ----------
    model
        Its name.
    scheme
        What was left out, see :func:`cross_validate`.
    table
        One row a participant: ``participant``; ``log_likelihood`` of the choices left out and their number
        ``n_trials``, over all folds; ``nats_per_trial``, -log_likelihood a choice; and ``reason``, why there is no
        likelihood, or which fit behind it did not converge.
    """

    model: str
    scheme: Scheme
    table: pd.DataFrame


@dataclass(frozen=True)
class _Fold:
    """What is fitted and what is predicted from it; both may hold the same trials, scored differently."""

    training: Trials
    test: Trials


def cross_validate(
    model: str | Model,
    trials: Trials,
    *,
    scheme: Scheme = "problem",
    share_of_trials: float = 0.25,
    n_folds: int = 5,
    seed: int = 0,
    **options: Any,
) -> CrossValidation:
    """Fit a model to some of the choices and score it on the others.

    All folds are searched at once, but none starts from where another ended, which may have seen the choices that
    are left out.

    Parameters
    ----------
    scheme
        "problem" leaves out one problem of every participant at a time and predicts it from the participant's
        others; "last_block" leaves out the end of every problem, which is then predicted with all that came
        before it in view; "participants" leaves out participants, who are predicted with the parameters that
        describe all others best.
    share_of_trials
        Share of every problem that is its end, for "last_block".
    n_folds
        Groups into which participants are dealt at random, for "participants".
    options
        Of :func:`toolkit.fitting.fit`: ``method``, ``n_starts``, ``exchange_rounds``, ``progress``.
    """
    model = get_model_for(model, trials) if isinstance(model, str) else model
    if scheme not in _SCHEMES:
        raise UsageError(f"there is no scheme '{scheme}'.", fix=did_you_mean(scheme, _SCHEMES))
    for name in options:
        # Who shares parameters, and who exchanges optima, follows from what is left out.
        if name not in _OPTIONS_OF_FIT:
            raise UsageError(
                f"'{name}' is no option of a fit to some of the choices.",
                where="cross_validate",
                fix=did_you_mean(name, _OPTIONS_OF_FIT),
            )
    folds = {
        "problem": lambda: _problems(trials),
        "last_block": lambda: iter([_Fold(*split_last_block(trials, share_of_trials))]),
        "participants": lambda: _participants(trials, n_folds, seed),
    }[scheme]()
    tests, training = zip(*((fold.test, fold.training) for fold in folds), strict=True)
    learned = _Learned.of(
        model, training, EVERYONE if scheme == "participants" else "participant", seed, options
    )
    scores = _Scores(trials)
    for number, test in enumerate(tests):
        scores.add(model, test, learned, number)
    return CrossValidation(model.name, scheme, scores.table())


@dataclass(frozen=True)
class _Learned:
    """Fits of all folds: the table of :func:`toolkit.fitting.fit`, with rows by ``(fold, participant)``."""

    found: Fit
    rows: pd.MultiIndex
    share: Share

    @classmethod
    def of(
        cls, model: Model, training: Sequence[Trials], share: Share, seed: int, options: Mapping[str, Any]
    ) -> _Learned:
        """One fit, in which the units of every fold are participants of their own."""
        parts, keys = [], []
        for number, (grouped, units) in enumerate(units_of(fold, share) for fold in training):
            parts.append(with_participants(grouped, len(keys) + grouped.sequences["participant"].to_numpy()))
            keys += [(number, name) for name in units["participant"]]
        found = fit(model, concat(parts), seed=seed, company=[number for number, _ in keys], **options)
        rows = pd.MultiIndex.from_tuples([keys[unit] for unit in found.table["participant"]])
        return cls(found, rows, share)

    def of_people(self, fold: int, people: pd.Series) -> np.ndarray:
        """(people,) rows of the table with what each is predicted with."""
        if self.share == EVERYONE:
            people = np.repeat(EVERYONE, len(people))
        return self.rows.get_indexer([(fold, person) for person in people])


def _problems(trials: Trials) -> Iterator[_Fold]:
    order = trials.sequences.groupby("participant", sort=False).cumcount().to_numpy()
    n_problems = np.bincount(trials.participant_index)[trials.participant_index]
    if n_problems.max() < 2:
        raise UsageError(
            "nobody has two problems, so none can be predicted from others.",
            where="scheme 'problem'",
            fix="Use the scheme 'last_block' or 'participants'.",
        )
    for number in range(n_problems.max()):
        concerned = n_problems > max(number, 1)
        yield _Fold(trials.take(concerned & (order != number)), trials.take(concerned & (order == number)))


def split_last_block(trials: Trials, share: float) -> tuple[Trials, Trials]:
    """The same trials twice: without the end of every problem, a share of it, and with only that to be scored."""
    if not 0 < share < 1:
        raise UsageError(f"share_of_trials is {share}.", fix="It must lie between 0 and 1.")
    length = trials.mask.sum(1, keepdims=True)
    left_out = trials.mask.cumsum(1) > length - np.ceil(share * length)
    return trials.leaving_out(left_out), trials.leaving_out(~left_out)


def _participants(trials: Trials, n_folds: int, seed: int) -> Iterator[_Fold]:
    n_participants = len(trials.participants)
    if not 2 <= n_folds <= n_participants:
        raise UsageError(f"{n_participants} participants cannot be dealt into {n_folds} folds.")
    fold = Seeds(seed).numpy("folds").permutation(n_participants) % n_folds
    for number in range(n_folds):
        tested = fold[trials.participant_index] == number
        yield _Fold(trials.take(~tested), trials.take(tested))


class _Scores:
    """Sums over folds for every participant."""

    def __init__(self, trials: Trials) -> None:
        self.participants = pd.Index(trials.participants)
        self.log_likelihood = np.zeros(len(self.participants))
        self.n_trials = np.zeros(len(self.participants), dtype=int)
        self.reason = np.full(len(self.participants), "", dtype=object)

    def add(self, model: Model, test: Trials, learned: _Learned, fold: int) -> None:
        """Score the choices of ``test`` with the parameters found for a fold."""
        grouped, units = units_of(test, "participant")
        found, row = learned.found, learned.of_people(fold, units["participant"])
        theta, reason = found.theta[row], found.table["reason"].to_numpy()[row]
        known = np.isfinite(theta).all(-1)
        value = np.where(grouped.n_scored > 0, np.nan, 0)
        with one_thread():
            value[known], _ = Likelihood(model, grouped).evaluate(theta[known], np.flatnonzero(known))
        at = self.participants.get_indexer(units["participant"])
        self.log_likelihood[at] += value
        self.n_trials[at] += grouped.n_scored
        converged = found.table["converged"].to_numpy()[row]
        self.reason[at] = np.where(converged, self.reason[at], reason)

    def table(self) -> pd.DataFrame:
        """One row a participant."""
        none = self.n_trials == 0
        log_likelihood = np.where(none, np.nan, self.log_likelihood)
        return pd.DataFrame(
            {
                "participant": self.participants,
                "log_likelihood": log_likelihood,
                "n_trials": self.n_trials,
                "nats_per_trial": -log_likelihood / np.where(none, 1, self.n_trials),
                "reason": np.where(none & (self.reason == ""), "no choice was left out", self.reason),
            }
        )
