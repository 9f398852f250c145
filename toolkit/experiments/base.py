"""What every design is: problems to learn, blocks of trials, and people who learned them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Literal

import numpy as np
import pandas as pd

from toolkit.errors import UsageError, did_you_mean
from toolkit.trials import MISSING, Trials, get_schema

Order = Literal["balanced", "random"]


@dataclass(frozen=True)
class Block:
    """Trials that are shuffled among themselves.

    Attributes
    ----------
    counts
        (stimuli,) how often each stimulus is shown.
    told
        Whether the category is told afterwards; if not, the block is a test.
    """

    counts: tuple[int, ...]
    told: bool = True

    def draw(self, n_sequences: int, order: Order, rng: np.random.Generator) -> np.ndarray:
        """(sequences, trials) number of the stimulus shown; a test shows exactly its counts in any case."""
        counts = np.asarray(self.counts)
        if order == "random" and self.told:
            return rng.choice(len(counts), (n_sequences, counts.sum()), p=counts / counts.sum())
        items = np.repeat(np.arange(len(counts)), counts)
        return rng.permuted(np.broadcast_to(items, (n_sequences, len(items))), axis=1)


@dataclass(frozen=True)
class Problems:
    """What is learned in one condition, a row a sequence, or one row if it is the same for all.

    Attributes
    ----------
    stimuli
        (sequences or 1, stimuli, features).
    category
        (sequences or 1, stimuli) the right category, -1 where a stimulus has none.
    about
        Columns for ``Trials.sequences``, (sequences,) each.
    """

    stimuli: np.ndarray
    category: np.ndarray
    about: Mapping[str, np.ndarray] = field(default_factory=dict)


class Design(ABC):
    """A design of an experiment.

    Attributes
    ----------
    name
        How the registry calls it.
    citation
        Whose design it is.
    conditions
        Conditions there are; a participant learns each that is asked for from scratch.
    n_blocks
        Training blocks of the original.
    curve
        Group results of people, as :func:`toolkit.data.load` calls them; "" if there are none.
    studies
        Data sets with people's trials, as :func:`toolkit.data.load_data` calls them.
    """

    name: ClassVar[str]
    citation: ClassVar[str]
    conditions: ClassVar[tuple[str, ...]]
    n_blocks: ClassVar[int]
    curve: ClassVar[str] = ""
    studies: ClassVar[tuple[str, ...]] = ()

    @abstractmethod
    def problems(self, condition: str, n_sequences: int, rng: np.random.Generator) -> Problems:
        """What ``n_sequences`` sequences of a condition have to learn."""

    @abstractmethod
    def blocks(self, condition: str, n_blocks: int) -> list[Block]:
        """``n_blocks`` blocks of training, and the tests between and after them."""

    def outcomes(self, problems: Problems, shown: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """(sequences, trials) category that is told of the stimuli ``shown``, where one is told."""
        rows = np.broadcast_to(problems.category, (len(shown), problems.category.shape[1]))
        return np.take_along_axis(rows, shown, 1)

    def draw(
        self,
        n_participants: int,
        *,
        rng: np.random.Generator,
        order: Order = "balanced",
        conditions: Sequence[str] | None = None,
        n_blocks: int | None = None,
        n_orders: int | None = None,
    ) -> Trials:
        """The design for simulated participants, without choices.

        Parameters
        ----------
        order
            "balanced": every block shows each stimulus as often as it should, in random order. "random":
            training shows stimuli as often on average only, drawn with replacement.
        conditions
            Those to learn; all by default.
        n_blocks
            Training blocks; as many as in the original by default.
        n_orders
            How many different sequences there are in a condition; participants are dealt them in turn.
            By default everyone has one of their own. An agent that does not read its own choices is
            computed once a sequence, so few orders save time; intervals then have to resample orders.

        Returns
        -------
        One sequence a condition and participant, all of a condition together. Arrays beside stimulus,
        category and choice: ``stimulus_id`` and ``block`` (both from 0; a test has the number of the training
        block before it); with tests also ``test`` and ``answer``. ``sequences`` says the ``order``.
        """
        names = self._checked(conditions)
        n_sequences = _count(n_participants, "n_participants") if n_orders is None else n_orders
        if not 1 <= n_sequences <= n_participants:
            raise UsageError(
                f"n_orders is {n_orders} for {n_participants} participants.",
                fix=f"Use 1 to {n_participants}.",
            )
        if order not in ("balanced", "random"):
            raise UsageError(f"there is no order '{order}'.", fix="balanced or random.")
        n_blocks = self.n_blocks if n_blocks is None else _count(n_blocks, "n_blocks")
        drawn = [self._draw(name, n_blocks, n_sequences, order, rng) for name in names]
        return _deal(drawn, names, n_participants)

    def _checked(self, conditions: Sequence[str] | None) -> tuple[str, ...]:
        names = self.conditions if conditions is None else tuple(conditions)
        if isinstance(conditions, str) or not names:
            raise UsageError(f"conditions is {conditions!r}.", fix="Give a list of names.")
        for name in names:
            if name not in self.conditions:
                raise UsageError(
                    f"design '{self.name}' has no condition '{name}'.",
                    fix=did_you_mean(name, self.conditions),
                )
        return names

    def _draw(
        self, condition: str, n_blocks: int, n_sequences: int, order: Order, rng: np.random.Generator
    ) -> _Drawn:
        problems = self.problems(condition, n_sequences, rng)
        blocks = self.blocks(condition, n_blocks)
        parts = [block.draw(n_sequences, order, rng) for block in blocks]
        lengths, told = [part.shape[1] for part in parts], np.array([block.told for block in blocks])
        shown = np.concatenate(parts, axis=1)
        return _Drawn(
            problems,
            shown,
            self.outcomes(problems, shown, rng),
            np.repeat(told, lengths),
            np.repeat(np.maximum(told.cumsum() - 1, 0), lengths),
        )

    def people(self) -> pd.DataFrame:
        """Published results of groups of people, one row a point; blocks are counted from 1."""
        if not self.curve:
            known = f"Use people_trials(): {', '.join(self.studies)}." if self.studies else ""
            raise UsageError(f"there are no group results of people for design '{self.name}'.", fix=known)
        from toolkit.data import load

        return self._tidy(load(self.curve))

    def _tidy(self, curve: pd.DataFrame) -> pd.DataFrame:
        """The table of people's results in the words of this design."""
        return curve

    def people_trials(self, study: str | None = None) -> Trials:
        """People's own trials of a study in this design, the first of ``studies`` by default."""
        if not self.studies:
            raise UsageError(f"there are no trials of people for design '{self.name}'.", fix="Use people().")
        study = self.studies[0] if study is None else study
        if study not in self.studies:
            raise UsageError(
                f"'{study}' is no study of design '{self.name}'.", fix=did_you_mean(study, self.studies)
            )
        from toolkit.data import load_data

        return load_data(study)


def _count(number: int, name: str) -> int:
    if number < 1:
        raise UsageError(f"{name} is {number}.", fix="Use 1 or more.")
    return number


@dataclass(frozen=True)
class _Drawn:
    """Sequences of one condition: stimuli shown and outcomes (sequences, trials), told and block (trials,)."""

    problems: Problems
    shown: np.ndarray
    outcome: np.ndarray
    told: np.ndarray
    block: np.ndarray

    def array(self, name: str) -> np.ndarray:
        """An array of Trials: (sequences or 1, trials, …)."""
        if name == "stimulus":
            n_problems, n_stimuli, n_features = self.problems.stimuli.shape
            row = n_stimuli * np.arange(n_problems)[:, None] if n_problems > 1 else 0
            return self.problems.stimuli.reshape(-1, n_features).take(row + self.shown, 0)
        if name == "category":
            return self.outcome if self.told.all() else np.where(self.told, self.outcome, MISSING)
        if name in ("block", "test"):
            return self.block[None] if name == "block" else ~self.told[None]
        return self.shown if name == "stimulus_id" else self.outcome


def _deal(drawn: Sequence[_Drawn], names: Sequence[str], n_participants: int) -> Trials:
    """Trials of all conditions below one another, every participant with the next sequence of each."""
    lengths = np.array([part.shown.shape[1] for part in drawn])
    order = np.arange(n_participants) % len(drawn[0].shown)
    mask = np.arange(lengths.max()) < np.repeat(lengths, n_participants)[:, None]
    known = ["stimulus", "category", "stimulus_id", "block"]
    known += [] if all(part.told.all() for part in drawn) else ["answer", "test"]
    sequences = {
        "participant": np.tile(np.arange(n_participants), len(names)),
        "problem": np.repeat(np.arange(len(names)), n_participants),
        "condition": np.repeat(names, n_participants),
        "order": np.tile(order, len(names)),
    }
    for column in drawn[0].problems.about:
        sequences[column] = np.concatenate([part.problems.about[column][order] for part in drawn])
    return Trials(
        get_schema("category_learning"),
        {name: _joined([part.array(name) for part in drawn], order, mask.shape) for name in known}
        | {"choice": np.broadcast_to(MISSING, mask.shape)},
        mask,
        pd.DataFrame(sequences),
        n_options=2,
    )


def _joined(parts: Sequence[np.ndarray], order: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """The parts' rows in ``order``, part below part: (sequences, trials, …)."""
    joined = np.empty((*shape, *parts[0].shape[2:]), parts[0].dtype)
    for part, rows in zip(parts, np.split(joined, len(parts)), strict=True):
        rows[:, : part.shape[1]] = part if len(part) in (1, len(order)) else part[order]
    return joined
