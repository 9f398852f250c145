"""Prototypes or exemplars: which describes the answers of each segment of learning better."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from toolkit.errors import DataError, UsageError
from toolkit.experiments.smith_minda import SEGMENT
from toolkit.experiments.summaries import with_intervals
from toolkit.fitting.fitting import Fit, fit
from toolkit.fitting.likelihood import units_of
from toolkit.models import Model, get_model_for
from toolkit.models.gcm import GeneralisedContextModel
from toolkit.models.prototype import Prototype
from toolkit.seeds import Seeds
from toolkit.trials import MISSING, Trials, concat

KINDS = ("exemplar", "prototype")

SMITH_MINDA = "Smith & Minda's people"


@dataclass(frozen=True)
class SegmentFits:
    """What exemplars and prototypes explain of every segment.

    Attributes
    ----------
    table
        One row a learner, participant and segment (from 1): ``learner, participant, segment``; ``misfit_exemplar``
        and ``misfit_prototype``, squared distances between the shares of answers to each stimulus and what
        the model expects, summed over stimuli; ``advantage``, nats a choice by which exemplars explain the
        answers better; and ``exemplar``, 1 where they do, 0 where prototypes do.
    """

    table: pd.DataFrame

    def recovered(self) -> pd.DataFrame:
        """Whether simulated exemplar and prototype learners are taken for what they are.

        Returns
        -------
        One row a segment and learner: ``segment, learner``; ``right``, the share of learners who are recognised
        one by one; and ``together``, whether their mean advantage has the right sign.
        """
        true = self.table[self.table["learner"].isin(("gcm", "prototype"))]
        is_exemplar = true["learner"] == "gcm"
        right = np.where(is_exemplar, true["exemplar"], 1 - true["exemplar"])
        towards = np.where(is_exemplar, true["advantage"], -true["advantage"])
        cells = true.assign(right=right, together=towards).groupby(["segment", "learner"], as_index=False)
        means = cells[["right", "together"]].mean()
        return means.assign(together=means["together"] > 0)

    def shifts(self, rng: np.random.Generator) -> pd.DataFrame:
        """What exemplars gain on prototypes from the first half of learning to the second.

        Returns
        -------
        One row a learner: ``learner``; ``early`` and ``late``, the share of segments of each half that exemplars
        explain better; ``gain``, by how many nats a choice their advantage is larger in the second half; and
        ``low, high`` (95 %, participants drawn with replacement).
        """
        second = self.table["segment"] > self.table["segment"].median()
        halves = self.table.assign(half=np.where(second, "late", "early"))
        share = halves.pivot_table("exemplar", "learner", "half", sort=False)
        wide = halves.pivot_table("advantage", ["learner", "participant"], "half", sort=False)
        gains = (wide["late"] - wide["early"]).rename("gain").reset_index()
        intervals = [
            with_intervals(own, "gain", by=("learner",), rng=rng)
            for _, own in gains.groupby("learner", sort=False)
        ]
        gain = pd.concat(intervals).rename(columns={"mean": "gain"}).set_index("learner")
        return share[["early", "late"]].join(gain[["gain", "low", "high"]]).reset_index()

    def beside_published(self, published: pd.DataFrame | None) -> pd.DataFrame:
        """Our misfits of Smith and Minda's people and the published ones: ``model, segment, ours, published``.

        Parameters
        ----------
        published
            ``model, segment, misfit``. Without it, or without these people, there are no rows.
        """
        if published is None or SMITH_MINDA not in set(self.table["learner"]):
            return pd.DataFrame(columns=["model", "segment", "ours", "published"])
        own = self.table[self.table["learner"] == SMITH_MINDA].groupby("segment")
        ours = pd.concat({kind: own[f"misfit_{kind}"].mean() for kind in KINDS}, names=["model"]).rename(
            "ours"
        )
        theirs = published.set_index(["model", "segment"])["misfit"].rename("published")
        return pd.concat([ours, theirs], axis=1, join="inner").reset_index()


def fit_segments(
    learners: Mapping[str, Trials], *, segment: int = SEGMENT, n_starts: int = 3, seed: int = 0
) -> SegmentFits:
    """Fit exemplars and prototypes to every segment of every participant by itself.

    As in published analyses, memory holds each stimulus once, whatever was seen before: the exemplar model compares with all
    stimuli of a category, the prototype model with the commonest value of each feature in it. Both have
    the same parameters, attention to every feature and a share of guesses, so neither pays for more.

    Parameters
    ----------
    learners
        Trials of people and of simulated learners by name, all with the same stimuli in one problem.
    n_starts
        Starts of every fit.
    """
    parts = {name: as_segments(trials, segment) for name, trials in learners.items()}
    everyone = concat([_named(part, name) for name, part in parts.items()])
    models = dict(zip(KINDS, _models(everyone), strict=True))
    table = pd.DataFrame(
        {
            "learner": np.repeat(list(parts), [len(part) for part in parts.values()]),
            "participant": np.concatenate([part.sequences["participant"] for part in parts.values()]),
            "segment": everyone.sequences["problem"] + 1,
        }
    )
    explained = {}
    for kind, model in models.items():
        found = fit(model, everyone, share="problem", n_starts=n_starts, seed=seed, progress=False)
        p = model.predict(found.theta, units_of(everyone, found.share)[0])[..., 1]
        table[f"misfit_{kind}"] = _misfit(everyone, p)
        explained[kind] = found.table["log_likelihood"].to_numpy() / found.table["n_trials"].to_numpy()
    advantage = explained["exemplar"] - explained["prototype"]
    return SegmentFits(table.assign(advantage=advantage, exemplar=(advantage > 0) + 0.5 * (advantage == 0)))


def load_smith_minda(load: Callable[..., Trials]) -> dict[str, Trials]:
    """Smith and Minda's own people who learned this structure, by the name of the learner; nobody if they are not here.

    Parameters
    ----------
    load
        What gives data by name, such as ``run.load``. Of these people answers are known by stimulus and segment
        only, which is all that is used here.
    """
    try:
        return {SMITH_MINDA: load("smithminda1998_exp2", features=True)}
    except DataError:
        return {}


def simulate_fitted(fits: Mapping[str, Fit], trials: Trials, seeds: Seeds) -> dict[str, Trials]:
    """Choices of every model with each participant's own estimates, on that participant's own trials."""
    return {
        name: get_model_for(name, trials).simulate(found.theta, trials, seeds.numpy(f"choices of {name}"))
        for name, found in fits.items()
    }


def as_segments(trials: Trials, segment: int = SEGMENT) -> Trials:
    """Every segment of every sequence as a test of someone who has seen each stimulus once.

    Parameters
    ----------
    trials
        One problem a participant, with the same stimuli for everyone.
    segment
        Trials of a segment; what is left at the end is left out.

    Returns
    -------
    One sequence a segment: first each stimulus with its category and no choice, then the segment's choices
    without feedback. ``problem`` is the segment, from 0.
    """
    stimuli, category = stimuli_of(trials)
    n_segments = int(trials.mask.sum(1).min()) // segment
    if n_segments < 1:
        raise UsageError(
            f"no sequence has {segment} trials.", where="as_segments", fix="Use a shorter segment."
        )
    n_study, shape = len(stimuli), (len(trials) * n_segments, segment)
    shown = trials.stimulus[:, : n_segments * segment].reshape(*shape, -1)
    choice = trials.choice[:, : n_segments * segment].reshape(shape)
    study = np.broadcast_to(stimuli, (len(shown), *stimuli.shape))
    untold = np.full((len(shown), n_study), MISSING)
    arrays = {
        "stimulus": np.concatenate([study, shown], 1),
        "category": np.concatenate([np.broadcast_to(category, untold.shape), np.full(shape, MISSING)], 1),
        "choice": np.concatenate([untold, choice], 1),
    }
    sequences = pd.DataFrame(
        {
            "participant": np.repeat(trials.sequences["participant"].to_numpy(), n_segments),
            "problem": np.tile(np.arange(n_segments), len(trials)),
            "condition": "segment",
        }
    )
    mask = np.ones((len(shown), n_study + segment), dtype=bool)
    return Trials(trials.schema, arrays, mask, sequences, n_options=trials.n_options)


def stimuli_of(trials: Trials) -> tuple[np.ndarray, np.ndarray]:
    """Different stimuli (stimuli, features) of one problem that all learn, and their categories (stimuli,)."""
    pairs = np.column_stack([trials.stimulus[trials.mask], trials.category[trials.mask]])
    pairs = np.unique(pairs[pairs[:, -1] != MISSING], axis=0)
    stimuli, category = pairs[:, :-1], pairs[:, -1].astype(int)
    if len(np.unique(stimuli, axis=0)) < len(stimuli):
        raise UsageError("a stimulus has two categories; participants learned different problems.")
    return stimuli, category


def _models(segments: Trials) -> tuple[Model, Model]:
    """The exemplar model, and the prototype model with the commonest values of each category's features."""
    stimuli, category = stimuli_of(segments)
    n_features = stimuli.shape[1]
    commonest = [
        (stimuli[category == option].mean(0) > 0.5).astype(float) for option in range(segments.n_options)
    ]
    return GeneralisedContextModel(n_features), Prototype(
        n_features, segments.n_options, prototypes=commonest
    )


def _named(part: Trials, learner: str) -> Trials:
    participant = [f"{learner} {name}" for name in part.sequences["participant"]]
    return replace(part, sequences=part.sequences.assign(participant=participant))


def _misfit(segments: Trials, p: np.ndarray) -> np.ndarray:
    """(sequences,) sum over stimuli of (share of answers 1 - expected share)²."""
    stimuli, _ = stimuli_of(segments)
    shown = (segments.stimulus[:, :, None] == stimuli).all(-1) & segments.scored[..., None]
    number = np.maximum(shown.sum(1), 1)
    gap = np.where(segments.scored, segments.choice - p, 0.0)
    return ((np.einsum("st,stk->sk", gap, shown) / number) ** 2).sum(1)
