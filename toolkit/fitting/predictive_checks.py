"""Posterior predictive checks of bandits: do fitted models, let loose on the task, behave as people did?"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from toolkit.errors import UsageError
from toolkit.fitting.fitting import Fit
from toolkit.fitting.predictions import model_of
from toolkit.models import Model
from toolkit.seeds import Seeds
from toolkit.trials import MISSING, Trials

N_PARTS = 4
"""Parts of the visits to a set of options, in each of which accuracy is looked at."""


@dataclass(frozen=True)
class PredictiveCheck:
    """What people did beside what a fitted model does on the same task.

    Attributes
    ----------
    table
        One row a pattern, a mean over people: ``pattern, n_participants, observed``; ``simulated`` with
        ``low`` and ``high``, between which 95 % of the simulated studies lie; ``inside``, whether what was observed is
        between them; and ``correlation``, over people, of what each did with what the model does in their place.
    participants
        One row a participant and pattern: ``participant, pattern, observed, simulated, low, high``.
    n_simulations
        Studies that were simulated.
    """

    table: pd.DataFrame
    participants: pd.DataFrame
    n_simulations: int


def check_choices(
    found: Fit,
    trials: Trials,
    *,
    model: Model | None = None,
    theta: np.ndarray | None = None,
    n_simulations: int = 20,
    seed: int = 0,
) -> PredictiveCheck:
    """Simulate the study with everyone's fitted parameters, and compare patterns of choices.

    Unlike :func:`toolkit.fitting.predict_correct`, which foretells every choice from the person's own earlier ones, this
    lets the model live with its own: a model may foretell choices well and yet not produce them.

    Parameters
    ----------
    found
        Fit to these bandit trials, one unit a participant.
    model
        The model that was fitted, if it was made with options.
    theta
        (simulations, participants, parameters) instead of the estimates, for instance draws of
        :meth:`toolkit.fitting.Hierarchical.draw`; the number of simulations is then theirs.
    """
    if found.share != "participant":
        raise UsageError(f"this fit shares parameters by {found.share}.", fix='Fit with share="participant".')
    model = model_of(found, trials) if model is None else model
    theta = np.broadcast_to(found.theta, (n_simulations, *found.theta.shape)) if theta is None else theta
    seeds, n_people = Seeds(seed), len(trials.participants)
    design = with_payoffs(_repeated(trials, len(theta)), seeds.numpy("payoffs"))
    simulated = model.simulate(theta.reshape(-1, theta.shape[-1]), design, seeds.numpy("choices"))
    patterns = describe_choices(simulated)
    study, position = np.divmod(patterns["participant"].to_numpy(), n_people)
    patterns = patterns.assign(study=study, participant=np.array(trials.participants, dtype=object)[position])
    return _compared(describe_choices(trials), patterns, len(theta))


def describe_choices(trials: Trials) -> pd.DataFrame:
    """Patterns in everyone's free choices, for people and agents alike.

    Returns
    -------
    One row a participant and pattern: ``participant, pattern, value, n``. "accuracy 1/4" to "accuracy 4/4", by
    the part of the visits to a set of options, where one of them is better; "repeat after win" and "repeat after
    loss", whether the option is chosen again on the next visit, and the same "after forced win" and "after forced
    loss" for outcomes of forced choices. A win is an outcome above the middle of the smallest and largest.
    """
    if trials.schema.name != "bandit":
        raise UsageError(f"patterns are those of bandits, not of {trials.schema.name} trials.")
    visit, n_visits, before = _visits(trials)
    parts = [np.where(trials.scored, trials.correct, np.nan)] if "answer" in trials.arrays else []
    part = visit * N_PARTS // np.maximum(n_visits, 1)
    named = {
        f"accuracy {number + 1}/{N_PARTS}": np.where(part == number, right, np.nan)
        for right in parts
        for number in range(N_PARTS)
    }
    earlier = before.clip(min=0)
    last = np.take_along_axis(trials.choice, earlier, 1)
    outcome = np.take_along_axis(trials.outcome, earlier[..., None], 1)
    outcome = np.take_along_axis(outcome, last.clip(min=0)[..., None], -1)[..., 0]
    known = trials.scored & (before >= 0) & (last != MISSING) & ~np.isnan(outcome)
    forced = trials.arrays.get("forced", np.zeros_like(trials.mask))
    forced = np.take_along_axis(forced, earlier, 1)
    middle = (np.nanmin(trials.outcome) + np.nanmax(trials.outcome)) / 2
    repeated = (trials.choice == last).astype(float)
    for was_forced, word in ((False, ""), (True, "forced ")):
        for won, what in ((True, "win"), (False, "loss")):
            which = known & (forced == was_forced) & ((outcome > middle) == won)
            named[f"repeat after {word}{what}"] = np.where(which, repeated, np.nan)
    return pd.concat([_means(name, value, trials) for name, value in named.items()], ignore_index=True)


def with_payoffs(trials: Trials, rng: np.random.Generator) -> Trials:
    """The trials with what every option would have paid, so that agents can make them.

    Where that is not recorded and was not shown, it is drawn from the outcomes that people had from the same option:
    of the same set, in the same condition, with the same option the better one.
    """
    shown = trials.outcome
    payoff = np.where(np.isnan(shown), trials.arrays.get("payoff", np.nan), shown)
    condition = pd.factorize(trials.sequences["condition"])[0]
    better = trials.arrays.get("answer", np.zeros_like(trials.choice))
    kinds = np.stack([np.broadcast_to(condition[:, None], better.shape), trials.context, better], -1).reshape(
        -1, 3
    )
    kind = np.unique(kinds, axis=0, return_inverse=True)[1].reshape(better.shape)
    for number, option in np.ndindex(kind.max() + 1, trials.n_options):
        here = (kind == number) & trials.mask
        values = payoff[..., option]
        absent, known = here & np.isnan(values), values[here & ~np.isnan(values)]
        if absent.any() and not len(known):
            row = int(np.flatnonzero(absent.any(1))[0])
            raise UsageError(
                f"nobody saw an outcome of option {option} in condition '{trials.sequences['condition'].iloc[row]}', "
                f"set {trials.context[row][absent[row]][0]}.",
                fix="Add an array 'payoff' with what every option would have paid.",
            )
        if absent.any():
            payoff[absent, option] = rng.choice(known, int(absent.sum()))
    return trials.updated(payoff=payoff)


def _repeated(trials: Trials, n_times: int) -> Trials:
    """The same people over and over, numbered on."""
    n_people = len(trials.participants)
    copies = trials.take(np.tile(np.arange(len(trials)), n_times))
    number = np.add.outer(np.arange(n_times) * n_people, trials.participant_index).ravel()
    return replace(copies, sequences=copies.sequences.assign(participant=number))


def _visits(trials: Trials) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Number of the visit to the set of options, of all visits, and trial of the visit before, -1 for none."""
    visit, before = np.zeros_like(trials.choice), np.full_like(trials.choice, -1)
    n_visits = np.zeros_like(visit)
    position = np.arange(trials.n_trials)
    for context in np.unique(trials.context[trials.mask]):
        here = trials.mask & (trials.context == context)
        visit = np.where(here, here.cumsum(1) - 1, visit)
        n_visits = np.where(here, here.sum(1, keepdims=True), n_visits)
        last = np.maximum.accumulate(np.where(here, position, -1), axis=1)
        before = np.where(here, np.pad(last, ((0, 0), (1, 0)), constant_values=-1)[:, :-1], before)
    return visit, n_visits, before


def _means(pattern: str, value: np.ndarray, trials: Trials) -> pd.DataFrame:
    """Mean over the trials of every participant who has any: (sequences, trials) with NaN elsewhere."""
    n_people, known = len(trials.participants), ~np.isnan(value)
    count = np.bincount(trials.participant_index, known.sum(1), n_people)
    total = np.bincount(trials.participant_index, np.where(known, value, 0).sum(1), n_people)
    table = pd.DataFrame(
        {
            "participant": trials.participants,
            "pattern": pattern,
            "value": total / np.maximum(count, 1),
            "n": count.astype(int),
        }
    )
    return table[count > 0]


def _compared(observed: pd.DataFrame, simulated: pd.DataFrame, n_simulations: int) -> PredictiveCheck:
    keys = ["pattern", "participant"]
    own = simulated.groupby(keys, sort=False)["value"]
    people = pd.DataFrame({"simulated": own.mean(), "low": own.quantile(0.025), "high": own.quantile(0.975)})
    people = observed.rename(columns={"value": "observed"}).merge(people.reset_index(), on=keys)
    of_studies = simulated.merge(people[keys], on=keys).groupby(["pattern", "study"])["value"].mean()
    rows = []
    for pattern, group in people.groupby("pattern", sort=False):
        low, high = of_studies[pattern].quantile([0.025, 0.975])
        mean = group["observed"].mean()
        rows.append(
            {
                "pattern": pattern,
                "n_participants": len(group),
                "observed": mean,
                "simulated": of_studies[pattern].mean(),
                "low": low,
                "high": high,
                "inside": bool(low <= mean <= high),
                "correlation": group["observed"].corr(group["simulated"]) if len(group) > 2 else np.nan,
            }
        )
    columns = ["participant", "pattern", "observed", "simulated", "low", "high"]
    return PredictiveCheck(pd.DataFrame(rows), people[columns], n_simulations)
