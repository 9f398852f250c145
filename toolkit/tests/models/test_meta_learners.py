"""Meta-learners as models: symmetries averaged exactly, one reading of the trials, noise of choice."""

from __future__ import annotations

import itertools
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from toolkit.errors import DataError, UsageError
from toolkit.models import Model, get_model, list_models
from toolkit.models.checkpoints import PRIOR_OF, find_checkpoint, load_network, save_network
from toolkit.models.meta_learners import MetaLearner, _Kept
from toolkit.models.metalearner import MetaLearnerNetwork, NetworkConfig
from toolkit.seeds import Seeds
from toolkit.trials import Trials

pytestmark = pytest.mark.usefixtures("small_networks")


def learning(lengths: tuple[int, ...], n_categories: int = 2, seed: int = 0) -> Trials:
    """One sequence a participant, of three features between 0 and 1; some categories are not told."""
    rng = np.random.default_rng(seed)
    tables = []
    for participant, n in enumerate(lengths):
        columns = {f"stimulus_{i}": rng.random(n) for i in range(3)}
        told = np.where(rng.random(n) < 0.9, rng.integers(0, n_categories, n), -1)
        choice = rng.integers(0, n_categories, n)
        tables.append(pd.DataFrame(columns).assign(participant=participant, category=told, choice=choice))
    return Trials.from_table(pd.concat(tables), "category_learning", n_options=n_categories)


def answers(model: MetaLearner, trials: Trials) -> np.ndarray:
    """Probabilities as the network gives them, averaged: temperature 1, no lapse."""
    theta = model.theta(len(trials.participants), inverse_temperature=1, lapse=0)
    return model.predict(theta, trials)


@pytest.mark.parametrize(
    ("n_categories", "names"),
    [
        (2, [(0, 1), (1, 0)]),
        (3, list(itertools.permutations(range(3)))),
        (4, [(0, 1, 2, 3), (1, 2, 3, 0), (2, 3, 0, 1), (3, 0, 1, 2)]),
    ],
)
def test_answers_are_averaged_over_all_symmetries(n_categories: int, names: list[tuple[int, ...]]) -> None:
    trials = learning((20,), n_categories)
    network = load_network("ermi")
    p = []
    for turned, name in itertools.product((False, True), names):
        x = torch.tensor(1 - trials.stimulus if turned else trials.stimulus)
        y = torch.tensor([[name[label] if label >= 0 else -1 for label in trials.category[0]]])
        with torch.no_grad():
            renamed = network(x, y, n_classes=n_categories).exp().numpy()
        p.append(np.stack([renamed[..., name[label]] for label in range(n_categories)], -1))
    found = answers(get_model("ermi"), trials)
    np.testing.assert_allclose(found, np.mean(p, 0), atol=1e-6)
    assert np.abs(found - p[0]).max() > 1e-3


def test_nothing_depends_on_which_way_round_features_and_labels_are() -> None:
    trials = learning((30, 20))
    p = answers(get_model("pfn"), trials)
    turned = trials.updated(stimulus=1 - trials.stimulus)
    np.testing.assert_allclose(answers(get_model("pfn"), turned)[trials.mask], p[trials.mask], atol=1e-6)
    category = np.where(trials.category >= 0, 1 - trials.category, -1)
    renamed = answers(get_model("pfn"), trials.updated(category=category))
    np.testing.assert_allclose(renamed[trials.mask][:, ::-1], p[trials.mask], atol=1e-6)


def test_temperature_and_lapse() -> None:
    trials = learning((25, 25))
    model = get_model("mi")
    p = answers(model, trials)
    sharp = model.predict(model.theta(2, inverse_temperature=3, lapse=0), trials)
    np.testing.assert_allclose(sharp, p**3 / (p**3).sum(-1, keepdims=True), atol=1e-9)
    lapsing = model.predict(model.theta(2, inverse_temperature=3, lapse=0.4), trials)
    np.testing.assert_allclose(lapsing, 0.6 * sharp + 0.2, atol=1e-12)
    for theta in (
        model.theta(2, inverse_temperature=0, lapse=0),
        model.theta(2, inverse_temperature=5, lapse=1),
    ):
        log_p, _ = model.log_likelihood_and_gradient(theta, trials)
        np.testing.assert_allclose(log_p, -trials.n_scored * np.log(2), rtol=1e-12)


@pytest.mark.parametrize("options", [{}, {"lapse": False}, {"published": True}])
@pytest.mark.parametrize("n_categories", [2, 3])
def test_gradients_by_hand_are_those_of_torch(options: dict, n_categories: int) -> None:
    trials = learning((25, 14, 30), n_categories)
    trials = trials.updated(choice=np.where(trials.mask & (trials.stimulus[..., 0] > 0.2), trials.choice, -1))
    model = get_model("ermi", **options)
    bounds = np.array([(one.lower, one.upper) for one in model.parameters])
    theta = np.random.default_rng(0).uniform(*bounds.T, (4, 3, len(bounds)))
    theta[0], theta[1] = bounds.T
    theta[1, :, 1:] = 0  # Surest without lapses: some choices are as good as impossible.
    found = model.log_likelihood_and_gradient(theta, trials)
    for ours, by_torch in zip(found, Model.log_likelihood_and_gradient(model, theta, trials), strict=True):
        np.testing.assert_allclose(ours, by_torch, rtol=1e-9, atol=1e-9)


def test_the_oldest_answers_are_dropped_where_there_are_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("toolkit.models.meta_learners._NUMBERS_KEPT", 10)
    kept = _Kept()
    for name in (b"first", b"second", b"first", b"third"):
        kept.put(name, torch.zeros(2, 2))
    assert kept.get(b"first") is None
    assert kept.get(b"second") is not None and kept.get(b"third") is not None


def test_answers_that_are_not_kept_are_still_right(monkeypatch: pytest.MonkeyPatch) -> None:
    trials = learning((12, 30, 5), seed=8)
    expected = answers(get_model("pfn"), trials)
    monkeypatch.setattr("toolkit.models.meta_learners._kept", _Kept())
    monkeypatch.setattr("toolkit.models.meta_learners._NUMBERS_KEPT", 1)
    for _ in range(2):
        np.testing.assert_allclose(answers(get_model("pfn"), trials.updated()), expected, atol=1e-7)


def test_the_published_form_is_a_soft_sigmoid_of_one_parameter() -> None:
    trials = learning((25,))
    model = get_model("ermi", published=True)
    assert [(one.name, one.lower, one.upper) for one in model.parameters] == [("inverse_temperature", 0, 1)]
    assert len(get_model("ermi", lapse=False).parameters) == 1
    p = answers(get_model("ermi"), trials)[..., 1]
    logit = np.log(p) - np.log1p(-p)
    np.testing.assert_allclose(
        model.predict(np.array([[0.3]]), trials)[..., 1], 1 / (1 + np.exp(-0.3 * logit)), atol=1e-12
    )
    grid = np.linspace(0, 1, 21)[:, None, None]
    log_p, _ = model.log_likelihood_and_gradient(grid, trials)
    assert (np.diff(log_p[:, 0], 2) < 1e-9).all()


def test_sequences_of_all_lengths_and_copies_are_read_in_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    trials = learning((30, 12, 30, 5, 30))
    trials = trials.take([0, 1, 2, 3, 4, 0, 1])
    together = answers(get_model("rmc"), trials)
    monkeypatch.setattr("toolkit.models.meta_learners._PAIRS_AT_ONCE", 2000)
    for row in range(7):
        alone = trials.take([row])
        np.testing.assert_allclose(
            answers(get_model("rmc"), alone)[0], together[row, : alone.n_trials], atol=1e-6
        )
    doubled = answers(get_model("rmc"), trials.padded(31))
    np.testing.assert_allclose(doubled[:, :30][trials.mask], together[trials.mask], atol=1e-6)


def test_the_network_runs_once_for_the_same_stimuli_and_categories(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    forward = MetaLearnerNetwork.forward
    monkeypatch.setattr(
        MetaLearnerNetwork, "forward", lambda self, *a, **k: calls.append(1) or forward(self, *a, **k)
    )
    trials = learning((18, 18), seed=3)
    model = get_model("ermi")
    for temperature in (0.5, 1, 2):
        model.log_likelihood_and_gradient(np.full((4, 2, 2), temperature), trials)
    assert len(calls) == 4
    simulated = model.simulate(np.full((2, 2), 0.5), trials, np.random.default_rng(0))
    answers(get_model("ermi"), simulated.leaving_out(trials.mask & (trials.choice == 0)))
    assert len(calls) == 4
    answers(get_model("mi"), trials)
    assert len(calls) == 8


def test_a_network_that_was_trained_again_is_read_again(tmp_path: Path) -> None:
    path, trials = tmp_path / "mine.safetensors", learning((20,), seed=4)
    p = []
    for seed in range(2):
        network = MetaLearnerNetwork(
            NetworkConfig(width=8, n_layers=1), generator=Seeds(seed).torch("weights")
        )
        save_network(path, network, "mine")
        os.utime(path, ns=(seed, seed))
        p.append(answers(get_model("ermi", checkpoint=path), trials.updated()))
    assert np.abs(p[0] - p[1]).max() > 1e-3


def test_features_outside_0_and_1_are_scaled_within_the_sequence() -> None:
    """All sequences here start with the smallest and the largest value of each feature."""
    model = get_model("ermi")
    plain = learning((20, 15))
    stimulus = plain.stimulus.copy()
    stimulus[:, 0], stimulus[:, 1] = 0, 1
    plain = plain.updated(stimulus=stimulus)
    wide = plain.updated(stimulus=plain.stimulus * [10, 100, 1] - [5, 0, 0])
    np.testing.assert_allclose(answers(model, wide), answers(model, plain), atol=1e-5)
    narrow = plain.updated(stimulus=0.2 + plain.stimulus / 2)
    assert np.abs(answers(model, narrow) - answers(model, plain))[plain.mask].max() > 1e-4
    constant = plain.updated(stimulus=np.where(np.arange(3) == 2, 7.0, plain.stimulus))
    half = plain.updated(stimulus=np.where(np.arange(3) == 2, 0.5, plain.stimulus))
    np.testing.assert_allclose(answers(model, constant), answers(model, half), atol=1e-6)


def test_a_missing_checkpoint_says_how_to_make_it(small_networks: Path) -> None:
    (small_networks / "rmc.safetensors").rename(small_networks / "other.safetensors")
    try:
        with pytest.raises(
            UsageError,
            match=r"no checkpoint 'rmc'\..* toolkit train --prior rational --out .*rmc.safetensors",
        ):
            answers(get_model("rmc"), learning((5,), seed=5))
    finally:
        (small_networks / "other.safetensors").rename(small_networks / "rmc.safetensors")
    with pytest.raises(DataError, match="does not exist"):
        answers(get_model("ermi", checkpoint=small_networks / "absent.safetensors"), learning((5,)))
    assert find_checkpoint("rmc") == small_networks / "rmc.safetensors"


def test_names_and_priors_are_those_of_training() -> None:
    from toolkit.training.config import NAMES

    assert {name: prior for prior, name in NAMES.items()} == PRIOR_OF
    assert set(PRIOR_OF) <= set(list_models("category_learning"))
