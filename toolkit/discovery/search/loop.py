"""The search: ask a proposer, try what it proposes, keep everything, and go on until a cap is reached."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from toolkit.discovery.baselines import CHANCE, get_baseline
from toolkit.discovery.program import Program
from toolkit.discovery.proposers.base import Candidate, Proposal, Proposer, Situation
from toolkit.discovery.rejection import Rejected
from toolkit.discovery.sandbox import Limits, Sandbox
from toolkit.discovery.search.config import SearchConfig
from toolkit.discovery.search.journal import SearchJournal, name_of
from toolkit.discovery.search.population import seen_by
from toolkit.discovery.search.scoring import Score, Scorer
from toolkit.discovery.search.spending import Spent, spent_so_far
from toolkit.discovery.search.study import Study, prepare
from toolkit.fitting.fitting import one_thread
from toolkit.io import sha256_of_bytes
from toolkit.progress import track
from toolkit.seeds import Seeds
from toolkit.trials import Trials

JOURNAL = "search.jsonl"
"""The journal's name in the folder of a search."""

BEFORE_FIRST = -1
"""The round of what happens before there are any: baselines are fitted."""


class Search:
    """One search, which can be interrupted at any point and goes on where it was.

    Parameters
    ----------
    config
        What is to be searched, on whom, how long.
    make_proposer
        Makes what thinks of programs, once everything else is there.
    folder
        Keeps the journal; the same folder with the same settings goes on.
    trials
        Instead of those that the configuration names.
    sandbox
        Where programs run; by default with a worker for every core.

    Attributes
    ----------
    study
        Who is shown, selected on and reported on.
    journal
        Everything that happened.
    proposer
        Thinks of programs.
    """

    def __init__(
        self,
        config: SearchConfig,
        make_proposer: Callable[[Search], Proposer],
        folder: str | Path,
        *,
        trials: Trials | None = None,
        sandbox: Sandbox | None = None,
    ) -> None:
        self.config, self.folder = config, Path(folder)
        self.study: Study = prepare(config, trials)
        self.sandbox = sandbox or Sandbox(limits=Limits(seconds=config.fit.seconds_a_request))
        self.scorer = Scorer(
            self.study.evaluation,
            self.study.task,
            config.fit,
            config.data.counted,
            self.sandbox,
            seed=Seeds(config.seed).integer("starts") % 2**32,
        )
        self.journal = SearchJournal(self.folder / JOURNAL)
        self.proposer = make_proposer(self)

    def run(self, tell: Callable[[Candidate], None] | None = None) -> list[Candidate]:
        """Search until rounds or seconds are used up, or nothing is proposed any more.

        Then a proposer may try what is left to try of the best, in rounds behind the last one, on an island of its own.

        Parameters
        ----------
        tell
            Called with every candidate as soon as it was tried.

        Returns
        -------
        All candidates, in order.
        """
        self.journal.begin(self._about(), self.config.model_dump(mode="json"))
        with one_thread(), self._pool() as pool:
            self._score_baselines(pool)
            self._search(pool, tell)
        return self.journal.candidates()

    @property
    def baselines(self) -> list[str]:
        """Names of the models that are always in the table."""
        return [CHANCE, *self.config.baselines]

    def program_of(self, baseline: str) -> Program:
        """The program of a baseline."""
        return get_baseline(baseline, self.study.task)

    # -- rounds -------------------------------------------------------------------------------

    def _search(self, pool: ThreadPoolExecutor, tell: Callable[[Candidate], None] | None) -> None:
        """All rounds, and behind them those in which what is left to try of the best is tried."""
        loop, longest = self.config.loop, Spent()
        for round_ in range(loop.rounds):
            before = self.journal.spent
            # What is left to try has to fit in as well.
            left_to_try = self.proposer.close(self.situation(round_, loop.islands))
            if self._is_late(longest + longest if left_to_try else longest):
                break
            if not self._round(round_, range(loop.islands), pool, tell):
                break
            longest = longest.at_least(self.journal.spent - before)
        for round_ in itertools.count(loop.rounds):
            if self._is_late(longest) or not self._round(round_, [loop.islands], pool, tell):
                break

    def _round(
        self,
        round_: int,
        islands: Iterable[int],
        pool: ThreadPoolExecutor,
        tell: Callable[[Candidate], None] | None,
    ) -> bool:
        """Whether anything was proposed."""
        began, asked = spent_so_far(), []
        for island in islands:
            proposals = self.journal.proposals(round_, island)
            if proposals is None:
                proposals = self._ask(round_, island)
                self.journal.add_proposals(round_, island, proposals)
            asked += [
                (name_of(round_, island, number), round_, island, one) for number, one in enumerate(proposals)
            ]
        untried = [one for one in asked if self.journal.score(one[0]) is None]
        scores = pool.map(lambda one: self._try(one[3]), untried)
        n_rounds = self.config.loop.rounds
        number = f"round {round_ + 1} of {n_rounds}" if round_ < n_rounds else "what is left to try"
        what = f"{self.proposer.name}: {number}"
        for (name, *place, proposal), score in track(zip(untried, scores, strict=True), what, len(untried)):
            self.journal.add_score(name, score)
            if tell is not None:
                tell(Candidate(name, place[0], place[1], proposal, score))
        if untried:
            self.journal.end_round(round_, spent_so_far() - began)
        return bool(asked)

    def _ask(self, round_: int, island: int) -> list[Proposal]:
        asked = self.situation(round_, island)
        return (
            self.proposer.propose(asked) if island < self.config.loop.islands else self.proposer.close(asked)
        )

    def situation(self, round_: int, island: int) -> Situation:
        """What the proposer is told when an island is to be asked; the one behind the last sees all others."""
        loop = self.config.loop
        candidates = self.journal.candidates()
        if island < loop.islands:
            candidates = seen_by(island, round_, candidates, loop)
        return Situation(
            round=round_,
            island=island,
            n=loop.candidates,
            history=candidates,
            baselines={
                name: score.mean for name, score in self.journal.baselines.items() if score.mean is not None
            },
            seed=Seeds(self.config.seed).integer(f"proposals/{round_}/{island}"),
        )

    def _try(self, proposal: Proposal) -> Score:
        if proposal.fault:
            reason, what = proposal.fault
            return Score(None, reason=reason, what=what)
        try:
            return self.scorer.score(proposal.program(self.study.task))
        except Rejected as error:
            return Score.rejected(error)

    def _score_baselines(self, pool: ThreadPoolExecutor) -> None:
        began = spent_so_far()
        missing = [name for name in self.baselines if name not in self.journal.baselines]
        scores = pool.map(lambda name: self.scorer.score(self.program_of(name)), missing)
        for name, score in track(zip(missing, scores, strict=True), "fitting baselines", len(missing)):
            self.journal.add_baseline(name, score)
        if missing:
            self.journal.end_round(BEFORE_FIRST, spent_so_far() - began)

    # -- settings and caps --------------------------------------------------------------------

    def _about(self) -> dict[str, object]:
        """What has to be the same for a search to go on; rounds and caps may be raised."""
        content = self.config.model_dump(mode="json")
        del content["budget"], content["loop"]["rounds"], content["runs"], content["fit"]["seconds_a_program"]
        return {
            "proposer": self.proposer.name,
            "config": content,
            "trials": [_fingerprint(self.study.evaluation), _fingerprint(self.study.test)],
        }

    def _is_late(self, left: Spent) -> bool:
        """Whether what is left to do would end behind a cap."""
        budget = self.config.budget
        return (self.journal.spent + left).exceeds(budget.seconds, budget.processor_seconds)

    @contextmanager
    def _pool(self) -> Iterator[ThreadPoolExecutor]:
        pool = ThreadPoolExecutor(self.sandbox.n_workers, thread_name_prefix="candidate")
        try:
            yield pool
        finally:
            pool.shutdown(cancel_futures=True)


def _fingerprint(trials: Trials) -> str:
    """Hash of the trials of some people."""
    arrays = [trials.mask.tobytes(), *(array.tobytes() for _, array in sorted(trials.arrays.items()))]
    people = json.dumps([str(one) for one in trials.participants])
    return sha256_of_bytes(b"".join([*arrays, people.encode()]))[:16]
