"""The search: what it keeps, how it goes on, what islands see, and what it reports."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from toolkit.discovery.program import Program
from toolkit.discovery.proposers import Proposal, RecordedProposer, Situation
from toolkit.discovery.sandbox import Sandbox
from toolkit.discovery.search import best_of, frontier, lineage, report
from toolkit.discovery.search.loop import BEFORE_FIRST, JOURNAL
from toolkit.discovery.search.reporting import paired_interval
from toolkit.errors import UsageError
from toolkit.tests.discovery.searches import (
    EIGHT,
    ENDLESS,
    LEARN,
    LIKE,
    REPEAT,
    Listed,
    described,
    people,
    search,
)


@pytest.fixture(autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    # Fits are kept between the tests of this file, but not beyond.
    monkeypatch.setenv("TOOLKIT_CACHE", str(tmp_path_factory.getbasetemp() / "fits"))


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory, workers: Sandbox) -> Path:
    """The folder of a search that is over."""
    folder = tmp_path_factory.mktemp("finished")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("TOOLKIT_CACHE", str(tmp_path_factory.getbasetemp() / "fits"))
        search(folder, workers).run()
    return folder


def test_candidates_are_scored_and_faults_are_kept_with_their_reason(
    finished: Path, workers: Sandbox
) -> None:
    candidates = search(finished, workers).journal.candidates()
    assert [one.proposal.content["name"] for one in candidates] == [
        "like the first", "look at the answer", "repeat", "like the first",
        "learn", "repeat", "like the first", "learn",
    ]  # fmt: skip
    (fault,) = [one for one in candidates if not one.accepted]
    assert fault.score.reason == "contract" and "'choice' is not known yet" in fault.score.what
    assert best_of(candidates)[0].proposal.content["name"] == "learn"
    assert best_of(candidates)[0].score.mean < search(finished, workers).journal.baselines["chance"].mean


def test_a_score_is_the_criterion_of_each_person_under_the_fit(finished: Path, workers: Sandbox) -> None:
    made = search(finished, workers)
    best = best_of(made.journal.candidates())[0]
    program = best.proposal.program(made.study.task)
    fit = made.scorer.fit(program)
    model = program.model(workers)
    by_trial = model.log_likelihood(fit.theta, made.study.evaluation)
    np.testing.assert_allclose(best.score.each, 2 * np.log(24) - 2 * by_trial.sum(-1), atol=1e-6)
    chance = made.journal.baselines["chance"]
    np.testing.assert_allclose(chance.each, 2 * 24 * np.log(2))


@pytest.mark.parametrize("share", [0.1, 0.4, 0.6, 0.8, 0.97])
def test_a_search_that_was_cut_anywhere_ends_like_one_that_was_not(
    finished: Path, workers: Sandbox, tmp_path: Path, share: float
) -> None:
    whole = (finished / JOURNAL).read_bytes()
    (tmp_path / JOURNAL).write_bytes(whole[: int(share * len(whole))])
    again = search(tmp_path, workers).run()
    assert again == search(finished, workers).journal.candidates()


def test_a_finished_search_asks_nobody_and_other_settings_are_refused(
    finished: Path, workers: Sandbox
) -> None:
    proposer = Listed(EIGHT)
    search(finished, workers, proposer).run()
    assert proposer.asked == []
    with pytest.raises(UsageError, match="its config differ"):
        search(finished, workers, seed=7).run()


def test_a_recording_is_replayed_exactly(finished: Path, workers: Sandbox, tmp_path: Path) -> None:
    recorded = RecordedProposer(finished / JOURNAL)
    assert recorded.config.loop.rounds == 2 and recorded.config.seed == 0
    replayed = search(tmp_path, workers, recorded)
    assert replayed.run() == search(finished, workers).journal.candidates()
    one, other = report(replayed), report(search(finished, workers))
    assert one.table.equals(other.table) and one.winner == other.winner


def test_islands_see_their_own_candidates_and_the_best_of_a_neighbour(
    workers: Sandbox, tmp_path: Path
) -> None:
    proposer = Listed(EIGHT)
    search(tmp_path, workers, proposer).run()
    seen = {(one.round, one.island): {known.name for known in one.history} for one in proposer.asked}
    assert seen[0, 0] == seen[0, 1] == set()
    assert seen[1, 0] >= {"r00.i0.c0", "r00.i0.c1"} and len(seen[1, 0] - {"r00.i0.c0", "r00.i0.c1"}) == 1
    apart = Listed(EIGHT)
    search(tmp_path / "apart", workers, apart, **{"loop.exchange_every": 0}).run()
    assert {one.name for one in apart.asked[-1].history} == {"r00.i1.c0", "r00.i1.c1"}


def test_searches_end_at_the_cap_and_when_nothing_is_proposed(workers: Sandbox, tmp_path: Path) -> None:
    late = Listed(EIGHT)
    assert search(tmp_path / "late", workers, late, **{"budget.seconds": -1.0}).run() == []
    assert late.asked == []
    short = Listed(EIGHT[:2])
    search(tmp_path / "short", workers, short, **{"loop.rounds": 50}).run()
    assert len(short.asked) == 4


class Closing(Listed):
    """Has something left to try of the best, once."""

    def close(self, situation: Situation) -> list[Proposal]:
        tried = [one for one in situation.history if one.proposal.origin["operator"] == "closing"]
        best = [one.name for one in situation.ranked[:1]]
        return [Proposal(LEARN, {"operator": "closing", "parents": best})] if best and not tried else []


def test_a_program_has_so_many_seconds_in_all(workers: Sandbox, tmp_path: Path) -> None:
    made = search(tmp_path, workers, **{"fit.seconds_a_program": 0.3})
    began = time.monotonic()
    score = made.scorer.score(Program.from_json(described("endless", ENDLESS, "bias"), made.study.task))
    assert score.reason == "time" and "0.3 s in all" in score.what and time.monotonic() - began < 10


def test_what_is_left_to_try_of_the_best_is_tried_behind_the_last_round_and_kept(
    workers: Sandbox, tmp_path: Path
) -> None:
    made = search(tmp_path, workers, Closing([LIKE, REPEAT]), **{"loop.rounds": 1, "loop.candidates": 1})
    *others, last = made.run()
    assert len(others) == 2 and {one.island for one in others} == {0, 1}
    assert last.name == "r01.i2.c0" and last == best_of([*others, last])[0]
    assert last.proposal.origin["parents"] == [best_of(others)[0].name]
    assert made.journal.spent_until.keys() == {BEFORE_FIRST, 0, 1}
    assert 0 < made.journal.spent_until[0].seconds < made.journal.spent.seconds
    assert 0 <= made.journal.spent_until[0].processor_seconds <= made.journal.spent.processor_seconds
    # More rounds go on behind it, and those who replay it see it as well.
    more = search(tmp_path, workers, Closing([LIKE, REPEAT]), **{"loop.rounds": 2, "loop.candidates": 1})
    assert more.run()[:3] == [*others, last]
    recorded = RecordedProposer(tmp_path / JOURNAL)
    again = search(tmp_path / "again", workers, recorded, **{"loop.rounds": 1, "loop.candidates": 1})
    assert again.run() == [*others, last]


def test_processor_seconds_are_a_cap_too(workers: Sandbox, tmp_path: Path) -> None:
    proposer = Listed(EIGHT)
    made = search(tmp_path, workers, proposer, **{"budget.processor_seconds": -1.0})
    assert made.run() == [] and proposer.asked == []


def test_the_report_compares_on_people_who_were_held_back(finished: Path, workers: Sandbox) -> None:
    made = search(finished, workers)
    found = report(made)
    assert found.program.name == "learn" and found.warnings == () and found.unconfirmed == {}
    assert list(found.table["kind"]) == ["winner", "baseline"]
    own, chance = found.table.iloc[0], found.table.iloc[1]
    assert set(found.test_fit.table["participant"]) == set(made.study.test.participants) == {4, 5}
    assert chance["difference"] == pytest.approx(chance["test"] - own["test"]) and chance["difference"] > 0
    assert chance["evaluation"] == pytest.approx(made.journal.baselines["chance"].mean)


def test_the_report_says_what_the_criterion_counts_and_judges_in_other_ways_as_well(
    finished: Path, workers: Sandbox
) -> None:
    table = report(search(finished, workers)).table.set_index("kind")
    own, chance = table.loc["winner"], table.loc["baseline"]
    assert (table["n"] == 24).all() and np.allclose(table["bic"], table["test"])
    assert chance["log_likelihood"] == pytest.approx(-2 * 24 * np.log(2))
    assert own["aic"] == pytest.approx(2 * 2 - own["log_likelihood"])  # Of two people on average.
    assert chance["held_out"] == pytest.approx(np.log(2)) and 0 < own["held_out"] < chance["held_out"]
    assert table["frequency"].sum() == pytest.approx(1) and own["frequency"] > 0.6
    assert table["protected_exceedance"].sum() == pytest.approx(1)


def test_a_baseline_that_wins_is_warned_of(workers: Sandbox, tmp_path: Path) -> None:
    hardly = {**LIKE, "parameters": [{"name": "bias", "lower": 0.0, "upper": 0.01, "meaning": ""}]}
    weak = search(tmp_path, workers, Listed([hardly]), **{"loop.rounds": 1, "loop.islands": 1})
    weak.run()
    found = report(weak)
    assert [said.split(" explains ")[1].split(" better")[0] for said in found.warnings] == [
        "those it was selected on",
        "test participants",
        "test participants' last choices, unseen by fits,",
    ]
    assert list(found.table["kind"]) == ["baseline", "winner"] and found.table["low"].iloc[0] < 0


def test_paired_intervals_are_those_of_a_paired_t_test() -> None:
    rng = np.random.default_rng(0)
    one, other = rng.normal(size=12), rng.normal(1, 1, 12)
    mean, low, high = paired_interval(one - other)
    expected = stats.ttest_rel(one, other).confidence_interval(0.95)
    np.testing.assert_allclose((mean, low, high), ((one - other).mean(), expected.low, expected.high))


def test_the_frontier_has_no_candidate_that_a_simpler_one_matches(finished: Path, workers: Sandbox) -> None:
    candidates = search(finished, workers).journal.candidates()
    kept = frontier(candidates)
    sizes = [one.score.n_parameters for one in kept]
    fits = [sum(one.score.log_likelihood) for one in kept]
    assert sizes == sorted(set(sizes)) and fits == sorted(fits)
    for one in candidates:
        if one.accepted:
            assert any(
                k.score.n_parameters <= one.score.n_parameters
                and sum(k.score.log_likelihood) >= sum(one.score.log_likelihood)
                for k in kept
            )


def test_the_lineage_of_a_candidate_goes_back_to_the_beginning(finished: Path, workers: Sandbox) -> None:
    candidates = search(finished, workers).journal.candidates()
    line = lineage(candidates[-1], candidates)
    assert line[-1] == candidates[-1] and line[0].round == 0
    assert line[0].name in line[-1].proposal.origin["parents"]


def test_people_are_never_both_selected_on_and_reported_on(workers: Sandbox, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="selected on and reported on"):
        search(tmp_path, workers, **{"splits.test": "3:"})
    with pytest.raises(UsageError, match="no participant 99"):
        search(tmp_path, workers, **{"splits.test": [99]})
    assert len(people().participants) == 6
