"""Meta-RL as a model: it acts trial by trial as it predicts, whoever's trials they are."""

from __future__ import annotations

import numpy as np
import pytest

from toolkit.errors import UsageError
from toolkit.experiments.bandits import get_task
from toolkit.fitting import fit
from toolkit.models import get_model, get_model_for
from toolkit.models.base import Model
from toolkit.seeds import Seeds


@pytest.mark.parametrize(
    ("task", "network"), [("partial", "transformer"), ("full", "recurrent"), ("agency", "recurrent")]
)
def test_it_acts_as_it_predicts(task: str, network: str) -> None:
    """Choices from kept states are those that prediction from all earlier trials gives, draw for draw."""
    design = get_task(task).draw(2, rng=Seeds(0).numpy("design"), n_sessions=1)
    model = get_model_for("metarl", design, network=network)
    theta = model.theta(2, inverse_temperature=[1.0, 2.0], lapse=[0.0, 0.2])
    ours = model.simulate(theta, design, np.random.default_rng(1))
    assert ours.equals(Model.simulate(model, theta, design, np.random.default_rng(1)))
    assert ours.schema.name == "bandit" and (ours.choice[ours.scored] >= 0).all()


def test_made_for_trials_it_is_the_network_of_their_task() -> None:
    for task in ("partial", "full", "agency"):
        design = get_task(task).draw(1, rng=Seeds(0).numpy("design"))
        model = get_model_for("metarl", design)
        assert model.checkpoint.stem == f"{task}_recurrent_0"
        assert model.payoffs == get_task(task).payoffs


def test_learning_rates_describe_it() -> None:
    """Fits find what the task asks for: it learns, and prefers options that have paid."""
    design = get_task("partial").draw(10, rng=Seeds(0).numpy("design"))
    agent = get_model_for("metarl", design)
    trials = agent.simulate(
        agent.theta(10, inverse_temperature=1, lapse=0), design, Seeds(0).numpy("choices")
    )
    found = fit("rescorla_wagner_signed", trials, method="map", n_starts=3, progress=False)
    assert found.table["converged"].all() and (found.table["inverse_temperature"] > 1).all()
    assert (found.table["log_likelihood"] > 96 * np.log(0.5)).all()


def test_bandits_that_it_does_not_know_are_refused() -> None:
    wide = get_task("partial", n_options=3).draw(1, rng=Seeds(0).numpy("design"))
    model = get_model("metarl")
    theta = model.theta(1, inverse_temperature=1, lapse=0)
    with pytest.raises(UsageError, match="knows bandits of 2 options, not of 3"):
        model.simulate(theta, wide, np.random.default_rng(0))
    with pytest.raises(UsageError, match=r"no network 'full_recurrent_9.safetensors'.*full_recurrent_"):
        get_model("metarl", task="full", seed=9).simulate(theta, wide, np.random.default_rng(0))
