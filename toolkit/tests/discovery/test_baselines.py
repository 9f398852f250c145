"""Models of the literature as programs; their published fits are tests of facts 4 and 5 and of this file."""

from __future__ import annotations

import numpy as np
import pytest

from toolkit.data import load_data
from toolkit.discovery.baselines import CHANCE, get_baseline, list_baselines
from toolkit.discovery.task import Task
from toolkit.errors import UsageError
from toolkit.fitting import fit
from toolkit.tests.discovery.programs import bandit, interpreted
from toolkit.tests.strategies import random_trials


@pytest.mark.parametrize("family", ["two_step", "multi_attribute", "bandit"])
def test_every_baseline_is_a_program_that_compiles(family: str) -> None:
    task = Task.of(random_trials(family))
    names = list_baselines(task)
    assert names[-1] == CHANCE and len(names) > 1
    for name in names[:-1]:
        if name != "four_weights":  # It takes four attributes.
            model = get_baseline(name, task).model()
            assert model.engine.why_interpreted == "", name


def test_chance_is_chance(workers) -> None:
    trials = bandit()
    model = interpreted(get_baseline(CHANCE, Task.of(trials)).model(workers))
    np.testing.assert_allclose(model.totals(np.zeros((3, 0)), trials), -trials.n_scored * np.log(2))


def test_the_best_attribute_decides(workers) -> None:
    trials = random_trials("multi_attribute", (30,), seed=2)
    attributes = np.random.default_rng(0).integers(0, 2, (1, 30, 2, 4)).astype(float)
    trials = trials.updated(attributes=attributes)
    model = interpreted(get_baseline("take_the_best", Task.of(trials)).model(workers))
    p = model.predict(np.full((1, 1), 5.0), trials)[0, :, 1]
    differs = attributes[0, :, 1] - attributes[0, :, 0]
    first = [next((one for one in row if one), 0.0) for row in differs]
    np.testing.assert_allclose(p, 1 / (1 + np.exp(-5.0 * np.array(first))), rtol=1e-9)


def test_a_baseline_of_another_task_is_refused() -> None:
    with pytest.raises(UsageError, match="no baseline 'daw_hybrid' for bandit tasks"):
        get_baseline("daw_hybrid", Task.of(bandit()))


@pytest.mark.slow
@pytest.mark.data
def test_learning_with_working_memory_has_its_known_fit(public_data, workers) -> None:
    """Mean BIC of the participants 4–13, counted by trials."""
    trials = load_data("rlwm")
    task = Task.of(trials, about=["set_size"])
    some = trials.take(np.isin(trials.participant_index, range(4, 14)))
    table = fit(get_baseline("rl_wm", task).model(workers), some, n_starts=6, progress=False).table
    assert abs(table["bic"].mean() - 436.85) < 0.5
