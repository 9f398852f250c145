"""What `toolkit bench simulate` compares; its speeds are not tested."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from toolkit.bench import simulate
from toolkit.experiments import get_design
from toolkit.experiments.shepard import type_of
from toolkit.models import get_model
from toolkit.models.checkpoints import find_checkpoint, load_network
from toolkit.seeds import Seeds


def test_one_learner_trial_by_trial_expects_what_the_model_does() -> None:
    trials = get_design("shepard").draw(1, rng=Seeds(0).numpy("trials"), n_blocks=2)
    model, network = get_model("ermi"), load_network(find_checkpoint("ermi"), device="cpu")
    p = model.predict(model.theta(1, inverse_temperature=1.0, lapse=0.0), trials)[..., 1]
    for row in range(len(trials)):
        rng = Seeds(row).numpy("choices")
        chance, choice = simulate.plain_learner(network, trials.stimulus[row], trials.category[row], rng)
        np.testing.assert_allclose(chance, p[row], atol=1e-4)
        assert set(choice) <= {0, 1}
    assert p.std() > 0.1  # It learned something, so that agreement says something.


def test_the_plain_design_is_balanced_and_of_the_right_types() -> None:
    sequences = simulate.plain_design(2, Seeds(0).numpy("plain"))
    assert [len(trials) for trials in sequences] == [256] * 12
    types = []
    for trials in sequences:
        number = np.array([trial["stimulus"] @ (4, 2, 1) for trial in trials])
        types.append(
            type_of({int(n) for n, trial in zip(number, trials, strict=True) if trial["category"] == 0})
        )
        for block in range(16):
            assert set(Counter(number[16 * block : 16 * (block + 1)]).values()) == {2}
    assert types == ["I", "II", "III", "IV", "V", "VI"] * 2


def test_rows_say_what_was_shared_and_what_was_extrapolated(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"LEARNERS": 6, "ORDERS": 3, "OWN_ORDERS": 2, "BLOCKS": 1, "PLAIN_DRAWS": 2}.items():
        monkeypatch.setattr(simulate, name, value)
    shared, own, drawing = simulate.rows()
    assert all(row.same_result for row in (shared, own, drawing))
    assert "3 orders a type" in shared.what and "extrapolated" in shared.note
    assert all("of one processor" in row.note for row in (shared, own))
    assert "order of their own" in own.what and drawing.reference_s > 0
