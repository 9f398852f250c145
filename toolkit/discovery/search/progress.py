"""How a search got on: which programs led, after what time, and what each says of people who were held back."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import pandas as pd

from toolkit.discovery.search.loop import Search
from toolkit.discovery.search.population import best_of
from toolkit.discovery.search.reporting import WINNER
from toolkit.io import read_table
from toolkit.progress import track

PROGRESS, TABLE = "progress.csv", "table.csv"
"""Files of a run."""


def progress_of(search: Search) -> pd.DataFrame:
    """The best candidate after every round in which it changed.

    Test participants decide nothing here: candidates lead by evaluation participants.

    Returns
    -------
    One row a leading candidate, in order: ``round`` after which it led, the search's ``seconds`` and
    ``processor_seconds`` until then, ``name``, ``program``, ``n_parameters``; ``evaluation`` and ``test``, means of the
    criterion, the second with a fit as for the report.
    """
    final, task = search.scorer.on(search.study.test), search.study.task
    candidates, leading = search.journal.candidates(), {}
    for round_ in sorted(search.journal.spent_until):
        for best in best_of([one for one in candidates if one.round <= round_])[:1]:
            leading.setdefault(best.name, (round_, best))
    rows = []
    for round_, best in track(leading.values(), "programs that led, on test participants", len(leading)):
        rows.append(
            {
                "round": round_,
                **asdict(search.journal.spent_until[round_]),
                "name": best.name,
                "program": best.proposal.content["name"],
                "n_parameters": best.score.n_parameters,
                "evaluation": best.score.mean,
                "test": final.score(best.proposal.program(task)).mean,
            }
        )
    return pd.DataFrame(rows)


def compare_runs(folder: Path) -> pd.DataFrame:
    """What came of every run in the folder of :func:`toolkit.discovery.search.discover`.

    Returns
    -------
    One row a run: ``run``; the ``winner``, its ``evaluation`` and ``test`` criterion; the best model of the literature or
    chance on test participants, ``baseline``, and its criterion, ``to_beat``; ``beaten_after``, processor seconds after
    which the leading candidate was for the first time at least as good as that, NaN for never; and
    ``processor_seconds`` until the winner was found.
    """
    rows = []
    for run in sorted(folder.glob("run_*"), key=lambda path: int(path.name.removeprefix("run_"))):
        table, progress = read_table(run / TABLE), read_table(run / PROGRESS)
        winner = table[table["kind"] == WINNER].iloc[0]
        baseline = table[table["kind"] != WINNER].sort_values("test").iloc[0]
        beaten = progress.loc[progress["test"] <= baseline["test"], "processor_seconds"]
        rows.append(
            {
                "run": run.name,
                "winner": winner["model"],
                "evaluation": winner["evaluation"],
                "test": winner["test"],
                "baseline": baseline["model"],
                "to_beat": baseline["test"],
                "beaten_after": beaten.min(),
                "processor_seconds": progress["processor_seconds"].iloc[-1],
            }
        )
    return pd.DataFrame(rows)
