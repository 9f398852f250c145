"""Bandit tasks of studies on asymmetric learning: options that pay one of two amounts with unknown chances."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from toolkit.errors import UsageError, did_you_mean
from toolkit.trials import MISSING, Trials, get_schema

Order = Literal["fixed", "random"]
Chances = Literal["task", "uniform"]
Task = Literal["partial", "full", "agency"]


@dataclass(frozen=True)
class Machines:
    """One set of options and how often it is visited.

    Attributes
    ----------
    condition
        What is special about it.
    chances
        (options,) chance of the larger payoff.
    n_free, n_forced
        Visits on which the person chooses and on which the choice is dictated, each option equally often.
    full_feedback
        Whether the outcomes of the other options are shown too.
    """

    condition: str
    chances: tuple[float, ...]
    n_free: int
    n_forced: int = 0
    full_feedback: bool = False

    def __post_init__(self) -> None:
        if self.n_forced % len(self.chances):
            raise UsageError(
                f"{self.n_forced} forced choices cannot be balanced over {len(self.chances)} options.",
                where=f"condition '{self.condition}'",
                fix="Use a multiple of the number of options.",
            )

    def dictated(self) -> np.ndarray:
        """(visits,) option that is dictated, -1 on free choices; in no order."""
        each = np.repeat(np.arange(len(self.chances)), self.n_forced // len(self.chances))
        return np.concatenate([np.full(self.n_free, MISSING), each])


@dataclass(frozen=True)
class BanditTask:
    """A task for any number of simulated participants.

    Attributes
    ----------
    name
        How :func:`get_task` calls it.
    citation
        Whose task it is.
    machines
        The sets of options of a session.
    payoffs
        The smaller and the larger amount.
    interleaved
        Whether visits to all sets are mixed in one sequence, where ``context`` tells them apart; else every
        set is a block and a sequence of its own, with the better option in a random place.
    n_sessions
        Sessions of a participant, with new options in each.
    """

    name: str
    citation: str
    machines: tuple[Machines, ...]
    payoffs: tuple[float, float]
    interleaved: bool
    n_sessions: int = 1

    @property
    def n_options(self) -> int:
        """Options in each set."""
        return len(self.machines[0].chances)

    def draw(
        self,
        n_participants: int,
        *,
        rng: np.random.Generator,
        n_sessions: int | None = None,
        block_order: Order = "random",
        chances: Chances = "task",
    ) -> Trials:
        """The task without free choices, and with what every option would pay.

        Parameters
        ----------
        n_sessions
            As many as in the original by default.
        block_order
            Blocks of every session in "random" order, as for people, or in the "fixed" order of ``machines``.
        chances
            Those of the "task"; or "uniform": anew for every set, between 0 and 1 in steps of .01.

        Returns
        -------
        Beside the arrays of every bandit: ``payoff``, drawn independently for every option; ``chance_0``,
        ``chance_1``, … of the larger payoff; and ``session`` in ``sequences``.
        """
        n_sessions = self.n_sessions if n_sessions is None else n_sessions
        for number, name in ((n_participants, "n_participants"), (n_sessions, "n_sessions")):
            if number < 1:
                raise UsageError(f"{name} is {number}.", fix="Use 1 or more.")
        for given, known in ((block_order, ("fixed", "random")), (chances, ("task", "uniform"))):
            if given not in known:
                raise UsageError(f"'{given}' is not known.", fix=did_you_mean(given, known))
        n_visits = n_participants * n_sessions
        decks = [range(len(self.machines))] if self.interleaved else [[i] for i in range(len(self.machines))]
        deck = np.tile(np.arange(len(decks)), (n_visits, 1))
        if block_order == "random":
            deck = rng.permuted(deck, axis=1)
        sequences = self._sequences(deck, n_participants, n_sessions)
        shown, dictated, mask = self._visits([list(own) for own in decks], deck.ravel(), rng)
        return self._trials(shown, dictated, mask, sequences, chances, rng)

    def regret(self, trials: Trials) -> np.ndarray:
        """(sequences, trials) how much less a free choice pays on average than the best one; NaN elsewhere."""
        chance = np.stack([trials.arrays[f"chance_{k}"] for k in range(self.n_options)], -1)
        chosen = np.take_along_axis(chance, trials.choice.clip(min=0)[..., None], -1)[..., 0]
        lost = (chance.max(-1) - chosen) * (self.payoffs[1] - self.payoffs[0])
        return np.where(trials.scored, lost, np.nan)

    def _sequences(self, deck: np.ndarray, n_participants: int, n_sessions: int) -> pd.DataFrame:
        """One row a sequence, for ``deck`` (participants × sessions, blocks)."""
        n_blocks = deck.shape[1]
        names = np.array([self.name] if self.interleaved else [one.condition for one in self.machines])
        return pd.DataFrame(
            {
                "participant": np.repeat(np.arange(n_participants), n_sessions * n_blocks),
                "problem": np.tile(np.arange(n_sessions * n_blocks), n_participants),
                "condition": names[deck.ravel()],
                "session": np.tile(np.repeat(np.arange(n_sessions), n_blocks), n_participants),
            }
        )

    def _visits(
        self, decks: list[list[int]], deck: np.ndarray, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Which set is visited, which option is dictated, and where there is a trial: (sequences, trials) each."""
        visits = [[(one, arm) for one in own for arm in self.machines[one].dictated()] for own in decks]
        shape = (len(deck), max(map(len, visits)))
        shown, dictated, mask = np.zeros(shape, int), np.full(shape, MISSING), np.zeros(shape, bool)
        for number, own in enumerate(visits):
            rows = np.flatnonzero(deck == number)
            order = rng.permuted(np.tile(np.arange(len(own)), (len(rows), 1)), axis=1)
            drawn = np.array(own)[order]
            shown[rows, : len(own)], dictated[rows, : len(own)] = drawn[..., 0], drawn[..., 1]
            mask[rows, : len(own)] = True
        return shown, dictated, mask

    def _trials(
        self,
        shown: np.ndarray,
        dictated: np.ndarray,
        mask: np.ndarray,
        sequences: pd.DataFrame,
        chances: Chances,
        rng: np.random.Generator,
    ) -> Trials:
        by_set = np.tile([one.chances for one in self.machines], (len(shown), 1, 1))
        if chances == "uniform":
            by_set = rng.integers(0, 101, by_set.shape) / 100
        elif not self.interleaved:
            # The same places in all blocks of a sequence's row: only one of them is visited.
            place = rng.permuted(np.tile(np.arange(self.n_options), (len(shown), 1)), axis=1)
            by_set = np.take_along_axis(by_set, place[:, None], -1)
        chance = np.take_along_axis(by_set, shown[..., None], 1)
        low, high = self.payoffs
        payoff = np.where(rng.random(chance.shape) < chance, high, low)
        full = np.array([one.full_feedback for one in self.machines])[shown]
        seen = (np.arange(self.n_options) == dictated[..., None]) | full[..., None]
        forced = dictated != MISSING
        best = np.where((chance == chance.max(-1, keepdims=True)).sum(-1) > 1, MISSING, chance.argmax(-1))
        arrays = {
            "context": shown if self.interleaved else np.zeros_like(shown),
            "choice": dictated,
            "outcome": np.where(seen & forced[..., None], payoff, np.nan),
            "forced": forced,
            "payoff": payoff,
            "full_feedback": full,
            "answer": best,
            **{f"chance_{k}": chance[..., k] for k in range(self.n_options)},
        }
        return Trials(get_schema("bandit"), arrays, mask, sequences, n_options=self.n_options)


def get_task(name: Task, *, n_options: int = 2, payoffs: tuple[float, float] | None = None) -> BanditTask:
    """One of the three tasks.

    Parameters
    ----------
    name
        "partial": four casinos, interleaved, one outcome is seen (Lefebvre et al., 2017). "full": half of the choices
        are forced, and in half of the blocks both outcomes are seen (Chambon et al., 2020, experiment 2).
        "agency": in half of the blocks half of the choices are forced (experiment 1).
    n_options
        Of the partial task: with 3 or 4 there are three or two casinos, always with 96 visits in all.
    payoffs
        The smaller and the larger amount: 0 and 0.5 in the partial task, else -1 and 1.
    """
    if name not in _TASKS:
        raise UsageError(f"there is no task '{name}'.", fix=did_you_mean(name, _TASKS))
    if name != "partial" and n_options != 2:
        raise UsageError(f"the {name} task has 2 options.", fix="Only the partial task has more.")
    if n_options not in _CASINOS:
        raise UsageError(f"there is no task with {n_options} options.", fix="2, 3 or 4.")
    citation, machines, usual, n_sessions = _TASKS[name]
    if name == "partial":
        casinos = _CASINOS[n_options]
        machines = tuple(
            Machines(f"casino {i + 1}", own, 96 // len(casinos)) for i, own in enumerate(casinos)
        )
    low, high = usual if payoffs is None else payoffs
    if not low < high:
        raise UsageError(f"the payoffs are {low} and {high}.", fix="Give the smaller one first.")
    return BanditTask(name, citation, machines, (low, high), name == "partial", n_sessions)


_LOW, _HIGH = 0.25, 0.75
_CASINOS: Mapping[int, tuple[tuple[float, ...], ...]] = {
    2: ((_LOW, _LOW), (_LOW, _HIGH), (_HIGH, _LOW), (_HIGH, _HIGH)),
    3: ((_LOW, _LOW, _HIGH), (_HIGH, _LOW, _LOW), (_HIGH, _LOW, _HIGH)),
    4: ((_LOW, _LOW, _LOW, _HIGH), (_HIGH, _LOW, _HIGH, _HIGH)),
}
_RICH, _POOR = (0.9, 0.6), (0.4, 0.1)
_CHAMBON = "Chambon et al. (2020), Nature Human Behaviour 4, 1067-1079"
_TASKS: Mapping[str, tuple[str, tuple[Machines, ...], tuple[float, float], int]] = {
    "partial": ("Lefebvre et al. (2017), Nature Human Behaviour 1, 0067", (), (0.0, 0.5), 1),
    "full": (
        f"{_CHAMBON}, experiment 2",
        (
            Machines("high/partial", _RICH, 20, 20),
            Machines("high/full", _RICH, 20, 20, full_feedback=True),
            Machines("low/partial", _POOR, 20, 20),
            Machines("low/full", _POOR, 20, 20, full_feedback=True),
        ),
        (-1.0, 1.0),
        4,
    ),
    "agency": (
        f"{_CHAMBON}, experiment 1",
        (
            Machines("high/free", _RICH, 40),
            Machines("high/mixed", _RICH, 40, 40),
            Machines("low/free", _POOR, 40),
            Machines("low/mixed", _POOR, 40, 40),
        ),
        (-1.0, 1.0),
        3,
    ),
}
