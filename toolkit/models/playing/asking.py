"""A language model plays bandits: the next visit of all sequences at once, until they end."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from toolkit.errors import UsageError
from toolkit.llm import Estimate, Request
from toolkit.models.answering.asking import Ask, ask_until_named, recall
from toolkit.models.answering.replies import Judgement
from toolkit.models.answering.tables import Given, Place
from toolkit.models.playing.prompts import Player, Rules
from toolkit.trials import MISSING, Trials

if TYPE_CHECKING:
    import pandas as pd

    from toolkit.llm import Client

_NOT_REACHED = Given(
    Judgement(np.full(0, np.nan), "missing", MISSING), "an earlier visit was not answered.", 0
)


@dataclass(frozen=True)
class Game:
    """What a language model did.

    Attributes
    ----------
    trials
        Its choices and what it saw, as those of any other agent; it has no choice where it named no machine.
    answers
        One row a free choice: ``participant, problem, condition, trial, context``; ``letters`` of the options and
        the order in which they were ``offered``; ``said``, the option, -1 for none; ``p_0`` and so on, how likely
        each was; their ``source`` ("log-probabilities", "letter", "none", "missing"); ``reply``, or why there is none;
        ``n_asked`` and ``model``.
    """

    trials: Trials
    answers: pd.DataFrame

    @property
    def n_missing(self) -> int:
        """Choices that were not answered, for instance since the cap was reached."""
        return int((self.answers["source"] == "missing").sum())


class Question(NamedTuple):
    """One free visit of a sequence, after the visits in ``lines``."""

    player: Player
    trial: int
    lines: Sequence[str]
    n_samples: int = 1

    @property
    def place(self) -> Place:
        """Sequence and trial."""
        return self.player.row, self.trial

    @property
    def letters(self) -> tuple[str, ...]:
        """Names of the options."""
        return self.player.names(self.trial)

    def request(self, sample: int = 0, repeat: int = 0) -> Request:
        """The question as it is sent."""
        return self.player.request(self.trial, self.lines, sample, repeat)


def play(design: Trials, client: Client, rules: Rules | None = None) -> Game:
    """Let a language model choose on every free trial of a design with payoffs.

    It is told all earlier visits of the same sequence; forced ones as somebody else's. Every reply is in the
    client's journal before the next question goes out: playing again goes on where it stopped and pays for
    nothing twice.
    """
    design = design.unanswered()
    players = _players(design, rules)
    with client.purse.one_deadline():
        given = _in_turn(players, client.ask)
    return _game(design, players, given, client.model)


def estimate(design: Trials, client: Client, rules: Rules | None = None) -> Estimate:
    """What :func:`play` would cost if every reply named a machine; sends nothing."""
    players = _players(design.unanswered(), rules)
    known = _in_turn(players, recall(client))
    known = {place: one for place, one in known.items() if one.judgement.source != "missing"}
    rest = client.estimate([question.request() for question in _questions(players, known)])
    n_known = len(known)
    return replace(rest, n_requests=rest.n_requests + n_known, n_in_journal=rest.n_in_journal + n_known)


def first_requests(design: Trials, rules: Rules | None = None) -> Iterator[Request]:
    """The question on every free trial, one after the other, with guesses as the model's choices."""
    return (question.request() for question in _questions(_players(design.unanswered(), rules), {}))


def _players(design: Trials, rules: Rules | None) -> list[Player]:
    if design.schema.name != "bandit" or "payoff" not in design.arrays:
        raise UsageError(
            "a language model plays bandits that say what every option would pay.",
            fix="Draw one: toolkit.experiments.bandits.get_task('partial').draw(…).",
        )
    return [Player(rules or Rules(), design, row) for row in range(len(design))]


def _questions(players: Sequence[Player], known: Mapping[Place, Given]) -> Iterator[Question]:
    """Those that are not known yet; earlier choices that are not either are guessed."""
    for player in players:
        lines: list[str] = []
        for trial, dictated in enumerate(player.dictated):
            place = player.row, trial
            if dictated == MISSING and place not in known:
                yield Question(player, trial, lines[:trial])
            said = known[place].judgement.said if place in known else 0
            lines.append(player.line(trial, said if dictated == MISSING else dictated))


def _in_turn(players: Sequence[Player], ask: Ask) -> dict[Place, Given]:
    given: dict[Place, Given] = {}
    going_on: dict[Player, list[str]] = {player: [] for player in players}
    longest = max((player.n_trials for player in players), default=0)
    for trial in range(longest):
        going_on = {player: lines for player, lines in going_on.items() if trial < player.n_trials}
        free = [player for player in going_on if player.dictated[trial] == MISSING]
        questions = [Question(player, trial, going_on[player]) for player in free]
        given |= ask_until_named(questions, ask, f"visit {trial + 1} of {longest}")
        for player in list(going_on):
            choice = player.dictated[trial]
            if choice == MISSING:
                judgement = given[player.row, trial].judgement
                if judgement.source == "missing":
                    del going_on[player]
                    continue
                choice = judgement.said
            going_on[player].append(player.line(trial, int(choice)))
    return given


def _game(design: Trials, players: Sequence[Player], given: Mapping[Place, Given], model: str) -> Game:
    import pandas as pd

    choice, rows = design.choice.copy(), []
    for player in players:
        about = design.sequences.iloc[player.row]
        for trial in np.flatnonzero(player.dictated == MISSING).tolist():
            one = given.get((player.row, trial), _NOT_REACHED)
            names, judgement = player.names(trial), one.judgement
            choice[player.row, trial] = judgement.said
            p = judgement.p if len(judgement.p) else np.full(len(names), np.nan)
            rows.append(
                {name: about[name] for name in ("participant", "problem", "condition")}
                | {"trial": trial, "context": int(player.context[trial]), "letters": "".join(names)}
                | {"offered": "".join(names[k] for k in player.order[trial]), "said": judgement.said}
                | {f"p_{k}": float(value) for k, value in enumerate(p)}
                | {"source": judgement.source, "reply": one.reply, "n_asked": one.n_asked, "model": model}
            )
    seen = np.arange(design.n_options) == choice[..., None]
    full = (
        design.arrays.get("full_feedback", np.zeros_like(design.mask))[..., None] & (choice >= 0)[..., None]
    )
    outcome = np.where((seen | full) & design.mask[..., None], design.payoff, np.nan)
    return Game(design.updated(choice=choice, outcome=outcome), pd.DataFrame(rows))
