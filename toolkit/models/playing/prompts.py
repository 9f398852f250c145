"""What a language model is told of a bandit: a story of casinos, all earlier visits, and two machines with letters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from toolkit.errors import UsageError
from toolkit.llm import Request
from toolkit.models.answering.prompts import N_ALTERNATIVES
from toolkit.models.answering.stories import listed
from toolkit.models.reward_learning import range_of_outcomes
from toolkit.seeds import Seeds
from toolkit.trials import MISSING, Trials

# Those of earlier work but for A, which is a word as well, so that a reply that contains it would be misread.
LETTERS = tuple("BCDEFGHJKLMNOPQRSTVW")


@dataclass(frozen=True)
class Rules:
    """How a language model is asked.

    Attributes
    ----------
    seed
        Decides the letters of machines, new ones for every set of options of a session, and the order in which
        a question names them.
    temperature
        0 gives the likeliest reply; None tells the model none, since some refuse to be told.
    log_probabilities
        Whether to ask how likely the letters are; providers that do not know give the reply alone.
    max_tokens
        Of a reply.
    unit
        What is paid.
    """

    seed: int = 0
    temperature: float | None = 0.0
    log_probabilities: bool = True
    max_tokens: int = 8
    unit: str = "dollars"


class Player:
    """Asks about the visits of one sequence; nothing of other sequences is told.

    Attributes
    ----------
    letters
        Of every set of options, in the order of the options: (contexts, options).
    dictated
        (trials,) the option that somebody else takes, -1 where the model chooses.
    order
        (trials, options) in which a question names the machines.
    """

    def __init__(self, rules: Rules, design: Trials, row: int) -> None:
        self.rules, self.row, self.n_trials = rules, row, int(design.mask[row].sum())
        arrays = {name: array[row, : self.n_trials] for name, array in design.arrays.items()}
        nowhere = np.zeros(self.n_trials, bool)
        self.context, self.payoff = arrays["context"], arrays["payoff"]
        self.dictated = np.where(arrays.get("forced", nowhere), arrays["choice"], MISSING)
        self.full = arrays.get("full_feedback", nowhere)
        self.letters = _letters(rules, design, row)
        about = design.sequences.iloc[row]
        rng = Seeds(rules.seed).numpy(
            f"order for participant {about['participant']}, problem {about['problem']}"
        )
        options = np.tile(np.arange(design.n_options), (self.n_trials, 1))
        self.order = rng.permuted(options, axis=1)
        self._amounts = range_of_outcomes(design)
        self._system = self._story()

    def line(self, trial: int, choice: int) -> str:
        """A visit on which ``choice`` was made, -1 if the model named no machine."""
        where = self._where(trial)
        if choice == MISSING:
            return f"{where}: you named no machine, and nothing was paid."
        names, paid, unit = self.names(trial), self.payoff[trial], self.rules.unit
        who = "you" if self.dictated[trial] == MISSING else "somebody else"
        told = f"{where}: {who} played machine {names[choice]}, which paid {paid[choice]:g} {unit}"
        if self.full[trial]:
            others = [k for k in range(len(names)) if k != choice]
            told += "".join(f"; machine {names[k]} would have paid {paid[k]:g} {unit}" for k in others)
        return f"{told}."

    def request(self, trial: int, lines: Sequence[str], sample: int = 0, repeat: int = 0) -> Request:
        """The question on a visit; ``sample`` and ``repeat`` as for category learning."""
        past = "Visits so far:\n" + "\n".join(lines[:trial]) if trial else "There were no visits so far."
        names = self.names(trial)
        offered = [names[k] for k in self.order[trial]]
        reminder = f" Write nothing but {listed(offered, 'or')}." if repeat else ""
        text = (
            f"{past}\n\nNow: {self._where(trial)}, with the machines {listed(offered, 'and')}.\n"
            f"Which machine do you play, {listed(offered, 'or')}? Answer with the letter alone.{reminder}\nMachine:"
        )
        return Request.of(
            text,
            system=self._system,
            max_tokens=self.rules.max_tokens,
            temperature=self.rules.temperature,
            sample=sample + repeat,
            top_logprobs=N_ALTERNATIVES if self.rules.log_probabilities else 0,
        )

    def names(self, trial: int) -> tuple[str, ...]:
        """Letters of the machines on offer, in the order of the options."""
        return self.letters[self.context[trial]]

    def _where(self, trial: int) -> str:
        casino = f", casino {self.context[trial] + 1}" if len(self.letters) > 1 else ""
        return f"visit {trial + 1}{casino}"

    def _story(self) -> str:
        n_casinos, n_own, unit = len(self.letters), int((self.dictated == MISSING).sum()), self.rules.unit
        low, high = self._amounts
        place = f"{n_casinos} casinos, numbered 1 to {n_casinos}," if n_casinos > 1 else "a casino"
        n_machines = len(self.letters[0])
        parts = [
            f"You are going to visit {place} {self.n_trials} times in all.",
            f"{'Each of them' if n_casinos > 1 else 'It'} has {n_machines} machines. A machine pays either "
            f"{low:g} or {high:g} {unit}, each with a chance of its own, which you do not know and which stays the same.",
        ]
        if n_own < self.n_trials:
            parts.append(
                f"On {self.n_trials - n_own} of the visits somebody else plays, and you only watch what is paid."
            )
        if self.full.any():
            parts.append("After every visit you are also told what the other machine would have paid.")
        whose = f"your own {n_own} visits" if n_own < self.n_trials else f"all {n_own} visits"
        parts.append(f"Your goal is to win as much as possible over {whose}.")
        return " ".join(parts)


def _letters(rules: Rules, design: Trials, row: int) -> list[tuple[str, ...]]:
    """Letters of the machines of a sequence: no two machines of a session share one."""
    about = design.sequences
    participant, session = about["participant"].iloc[row], about.get("session", about["problem"]).iloc[row]
    same = (about["participant"] == participant) & (about.get("session", about["problem"]) == session)
    n_contexts, n_options = int(design.context.max()) + 1, design.n_options
    n_needed = int(same.sum()) * n_contexts * n_options
    if n_needed > len(LETTERS):
        raise UsageError(f"a session has {n_needed} machines and there are {len(LETTERS)} letters for them.")
    rng = Seeds(rules.seed).numpy(f"letters for participant {participant}, session {session}")
    drawn = [str(letter) for letter in rng.choice(LETTERS, n_needed, replace=False)]
    first = int(np.flatnonzero(same.to_numpy()).tolist().index(row)) * n_contexts
    return [tuple(drawn[n_options * c : n_options * (c + 1)]) for c in range(first, first + n_contexts)]
