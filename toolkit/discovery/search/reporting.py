"""The report of a search: its winner, checked again, and the table on test participants."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from toolkit.discovery.checking import recheck
from toolkit.discovery.program import Program
from toolkit.discovery.proposers.base import Candidate
from toolkit.discovery.rejection import Rejected
from toolkit.discovery.search.loop import Search
from toolkit.discovery.search.population import best_of
from toolkit.discovery.search.scoring import Score, Scorer, criterion, n_counted
from toolkit.errors import UsageError
from toolkit.fitting import Fit, estimate_frequencies
from toolkit.progress import track

WINNER = "winner"
"""The kind of the row that was found; others are baselines."""


@dataclass(frozen=True)
class Report:
    """What a search found.

    Attributes
    ----------
    winner
        The candidate that explains the evaluation participants best and was confirmed.
    program
        Its program.
    test_fit
        Its fit to the test participants.
    table
        One row a model, best on test first: ``model``, ``kind`` (winner or baseline), ``n_parameters``;
        ``evaluation`` and ``test``, means of the criterion; and ``difference`` from the winner on the same
        test participants with ``low`` and ``high`` (95 %), positive where the winner is better. Of test participants as
        well ``log_likelihood``, summed; ``n``, what a criterion counts, and ``aic`` and ``bic``, means; ``held_out``, nats
        a choice on the last quarter of every problem that the fit did not see; and by the criterion, with random
        effects, the ``frequency`` of each model among people and its ``protected_exceedance``.
    warnings
        Sentences on what speaks against the winner.
    unconfirmed
        Better candidates that a second opinion turned down, with the reason.
    """

    winner: Candidate
    program: Program
    test_fit: Fit
    table: pd.DataFrame
    warnings: tuple[str, ...]
    unconfirmed: Mapping[str, str]


def report(search: Search) -> Report:
    """Choose the winner on evaluation participants, and report it once on test participants.

    Raises
    ------
    UsageError
        where no candidate could be used.
    """
    winner, unconfirmed = _confirmed(search)
    program = winner.proposal.program(search.study.task)
    final = search.scorer.on(search.study.test)
    programs = {name: search.program_of(name) for name in search.baselines}
    everyone = [(WINNER, program), *programs.items()]
    scores = {name: final.score(one) for name, one in track(everyone, "reporting on test participants")}
    if scores[WINNER].mean is None:
        raise UsageError(
            f"the winner cannot be fitted to the test participants: {scores[WINNER].what}", where="report"
        )
    usable = {name: score for name, score in scores.items() if score.mean is not None}
    further = {name: _further(final, one, usable[name]) for name, one in everyone if name in usable}
    table = _table(winner, usable, search.journal.baselines, further)
    return Report(winner, program, final.fit(program), table, _warnings(table), unconfirmed)


def _confirmed(search: Search) -> tuple[Candidate, dict[str, str]]:
    """The best candidate that a fresh process confirms, and what it said of better ones."""
    unconfirmed: dict[str, str] = {}
    for candidate in best_of(search.journal.candidates()):
        program = candidate.proposal.program(search.study.task)
        try:
            if program.parameters:
                model = program.model(search.sandbox)
                recheck(model, search.scorer.fit(program), search.study.evaluation)
        except Rejected as error:
            unconfirmed[candidate.name] = str(error)
            continue
        return candidate, unconfirmed
    tried = [one.score.what for one in search.journal.candidates() if not one.accepted]
    raise UsageError(
        "no candidate can be used.",
        where=str(search.folder),
        fix=f"The last one: {tried[-1]}" if tried else "Let the search run for at least a round.",
    )


def _further(final: Scorer, program: Program, score: Score) -> dict[str, float]:
    """What a table says of a model on test participants beside the criterion."""
    log_likelihood = np.array(score.log_likelihood)
    n = n_counted(final.trials, final.task, final.counted)
    both = {which: criterion(log_likelihood, score.n_parameters, n, which).mean() for which in ("aic", "bic")}
    return {
        "n": n.mean(),
        "log_likelihood": log_likelihood.sum(),
        **both,
        "held_out": final.held_out(program),
    }


def _table(
    winner: Candidate,
    test: Mapping[str, Score],
    evaluation: Mapping[str, Score],
    further: Mapping[str, Mapping[str, float]],
) -> pd.DataFrame:
    rows = []
    own = np.array(test[WINNER].each)
    evidence = pd.DataFrame({name: -np.array(score.each) / 2 for name, score in test.items()})
    frequencies = estimate_frequencies(evidence).table.set_index("model")
    for name, score in test.items():
        found = name == WINNER
        difference, low, high = paired_interval(np.array(score.each) - own) if not found else (0.0, 0.0, 0.0)
        rows.append(
            {
                "model": winner.proposal.content["name"] if found else name,
                "kind": WINNER if found else "baseline",
                "n_parameters": score.n_parameters,
                "evaluation": winner.score.mean if found else evaluation[name].mean,
                "test": score.mean,
                "difference": difference,
                "low": low,
                "high": high,
                **further[name],
                **frequencies.loc[name, ["frequency", "protected_exceedance"]].to_dict(),
            }
        )
    return pd.DataFrame(rows).sort_values("test", kind="stable", ignore_index=True)


def paired_interval(differences: np.ndarray) -> tuple[float, float, float]:
    """Mean of differences between two models on the same people, and its 95 % interval by Student's t."""
    from scipy import stats

    mean, n = float(differences.mean()), len(differences)
    if n < 2:
        return mean, float("nan"), float("nan")
    width = float(stats.t.ppf(0.975, n - 1) * differences.std(ddof=1) / np.sqrt(n))
    return mean, mean - width, mean + width


_JUDGED = {
    "evaluation": ("those it was selected on", ".1f"),
    "test": ("test participants", ".1f"),
    "held_out": ("test participants' last choices, unseen by fits,", ".3f"),
}
"""Columns in which less is better, of whom they say how well they are explained, and as what number."""


def _warnings(table: pd.DataFrame) -> tuple[str, ...]:
    """A sentence for every baseline that is as good as the winner, on either group of people or on what was held out."""
    own = table[table["kind"] == WINNER].iloc[0]
    return tuple(
        f"The baseline {row['model']} explains {people} better ({row[part]:{digits}}) than the winner "
        f"({own[part]:{digits}})."
        for part, (people, digits) in _JUDGED.items()
        for _, row in table[(table["kind"] != WINNER) & (table[part] <= own[part])].iterrows()
    )
