"""What a program is told, and when: the columns of a task, before and after each choice of a trial."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from toolkit.errors import UsageError, did_you_mean
from toolkit.trials import MISSING, Trials
from toolkit.trials.schemas import kind_of

REWARD = "reward"
"""A column that is made: what the chosen option, or the trial, was seen to pay."""

TRIAL = "trial"
"""Number of the trial in its sequence, from 0; known from the beginning of a trial on."""

HIDDEN = ("answer", "payoff")
"""Arrays that no learner sees."""


@dataclass(frozen=True)
class Stage:
    """One choice of a trial.

    Attributes
    ----------
    function
        Which function of a program is asked for its probabilities.
    choice
        The column that holds it.
    shown
        Columns that are known by then.
    """

    function: str
    choice: str
    shown: tuple[str, ...]


@dataclass(frozen=True)
class Column:
    """Type of a column: ``code``, ``number`` or ``flag``, and how many axes it has on a trial."""

    kind: str
    n_axes: int


_STAGES = {
    "category_learning": (Stage("predict", "choice", ("stimulus",)),),
    "bandit": (Stage("predict", "choice", ("context",)),),
    "two_step": (Stage("predict", "choice", ()), Stage("predict_2", "choice_2", ("choice", "state"))),
    "multi_attribute": (Stage("predict", "choice", ("attributes",)),),
    "free": (Stage("predict", "choice", ()),),
}
_TOLD = {
    "category_learning": ("category",),
    "bandit": ("outcome", REWARD, "forced", "full_feedback"),
    "two_step": ("outcome", REWARD),
    "multi_attribute": (),
    "free": (),
}


@dataclass(frozen=True)
class Task:
    """The columns of a family of trials, in the order in which a person learns them.

    Attributes
    ----------
    schema
        The family.
    stages
        The choices of a trial, in order.
    told
        Columns that are known after the last choice.
    about
        Columns of the table of sequences that are known from the first trial on.
    columns
        Type of every column, by name.
    sizes
        Numbers that do not change: ``n_options``, and ``n_features``, ``n_contexts``, ``n_states`` where
        there are such.
    """

    schema: str
    stages: tuple[Stage, ...]
    told: tuple[str, ...]
    about: tuple[str, ...]
    columns: Mapping[str, Column]
    sizes: Mapping[str, int]

    @classmethod
    def of(
        cls,
        trials: Trials,
        *,
        shown: Sequence[str] = (),
        told: Sequence[str] = (),
        about: Sequence[str] = (),
    ) -> Task:
        """The task of trials like these.

        Parameters
        ----------
        trials
            All there are, so that sizes fit every part of them.
        shown, told
            Arrays beyond those of the family that are known before the choice, and after it. Others stay
            hidden, for instance chances of rewards that only the experimenter knew.
        about
            Columns of ``trials.sequences`` with numbers.
        """
        name = trials.schema.name
        arrays = set(trials.arrays) | ({REWARD} if "outcome" in trials.arrays else set())
        for extra in (*shown, *told):
            if extra not in arrays or extra in HIDDEN:
                raise UsageError(
                    f"there is no column '{extra}' that could be shown.",
                    where="task",
                    fix=did_you_mean(extra, arrays - set(HIDDEN)),
                )
        stages = tuple(
            Stage(stage.function, stage.choice, (*stage.shown, *shown, *about, TRIAL))
            for stage in _STAGES[name]
        )
        after = (*(stage.choice for stage in stages), *_TOLD[name], *told)
        after = tuple(column for column in after if column in arrays)
        before = [column for stage in _STAGES[name] for column in stage.shown]
        columns = {column: _column(trials, column) for column in (*before, *shown, *after)}
        columns |= {column: _about(trials, column) for column in about}
        columns[TRIAL] = Column("code", 0)
        return cls(name, stages, after, tuple(about), columns, _sizes(trials))

    @property
    def n_stages(self) -> int:
        """Choices of a trial."""
        return len(self.stages)

    @property
    def functions(self) -> tuple[str, ...]:
        """The functions that a program defines, in the order in which they are called."""
        return ("init", *(stage.function for stage in self.stages), "update")

    def known_to(self, function: str) -> tuple[str, ...]:
        """Columns that a function can ask for."""
        if function == "init":
            return self.about
        for stage in self.stages:
            if stage.function == function:
                return stage.shown
        return tuple(dict.fromkeys((*(c for stage in self.stages for c in stage.shown), *self.told)))


def values_of(trials: Trials, column: str) -> np.ndarray:
    """(sequences, trials, …) a column of trials, whichever way it is made."""
    if column == TRIAL:
        return np.broadcast_to(np.arange(trials.n_trials), trials.mask.shape)
    if column in trials.arrays:
        return trials.arrays[column]
    if column == REWARD:
        outcome = trials.arrays["outcome"]
        if outcome.ndim == 2:
            return outcome
        chosen = np.maximum(trials.choice, 0)[..., None]
        paid = np.take_along_axis(outcome, chosen, -1)[..., 0]
        return np.where(trials.choice == MISSING, np.nan, paid)
    if column in trials.sequences:
        return np.broadcast_to(trials.sequences[column].to_numpy()[:, None], trials.mask.shape)
    raise UsageError(f"these {trials.schema.name} trials have no '{column}'.", fix="Add it.")


def recorded(values: np.ndarray) -> np.ndarray:
    """(sequences, trials) where a column has a value; of several numbers, where it has any."""
    match kind_of(values):
        case "code":
            there = values != MISSING
        case "flag":
            there = np.ones(values.shape, dtype=bool)
        case _:
            there = ~np.isnan(values)
    return there.reshape(*there.shape[:2], -1).any(-1)


def _column(trials: Trials, name: str) -> Column:
    values = values_of(trials, name)
    return Column(kind_of(values), values.ndim - 2)


def _about(trials: Trials, name: str) -> Column:
    if name not in trials.sequences:
        raise UsageError(
            f"there is no column '{name}'.", where="task", fix=did_you_mean(name, trials.sequences.columns)
        )
    kind = trials.sequences[name].to_numpy().dtype.kind
    if kind not in "biuf":
        raise UsageError(f"the column '{name}' holds no numbers.", where="task", fix="Code it as numbers.")
    return Column("number" if kind == "f" else "code", 0)


def _sizes(trials: Trials) -> dict[str, int]:
    sizes = {"n_options": trials.n_options}
    arrays = trials.arrays
    for name in ("stimulus", "attributes"):
        if name in arrays:
            sizes["n_features"] = arrays[name].shape[-1]
    # Each first option has a place that it commonly leads to, though nobody may have been there yet.
    for size, name, least in (("n_contexts", "context", 1), ("n_states", "state", trials.n_options)):
        if name in arrays:
            sizes[size] = max(least, int(arrays[name].max(initial=0)) + 1)
    return sizes
