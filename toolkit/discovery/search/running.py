"""Searches from beginning to end: independent runs in folders of their own, each with its report."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from toolkit.discovery.grammar import grammar_for
from toolkit.discovery.proposers.base import Candidate, Proposer
from toolkit.discovery.proposers.grammar import GrammarProposer
from toolkit.discovery.sandbox import Limits, Sandbox
from toolkit.discovery.search.config import SearchConfig
from toolkit.discovery.search.loop import Search
from toolkit.discovery.search.population import frontier
from toolkit.discovery.search.progress import PROGRESS, TABLE, progress_of
from toolkit.discovery.search.reporting import Report, report
from toolkit.io import write_json, write_table, write_text
from toolkit.seeds import Seeds
from toolkit.trials import Trials

MakeProposer = Callable[[Search], Proposer]


def grammar_proposer(search: Search) -> Proposer:
    """The proposer that needs no language model."""
    task = search.study.task
    return GrammarProposer(grammar_for(task, validities=search.config.data.validities), task)


def discover(
    config: SearchConfig,
    folder: str | Path,
    *,
    make_proposer: MakeProposer = grammar_proposer,
    trials: Trials | None = None,
    sandbox: Sandbox | None = None,
    tell: Callable[[Candidate], None] | None = None,
    progress: bool = False,
) -> list[Report]:
    """Search, choose a winner, and report it, as often as the configuration says.

    Each run has a folder of its own, ``run_0`` and so on, another seed, and nothing in common with others:
    ``search.jsonl`` is everything that happened, ``winner.py`` and ``winner.json`` the winner's program,
    ``table.csv`` the table on test participants, ``frontier.json`` what is best with how many parameters.
    The same call goes on where an earlier one was interrupted.

    Parameters
    ----------
    make_proposer
        Makes the proposer of a search.
    trials
        Instead of those that the configuration names.
    tell
        Called with every candidate as soon as it was tried.
    progress
        Whether to say as well, in ``progress.csv``, which programs led after what time, and how well each explains test
        participants.
    """
    limits = Limits(seconds=config.fit.seconds_a_request)
    own = sandbox or Sandbox(limits=limits)
    try:
        return [
            _run(run_config, Path(folder) / f"run_{number}", make_proposer, trials, own, tell, progress)
            for number, run_config in enumerate(runs_of(config))
        ]
    finally:
        if sandbox is None:
            own.close()


def runs_of(config: SearchConfig) -> list[SearchConfig]:
    """A configuration for every run; the first has the seed itself."""
    others = Seeds(config.seed)
    seeds = [config.seed, *(others.integer(f"run {n}") % 2**32 for n in range(1, config.runs))]
    return [config.changed(seed=seed, runs=1) for seed in seeds]


def _run(
    config: SearchConfig,
    folder: Path,
    make_proposer: MakeProposer,
    trials: Trials | None,
    sandbox: Sandbox,
    tell: Callable[[Candidate], None] | None,
    progress: bool,
) -> Report:
    search = Search(config, make_proposer, folder, trials=trials, sandbox=sandbox)
    candidates = search.run(tell)
    found = report(search)
    write_json(folder / "winner.json", dict(found.winner.proposal.content))
    write_text(folder / "winner.py", f"{found.program.text.strip()}\n")
    write_table(folder / TABLE, found.table)
    if progress:
        write_table(folder / PROGRESS, progress_of(search))
    best = [
        {
            "name": one.name,
            "program": dict(one.proposal.content),
            "n_parameters": one.score.n_parameters,
            "mean": one.score.mean,
        }
        for one in frontier(candidates)
    ]
    write_json(folder / "frontier.json", best)
    return found
