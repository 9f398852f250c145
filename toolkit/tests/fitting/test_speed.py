"""Speed and held-out likelihood of networks."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from toolkit.experiments import get_design
from toolkit.fitting import cross_validate
from toolkit.fitting.speed import N_FOLDS, closest_limits, early_error, measure_speed, say_closest
from toolkit.models import get_model
from toolkit.models.checkpoints import checkpoint_dir


def test_early_error_is_the_mean_over_types_and_first_blocks() -> None:
    errors = pd.DataFrame(
        {"condition": ["I", "I", "I", "VI"], "block": [1, 1, 5, 1], "error": [0.1, 0.3, 0.0, 0.6]}
    )
    assert early_error(errors) == pytest.approx(0.4)


def test_of_every_limit_the_closest_to_peoples_pace_is_taken() -> None:
    rows = [
        ("no limit", 0.0, 0.25, 0.5),
        ("attention window", 8.0, 0.4, 0.6),
        ("attention window", 16.0, 0.28, 0.7),
        ("memory noise", 0.5, 0.24, 0.61),
        ("memory noise", 2.0, 0.4, 0.55),
        ("ERMI as shipped", np.nan, 0.25, 0.5),
    ]
    speeds = pd.DataFrame(rows, columns=["limit", "strength", "early_error", "nats_per_trial"])
    assert closest_limits(speeds, 0.25)["strength"].tolist() == [0.5, 16]
    assert closest_limits(speeds, None)["strength"].tolist() == [2, 8]
    speeds = speeds.assign(worse=0.01, low=-0.01, high=0.03)
    assert say_closest(speeds, 0.25).endswith(
        "0.0100 nats a choice worse than no limit (95 %: -0.0100 to 0.0300)"
    )
    better = speeds.assign(worse=-0.01, low=-0.03, high=0.01)
    assert say_closest(better, 0.25).endswith(
        "0.0100 nats a choice better than no limit (95 %: -0.0100 to 0.0300)"
    )
    assert "people's is 0.250; closest to it comes memory noise 0.5 with 0.240" in say_closest(speeds, 0.25)
    assert "new people are predicted best by memory noise 2 with" in say_closest(speeds, None)


def test_noise_makes_slower_and_likelihoods_are_those_of_new_people() -> None:
    design = get_design("shepard").draw(2, rng=np.random.default_rng(0), n_blocks=4)
    people = get_design("shepard").draw(6, rng=np.random.default_rng(1), conditions=("I", "II"), n_blocks=2)
    folder = checkpoint_dir() / "limited"
    paths = {name: folder / f"{name}.safetensors" for name in ("ermi-unlimited", "ermi-noise-2")}
    slow = get_model("ermi", checkpoint=paths["ermi-noise-2"])
    people = slow.simulate(
        slow.theta(6, inverse_temperature=1.0, lapse=0.1), people, np.random.default_rng(2)
    )
    table = measure_speed(paths, design, None, people, rng=np.random.default_rng(3)).set_index("learner")
    assert table.loc["ermi-noise-2", "early_error"] > table.loc["ermi-unlimited", "early_error"] + 0.05
    held_out = cross_validate(
        slow, people, scheme="participants", n_folds=N_FOLDS, n_starts=1, progress=False
    )
    mean = held_out.table["nats_per_trial"].mean()
    assert table.loc["ermi-noise-2", "nats_per_trial"] == pytest.approx(mean)
    first = table.loc["ermi-unlimited"]
    assert first["worse"] == first["low"] == first["high"] == 0
    difference = table["nats_per_trial"].diff().iloc[1]
    noisy = table.loc["ermi-noise-2"]
    assert noisy["worse"] == pytest.approx(difference)
    assert noisy["low"] <= noisy["worse"] <= noisy["high"]
    assert table["judged"].isna().all()
