"""The benchmark of discovery compares like with like: the plain loop and the programs are one model."""

from __future__ import annotations

import inspect
from dataclasses import replace

import numpy as np
import pytest

from toolkit.bench import discovery
from toolkit.bench._plain_discovery import NAMES, hybrid
from toolkit.discovery import LegacyProgram, Sandbox, Task
from toolkit.discovery.baselines import get_baseline
from toolkit.fitting import fit


def test_the_plain_loop_the_program_and_the_legacy_function_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(discovery, "TRIALS", 30)
    design, theta = discovery._design(2), discovery._parameters(2)
    program = get_baseline("daw_hybrid", Task.of(design))
    assert tuple(one.name for one in program.parameters) == NAMES
    with Sandbox(1) as sandbox:
        model = program.model(sandbox)
        model.engine.compiled = None
        trials = model.simulate(theta, design, np.random.default_rng(0))
        columns = (trials.choice, trials.state, trials.choice_2, trials.outcome)
        plain = [-hybrid(*(one[s] for one in columns), theta[s]) for s in range(2)]
        np.testing.assert_allclose(model.totals(theta, trials), plain, rtol=1e-12)
        legacy = LegacyProgram("legacy", inspect.getsource(hybrid), program.parameters, program.task)
        found = legacy.model(sandbox).totals(theta, trials, interpreted=True)
        np.testing.assert_allclose(found, plain, rtol=1e-12)
        reference = discovery._plain(trials, model, n_starts=1)
        values = np.array([value for _, value in reference])
        ends = discovery._ends_of_loop(trials, program.model(sandbox), n_starts=1)
        np.testing.assert_allclose(ends, values, atol=discovery.TOLERANCE)
        # A fit of one start each, so that only its likelihoods matter here.
        fitted = fit(model, trials.until(5), n_starts=1, exchange_rounds=0, progress=False)
        for nats, as_good in ((0.0, True), (-1.0, False)):
            table = fitted.table.assign(log_likelihood=values + nats)
            assert discovery._as_good(model, replace(fitted, table=table), trials, reference) is as_good
