"""Asking a language model about all trials: many at once where they are known, else one after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np

from toolkit.llm import Estimate, Failure, Reply, Request
from toolkit.models.answering.prompts import Procedure, Prompter
from toolkit.models.answering.replies import Judgement, is_usable, judge
from toolkit.models.answering.tables import Given, Place, table_of_answers
from toolkit.trials import MISSING, Trials

if TYPE_CHECKING:
    import pandas as pd

    from toolkit.llm import Client

MOST_ATTEMPTS = 3
"""How often a question is asked whose reply names no category."""

QUESTIONS_AT_ONCE = 5_000
"""Prompts hold all earlier trials, so those of a whole study can be larger than memory."""

Ask = Callable[[Sequence[Request], str], Sequence[Reply | Failure]]


class Asked(Protocol):
    """A question about one trial, whatever the experiment."""

    @property
    def place(self) -> Place: ...

    @property
    def letters(self) -> Sequence[str]: ...

    @property
    def n_samples(self) -> int: ...

    def request(self, sample: int = 0, repeat: int = 0) -> Request: ...


class Question(NamedTuple):
    """One trial of a sequence; ``lines`` are the earlier trials, perhaps with later ones."""

    prompter: Prompter
    trial: int
    lines: Sequence[str]

    @property
    def place(self) -> Place:
        """Sequence and trial."""
        return self.prompter.row, self.trial

    @property
    def letters(self) -> tuple[str, ...]:
        """Names of the options."""
        return self.prompter.letters

    @property
    def n_samples(self) -> int:
        """Replies that are asked for."""
        return self.prompter.procedure.n_samples

    def request(self, sample: int = 0, repeat: int = 0) -> Request:
        """The question as it is sent."""
        return self.prompter.request(self.trial, self.lines, sample, repeat)


def answer(
    trials: Trials,
    client: Client,
    procedure: Procedure,
    *,
    tell: Callable[[int, int], object] | None = None,
) -> pd.DataFrame:
    """Let a language model answer every trial, told of earlier ones what the procedure says.

    Every reply is in the client's journal before the next question goes out: asking again goes on where
    it stopped and pays for nothing twice. The seconds of the client's budget count for all questions
    together.

    Parameters
    ----------
    tell
        As of ``Client.ask``.

    Returns
    -------
    One row a trial, as :mod:`toolkit.models.answering.tables` describes. Trials whose question failed, for
    instance at the cap, have the source "missing" and the reason as reply.
    """
    prompters = _prompters(trials, procedure)
    with client.purse.one_deadline():
        ask_all = _ask_in_turn if procedure.mode == "own" else _ask_at_once
        given = ask_all(prompters, client.ask if tell is None else partial(client.ask, tell=tell))
    return table_of_answers(trials, prompters, given, client.model)


def estimate(trials: Trials, client: Client, procedure: Procedure) -> Estimate:
    """What :func:`answer` would cost if every reply named a category; sends nothing."""
    prompters = _prompters(trials, procedure)
    known = _ask_in_turn(prompters, recall(client)) if procedure.mode == "own" else {}
    known = {place: one for place, one in known.items() if one.judgement.source != "missing"}
    n_samples = procedure.n_samples
    parts = [
        client.estimate([question.request(sample) for question in part for sample in range(n_samples)])
        for part in _parts(_questions(prompters, known), QUESTIONS_AT_ONCE // n_samples)
    ]
    total = _sum(parts or [client.estimate([])])
    n_known = n_samples * len(known)
    return replace(total, n_requests=total.n_requests + n_known, n_in_journal=total.n_in_journal + n_known)


def first_requests(trials: Trials, procedure: Procedure) -> Iterator[Request]:
    """The first question on every trial, one after the other; in mode "own" with guesses as its answers."""
    return (question.request() for question in _questions(_prompters(trials, procedure), {}))


def _prompters(trials: Trials, procedure: Procedure) -> list[Prompter]:
    procedure.story.check(trials)
    return [Prompter(procedure, trials, row) for row in range(len(trials))]


def _questions(prompters: Iterable[Prompter], known: Mapping[Place, Given]) -> Iterator[Question]:
    """Those that are not known yet; where the model's own choices are not, its prompts are as long anyway."""
    for prompter in prompters:
        if prompter.procedure.mode == "own":
            places = [(prompter.row, trial) for trial in range(prompter.n_trials)]
            said = [known[place].judgement.said if place in known else 0 for place in places]
            lines = [prompter.line(trial, choice) for trial, choice in enumerate(said)]
        else:
            lines = prompter.lines()
        for trial in range(prompter.n_trials):
            if (prompter.row, trial) not in known:
                yield Question(prompter, trial, lines)


def _ask_at_once(prompters: Sequence[Prompter], ask: Ask) -> dict[Place, Given]:
    """All trials of all sequences, in an order that does not matter."""
    given: dict[Place, Given] = {}
    total = sum(prompter.n_trials for prompter in prompters)
    for part in _parts(_questions(prompters, {}), QUESTIONS_AT_ONCE):
        given |= ask_until_named(
            part, ask, f"trials {len(given) + 1:,} to {len(given) + len(part):,} of {total:,}"
        )
    return given


def _ask_in_turn(prompters: Sequence[Prompter], ask: Ask) -> dict[Place, Given]:
    """The next trial of all sequences, until they end or a question fails."""
    given: dict[Place, Given] = {}
    going_on: dict[Prompter, list[str]] = {prompter: [] for prompter in prompters}
    longest = max((prompter.n_trials for prompter in prompters), default=0)
    for trial in range(longest):
        going_on = {prompter: lines for prompter, lines in going_on.items() if trial < prompter.n_trials}
        questions = [Question(prompter, trial, lines) for prompter, lines in going_on.items()]
        now = ask_until_named(questions, ask, f"trial {trial + 1} of {longest}")
        given |= now
        for prompter in list(going_on):
            judgement = now[prompter.row, trial].judgement
            if judgement.source == "missing":
                del going_on[prompter]
            else:
                going_on[prompter].append(prompter.line(trial, judgement.said))
    return given


def ask_until_named(questions: Sequence[Asked], ask: Ask, what: str) -> dict[Place, Given]:
    """Ask all samples of all questions, again those whose reply names no option."""
    asked = [(q, sample) for q in questions for sample in range(q.n_samples)]
    replies: dict[Place, dict[int, Reply]] = {question.place: {} for question in questions}
    failed: dict[Place, str] = {}
    n_asked = dict.fromkeys(replies, 0)
    for repeat in range(MOST_ATTEMPTS):
        outcomes = ask([question.request(sample, repeat) for question, sample in asked], what)
        again = []
        for (question, sample), outcome in zip(asked, outcomes, strict=True):
            n_asked[question.place] += 1
            if isinstance(outcome, Failure):
                failed[question.place] = outcome.reason
                continue
            replies[question.place][sample] = outcome
            if not is_usable(outcome, question.letters):
                again.append((question, sample))
        asked = again
        if not asked:
            break
    return {q.place: _given(q, replies[q.place], failed.get(q.place), n_asked[q.place]) for q in questions}


def _given(question: Asked, replies: Mapping[int, Reply], failure: str | None, n_asked: int) -> Given:
    letters = question.letters
    if failure is not None:
        nothing = Judgement(np.full(len(letters), np.nan), "missing", MISSING)
        return Given(nothing, failure, n_asked)
    return Given(judge(list(replies.values()), letters), replies[0].text, n_asked)


def recall(client: Client) -> Ask:
    """A way to ask that knows the journal alone."""
    journal = client.journal
    journal.refresh()

    def recall(requests: Sequence[Request], what: str) -> list[Reply | Failure]:
        keys = [request.key(client.model) for request in requests]
        return [journal[key] if key in journal else Failure(key, "not asked yet.") for key in keys]

    return recall


def _parts(questions: Iterable[Question], size: int) -> Iterator[list[Question]]:
    remaining = iter(questions)
    while part := list(islice(remaining, max(1, size))):
        yield part


def _sum(estimates: Sequence[Estimate]) -> Estimate:
    def total(name: str) -> float | None:
        amounts = [getattr(one, name) for one in estimates]
        return None if None in amounts else sum(amounts)

    counts = {name: sum(getattr(one, name) for one in estimates) for name in _COUNTS}
    return Estimate(**counts, usd_at_most=total("usd_at_most"), usd_likely=total("usd_likely"))


_COUNTS = ("n_requests", "n_in_journal", "prompt_tokens")
