"""What `toolkit bench bandits` compares; its speeds are not tested."""

from __future__ import annotations

from toolkit.bench import bandits
from toolkit.bench._plain_bandits import rescorla_wagner_objective


def test_loops_give_the_same_and_optima_are_no_worse() -> None:
    row = bandits.fits_row(n_subjects=3, n_starts=4, n_plain_subjects=2, n_plain_starts=2)
    assert row.same_result and "2 subjects × 2 starts" in row.note
    assert bandits.exact_row(2, 500, 200).same_result
    filters = bandits.filters_row(2, 300, 200)
    assert filters.same_result and filters.met and "nassar_2012" in filters.note
    agents = bandits.agents_row(8, 4)
    assert agents.same_result and "steps/s" in agents.note


def test_a_loop_that_learns_otherwise_is_noticed(monkeypatch) -> None:
    monkeypatch.setattr(
        bandits,
        "rescorla_wagner_objective",
        lambda trials, begin: rescorla_wagner_objective(trials, begin + 0.1),
    )
    row = bandits.fits_row(n_subjects=2, n_starts=2, n_plain_subjects=1, n_plain_starts=2)
    assert not row.same_result
