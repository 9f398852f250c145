"""Cost over people: what counts as linear, and that everyone's fit is the same in any company."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from toolkit.bench import fitting
from toolkit.bench._growth import Cost, growth_row, in_new_process, measure
from toolkit.fitting import fit


def costs(power: float, *, memory: float = 100) -> tuple[Cost, Cost]:
    """Of 100 and 1,000 people."""
    likelihoods = -np.arange(1.0, 11.0)
    return tuple(Cost(n, 0.01 * n**power, memory, 400, likelihoods) for n in (100, 1_000))


def test_cost_over_people_may_be_linear_only_and_memory_has_a_bound() -> None:
    for power, met in ((0.8, True), (1.0, True), (1.3, False), (2.0, False)):
        row = growth_row(*costs(power), "any model")
        assert row.met == met and row.same_result
        assert f"people to the power {power:.2f}" in row.note
    few, many = costs(1.0, memory=700)
    assert not growth_row(few, many, "any model").met
    other = replace(many, log_likelihood=many.log_likelihood - 0.01)
    assert not growth_row(few, other, "any model").same_result


def test_people_have_the_same_fits_in_any_company_and_in_a_process_of_its_own(tmp_path: Path) -> None:
    everyone, search = fitting.simulate(12), {"n_starts": 2}
    file = tmp_path / "people.safetensors"
    everyone.save(file)
    few, many = measure(file, "gcm", 3, **search), in_new_process(file, "gcm", 12, **search)
    assert (few.n_people, many.n_people) == (3, 12)
    assert (len(few.log_likelihood), len(many.log_likelihood)) == (3, 10)
    row = growth_row(few, many, "gcm")
    assert row.same_result and "12 simulated people, beside 4 × 3" in row.what
    alone = fit("gcm", everyone.take([0]), exchange_rounds=0, progress=False, **search).table
    assert few.log_likelihood[0] == pytest.approx(alone["log_likelihood"][0], abs=1e-4)
    assert many.seconds > 0 and many.before > 50 and many.memory >= 0
